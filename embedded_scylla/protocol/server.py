"""Sockets: one thread, one loop. It reads what came, lets the connections answer, and sends the answers.

A request runs to its end before the next begins, so every request sees and makes one whole state: there are no locks
anywhere in the node. Work that is due later (delayed view updates, expiry scans) runs between two rounds.
"""

from __future__ import annotations

import selectors
import signal
import socket
import sys
import traceback
from typing import TYPE_CHECKING, Any

from ..request import SchemaChange
from .connection import Connection
from .control import FIRST_BYTE, ControlConnection
from .messages import encode_schema_event

if TYPE_CHECKING:
    from ..engine import Engine

READ_SIZE = 256 * 1024
HIGH_WATER = 64 * 1024 * 1024  # bytes waiting for a client that does not read: it is not read from until they are sent
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class _Client:
    """A socket, what still has to be sent to it, and the conversation on it."""

    def __init__(self, sock: socket.socket, peer: tuple[str, int]):
        self.socket, self.peer = sock, peer
        self.outgoing: list[bytes] = []
        self.waiting = 0
        self.events = selectors.EVENT_READ  # what the selector waits for
        self.conversation: Connection | ControlConnection | None = None

    def send(self, data: bytes) -> None:
        self.outgoing.append(data)
        self.waiting += len(data)


class Node:
    """The running node: an engine behind a listening socket. ``port`` is the real one when 0 was asked for."""

    def __init__(self, engine: Engine, host: str, port: int):
        self.engine = engine
        engine.clients, engine.announce = self._connections, self._announce
        self._selector = selectors.DefaultSelector()
        self._clients: dict[socket.socket, _Client] = {}
        self._stopping = False
        self._listener = self._listen(host, port)
        self.host, self.port = host, self._listener.getsockname()[1]
        # A signal handler may only set a flag; this pair of sockets wakes the loop up for it.
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._selector.register(self._wake_out, selectors.EVENT_READ)

    def _listen(self, host: str, port: int) -> socket.socket:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        if sys.platform != "win32":  # there it would let two nodes share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError:
            listener.close()
            raise
        listener.listen(512)
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ)
        return listener

    # ---------------------------------------------------------------- life

    def obey_signals(self) -> None:
        """Let SIGTERM and SIGINT end the node cleanly; to be called from the main thread."""
        signal.set_wakeup_fd(self._wake_in.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())

    def run(self) -> None:
        """Serve until ``stop``; then close everything, and the engine with it."""
        try:
            while not self._stopping:
                self._turn()
        finally:
            for client in list(self._clients.values()):
                self._flush(client)
                self._close(client)
            self._listener.close()
            self.engine.close()

    def stop(self) -> None:
        self._stopping = True

    def _turn(self) -> None:
        for key, events in self._selector.select(self.engine.seconds_until_due()):
            if key.fileobj is self._listener:
                self._accept()
            elif key.fileobj is self._wake_out:
                self._drain_wake_up()
            else:
                client = self._clients.get(key.fileobj)
                if client is not None and events & selectors.EVENT_READ:
                    self._read(client)
                if client is not None and client.outgoing:
                    self._flush(client)
        self.engine.run_due()

    def _drain_wake_up(self) -> None:
        try:
            while self._wake_out.recv(4096):
                pass
        except BlockingIOError:
            pass

    # ---------------------------------------------------------------- clients

    def _accept(self) -> None:
        try:
            sock, address = self._listener.accept()
        except OSError:
            return  # the client was gone again, or no descriptor is free
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients[sock] = _Client(sock, address[:2])
        self._selector.register(sock, selectors.EVENT_READ)

    def _read(self, client: _Client) -> None:
        try:
            data = client.socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(client)
            return
        if client.conversation is None:
            kind = ControlConnection if data[0] == FIRST_BYTE else Connection
            client.conversation = kind(self, client.peer, client.send)
        try:
            client.conversation.feed(data)
        except Exception:  # a fault of the node: this client hears no more, the others are served
            traceback.print_exc(file=sys.stderr)
            self._close(client)
            return
        if client.conversation.incomplete and _QUICKACK is not None and client.socket in self._clients:
            # Drivers leave Nagle's algorithm on and send a large request in pieces: they wait for this one to be
            # acknowledged before they send the next, and a delayed acknowledgement costs them 44 ms.
            client.socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _flush(self, client: _Client) -> None:
        if client.socket not in self._clients:
            return
        data = client.outgoing[0] if len(client.outgoing) == 1 else b"".join(client.outgoing)
        try:
            sent = client.socket.send(data) if data else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(client)
            return
        rest = data[sent:]
        client.outgoing = [rest] if rest else []
        client.waiting = len(rest)
        if not rest and client.conversation is not None and client.conversation.closing:
            self._close(client)
            return
        events = selectors.EVENT_WRITE if rest else 0
        if client.waiting < HIGH_WATER:
            events |= selectors.EVENT_READ
        if events != client.events:
            self._selector.modify(client.socket, events)
            client.events = events

    def _close(self, client: _Client) -> None:
        if self._clients.pop(client.socket, None) is not None:
            self._selector.unregister(client.socket)
            client.socket.close()

    def _connections(self) -> list[dict[str, Any]]:
        conversations = [client.conversation for client in self._clients.values()]
        return [c.describe() for c in conversations if isinstance(c, Connection)]

    def _announce(self, changes: list[SchemaChange]) -> None:
        """Tell every client that asked to know of schema changes."""
        events = [encode_schema_event(change) for change in changes]
        for client in list(self._clients.values()):
            conversation = client.conversation
            if isinstance(conversation, Connection) and "SCHEMA_CHANGE" in conversation.registered:
                for event in events:
                    conversation.send_event(event)
                self._flush(client)
