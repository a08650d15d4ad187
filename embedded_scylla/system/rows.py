"""What the node's virtual tables show: per table a function that gives its rows as dicts of Python values."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from ..derived.streams import Streams, tablet_count, tablet_ends
from ..identity import NodeIdentity
from ..release import CQL_VERSION
from ..roles import Roles
from ..schema import Schema, Table, is_system_keyspace
from ..storage.store import TableStore
from ..types import Duration
from ..upkeep import expiry

RowDict = dict[str, Any]
PARTITIONER = "org.apache.cassandra.dht.Murmur3Partitioner"
NATIVE_PROTOCOL = "4"
SNITCH = "org.apache.cassandra.locator.SimpleSnitch"
PYTHON = sys.version.split()[0]
_STARTED = time.monotonic()
_LAST_TOKEN, _FIRST_TOKEN = 2**63 - 1, -(2**63)


class State(Protocol):
    """What the virtual tables tell of: an engine, as seen from here."""

    node: NodeIdentity
    schema: Schema
    streams: Streams
    roles: Roles
    clients: Callable[[], Iterable[RowDict]]

    def store(self, table: Table) -> TableStore: ...


def _local(state: State) -> Iterator[RowDict]:
    node = state.node
    yield {
        "key": "local",
        "bootstrapped": "COMPLETED",
        "broadcast_address": node.address,
        "cluster_name": node.cluster_name,
        "cql_version": CQL_VERSION,
        "data_center": node.data_center,
        "gossip_generation": 1,
        "host_id": node.host_id,
        "listen_address": node.address,
        "native_protocol_version": NATIVE_PROTOCOL,
        "partitioner": PARTITIONER,
        "rack": node.rack,
        "release_version": node.release_version,
        "rpc_address": node.address,
        "schema_version": state.schema.uuid,
        "supported_features": "CDC,TABLETS",
        "tokens": [str(token) for token in node.tokens],
    }


def _versions(state: State) -> Iterator[RowDict]:
    yield {
        "key": "local",
        "build_id": "Fifty Thousand Seats: an embedded node that behaves like ScyllaDB and is not ScyllaDB",
        "build_mode": f"Python {PYTHON}",
        "compatible_version": state.node.release_version,
        "version": state.node.scylla_version,
    }


def _config(state: State) -> Iterator[RowDict]:
    node, guarded = state.node, state.roles.enforced
    strict_filtering = "true" if state.schema.release.strict_filtering else "warn"
    settings: dict[str, tuple[str, str]] = {
        "alternator_ttl_period_in_seconds": ("double", str(expiry.PERIOD)),
        "authenticator": ("string", '"PasswordAuthenticator"' if guarded else '"AllowAllAuthenticator"'),
        "authorizer": ("string", '"CassandraAuthorizer"' if guarded else '"AllowAllAuthorizer"'),
        "cas_contention_timeout_in_ms": ("integer", "1000"),
        "cluster_name": ("string", f'"{node.cluster_name}"'),
        "compaction_large_cell_warning_threshold_mb": ("integer", "1"),
        "compaction_large_partition_warning_threshold_mb": ("integer", "1000"),
        "compaction_large_row_warning_threshold_mb": ("integer", "10"),
        "compaction_rows_count_warning_threshold": ("integer", "100000"),
        "enable_create_table_with_compact_storage": ("bool", "false"),
        "endpoint_snitch": ("string", f'"{SNITCH}"'),
        "listen_address": ("string", f'"{node.address}"'),
        "max_clustering_key_restrictions_per_query": ("integer", "100"),
        "max_partition_key_restrictions_per_query": ("integer", "100"),
        "minimum_replication_factor_warn_threshold": ("integer", "3"),
        "native_transport_port": ("integer", str(node.port)),
        "num_tokens": ("integer", str(len(node.tokens))),
        "partitioner": ("string", f'"{PARTITIONER}"'),
        "query_tombstone_page_limit": ("integer", "10000"),
        "read_request_timeout_in_ms": ("integer", "5000"),
        "replication_strategy_warn_list": ("list of strings", '["SimpleStrategy"]'),
        "rpc_address": ("string", f'"{node.address}"'),
        "strict_allow_filtering": ("tristate restriction mode", f'"{strict_filtering}"'),
        "strict_is_not_null_in_views": ("tristate restriction mode", '"true"'),
        "tablets_mode_for_new_keyspaces": ("string", '"enabled"'),
        "tombstone_warn_threshold": ("integer", "1000"),
        "twcs_max_window_count": ("integer", "50"),
        "write_request_timeout_in_ms": ("integer", "2000"),
    }
    for name, (kind, value) in settings.items():
        yield {"name": name, "source": "default", "type": kind, "value": value}


def _built_views(state: State) -> Iterator[RowDict]:
    for table in state.schema.tables():
        if table.is_view:
            yield {"keyspace_name": table.keyspace, "view_name": table.name}


def _index_info(state: State) -> Iterator[RowDict]:
    """The built indexes; what is called the table's name is its keyspace's, for old time's sake."""
    for table in state.schema.tables():
        for name in table.indexes:
            yield {"table_name": table.keyspace, "index_name": name}


