"""Replication: strategies, factors, tablets. What a keyspace's WITH clause means on a node that is alone in its
datacenter and rack."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from ..cql import ast
from ..errors import ConfigurationException, InvalidRequest, unsupported
from ..schema import Keyspace
from ..types.text_forms import whole
from . import properties

PACKAGE = "org.apache.cassandra.locator."
NETWORK, SIMPLE = "NetworkTopologyStrategy", "SimpleStrategy"
STRATEGIES = (NETWORK, SIMPLE, "EverywhereStrategy", "LocalStrategy")
NODES = RACKS = 1
_KNOWN = ("durable_writes", "replication", "storage", "tablets", "consistency")
_WARN_BELOW = 3  # minimum_replication_factor_warn_threshold

NOT_RACK_VALID = (
    "Keyspace '{}' is not RF-rack-valid: the replication factor doesn't match the rack count in at least one "
    "datacenter. A rack failure may reduce availability. For more context, see: "
    "https://docs.scylladb.com/manual/stable/reference/glossary.html#term-RF-rack-valid-keyspace."
)


@dataclass(frozen=True, slots=True)
class KeyspaceOptions:
    """A WITH clause, checked for form only. ``replication``: the map as written, None when it was left out.
    ``tablets``: "default", None (disabled) or the number of initial tablets."""

    replication: dict[str, Any] | None
    durable_writes: bool | None
    tablets: int | str | None


def parse_keyspace_options(given: ast.Properties) -> KeyspaceOptions:
    properties.check_known(given, _KNOWN)
    replication = properties.mapping(given, "replication", with_lists=True)
    durable = properties.text(given, "durable_writes")
    storage = properties.mapping(given, "storage")
    if storage and storage.get("type", "LOCAL") != "LOCAL":
        raise InvalidRequest(f"Unknown storage type: {storage['type']}")
    consistency = properties.text(given, "consistency")
    if consistency not in (None, "eventual"):
        raise unsupported(f"The consistency option '{consistency}' of keyspaces")
    return KeyspaceOptions(
        replication,
        None if durable is None else properties.boolean(durable, True),
        _tablets(properties.mapping(given, "tablets")),
    )


def _tablets(given: dict[str, str] | None) -> int | str | None:
    if given is None:
        return "default"
    enabled = given.get("enabled", "true")
    if enabled not in ("true", "false"):
        raise ConfigurationException(f"Tablets enabled value must be true or false; found: {enabled}")
    if enabled == "false":
        return None
    initial = given.get("initial", "0")
    figures = re.match(r"\s*\d+", initial)
    if figures is None or whole(figures[0]) >= 1 << 31:
        raise ConfigurationException(f"Initial tablets value should be numeric; found {initial}")
    for key in sorted(given):
        if key not in ("enabled", "initial"):
            raise ConfigurationException(f"Unrecognized tablets option {key}")
    return int(figures[0])


def new_keyspace(name: str, options: KeyspaceOptions, data_center: str) -> Keyspace:
    """The keyspace that CREATE KEYSPACE makes."""
    replication = dict(options.replication or {})
    strategy = _strategy(replication.pop("class", NETWORK))
    tablets = options.tablets
    if tablets == "default":
        tablets = 0 if strategy == NETWORK else None
    factors = _factors(name, strategy, replication, {}, tablets is not None, data_center)
    durable = True if options.durable_writes is None else options.durable_writes
    return Keyspace(name, {"class": PACKAGE + strategy, **factors}, durable, tablets)


def altered_keyspace(old: Keyspace, options: KeyspaceOptions, data_center: str) -> Keyspace:
    """The keyspace that ALTER KEYSPACE makes of ``old``."""
    durable = True if options.durable_writes is None else options.durable_writes
    replication = old.replication
    tablets = old.tablets
    if options.tablets != "default":
        if (options.tablets is None) != (old.tablets is None):
            raise InvalidRequest("Cannot alter replication strategy vnode/tablets flavor")
        tablets = options.tablets
    if options.replication:
        if "class" not in options.replication:
            raise ConfigurationException("Missing replication strategy class")
        given = dict(options.replication)
        strategy = _strategy(given.pop("class"))
        old_factors = {key: value for key, value in old.replication.items() if key != "class"}
        if tablets is not None:
            _check_tablet_change(given, old_factors, data_center)
        factors = _factors(old.name, strategy, given, old_factors, tablets is not None, data_center)
        replication = {"class": PACKAGE + strategy, **factors}
    return replace(old, replication=replication, durable_writes=durable, tablets=tablets)


def _check_tablet_change(given: dict[str, Any], old: dict[str, str], data_center: str) -> None:
    if "replication_factor" in given:
        raise InvalidRequest(
            "'replication_factor' tag is not allowed when executing ALTER KEYSPACE with tablets, "
            "please list the DCs explicitly"
        )
    for name in old:
        if name not in given:
            raise ConfigurationException(
                f"Attempted to implicitly drop replicas in datacenter {name}. If this is the desired behavior, "
                f"set replication factor to 0 in {name} explicitly."
            )
    change = sum(
        abs(parse_factor(factor) - int(old.get(name, "0"))) for name, factor in given.items() if name == data_center
    )
    if change >= 2:
        raise InvalidRequest("Only one DC's RF can be changed at a time and not by more than 1")


def _strategy(written: str) -> str:
    name = str(written).removeprefix(PACKAGE)
    if name not in STRATEGIES:
        raise ConfigurationException(f"unable to find class '{written}'")
    return name


def parse_factor(factor: Any) -> int:
    """A replication factor: digits, or a list of racks, which counts them."""
    if isinstance(factor, list | tuple):
        return len(factor)
    if not re.fullmatch(r"\d+", factor, re.ASCII) or whole(factor) >= 1 << 31:
        raise ConfigurationException(f"Replication factor must be numeric and non-negative, found '{factor}'")
    return int(factor)


def _factors(
    name: str, strategy: str, given: dict[str, Any], old: dict[str, str], tablets: bool, data_center: str
) -> dict[str, str]:
    """The factors as they are kept: per datacenter for NetworkTopologyStrategy, ``replication_factor`` for Simple."""
    if strategy != NETWORK:
        if tablets:
            raise ConfigurationException(f"{strategy} doesn't support tablet replication")
        if strategy == SIMPLE and "replication_factor" not in given:
            raise ConfigurationException("SimpleStrategy requires a replication_factor strategy option.")
        kept = {key: str(value) for key, value in sorted(given.items()) if key == "replication_factor"}
        for key in sorted(given):
            if strategy == SIMPLE and key != "replication_factor":
                raise _unrecognized(key, strategy, name)
        for factor in kept.values():
            parse_factor(factor)
        return kept if strategy == SIMPLE else {}
    factors = dict(given)
    everywhere = factors.pop("replication_factor", None)
    if everywhere is None and not factors:
        everywhere = old.get("replication_factor") or (None if old else str(RACKS))
    if everywhere is not None:
        parse_factor(everywhere)
        factors = {**{k: v for k, v in old.items() if k != "replication_factor"}, **factors}
        factors.setdefault(data_center, everywhere)
    if not factors:
        raise ConfigurationException("Configuration for at least one datacenter must be present")
    for key, factor in sorted(factors.items()):
        if isinstance(factor, list | tuple):
            raise unsupported("Rack lists as replication factors", "are")
        parse_factor(factor)
        if key != data_center:
            raise _unrecognized(key, strategy, name)
    return {key: str(int(factor)) for key, factor in sorted(factors.items()) if int(factor)}


def _unrecognized(option: str, strategy: str, keyspace: str) -> ConfigurationException:
    return ConfigurationException(
        f"Unrecognized strategy option {{{option}}} passed to {PACKAGE}{strategy} for keyspace {keyspace}"
    )


def warnings_for(name: str, options: KeyspaceOptions) -> list[str]:
    """What ScyllaDB's guardrails say of the replication options as written."""
    said = []
    given = options.replication or {}
    written = str(given.get("class", ""))
    if written.removeprefix(PACKAGE) == SIMPLE:
        said.append(
            f"{written} replication class is not recommended, but was used for keyspace {name}. You may suppress "
            f"this warning by delisting {written} from replication_strategy_warn_list configuration option, or make "
            "it into an error by listing this replication strategy on replication_strategy_fail_list."
        )
    for key, factor in sorted(given.items()):
        counts = key != "class" and isinstance(factor, str) and re.fullmatch(r"\d+", factor)
        if counts and 0 < int(factor) < _WARN_BELOW:
            said.append(
                f"Using Replication Factor {key}={int(factor)} lower than the "
                f"minimum_replication_factor_warn_threshold={_WARN_BELOW} is not recommended."
            )
    return said


def is_rack_valid(keyspace: Keyspace) -> bool:
    """Whether the factor is 0, 1 or the number of racks (keyspaces without tablets need not be)."""
    return keyspace.tablets is None or keyspace.replication_factor in (0, 1, RACKS)


def check_room_for_tablets(keyspace: Keyspace, data_center: str) -> None:
    """A table with tablets needs as many nodes as it has replicas."""
    if keyspace.tablets is not None and keyspace.replication_factor > NODES:
        raise ConfigurationException(
            f"Datacenter {data_center} doesn't have enough token-owning nodes for "
            f"replication_factor={keyspace.replication_factor}"
        )
