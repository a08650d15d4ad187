"""Who is let in, and how: what a node asks of its clients before it listens to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssl import SSLContext

    from ..roles import Roles

AUTHENTICATOR = "org.apache.cassandra.auth.PasswordAuthenticator"  # the name by which drivers know what to send


@dataclass(frozen=True)
class Access:
    """``control``: whether the control channel is there. ``user`` and ``password``: the superuser, where clients
    have to log in. ``tls``: what their sockets are wrapped with, if they have to speak TLS."""

    control: bool = True
    user: str | None = None
    password: str = field(default="", repr=False)
    tls: SSLContext | None = None


def log_in(token: bytes, roles: Roles) -> str:
    """The role that a SASL PLAIN token names; BadCredentials if there is none that may log in with its password."""
    _, _, rest = token.partition(b"\0")
    user, _, password = rest.partition(b"\0")
    name = user.decode(errors="replace")
    roles.authenticate(name, password.decode(errors="surrogateescape"))
    return name


EVERYBODY = Access()
