"""Sockets: one thread, one loop. It reads what came, lets the connections answer, and sends the answers.

A request runs to its end before the next begins, so every request sees and makes one whole state: there are no locks
anywhere in the node. Work that is due later (delayed view updates, expiry scans) runs between two rounds.

Nothing that a client does, or leaves undone, costs the others more than ``limits`` allows: who asks for too much is
told so, or cut off, and the node goes on.
"""

from __future__ import annotations

import errno
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from .. import limits
from ..errors import Overloaded
from ..notices import Notices
from ..prepared import PreparedStatements
from ..request import Database, SchemaChange
from .access import EVERYBODY, Access
from .client import Client
from .connection import Connection
from .control import FIRST_BYTE, ControlConnection, Dials
from .messages import encode_schema_event

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)  # why nobody can be accepted now


class ServedEngine(Database, Protocol):
    """What a server asks of the engine beside what plans ask of it."""

    clients: Callable[[], Iterable[dict[str, Any]]]
    announce: Callable[[list[SchemaChange]], None]
    stop: Callable[[], None]

    def close(self) -> None:
        """Let go of what is kept on disk."""


class Upkeep(Protocol):
    """What the node does by itself between two rounds of requests; it never raises."""

    def seconds_until_due(self) -> float | None:
        """How long it can wait; None when nothing is to be done."""

    def run_due(self) -> None:
        """Do what is due."""