def _view_build_status(state: State) -> Iterator[RowDict]:
    for row in _built_views(state):
        yield {**row, "host_id": state.node.host_id, "status": "SUCCESS"}


def _size_estimates(state: State) -> Iterator[RowDict]:
    """One range, the whole ring, for each table: the node owns all of it."""
    for table in state.schema.tables():
        if is_system_keyspace(table.keyspace):
            continue
        size = state.store(table).size()
        yield {
            "keyspace_name": table.keyspace,
            "table_name": table.name,
            "range_start": str(_FIRST_TOKEN),
            "range_end": str(_LAST_TOKEN),
            "mean_partition_size": size.bytes // size.partitions if size.partitions else 0,
            "partitions_count": size.partitions,
        }


def _runtime_info(state: State) -> Iterator[RowDict]:
    sizes = [state.store(t).size() for t in state.schema.tables() if not is_system_keyspace(t.keyspace)]
    used = str(sum(size.bytes for size in sizes))
    groups = {
        "generic": {
            "generation_number": "1",
            "gossip_active": "true",
            "incremental_backup_enabled": "false",
            "load": used,
            "python_version": PYTHON,
            "trace_probability": "0",
            "uptime": f"{int(time.monotonic() - _STARTED)} seconds",
        },
        "memtable": {"entries": str(sum(size.partitions for size in sizes)), "memory_used": used},
    }
    for group, items in groups.items():
        for item, value in items.items():
            yield {"group": group, "item": item, "value": value}


def _cluster_status(state: State) -> Iterator[RowDict]:
    node = state.node
    yield {
        "peer": node.address,
        "dc": node.data_center,
        "host_id": node.host_id,
        "load": next(row["value"] for row in _runtime_info(state) if row["item"] == "load"),
        "rack": node.rack,
        "draining": False,
        "excluded": False,
        "owns": 1.0,
        "status": "NORMAL",
        "tokens": len(node.tokens),
        "up": True,
    }


def token_ranges(node: NodeIdentity) -> Iterator[tuple[int, int]]:
    """The ranges between the node's tokens: (start, end), the first one from the last token on."""
    tokens = sorted(node.tokens)
    for place, end in enumerate(tokens):
        yield tokens[place - 1], end


def _token_ring(state: State) -> Iterator[RowDict]:
    for keyspace in state.schema.keyspaces.values():
        if is_system_keyspace(keyspace.name) or keyspace.tablets is not None:
            continue
        for start, end in token_ranges(state.node):
            yield {
                "keyspace_name": keyspace.name,
                "table_name": "<ALL>",
                "start_token": str(start),
                "endpoint": state.node.address,
                "dc": state.node.data_center,
                "end_token": str(end),
                "rack": state.node.rack,
            }


def _protocol_servers(state: State) -> Iterator[RowDict]:
    yield {
        "name": "native",
        "is_running": True,
        "listen_addresses": [f"{state.node.address}:{state.node.port}"],
        "protocol": "cql",
        "protocol_version": CQL_VERSION,
    }


def _scylla_local(state: State) -> Iterator[RowDict]:
    yield {"key": "group0_schema_version", "value": str(state.schema.uuid)}
    yield {"key": "topology_change_support", "value": "1"}


