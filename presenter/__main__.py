"""``python -m presenter``: see ``command``."""

import sys

from presenter.command import main

sys.exit(main())
