"""DESCRIBE SCHEMA WITH INTERNALS: the statements that make roles, grants and service levels again, in an order in which
each finds what it names. They belong to no keyspace."""

from __future__ import annotations

from collections.abc import Iterator

from ..quoting import identifier, string
from ..roles import DATA, FUNCTIONS, ROLES, SERVICE_LEVELS, Resource, Role, Roles, ServiceLevel

_WHOLE = {
    DATA: "ALL KEYSPACES",
    ROLES: "ALL ROLES",
    FUNCTIONS: "ALL FUNCTIONS",
    SERVICE_LEVELS: "ALL SERVICE LEVELS",
}
_MILLISECOND = 1_000_000  # ns

Made = tuple[str, str, str]  # type, name, statement


def describe_rights(roles: Roles, passwords: bool) -> Iterator[Made]:
    """Roles, with their hashed passwords if wanted, what was granted, and service levels. Where nobody has to log in,
    neither passwords nor permissions are of use, and none is told."""
    passwords = passwords and roles.enforced
    for name, role in sorted(roles.by_name.items()):
        yield "role", name, _role(role, passwords, name == roles.first)
    yield from sorted(_role_grants(roles))
    if roles.enforced:
        yield from sorted(_grants(roles))
    for name, level in sorted(roles.service_levels.items()):
        yield "service_level", name, _service_level(name, level)
    yield from sorted(_attachments(roles))


def _role(role: Role, passwords: bool, is_first: bool) -> str:
    """``is_first``: the superuser that every cluster begins with."""
    options = [f"HASHED PASSWORD = {string(role.salted_hash)}"] if passwords and role.salted_hash else []
    options += [f"LOGIN = {_boolean(role.login)}", f"SUPERUSER = {_boolean(role.superuser)}"]
    maybe = "IF NOT EXISTS " if is_first else ""
    return f"CREATE ROLE {maybe}{identifier(role.name)} WITH {' AND '.join(options)};"


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _role_grants(roles: Roles) -> Iterator[Made]:
    for name, role in roles.by_name.items():
        for granted in role.member_of:
            yield "grant_role", granted, f"GRANT {identifier(granted)} TO {identifier(name)};"


def _grants(roles: Roles) -> Iterator[Made]:
    for name, role in roles.by_name.items():
        for resource, permissions in role.permissions.items():
            for permission in permissions:
                grant = f"GRANT {permission} ON {_resource(resource)} TO {identifier(name)};"
                yield "grant_permission", name, grant


def _resource(resource: Resource) -> str:
    """A resource as GRANT names it."""
    kind, *parts = resource
    if not parts:
        return _WHOLE[kind]
    names = ".".join(map(identifier, parts))
    if kind == ROLES:
        return f"ROLE {names}"
    if kind == FUNCTIONS:
        return f"ALL FUNCTIONS IN KEYSPACE {names}" if len(parts) == 1 else f"FUNCTION {names}"
    return f"KEYSPACE {names}" if len(parts) == 1 else names


def _service_level(name: str, level: ServiceLevel) -> str:
    options = []
    if level.timeout is not None:
        options.append(f"TIMEOUT = {level.timeout // _MILLISECOND}ms")
    if level.workload_type is not None:
        options.append(f"WORKLOAD_TYPE = {string(level.workload_type)}")
    if level.shares is not None:
        options.append(f"SHARES = {level.shares}")
    return f"CREATE SERVICE LEVEL {identifier(name)}{' WITH ' if options else ''}{' AND '.join(options)};"


def _attachments(roles: Roles) -> Iterator[Made]:
    for name, role in roles.by_name.items():
        if role.service_level is not None:
            level = role.service_level
            attach = f"ATTACH SERVICE LEVEL {identifier(level)} TO {identifier(name)};"
            yield "service_level_attachment", level, attach
