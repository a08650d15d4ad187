"""Is a learner at the keyboard, or does a program run this notebook?"""

from __future__ import annotations

import os
import sys


def somebody_watches() -> bool:
    """True in a kernel that JupyterLab, the classic notebook or VS Code started for a person to use.

    Papermill, nbval and nbconvert start kernels of their own, without a session: there a prediction takes its default
    and the solutions are executed. The variable HELPERS_LIVE (1 or 0) overrides what is found.
    """
    told = os.environ.get("HELPERS_LIVE")
    if told in ("0", "1"):
        return told == "1"
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return False
    # Jupyter's server names the notebook to the kernels that it starts; VS Code puts the path among the variables.
    return "JPY_SESSION_NAME" in os.environ or "__vsc_ipynb_file__" in shell.user_ns
