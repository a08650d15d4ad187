"""What a notebook has from its first cell on, before anything was imported there.

The package's face furnishes every kernel into which it is imported; and set-up has every kernel of the environment
import it (``KERNEL_CONFIG`` in tools/environment.py). So nothing here may slow a kernel's start or keep it from
starting: the driver, and all that needs it, is imported when it is first used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from types import TracebackType
from typing import Any

from .. import course

# What a learner may ask for in any cell, and what ? says to it until then.
COMMANDS = {
    "check": 'check("04.2"): look at the rows of exercise 04.2, and say what is right or still wrong.',
    "hint": 'hint("04.2"): a first hint, a second one, and then the solution.',
    "starter": 'starter("04.2"): the cell of exercise 04.2 as it was.',
    "reset": 'reset("04.2"): the rows of exercise 04.2 as they were before; reset(): the whole chapter anew.',
    "progress": "progress(): what is done and what is open, in all chapters.",
    "passport": 'passport("your name"): a page of what you can do, with the CQL that you wrote.',
}

_MAGICS = {"cql": "line_cell", "after": "cell"}


def shell_of_a_notebook() -> Any:
    """The IPython that runs this process's notebook; None in a terminal, and without one."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return shell if hasattr(shell, "kernel") else None


def offer_magics(shell: Any) -> None:
    """Let ``%%cql`` and ``%%after`` be there; what they need is imported when anything of the course is used."""
    from IPython.core.magic import no_var_expand

    for name, kind in _MAGICS.items():
        if name not in shell.magics_manager.magics["cell"]:
            shell.register_magic_function(no_var_expand(_offered(name)), kind, name)


def install_magics() -> None:
    """Put the magics themselves in place of what was offered; outside IPython nothing."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    manager = getattr(shell, "magics_manager", None)
    if manager is not None and hasattr(manager.magics["cell"].get("cql"), "is_offered"):
        from ..display import cql_magic
        from . import answers, exercises, gate

        cql_magic.install(shell)
        cql_magic.around["solution"] = exercises.behind_solution
        cql_magic.keep_design = _keep_design
        gate.install(shell)
        answers.install(shell)


def _keep_design(text: str, session: Any) -> None:
    import_module(course.design_module).keep(text, session)


def _offered(name: str) -> Any:
    def call(line: str, cell: str | None = None) -> Any:
        install_magics()
        magics = sys.modules["IPython"].get_ipython().magics_manager.magics
        return magics["line"][name](line) if cell is None else magics["cell"][name](line, cell)

    call.__name__ = name
    vars(call)["is_offered"] = True
    return call


def furnish(shell: Any, find: Callable[[str], Any], names: Iterable[str] = COMMANDS) -> None:
    """Give a notebook's shell the learner's commands, and errors in sentences.

    ``find`` gives the thing that goes by a name; it is asked when the name is called. Twice does no harm.
    """
    commands = {name: _later(name, COMMANDS[name], find) for name in names if name not in shell.user_ns}
    shell.push(commands, interactive=False)
    shell.set_custom_exc((Exception,), _explain)


def _later(name: str, says: str, find: Callable[[str], Any]) -> Callable[..., Any]:
    def call(*values: Any, **named: Any) -> Any:
        return find(name)(*values, **named)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = says
    return call


def _explain(
    shell: Any, kind: type, error: BaseException, trace: TracebackType, tb_offset: int | None = None
) -> list[str]:
    """IPython's handler of what goes wrong in a cell: a sentence where the course has one, else what it ever shows."""
    try:
        from .error_handler import show_sentences

        told = show_sentences(shell, kind, error, trace)
    except Exception:  # whoever explains an error makes no second one
        told = None
    if told is not None:
        return told
    if issubclass(kind, SyntaxError):
        shell.showsyntaxerror()
    else:
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset, running_compiled_code=True)
    return []