def _topology(state: State) -> Iterator[RowDict]:
    """The cluster as its coordinator knows it: this node, which has joined."""
    node = state.node
    yield {
        "key": "topology",
        "host_id": node.host_id,
        "cleanup_status": "clean",
        "datacenter": node.data_center,
        "ignore_msb": 12,
        "node_state": "normal",
        "num_tokens": len(node.tokens),
        "rack": node.rack,
        "release_version": node.scylla_version,
        "shard_count": 1,
        "tokens": [str(token) for token in node.tokens],
        "fence_version": 1,
        "tablet_balancing_enabled": True,
        "upgrade_state": "done",
        "version": 1,
    }


def _tablets(state: State) -> Iterator[RowDict]:
    for keyspace in state.schema.keyspaces.values():
        if keyspace.tablets is None:
            continue
        for table in keyspace.tables.values():
            sets = state.streams.tables.get(table.id)
            count = sets[-1][2] if sets else tablet_count(keyspace)
            for last in tablet_ends(count):
                yield {
                    "table_id": table.id,
                    "last_token": last,
                    "keyspace_name": keyspace.name,
                    "table_name": table.name,
                    "tablet_count": count,
                    "replicas": [(state.node.host_id, 0)],
                }


def _cdc_local(state: State) -> Iterator[RowDict]:
    if state.streams.generations:
        yield {"key": "cdc_local", "streams_timestamp": state.streams.generations[-1].timestamp}


def _roles(state: State) -> Iterator[RowDict]:
    for role in state.roles.by_name.values():
        yield {
            "role": role.name,
            "can_login": role.login,
            "is_superuser": role.superuser,
            "member_of": sorted(role.member_of),
            "salted_hash": role.salted_hash or None,
        }


def _role_members(state: State) -> Iterator[RowDict]:
    for role in state.roles.by_name.values():
        for granted in role.member_of:
            yield {"role": granted, "member": role.name}


def _role_attributes(state: State) -> Iterator[RowDict]:
    for role in state.roles.by_name.values():
        if role.service_level is not None:
            yield {"role": role.name, "name": "service_level", "value": role.service_level}


def _role_permissions(state: State) -> Iterator[RowDict]:
    for role in state.roles.by_name.values():
        for resource, permissions in role.permissions.items():
            yield {"role": role.name, "resource": "/".join(resource), "permissions": sorted(permissions)}


def _service_levels(state: State) -> Iterator[RowDict]:
    for name, level in state.roles.service_levels.items():
        yield {
            "service_level": name,
            "shares": level.shares,
            "timeout": None if level.timeout is None else Duration(0, 0, level.timeout),
            "workload_type": level.workload_type,
        }


# What shows the same to everybody,
PROVIDERS: dict[str, Callable[[State], Iterable[RowDict]]] = {
    "system.local": _local,
    "system.versions": _versions,
    "system.config": _config,
    "system.built_views": _built_views,
    "system.IndexInfo": _index_info,
    "system.view_build_status_v2": _view_build_status,
    "system_distributed.view_build_status": _view_build_status,
    "system.size_estimates": _size_estimates,
    "system.runtime_info": _runtime_info,
    "system.cluster_status": _cluster_status,
    "system.token_ring": _token_ring,
    "system.protocol_servers": _protocol_servers,
    "system.clients": lambda state: state.clients(),
    "system.scylla_local": _scylla_local,
    "system.roles": _roles,
    "system.role_members": _role_members,
    "system.role_attributes": _role_attributes,
    "system.role_permissions": _role_permissions,
    "system.service_levels_v2": _service_levels,
    "system.topology": _topology,
    "system.tablets": _tablets,
    "system.cdc_local": _cdc_local,
    "system.cdc_timestamps": lambda state: state.streams.tablet_timestamps(state.schema),
    "system.cdc_streams": lambda state: state.streams.tablet_streams(state.schema),
}
# and what is told in the time of the keyspace that a client is in.
TIMED_PROVIDERS: dict[str, Callable[[State, str | None], Iterable[RowDict]]] = {
    "system_distributed.cdc_generation_timestamps": lambda state, viewer: state.streams.generation_timestamps(viewer),
    "system_distributed.cdc_streams_descriptions_v2": lambda state, viewer: state.streams.descriptions(viewer),
}
