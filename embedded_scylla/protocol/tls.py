"""TLS: the node's certificate, and sockets that speak it and never wait.

A handshake is not a step of its own: it goes on whenever its client is read from. Whoever does not get through it, one
who speaks plainly or trusts somebody else, is a client that is gone.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

_RECORD = 16 * 1024  # bytes: what is sent at a time is one record, which is sent again as it was or not at all


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What sockets are wrapped with. OSError (an SSLError too) when the PEM files do not make a pair."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.sslsocket_class = TlsSocket
    return context


class TlsSocket(ssl.SSLSocket):
    """A socket that is not ready says so as a plain one does: BlockingIOError."""

    def recv(self, size: int = 1024, flags: int = 0) -> bytes:
        try:
            data = super().recv(size, flags)
            # What is decrypted already wakes no selector up.
            while pending := self.pending():
                data += super().recv(pending, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None
        return data

    def send(self, data: Any, flags: int = 0) -> int:
        try:
            return super().send(data[:_RECORD], flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None
