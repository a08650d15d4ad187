"""Work in a child process that is a copy of this one: it sees everything as it was when it began, and changes nothing
here. Where the system knows no fork (Windows) there is none."""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress

CAN_FORK = hasattr(os, "fork")
_NO_ERRNO = 255
_NICE = 10  # whoever asks something goes first


class Child:
    """``work()`` in a child. ``ended()`` tells when that is over; ``error`` is then what went wrong, or None.

    OSError if the system has no room for another process.
    """

    def __init__(self, work: Callable[[], object]):
        self.error: OSError | None = None
        with warnings.catch_warnings():
            # Python warns that another thread may hold a lock at this moment. The one that syncs the journal holds none
            # that the child wants.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._number = os.fork()
        if self._number == 0:
            _work_and_end(work)

    def ended(self, *, wait: bool = False) -> bool:
        """Whether the child has ended; with ``wait`` not before it has."""
        if self._number:
            try:
                number, status = os.waitpid(self._number, 0 if wait else os.WNOHANG)
            except ChildProcessError as error:
                number, status, self.error = self._number, 0, error
            if number:
                self._number = 0
                self.error = self.error or _error_of(os.waitstatus_to_exitcode(status))
        return not self._number

    def end(self) -> None:
        """Let it go: what it was at is not wanted any more."""
        if self._number:
            with suppress(ProcessLookupError):
                os.kill(self._number, signal.SIGKILL)
            self.ended(wait=True)


def _error_of(code: int) -> OSError | None:
    if code == 0:
        return None
    if code < 0:
        return OSError(f"the process that wrote it was ended by {signal.Signals(-code).name}")
    return OSError(code, os.strerror(code)) if code != _NO_ERRNO else OSError("it failed; the log says how")


def _work_and_end(work: Callable[[], object]) -> None:
    """In the child, which never returns. Its parent's sockets, pipes and lock on the data directory are not its own:
    kept open, they would outlive a parent that is killed."""
    code = _NO_ERRNO
    try:
        with suppress(ValueError):  # not the main thread, where a test has its node
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which waits for this
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)  # 2 stays, for what goes wrong
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        gc.disable()
        with suppress(OSError):
            os.nice(_NICE)
        work()
        code = 0
    except OSError as error:
        code = error.errno if error.errno and error.errno < _NO_ERRNO else _NO_ERRNO
    except BaseException:
        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
    finally:
        os._exit(code)
