"""Who may do what: roles, what each is granted, and the service levels that can be attached to them.

A resource is a tuple: ``("data",)`` all keyspaces, ``("data", "park")`` one, ``("data", "park", "seats")`` a table; so
with ``roles``, ``functions`` and ``service_levels``. Whoever may do a thing with a resource may do it with all that is
in it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .errors import BadCredentials, InvalidRequest, Unauthorized

Resource = tuple[str, ...]
Need = tuple[str, Resource]  # a permission, and on what

DATA, ROLES, FUNCTIONS, SERVICE_LEVELS = "data", "roles", "functions", "service_levels"
PERMISSIONS = ("ALTER", "AUTHORIZE", "CREATE", "DESCRIBE", "DROP", "EXECUTE", "MODIFY", "SELECT")
_WHOLE = {DATA: "all keyspaces", ROLES: "all roles", FUNCTIONS: "all functions", SERVICE_LEVELS: "all service levels"}
_ON_OBJECT = frozenset(("ALTER", "DROP", "AUTHORIZE"))
_APPLICABLE = {
    (DATA, 3): _ON_OBJECT | {"SELECT", "MODIFY"},
    (DATA, 2): _ON_OBJECT | {"CREATE", "SELECT", "MODIFY"},
    (DATA, 1): _ON_OBJECT | {"CREATE", "SELECT", "MODIFY"},
    (ROLES, 2): _ON_OBJECT,
    (ROLES, 1): _ON_OBJECT | {"CREATE", "DESCRIBE"},
    (FUNCTIONS, 3): _ON_OBJECT | {"EXECUTE"},
    (FUNCTIONS, 2): _ON_OBJECT | {"CREATE", "EXECUTE"},
    (FUNCTIONS, 1): _ON_OBJECT | {"CREATE", "EXECUTE"},
    (SERVICE_LEVELS, 1): _ON_OBJECT | {"CREATE", "DESCRIBE"},
}
_ROUNDS = 1000


def shown(resource: Resource) -> str:
    """A resource as error messages and LIST PERMISSIONS show it."""
    kind, *parts = resource
    if not parts:
        return f"<{_WHOLE[kind]}>"
    if kind == ROLES:
        return f"<role {parts[0]}>"
    if kind == FUNCTIONS:
        return f"<all functions in {parts[0]}>" if len(parts) == 1 else f"<function {'.'.join(parts)}>"
    return f"<keyspace {parts[0]}>" if len(parts) == 1 else f"<table {'.'.join(parts)}>"


def applicable(resource: Resource) -> frozenset[str]:
    """The permissions that there can be on a resource."""
    return _APPLICABLE[resource[0], len(resource)]


def with_parents(resource: Resource) -> Iterator[Resource]:
    """The resource and all that it is in, the innermost first."""
    for length in range(len(resource), 0, -1):
        yield resource[:length]


def hashed(password: str) -> str:
    """What is kept of a password."""
    salt = os.urandom(16)
    return f"$pbkdf2-sha256${_ROUNDS}${salt.hex()}${_digest(password, salt, _ROUNDS)}"


def is_hash(text: str) -> bool:
    """Whether a text is what ``hashed`` makes; of others, which are kept as they were given, no password is known."""
    parts = text.split("$")
    return len(parts) == 5 and parts[:2] == ["", "pbkdf2-sha256"] and parts[2].isdecimal()


def _digest(password: str, salt: bytes, rounds: int) -> str:
    return hashlib.pbkdf2_hmac("sha256", password.encode(errors="surrogateescape"), salt, rounds).hex()


def _is_password(password: str, kept: str) -> bool:
    _, _, rounds, salt, digest = kept.split("$")
    return hmac.compare_digest(_digest(password, bytes.fromhex(salt), int(rounds)), digest)


@dataclass
class Role:
    """``member_of``: the roles that were granted to it. ``permissions``: by resource."""

    name: str
    superuser: bool = False
    login: bool = False
    salted_hash: str = field(default="", repr=False)
    member_of: set[str] = field(default_factory=set)
    permissions: dict[Resource, set[str]] = field(default_factory=dict)
    service_level: str | None = None


@dataclass
class ServiceLevel:
    """``timeout`` in ns."""

    timeout: int | None = None
    workload_type: str | None = None
    shares: int | None = None


class Roles:
    """All roles and service levels by name. ``enforced``: whether anybody has to log in, and may do only what a role of
    theirs may; ``first``: the superuser that is there from the beginning then. InvalidRequest where a role that is
    named does not exist."""

    def __init__(self) -> None:
        self.enforced = False
        self.first: str | None = None
        self.by_name: dict[str, Role] = {}
        self.service_levels: dict[str, ServiceLevel] = {}

    def enforce(self, user: str, password: str) -> None:
        """Let nobody in from now on who does not log in; ``user`` is a superuser with this password."""
        self.enforced, self.first = True, user
        role = self.by_name.setdefault(user, Role(user))
        role.superuser = role.login = True
        role.salted_hash = hashed(password)

    # ---------------------------------------------------------------- asking

    def role(self, name: str) -> Role:
        found = self.by_name.get(name)
        if found is None:
            raise InvalidRequest(f"Role {name} doesn't exist.")
        return found

    def authenticate(self, name: str, password: str) -> None:
        """BadCredentials if no such role may log in with this password."""
        role = self.by_name.get(name)
        if role is None or not is_hash(role.salted_hash) or not _is_password(password, role.salted_hash):
            raise BadCredentials("Username and/or password are incorrect")
        if not role.login:
            raise BadCredentials(f"{name} is not permitted to log in")

    def granted(self, name: str, recursive: bool = True) -> set[str]:
        """The role itself, and the roles granted to it."""
        found, todo = {name}, list(self.role(name).member_of)
        while todo:
            other = todo.pop()
            if other not in found:
                found.add(other)
                if recursive:
                    todo += self.by_name[other].member_of
        return found

    def is_superuser(self, name: str) -> bool:
        """Whether it is one, or was granted one; False for nobody."""
        return name in self.by_name and any(self.by_name[role].superuser for role in self.granted(name))

    def permits(self, user: str, permission: str, resource: Resource) -> bool:
        if user not in self.by_name:
            return False
        roles = [self.by_name[name] for name in self.granted(user)]
        if any(role.superuser for role in roles):
            return True
        places = list(with_parents(resource))
        return any(permission in role.permissions.get(place, ()) for role in roles for place in places)

    def check(self, user: str, needs: Iterable[Need]) -> None:
        """Unauthorized if ``user`` may not do all of these."""
        for permission, resource in needs:
            if not self.permits(user, permission, resource):
                raise Unauthorized(
                    f"User {user} has no {permission} permission on {shown(resource)} or any of its parents"
                )

    # ---------------------------------------------------------------- changing

    def forget_resource(self, resource: Resource) -> bool:
        """Take away what was granted on a resource that is gone, and on all that was in it; whether anything was."""
        length, anything = len(resource), False
        for role in self.by_name.values():
            for place in [place for place in role.permissions if place[:length] == resource]:
                del role.permissions[place]
                anything = True
        return anything

    # ---------------------------------------------------------------- kept

    def state(self) -> Any:
        """For the journal."""
        roles = [
            (
                role.name,
                role.superuser,
                role.login,
                role.salted_hash,
                sorted(role.member_of),
                [(list(resource), sorted(names)) for resource, names in role.permissions.items()],
                role.service_level,
            )
            for role in self.by_name.values()
        ]
        levels = [(n, level.timeout, level.workload_type, level.shares) for n, level in self.service_levels.items()]
        return roles, levels

    def restore(self, state: Any) -> None:
        roles, levels = state
        self.by_name = {
            name: Role(
                name,
                superuser,
                login,
                salted_hash,
                set(member_of),
                {tuple(resource): set(names) for resource, names in permissions},
                service_level,
            )
            for name, superuser, login, salted_hash, member_of, permissions, service_level in roles
        }
        self.service_levels = {name: ServiceLevel(*options) for name, *options in levels}
