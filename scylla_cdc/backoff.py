"""Trying again: which errors pass by themselves, and how long to wait before asking once more."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from cassandra import AuthenticationFailed, OperationTimedOut, RequestExecutionException, RequestValidationException
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionException
from cassandra.protocol import ErrorMessage
from cassandra.protocol import RequestValidationException as RefusedMessage

from .errors import ChangeReaderError, StreamsNotPublishedError

_log = logging.getLogger(__package__)
T = TypeVar("T")

_PERMANENT = (RequestValidationException, RefusedMessage, AuthenticationFailed)
# ErrorMessage: what has no class of its own in the driver (overloaded, bootstrapping, a server error).
_TRANSIENT = (
    OperationTimedOut,
    RequestExecutionException,
    ConnectionException,
    ErrorMessage,
    OSError,
    StreamsNotPublishedError,
)


def is_transient(error: BaseException) -> bool:
    """May the same request succeed later, with nobody mending anything?

    A timeout, too few replicas, an overloaded or restarting node: yes. A missing table or permission: no.
    """
    if isinstance(error, NoHostAvailable):
        causes = list(error.errors.values()) if isinstance(error.errors, dict) else []
        return not causes or any(not isinstance(cause, _PERMANENT) for cause in causes)
    return isinstance(error, _TRANSIENT) and not isinstance(error, _PERMANENT)


def sentence_of(error: BaseException) -> str:
    """What the server (or the driver) said, with the error's class in front."""
    if isinstance(error, NoHostAvailable) and isinstance(error.errors, dict) and error.errors:
        error = next(iter(error.errors.values()))
    return f"{type(error).__name__}: {getattr(error, 'message', None) or error}"


def delays(
    first: float = 0.1, longest: float = 30.0, jitter: float = 0.2, chance: Callable[[], float] = random.random
) -> Iterator[float]:
    """Seconds to wait before each further try: doubling from ``first`` to ``longest``, each longer or shorter by up
    to the share ``jitter``, so that readers which failed together do not come back together."""
    delay = first
    while True:
        yield delay * (1 + jitter * (2 * chance() - 1))
        delay = min(delay * 2, longest)


class Retry:
    """Calls something until it succeeds, fails for good, or has failed for ``patience`` seconds (None: no limit).

    ``wait(seconds)`` does the waiting, and may raise to end it. ``retries`` counts, ``last_error`` remembers.
    """

    def __init__(
        self,
        wait: Callable[[float], None],
        patience: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._wait, self._patience, self._clock = wait, patience, clock
        self.retries = 0
        self.last_error: str | None = None

    def __call__(self, action: Callable[[], T], doing: str) -> T:
        """The result of ``action()``. ``doing`` completes the sentence "The change reader could not …"."""
        began = self._clock()
        pauses = delays()
        while True:
            try:
                return action()
            except Exception as error:
                self.last_error = sentence_of(error)
                failing = self._clock() - began
                if not is_transient(error):
                    if isinstance(error, (ChangeReaderError, *_PERMANENT, NoHostAvailable)):
                        raise self._given_up(doing, error) from error
                    raise
                if self._patience is not None and failing >= self._patience:
                    raise self._given_up(f"{doing}, for {failing:.0f} s", error) from error
            self.retries += 1
            pause = next(pauses)
            _log.warning("could not %s (%s): trying again in %.1f s", doing, self.last_error, pause)
            self._wait(pause)

    def _given_up(self, doing: str, error: BaseException) -> ChangeReaderError:
        if isinstance(error, ChangeReaderError):
            return error
        return ChangeReaderError(f"The change reader could not {doing}: {sentence_of(error)}")