class Node:
    """The running node: an engine behind a listening socket. ``port`` is the real one when 0 was asked for."""

    def __init__(
        self,
        engine: ServedEngine,
        prepared: PreparedStatements,
        upkeep: Upkeep,
        dials: Dials,
        host: str,
        port: int,
        access: Access = EVERYBODY,
    ):
        self._access = access
        if access.user is not None:
            engine.roles.enforce(access.user, access.password)
        self._engine, self._prepared, self._upkeep, self._dials = engine, prepared, upkeep, dials
        engine.clients, engine.announce, engine.stop = self._connections, self._announce, self.stop
        self._notices = Notices()
        self._selector = selectors.DefaultSelector()
        self._clients: dict[Client, None] = {}  # in the order in which they came
        self._most_clients = limits.most_clients()
        self._held = self._unread = 0  # bytes, of all clients
        self._accept_again: float | None = None  # monotonic seconds, while no new clients are looked for
        self._stopping = False
        self._listener = self._listen(host, port)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self.host, self.port = host, self._listener.getsockname()[1]
        # A signal handler may only set a flag; this pair of sockets wakes the loop up for it.
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._selector.register(self._wake_out, selectors.EVENT_READ, self._drain_wake_up)

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
        return listener

    # ---------------------------------------------------------------- life

    def obey_signals(self) -> None:
        """Let SIGTERM and SIGINT end the node cleanly; to be called from the main thread."""
        signal.set_wakeup_fd(self._wake_in.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())

    def run(self) -> None:
        """Serve until ``stop``; then close everything, and the engine with it. Nobody is waited for: what a client has
        not taken by then, it does not get."""
        try:
            while not self._stopping:
                self._turn()
        finally:
            for client in list(self._clients):
                self._flush(client)
                self._close(client)
            self._listener.close()
            self._selector.close()
            self._engine.close()

    def stop(self) -> None:
        """End ``run`` after the request that it is at; may be called by a signal handler or another thread."""
        self._stopping = True
        with suppress(OSError):
            self._wake_in.send(b"\0")

    def _turn(self) -> None:
        # What becomes due while requests are answered is seen in the next turn: upkeep is asked once in each.
        wait = self._upkeep.seconds_until_due()
        if self._accept_again is not None:
            pause = max(0.0, self._accept_again - time.monotonic())
            wait = pause if wait is None else min(wait, pause)
        for key, events in self._selector.select(wait):
            if isinstance(key.data, Client):
                self._serve(key.data, events)
            else:
                key.data()
        if self._accept_again is not None and time.monotonic() >= self._accept_again:
            self._look_for_clients()
        self._upkeep.run_due()

    def _drain_wake_up(self) -> None:
        with suppress(BlockingIOError):
            while self._wake_out.recv(4096):
                pass

    def status(self) -> dict[str, Any]:
        """What the server knows of itself, for the control channel."""
        return {"clients": len(self._clients)}

    # ---------------------------------------------------------------- who comes

    def _accept(self) -> None:
        try:
            sock, address = self._listener.accept()
        except OSError as error:
            if error.errno in _NO_ROOM:  # whoever waits makes the listener ready again and again: do not look
                self._notices.say("accept", f"nobody can be let in: {error.strerror}. Those who are in go on.")
                self._selector.unregister(self._listener)
                self._accept_again = time.monotonic() + limits.ACCEPT_PAUSE
            return  # else the client was gone again
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._access.tls is not None:
                sock = self._access.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        except OSError:
            sock.close()
            return
        client = Client(sock, address[:2], spare=len(self._clients) >= self._most_clients)
        if client.spare:
            self._make_room()
        self._clients[client] = None
        self._selector.register(sock, selectors.EVENT_READ, client)

    def _look_for_clients(self) -> None:
        self._accept_again = None
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _make_room(self) -> None:
        """For one more of those that there is no room for: who has waited longest to be told so goes."""
        self._notices.say("full", f"{self._most_clients} clients are in, and there is no room for another.")
        spare = [client for client in self._clients if client.spare]
        for client in spare[: max(0, len(spare) + 1 - limits.SPARE_CLIENTS)]:
            self._close(client)

    def _close(self, client: Client) -> None:
        if client.closed:
            return
        del self._clients[client]
        self._selector.unregister(client.socket)
        client.close()
        self._held -= client.held
        self._unread -= client.counted
        if self._accept_again is not None:
            self._look_for_clients()  # there is a descriptor now

    # ---------------------------------------------------------------- what they say

    def _serve(self, client: Client, events: int) -> None:
        try:
            if events & selectors.EVENT_READ and not client.closed:
                self._read(client)
            if not client.closed and (client.unread or client.closing or client.crowded):
                self._flush(client)
                if client.crowded and client.has_room:
                    self._hear(client, b"")
                    self._flush(client)
        except Exception as error:  # a fault of the node: this client hears no more, the others are served
            self._notices.fault("which cost one client its connection", error)
            self._close(client)

    def _answer_later(self, client: Client, answer: Callable[[], None]) -> None:
        """Carry out a request that had to wait. If its client is gone it is carried out all the same, as it would have
        been: the client cannot know how far it had come."""
        try:
            answer()
            self._flush(client)
        except Exception as error:
            self._notices.fault("which cost one client its connection", error)
            self._close(client)

    def _read(self, client: Client) -> None:
        try:
            data = client.socket.recv(limits.READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._hear(client, data)
        else:
            self._close(client)

    def _hear(self, client: Client, data: bytes) -> None:
        conversation = client.conversation
        if conversation is None:
            conversation = client.conversation = self._begin(client, data[0])
        conversation.feed(data)
        held = conversation.held
        if held != client.held:
            self._count_held(client, held)
        if held and not client.closed and _QUICKACK is not None:
            # Drivers leave Nagle's algorithm on and send a large request in pieces: they wait for this one to be
            # acknowledged before they send the next, and a delayed acknowledgement costs them 44 ms.
            with suppress(OSError):
                client.socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _begin(self, client: Client, first_byte: int) -> Connection | ControlConnection:
        if first_byte == FIRST_BYTE and self._access.control:
            self._engine.requests += 1
            return ControlConnection(self._dials, self, client.peer, client.send, self._notices)
        later, peer = partial(self._answer_later, client), client.peer
        connection = Connection(self._engine, self._prepared, peer, client.send, self._notices, later, self._access)
        if client.spare:
            connection.refusal = Overloaded(f"This node serves {self._most_clients} clients, and has no room for more.")
        return connection

    def _count_held(self, client: Client, held: int) -> None:
        """Keep the sum of what is half sent; beyond its bound, who holds most is told so and cut off."""
        if client.closed:
            return
        self._held += held - client.held
        client.held = held
        if self._held > limits.HALF_SENT_TOGETHER:
            worst = max(self._clients, key=lambda client: client.held)
            self._notices.say("held", f"{self._held} bytes of half-sent requests: the client with most is cut off.")
            if isinstance(worst.conversation, Connection):
                worst.conversation.end(Overloaded("Too many large requests are on their way to this node."))
            self._held -= worst.held
            worst.held = 0
            self._flush(worst)

    # ---------------------------------------------------------------- what they hear

    def _flush(self, client: Client) -> None:
        """Send what can be sent, and see what to wait for."""
        if client.closed:
            return
        try:
            client.flush()
        except OSError:
            self._close(client)
            return
        unread = client.unread
        if not unread and client.closing:
            self._close(client)
            return
        events = client.wanted_events()
        if events != client.events:
            self._selector.modify(client.socket, events, client)
            client.events = events
        if unread != client.counted:
            self._unread += unread - client.counted
            client.counted = unread
            if self._unread > limits.UNREAD_TOGETHER:
                self._cut_off_stalled()

    def _cut_off_stalled(self) -> None:
        """Too much waits for clients who do not read: the worst of those who stalled goes."""
        before = time.monotonic() - limits.STALLED
        stalled = [c for c in self._clients if c.stalled_since is not None and c.stalled_since <= before]
        if stalled:
            self._notices.say("unread", f"{self._unread} bytes wait for clients who do not read: the worst is cut off.")
            self._close(max(stalled, key=lambda client: client.unread))

    def _connections(self) -> list[dict[str, Any]]:
        conversations = [client.conversation for client in self._clients]
        return [c.describe() for c in conversations if isinstance(c, Connection)]

    def _announce(self, changes: Sequence[SchemaChange]) -> None:
        """Tell every client that asked to know of schema changes."""
        events = [encode_schema_event(change) for change in changes]
        for client in list(self._clients):
            connection = client.conversation
            if not isinstance(connection, Connection) or "SCHEMA_CHANGE" not in connection.registered:
                continue
            before = client.unread
            for event in events:
                connection.send_event(event)
            client.unread_events += client.unread - before
            self._flush(client)
            if client.unread_events > limits.UNREAD_EVENTS:
                self._notices.say("events", "a client that asked for events does not read them, and is cut off.")
                self._close(client)
