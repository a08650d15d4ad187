"""Service levels: kept, attached to roles and listed. One node of one thread has nothing to share out by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..cql import ast
from ..ddl import properties
from ..errors import InvalidRequest, SyntaxException
from ..request import Context, Plan, Result
from ..roles import SERVICE_LEVELS, Need, Roles, ServiceLevel
from ..schema import ColumnSpec
from ..types import INT, TEXT, MarshalError, by_name
from ..types.duration import Duration, parse_duration
from .listing import listing, specs

_WORKLOADS = ("unspecified", "batch", "interactive")
_LEAST_SHARES, _MOST_SHARES, _SHARES = 1, 1000, 1000


_LISTED = specs(
    "QOS",
    "service_levels",
    ("service_level", TEXT),
    ("timeout", by_name("duration")),
    ("workload_type", TEXT),
    ("shares", INT),
)
_LISTED_ALL = [*_LISTED, *specs("QOS", "service_levels", ("percentage of all service level shares", TEXT))]
_ATTACHED = specs("QOS", "service_levels_attachments", ("role", TEXT), ("service_level", TEXT))
_EFFECTIVE = specs(
    "QOS", "effective_service_level", ("service_level_option", TEXT), ("effective_service_level", TEXT), ("value", TEXT)
)


class ServiceLevelPlan(Plan):
    def __init__(
        self, permission: str, action: Callable[[Context], Result], columns: Sequence[ColumnSpec] | None = None
    ):
        self.needs: Sequence[Need] = ((permission, (SERVICE_LEVELS,)),)
        self._action = action
        self.columns = columns

    def execute(self, context: Context) -> Result:
        return self._action(context)


def plan_service_levels(statement: ast.Statement) -> Plan | None:
    """The plan of a statement about service levels; None if it is about something else."""
    match statement:
        case ast.CreateServiceLevel():
            created = _options(statement.properties, ServiceLevel())
            return ServiceLevelPlan("CREATE", lambda context: _create(statement, created, context))
        case ast.AlterServiceLevel():
            _options(statement.properties, ServiceLevel())
            return ServiceLevelPlan("ALTER", lambda context: _alter(statement, context))
        case ast.DropServiceLevel():
            return ServiceLevelPlan("DROP", lambda context: _drop(statement, context))
        case ast.AttachServiceLevel():
            return ServiceLevelPlan("AUTHORIZE", lambda context: _attach(statement, context))
        case ast.ListServiceLevels(what="levels"):
            columns = _LISTED_ALL if statement.name is None else _LISTED
            return ServiceLevelPlan("DESCRIBE", lambda context: _list(statement.name, context), columns)
        case ast.ListServiceLevels(what="attached"):
            return ServiceLevelPlan("DESCRIBE", lambda context: _list_attached(statement.name, context), _ATTACHED)
        case ast.ListServiceLevels():
            return ServiceLevelPlan(
                "DESCRIBE", lambda context: _list_effective(str(statement.name), context), _EFFECTIVE
            )
    return None


def _options(given: ast.Properties, old: ServiceLevel) -> ServiceLevel:
    """The options of a statement; those that are not given are as they were."""
    properties.check_known(given, ("timeout", "workload_type", "shares"))
    changes: dict[str, Any] = {}
    if "timeout" in given:
        changes["timeout"] = _timeout(str(properties.text(given, "timeout")))
    if "workload_type" in given:
        workload = str(properties.text(given, "workload_type"))
        if workload != "null" and workload not in _WORKLOADS:
            raise InvalidRequest(f"Invalid workload type: {workload}")
        changes["workload_type"] = None if workload in ("null", "unspecified") else workload
    if "shares" in given:
        shares = properties.integer("shares", properties.text(given, "shares"), _SHARES)
        if not _LEAST_SHARES <= shares <= _MOST_SHARES:
            raise SyntaxException(f"'SHARES' can only take values of {_LEAST_SHARES}-{_MOST_SHARES} (given {shares})")
        changes["shares"] = shares
    return replace(old, **changes)


def _timeout(text: str) -> int | None:
    """In ns."""
    if text.lower() == "null":
        return None
    try:
        months, days, nanoseconds = parse_duration(text)
    except (MarshalError, ValueError) as error:
        raise InvalidRequest(str(error)) from None
    if months or days:
        raise InvalidRequest("Timeout values cannot be expressed in days/months")
    if nanoseconds % 1_000_000:
        raise InvalidRequest("Timeout values must be expressed in millisecond granularity")
    if nanoseconds < 0:
        raise InvalidRequest("Timeout values must be nonnegative")
    return nanoseconds


# ---------------------------------------------------------------- changes


def _create(statement: ast.CreateServiceLevel, level: ServiceLevel, context: Context) -> Result:
    roles, name = context.database.roles, statement.name

    def change() -> None:
        if name not in roles.service_levels:
            roles.service_levels[name] = replace(level, shares=level.shares or _SHARES)
        elif not statement.if_not_exists:
            raise InvalidRequest(f"The service level '{name}' already exists.")

    return context.database.change_roles(change)


def _alter(statement: ast.AlterServiceLevel, context: Context) -> Result:
    roles, name = context.database.roles, statement.name

    def change() -> None:
        if name not in roles.service_levels:
            raise InvalidRequest(f"The service level '{name}' doesn't exist.")
        roles.service_levels[name] = _options(statement.properties, roles.service_levels[name])

    return context.database.change_roles(change)


def _existing(roles: Roles, name: str) -> ServiceLevel:
    if name not in roles.service_levels:
        raise InvalidRequest(f"Service Level {name} doesn't exists.")
    return roles.service_levels[name]


def _drop(statement: ast.DropServiceLevel, context: Context) -> Result:
    roles, name = context.database.roles, statement.name

    def change() -> None:
        if statement.if_exists and name not in roles.service_levels:
            return
        _existing(roles, name)
        del roles.service_levels[name]
        for role in roles.by_name.values():
            if role.service_level == name:
                role.service_level = None

    return context.database.change_roles(change)


def _attach(statement: ast.AttachServiceLevel, context: Context) -> Result:
    roles = context.database.roles

    def change() -> None:
        if statement.name is not None:
            _existing(roles, statement.name)
        roles.role(statement.role).service_level = statement.name

    return context.database.change_roles(change)


# ---------------------------------------------------------------- lists


def _list(name: str | None, context: Context) -> Result:
    roles = context.database.roles
    levels = roles.service_levels if name is None else {name: _existing(roles, name)}
    total = sum(level.shares or _SHARES for level in levels.values())
    rows = []
    for level_name, level in sorted(levels.items()):
        timeout = None if level.timeout is None else Duration(0, 0, level.timeout)
        row = (level_name, timeout, level.workload_type, level.shares)
        rows.append(row if name is not None else (*row, f"{100 * (level.shares or _SHARES) / total:.2f}%"))
    return listing(_LISTED if name is not None else _LISTED_ALL, rows)


def _list_attached(role: str | None, context: Context) -> Result:
    roles = context.database.roles
    found = sorted(roles.by_name.values(), key=lambda one: one.name) if role is None else [roles.role(role)]
    return listing(_ATTACHED, [(one.name, one.service_level) for one in found if one.service_level is not None])


def _list_effective(name: str, context: Context) -> Result:
    """Of the levels of a role and of all that were granted to it: the shortest timeout, the fewest shares."""
    roles = context.database.roles
    attached = sorted(filter(None, (roles.by_name[role].service_level for role in roles.granted(name))))
    rows = []
    for option, show in (("workload_type", str), ("timeout", lambda ns: f"{ns // 1_000_000}ms"), ("shares", str)):
        values = [(getattr(roles.service_levels[level], option), level) for level in attached]
        found = [(value, level) for value, level in values if value is not None]
        if found:
            value, level = min(found)
            rows.append((option, level, show(value)))
    return listing(_EFFECTIVE, rows)
