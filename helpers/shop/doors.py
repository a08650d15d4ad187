"""The doors of a sale: whoever watches it may close them for a while, or let fans in more slowly."""

from __future__ import annotations

import threading
import time

SLOW_SECONDS = 0.25  # a fan's way from one request to the next, where somebody wants to see each


class DoorsClosed(Exception):
    """The sale is over, or was interrupted: this fan is not let in any more."""


class Doors:
    """Every fan passes here before each request. All calls are good from any thread."""

    def __init__(self) -> None:
        self.slow = False
        self.closed = False
        self._may_enter = threading.Event()
        self._may_enter.set()
        self._opened = time.perf_counter()
        self._stood = 0.0  # seconds for which they were shut
        self._shut_at: float | None = None
        self._lock = threading.Lock()

    @property
    def shut(self) -> bool:
        """Does everybody wait?"""
        return self._shut_at is not None

    def open(self) -> None:
        """The sale begins; its time counts from here."""
        with self._lock:
            self._opened, self._stood, self._shut_at = time.perf_counter(), 0.0, None
        self._may_enter.set()

    def enter(self) -> None:
        """Wait until one may; DoorsClosed when it is over."""
        self._may_enter.wait()
        if self.slow and not self.closed:
            time.sleep(SLOW_SECONDS)
            self._may_enter.wait()
        if self.closed:
            raise DoorsClosed

    def shut_or_open(self) -> None:
        """Let nobody in, or go on."""
        with self._lock:
            if self._shut_at is None:
                self._shut_at = time.perf_counter()
                self._may_enter.clear()
                return
            self._stood += time.perf_counter() - self._shut_at
            self._shut_at = None
        self._may_enter.set()

    def close(self) -> None:
        """It is over: who waits goes home."""
        self.closed = True
        self._may_enter.set()

    def open_for(self) -> float:
        """Seconds since the opening, without those for which everybody waited."""
        with self._lock:
            until = time.perf_counter() if self._shut_at is None else self._shut_at
            return until - self._opened - self._stood
