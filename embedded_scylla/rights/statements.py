"""CREATE, ALTER and DROP ROLE, GRANT, REVOKE, LIST: checked and carried out when they are executed.

Whoever is anonymous, as everybody is where nobody has to log in, may do none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..cql import ast
from ..errors import InvalidRequest, Unauthorized
from ..lookup import find_keyspace, keyspace_of
from ..request import Context, Database, Plan, Result, SchemaChange, Void
from ..roles import (
    DATA,
    FUNCTIONS,
    PERMISSIONS,
    ROLES,
    Resource,
    Role,
    applicable,
    hashed,
    shown,
    with_parents,
)
from ..schema import ColumnSpec, Schema
from ..types import BOOLEAN, TEXT, MapType
from .listing import listing, specs
from .service_levels import plan_service_levels

_LISTED_ROLES = specs(
    "system", "roles", ("role", TEXT), ("super", BOOLEAN), ("login", BOOLEAN), ("options", MapType(TEXT, TEXT).freeze())
)
_LISTED_USERS = specs("system", "users", ("name", TEXT), ("super", BOOLEAN))
_LISTED_PERMISSIONS = specs(
    "system", "permissions", *((name, TEXT) for name in ("role", "username", "resource", "permission"))
)


class RightsPlan(Plan):
    """A statement about roles: ``action`` gets the context and who asks."""

    def __init__(self, action: Callable[[Context, str], Result], columns: Sequence[ColumnSpec] | None = None):
        self._action = action
        self.columns = columns

    def execute(self, context: Context) -> Result:
        if context.user is None:
            raise Unauthorized("You have to be logged in and not anonymous to perform this request")
        return self._action(context, context.user)


def plan_rights(statement: ast.Statement, schema: Schema, keyspace: str | None) -> Plan | None:
    """The plan of a statement about roles, permissions or service levels; None if it is about something else."""
    match statement:
        case ast.CreateRole():
            return RightsPlan(lambda context, user: _create(statement, context, user))
        case ast.AlterRole():
            return RightsPlan(lambda context, user: _alter(statement, context, user))
        case ast.DropRole():
            return RightsPlan(lambda context, user: _drop(statement, context, user))
        case ast.GrantRole():
            return RightsPlan(lambda context, user: _grant_role(statement, context, user))
        case ast.Grant():
            resource = _resource(statement.resource, keyspace)
            wanted = _wanted(statement.permission) & applicable(resource)
            if not wanted:
                raise InvalidRequest(f"Resource {shown(resource)} does not support any of the requested permissions.")
            return RightsPlan(lambda context, user: _grant(statement, resource, wanted, context, user))
        case ast.ListRoles():
            return RightsPlan(lambda context, user: _list_roles(statement, context, user), _LISTED_ROLES)
        case ast.ListUsers():
            return RightsPlan(_list_users, _LISTED_USERS)
        case ast.ListPermissions():
            listed = None if statement.resource is None else _resource(statement.resource, keyspace)
            return RightsPlan(
                lambda context, user: _list_permissions(statement, listed, context, user), _LISTED_PERMISSIONS
            )
        case ast.DropFunction():
            return _NoFunction(statement, keyspace_of(statement.name, keyspace))
    return plan_service_levels(statement)


class _NoFunction(Plan):
    """DROP FUNCTION and DROP AGGREGATE: there is never one."""

    def __init__(self, statement: ast.DropFunction, keyspace: str):
        self._statement, self._keyspace = statement, keyspace

    def execute(self, context: Context) -> Result:
        statement = self._statement
        find_keyspace(context.database.schema, self._keyspace)
        if not statement.if_exists:
            name = f"{self._keyspace}.{statement.name.name}"
            if statement.signature is None:
                raise InvalidRequest(f"No function named {name} found")
            raise InvalidRequest(f"User function {name}({statement.signature}) doesn't exist")
        return Void()


def _wanted(permission: str | None) -> frozenset[str]:
    return frozenset(PERMISSIONS if permission is None else (permission,))


def _resource(name: ast.ResourceName, current: str | None) -> Resource:
    parts = list(name.parts)
    if parts and parts[0] is None:
        parts[0] = keyspace_of(ast.Name(str(parts[-1])), current)
    return (name.kind, *map(str, parts))


# ---------------------------------------------------------------- roles


def _create(statement: ast.CreateRole, context: Context, user: str) -> Result:
    roles, name = context.database.roles, statement.name
    roles.check(user, [("CREATE", (ROLES,))])
    if statement.superuser and not roles.is_superuser(user):
        raise Unauthorized("Only superusers can create a role with superuser status.")
    _check_options(statement, context, user)
    if name in roles.by_name:
        if statement.if_not_exists:
            return Void()
        raise InvalidRequest(f"Role {name} already exists.")

    def change() -> None:
        roles.by_name[name] = Role(name, bool(statement.superuser), bool(statement.login), _hash(statement))
        roles.role(user).permissions.setdefault((ROLES, name), set()).update(applicable((ROLES, name)))

    return context.database.change_roles(change)


def _alter(statement: ast.AlterRole, context: Context, user: str) -> Result:
    roles, name = context.database.roles, statement.name
    if statement.superuser is not None:
        if not roles.is_superuser(user):
            raise Unauthorized("Only superusers are allowed to alter superuser status.")
        roles.role(name)
        if name in roles.granted(user):
            raise Unauthorized(
                "You aren't allowed to alter your own superuser status or that of a role granted to you."
            )
    if name != user:
        roles.check(user, [("ALTER", (ROLES, name))])
    _check_options(statement, context, user)
    role = roles.role(name)

    def change() -> None:
        if statement.superuser is not None:
            role.superuser = statement.superuser
        if statement.login is not None:
            role.login = statement.login
        if statement.password is not None:
            role.salted_hash = _hash(statement)

    return context.database.change_roles(change)


def _check_options(statement: ast.CreateRole | ast.AlterRole, context: Context, user: str) -> None:
    if statement.options is not None:
        raise InvalidRequest("The OPTIONS option is not supported.")
    if statement.hashed and not context.database.roles.is_superuser(user):
        raise Unauthorized("Only superusers can create or alter a role with a hashed password.")


def _hash(statement: ast.CreateRole | ast.AlterRole) -> str:
    if statement.password is None:
        return ""
    return statement.password if statement.hashed else hashed(statement.password)


def _drop(statement: ast.DropRole, context: Context, user: str) -> Result:
    roles, name = context.database.roles, statement.name
    if name == user:
        raise InvalidRequest("Cannot DROP primary role for current login.")
    roles.check(user, [("DROP", (ROLES, name))])
    if name not in roles.by_name:
        if statement.if_exists:
            return Void()
        raise InvalidRequest(f"Role {name} doesn't exist.")
    if roles.is_superuser(name) and not roles.is_superuser(user):
        raise Unauthorized("Only superusers can drop a superuser role.")

    def change() -> None:
        del roles.by_name[name]
        for role in roles.by_name.values():
            role.member_of.discard(name)
        roles.forget_resource((ROLES, name))

    return context.database.change_roles(change)


def _grant_role(statement: ast.GrantRole, context: Context, user: str) -> Result:
    roles, name, grantee = context.database.roles, statement.role, statement.grantee
    roles.check(user, [("AUTHORIZE", (ROLES, name))])
    roles.role(name), roles.role(grantee)
    if statement.revoke:
        if name not in roles.role(grantee).member_of:
            raise InvalidRequest(f"{grantee} was not granted role {name}, so it cannot be revoked.")
    elif name in roles.granted(grantee):
        raise InvalidRequest(f"{grantee} already includes role {name}.")
    elif grantee in roles.granted(name):  # the circle would close
        raise InvalidRequest(f"{name} already includes role {grantee}.")

    def change() -> None:
        member_of = roles.role(grantee).member_of
        member_of.discard(name) if statement.revoke else member_of.add(name)

    return context.database.change_roles(change)


# ---------------------------------------------------------------- permissions


def _check_exists(resource: Resource, context: Context) -> None:
    schema, (kind, *parts) = context.database.schema, resource
    if kind == ROLES:
        exists = not parts or parts[0] in context.database.roles.by_name
    elif kind == FUNCTIONS:
        exists = not parts or (len(parts) == 1 and parts[0] in schema.keyspaces)
    elif len(parts) == 2:
        exists = schema.table(*parts) is not None
    else:
        exists = not parts or parts[0] in schema.keyspaces
    if not exists:
        raise InvalidRequest(f"{shown(resource)} doesn't exist.")


def _grant(
    statement: ast.Grant, resource: Resource, permissions: frozenset[str], context: Context, user: str
) -> Result:
    roles = context.database.roles
    _check_exists(resource, context)
    roles.check(user, [("AUTHORIZE", resource), *((permission, resource) for permission in sorted(permissions))])
    role = roles.role(statement.role)

    def change() -> None:
        granted = role.permissions.setdefault(resource, set())
        granted.difference_update(permissions) if statement.revoke else granted.update(permissions)
        if not granted:
            del role.permissions[resource]

    return context.database.change_roles(change)


def give_to_creator(database: Database, user: str, made: SchemaChange) -> None:
    """Whoever makes a keyspace or table may do everything with it."""
    if made.change != "CREATED" or made.target not in ("KEYSPACE", "TABLE") or user not in database.roles.by_name:
        return
    resource = (DATA, made.keyspace, made.name) if made.name else (DATA, made.keyspace)
    permissions = database.roles.role(user).permissions
    database.change_roles(lambda: permissions.setdefault(resource, set()).update(applicable(resource)))


# ---------------------------------------------------------------- lists


def _list_roles(statement: ast.ListRoles, context: Context, user: str) -> Result:
    roles = context.database.roles
    sees_all = roles.permits(user, "DESCRIBE", (ROLES,))
    if statement.of is not None:
        if not sees_all:
            roles.role(statement.of)
            if statement.of not in roles.granted(user):
                raise Unauthorized(f"You are not authorized to view the roles granted to role '{statement.of}'.")
        names = roles.granted(statement.of, statement.recursive)
    else:
        names = set(roles.by_name) if sees_all else roles.granted(user, statement.recursive)
    found = [roles.by_name[name] for name in sorted(names)]
    return listing(_LISTED_ROLES, [(role.name, role.superuser, role.login, {}) for role in found])


def _list_users(context: Context, user: str) -> Result:
    roles = context.database.roles
    names = roles.by_name.keys() if roles.is_superuser(user) else roles.granted(user)
    users = [roles.by_name[name] for name in sorted(names) if roles.by_name[name].login]
    return listing(_LISTED_USERS, [(role.name, roles.is_superuser(role.name)) for role in users])


def _list_permissions(statement: ast.ListPermissions, resource: Resource | None, context: Context, user: str) -> Result:
    roles = context.database.roles
    if resource is not None:
        _check_exists(resource, context)
    elif not roles.is_superuser(user):
        if statement.role is None:
            raise Unauthorized("You are not authorized to view everyone's permissions")
        roles.role(statement.role)
        if statement.role not in roles.granted(user):
            raise Unauthorized(f"You are not authorized to view {statement.role}'s permissions")
    names = set(roles.by_name) if statement.role is None else roles.granted(statement.role)
    places = None
    if resource is not None:
        places = set(with_parents(resource)) if statement.recursive else {resource}
    wanted = _wanted(statement.permission)
    order = (DATA, ROLES, "service_levels", FUNCTIONS)
    rows = [
        (name, name, shown(place), permission)
        for name in sorted(names)
        for place, granted in sorted(
            roles.by_name[name].permissions.items(), key=lambda item: (order.index(item[0][0]), item[0][1:])
        )
        if places is None or place in places
        for permission in sorted(granted & wanted)
    ]
    return listing(_LISTED_PERMISSIONS, rows)
