"""A client's socket, and what still has to be sent to it."""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from typing import Protocol

from .. import limits


class Conversation(Protocol):
    """What is spoken on a connection. It never touches the socket."""

    closing: bool  # nothing more is heard; the socket may be closed once everything is sent
    crowded: bool  # whole requests wait in it until there is room for their answers: feed it (b"" will do) to go on

    @property
    def held(self) -> int:
        """How many bytes of a request that is not whole yet it holds."""

    def feed(self, data: bytes) -> None:
        """Take what the client sent, and answer every whole request in it while there is room for the answers."""


class Client:
    """``send`` keeps bytes for the socket, ``flush`` sends what it takes."""

    def __init__(self, sock: socket.socket, peer: tuple[str, int], spare: bool = False):
        self.socket, self.peer = sock, peer
        self.spare = spare  # beyond those that the node has room for
        self.conversation: Conversation | None = None  # unknown until the first byte has come
        self.closed = False
        self.events = selectors.EVENT_READ  # what the selector waits for
        self.held = 0  # bytes of a half-sent request, and
        self.counted = 0  # of ``unread``, that are in the server's sums
        self.unread = 0  # bytes that wait to be sent
        self.unread_events = 0  # how many of them are events
        self.stalled_since: float | None = None  # monotonic seconds: since when it has taken nothing of them
        self._outgoing: deque[bytes | memoryview] = deque()

    @property
    def closing(self) -> bool:
        return self.conversation is not None and self.conversation.closing

    @property
    def crowded(self) -> bool:
        return self.conversation is not None and self.conversation.crowded

    @property
    def has_room(self) -> bool:
        """Whether more may be answered, though not everything is sent."""
        return self.unread < limits.HIGH_WATER

    def send(self, data: bytes) -> bool:
        """Keep ``data`` to be sent; whether there is room for more."""
        if not self.closed:
            self._outgoing.append(data)
            self.unread += len(data)
        return self.has_room

    def flush(self) -> None:
        """Send what the socket takes now. OSError if the client is gone."""
        outgoing = self._outgoing
        if outgoing:
            data = outgoing.popleft() if len(outgoing) == 1 else self._next_piece()
            try:
                sent = self.socket.send(data)
            except BlockingIOError:
                sent = 0
            self.unread -= sent
            if sent < len(data):
                # A view: what is left of a large answer is not copied again and again.
                outgoing.appendleft(memoryview(data)[sent:])
            if self.unread and (sent or self.stalled_since is None):
                self.stalled_since = time.monotonic()
        if not self.unread:
            self.unread_events, self.stalled_since = 0, None

    def _next_piece(self) -> bytes | memoryview:
        outgoing = self._outgoing
        piece = outgoing.popleft()
        if len(piece) >= limits.SEND_SIZE:
            return piece
        pieces, size = [piece], len(piece)
        while outgoing and size + len(outgoing[0]) <= limits.SEND_SIZE:
            pieces.append(outgoing.popleft())
            size += len(pieces[-1])
        return b"".join(pieces)

    def wanted_events(self) -> int:
        """What the selector should wait for."""
        conversation = self.conversation
        crowded = conversation is not None and conversation.crowded
        events = selectors.EVENT_WRITE if self.unread or crowded else 0
        if not crowded and self.unread < limits.HIGH_WATER and not (conversation is not None and conversation.closing):
            events |= selectors.EVENT_READ
        return events

    def close(self) -> None:
        """Close the socket and let go of all that was kept for it, at once."""
        self.closed = True
        self.socket.close()
        self.conversation = None
        self._outgoing.clear()
