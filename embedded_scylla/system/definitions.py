"""The tables of the node's own keyspaces, in ScyllaDB's columns. What they show is in ``rows`` and ``schema_tables``;
those that neither knows are empty, as where nothing of the kind has happened: no hints, no repairs, no Raft log.

Left out are the columns whose types are user-defined (``sstables_in`` and ``sstables_out`` of compaction_history, the
tasks of tablets).
"""

from __future__ import annotations

from . import schema_tables as system_schema

_LARGE = "keyspace_name text, table_name text"
_STATUS = ("keyspace_name text, view_name text", "host_id uuid", "status text")

# keyspace: table: partition key, clustering key (DESC marked), other columns (STATIC marked)
TABLES: dict[str, dict[str, tuple[str, str, str]]] = {
    "system": {
        "local": (
            "key text",
            "",
            "bootstrapped text, broadcast_address inet, cluster_name text, cql_version text, data_center text, "
            "gossip_generation int, host_id uuid, listen_address inet, native_protocol_version text, "
            "partitioner text, rack text, release_version text, rpc_address inet, schema_version uuid, "
            "supported_features text, tokens set<text>, truncated_at map<uuid, blob>",
        ),
        "peers": (
            "peer inet",
            "",
            "data_center text, host_id uuid, preferred_ip inet, rack text, release_version text, rpc_address inet, "
            "schema_version uuid, supported_features text, tokens set<text>",
        ),
        "versions": ("key text", "", "build_id text, build_mode text, compatible_version text, version text"),
        "config": ("name text", "", "source text, type text, value text"),
        "built_views": ("keyspace_name text", "view_name text", ""),
        "IndexInfo": ("table_name text", "index_name text", ""),
        "view_build_status_v2": _STATUS,
        "size_estimates": (
            "keyspace_name text",
            "table_name text, range_start text, range_end text",
            "mean_partition_size bigint, partitions_count bigint",
        ),
        "large_partitions": (
            _LARGE,
            "sstable_name text, partition_size bigint DESC, partition_key text",
            "compaction_time timestamp, dead_rows bigint, range_tombstones bigint, rows bigint",
        ),
        "large_rows": (
            _LARGE,
            "sstable_name text, row_size bigint DESC, partition_key text, clustering_key text",
            "compaction_time timestamp",
        ),
        "large_cells": (
            _LARGE,
            "sstable_name text, cell_size bigint DESC, partition_key text, clustering_key text, column_name text",
            "collection_elements bigint, compaction_time timestamp",
        ),
        "runtime_info": ("group text", "item text", "value text"),
        "cluster_status": (
            "peer inet",
            "",
            "dc text, draining boolean, excluded boolean, host_id uuid, load text, owns float, rack text, status text, "
            "tokens int, up boolean",
        ),
        "token_ring": (
            "keyspace_name text",
            "table_name text, start_token text, endpoint inet",
            "dc text, end_token text, rack text",
        ),
        "protocol_servers": (
            "name text",
            "",
            "is_running boolean, listen_addresses frozen<list<text>>, protocol text, protocol_version text",
        ),
        "clients": (
            "address inet",
            "port int, client_type text",
            "client_options frozen<map<text, text>>, connection_stage text, driver_name text, driver_version text, "
            "hostname text, protocol_version int, scheduling_group text, shard_id int, ssl_cipher_suite text, "
            "ssl_enabled boolean, ssl_protocol text, username text",
        ),
        "snapshots": ("keyspace_name text", "table_name text, snapshot_name text", "live bigint, total bigint"),
        "scylla_local": ("key text", "", "value text"),
        "cdc_timestamps": ("keyspace_name text, table_name text", "timestamp timestamp DESC", ""),
        "cdc_streams": (
            "keyspace_name text, table_name text",
            "timestamp timestamp, stream_state tinyint, stream_id blob",
            "",
        ),
        "batchlog": ("id uuid", "", "data blob, version int, written_at timestamp"),
        "batchlog_v2": ("version int, stage tinyint, shard int", "written_at timestamp, id uuid", "data blob"),
        "paxos": (
            "row_key blob",
            "cf_id uuid",
            "most_recent_commit blob, most_recent_commit_at timeuuid, promise timeuuid, proposal blob, "
            "proposal_ballot timeuuid",
        ),
        "hints": ("target_id uuid", "hint_id timeuuid, message_version int", "mutation blob"),
        "peer_events": ("peer inet", "", "hints_dropped map<uuid, int>"),
        "range_xfers": ("token_bytes blob", "", "requested_at timestamp"),
        "available_ranges": ("keyspace_name text", "", "ranges set<blob>"),
        "truncated": ("table_uuid uuid", "shard int", "position int, segment_id bigint, truncated_at timestamp STATIC"),
        "commitlog_cleanups": (
            "shard int",
            "position frozen<tuple<bigint, int>>, table_uuid uuid, start_token_exclusive bigint, "
            "end_token_inclusive bigint",
            "",
        ),
        "compactions_in_progress": ("id uuid", "", "columnfamily_name text, inputs set<int>, keyspace_name text"),
        "compaction_history": (
            "id uuid",
            "",
            "bytes_in bigint, bytes_out bigint, columnfamily_name text, compacted_at timestamp, compaction_type text, "
            "keyspace_name text, rows_merged map<int, bigint>, shard_id int, started_at timestamp, "
            "total_tombstone_purge_attempt bigint, "
            "total_tombstone_purge_failure_due_to_overlapping_with_memtable bigint, "
            "total_tombstone_purge_failure_due_to_overlapping_with_uncompacting_sstable bigint",
        ),
        "sstable_activity": (
            "keyspace_name text, columnfamily_name text, generation int",
            "",
            "rate_120m double, rate_15m double",
        ),
        "sstables": (
            "table_id uuid, node_owner uuid",
            "generation timeuuid",
            "format text, state text, status text, version text",
        ),
        "corrupt_data": (
            _LARGE,
            "id timeuuid",
            "clustering_key blob, frozen_mutation_fragment blob, mutation_fragment_kind text, origin text, "
            "partition_key blob, sstable_name text",
        ),
        "views_builds_in_progress": ("keyspace_name text", "view_name text", "generation_number int, last_token text"),
        "scylla_views_builds_in_progress": (
            "keyspace_name text",
            "view_name text, cpu_id int",
            "first_token text, generation_number int, next_token text",
        ),
        "view_building_tasks": (
            "key text",
            "id timeuuid",
            "aborted boolean, base_id uuid, host_id uuid, last_token bigint, shard int, type text, view_id uuid",
        ),
        "repair_history": (
            "table_uuid uuid",
            "repair_time timestamp, repair_uuid uuid, range_start bigint, range_end bigint",
            "keyspace_name text STATIC, table_name text STATIC",
        ),
        "repair_tasks": (
            "task_uuid uuid",
            "operation text, first_token bigint, last_token bigint",
            "table_uuid uuid STATIC, timestamp timestamp",
        ),
        "roles": ("role text", "", "can_login boolean, is_superuser boolean, member_of set<text>, salted_hash text"),
        "role_members": ("role text", "member text", ""),
        "role_attributes": ("role text", "name text", "value text"),
        "role_permissions": ("role text", "resource text", "permissions set<text>"),
        "service_levels_v2": ("service_level text", "", "shares int, timeout duration, workload_type text"),
        "client_routes": (
            "connection_id text",
            "host_id uuid",
            "address text, alternator_https_port int, alternator_port int, port int, tls_port int",
        ),
        "tablets": (
            "table_id uuid",
            "last_token bigint",
            "base_table uuid STATIC, keyspace_name text STATIC, resize_seq_number bigint STATIC, "
            "resize_type text STATIC, table_name text STATIC, tablet_count int STATIC, "
            "new_replicas frozen<list<frozen<tuple<uuid, int>>>>, repair_time timestamp, "
            "replicas frozen<list<frozen<tuple<uuid, int>>>>, session uuid, sstables_repaired_at bigint, stage text, "
            "transition text",
        ),
        "topology": (
            "key text",
            "host_id uuid",
            "committed_cdc_generations set<frozen<tuple<timestamp, timeuuid>>> STATIC, "
            "enabled_features set<text> STATIC, fence_version bigint STATIC, "
            "global_requests set<timeuuid> STATIC, global_topology_request text STATIC, "
            "global_topology_request_id timeuuid STATIC, ignore_nodes set<uuid> STATIC, "
            "new_cdc_generation_data_uuid timeuuid STATIC, "
            "new_keyspace_rf_change_data frozen<map<text, text>> STATIC, "
            "new_keyspace_rf_change_ks_name text STATIC, paused_rf_change_requests set<timeuuid> STATIC, "
            "session uuid STATIC, tablet_balancing_enabled boolean STATIC, transition_state text STATIC, "
            "unpublished_cdc_generations set<frozen<tuple<timestamp, timeuuid>>> STATIC, upgrade_state text STATIC, "
            "version bigint STATIC, cleanup_status text, datacenter text, ignore_msb int, "
            "intended_storage_mode text, node_state text, num_tokens int, rack text, rebuild_option text, "
            "release_version text, replaced_id uuid, request_id timeuuid, shard_count int, "
            "supported_features set<text>, tokens set<text>, tokens_string text, topology_request text",
        ),
        "topology_requests": (
            "id timeuuid",
            "",
            "done boolean, end_time timestamp, error text, initiating_host uuid, "
            "new_keyspace_rf_change_data frozen<map<text, text>>, new_keyspace_rf_change_ks_name text, "
            "request_type text, start_time timestamp, target_host uuid, truncate_table_id uuid",
        ),
        "cdc_local": ("key text", "", "streams_timestamp timestamp, uuid uuid"),
        "cdc_generations_v3": (
            "key text",
            "id timeuuid, range_end bigint",
            "ignore_msb tinyint, streams frozen<set<blob>>",
        ),
        "cdc_streams_state": ("table_id uuid", "last_token bigint", "stream_id blob, timestamp timestamp STATIC"),
        "cdc_streams_history": (
            "table_id uuid",
            "timestamp timestamp, stream_state tinyint, last_token bigint",
            "stream_id blob",
        ),
        "group0_history": ("key text", "state_id timeuuid DESC", "description text"),
        "discovery": ("key text", "ip_addr inet", "raft_server_id uuid"),
        "dicts": ("name text", "", "data blob, origin uuid, timestamp timestamp"),
        "raft": (
            "group_id timeuuid",
            "index bigint",
            "commit_idx bigint STATIC, snapshot_id uuid STATIC, vote uuid STATIC, vote_term bigint STATIC, data blob, "
            "term bigint",
        ),
        "raft_snapshots": ("group_id timeuuid", "", "idx bigint, snapshot_id uuid, term bigint"),
        "raft_snapshot_config": ("group_id timeuuid", "disposition text, server_id uuid", "can_vote boolean"),
        "raft_state": ("group_id timeuuid", "disposition text, server_id uuid", "can_vote boolean"),
        "load_per_node": (
            "node uuid",
            "",
            "dc text, ip inet, rack text, storage_allocated_load bigint, storage_allocated_utilization double, "
            "storage_capacity bigint, storage_load bigint, storage_utilization double, tablets_allocated bigint, "
            "tablets_allocated_per_shard double, up boolean",
        ),
        "tablet_sizes": (
            "table_id uuid",
            "last_token bigint",
            "missing_replicas frozen<set<uuid>>, replicas frozen<map<uuid, bigint>>",
        ),
    },
    "system_schema": system_schema.TABLES,
    "system_distributed": {
        "view_build_status": _STATUS,
        "cdc_generation_timestamps": ("key text", "time timestamp DESC", "expired timestamp"),
        "cdc_streams_descriptions_v2": ("time timestamp", "range_end bigint", "streams frozen<set<blob>>"),
        "service_levels": ("service_level text", "", "shares int, timeout duration, workload_type text"),
    },
    "system_distributed_everywhere": {
        "cdc_generation_descriptions_v2": (
            "id uuid",
            "range_end bigint",
            "ignore_msb tinyint, streams frozen<set<blob>>",
        ),
    },
    "system_traces": {
        "sessions": (
            "session_id uuid",
            "",
            "client inet, command text, coordinator inet, duration int, parameters frozen<map<text, text>>, "
            "request text, request_size int, response_size int, started_at timestamp, username text",
        ),
        "events": (
            "session_id uuid",
            "event_id timeuuid",
            "activity text, scylla_parent_id bigint, scylla_span_id bigint, source inet, source_elapsed int, "
            "thread text",
        ),
        "sessions_time_idx": ("minute timestamp", "started_at timestamp, session_id uuid", ""),
        "node_slow_log": (
            "start_time timeuuid",
            "node_ip inet, shard int",
            "command text, date timestamp, duration int, parameters frozen<map<text, text>>, session_id uuid, "
            "source_ip inet, table_names frozen<set<text>>, username text",
        ),
        "node_slow_log_time_idx": (
            "minute timestamp",
            "started_at timestamp, session_id uuid",
            "node_ip inet, shard int, start_time timeuuid",
        ),
    },
}
