"""Who is let in, and how: what a node asks of its clients before it listens to them."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import BadCredentials

if TYPE_CHECKING:
    from ssl import SSLContext

AUTHENTICATOR = "org.apache.cassandra.auth.PasswordAuthenticator"  # the name by which drivers know what to send


@dataclass(frozen=True)
class Access:
    """``control``: whether the control channel is there. ``user`` and ``password``: what clients log in with, if they
    have to. ``tls``: what their sockets are wrapped with, if they have to speak TLS."""

    control: bool = True
    user: str | None = None
    password: str = field(default="", repr=False)
    tls: SSLContext | None = None

    def log_in(self, token: bytes) -> str:
        """The user whom a SASL PLAIN token names; BadCredentials if it is the wrong one, or has another password."""
        _, _, rest = token.partition(b"\0")
        user, _, password = rest.partition(b"\0")
        known, given = b"\0".join([(self.user or "").encode(), self.password.encode()]), b"\0".join([user, password])
        if not hmac.compare_digest(known, given):
            raise BadCredentials("Username and/or password are incorrect")
        return user.decode()


EVERYBODY = Access()
