"""The course's one command, the same words on every system: ``python seats.py lab``.

Where the environment in ``.venv`` is active it goes by its name: ``seats lab``. ``seats --help`` lists what there is.
"""

from __future__ import annotations

import sys

from tools.commands import main

if __name__ == "__main__":
    sys.exit(main())
