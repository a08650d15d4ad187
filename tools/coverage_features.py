"""What the embedded node can and cannot do: the list behind embedded_scylla/COVERAGE.md.

A feature has an example that ``tools/coverage_page.py`` sends to a node: a supported one must succeed, any other must
be refused, and the page shows the node's own sentence. The examples are carried out after SETUP in the keyspace
``park``: in each section first what is supported, then the rest.
"""

from __future__ import annotations

from typing import NamedTuple


class Feature(NamedTuple):
    """``example`` is CQL, or empty for what no statement shows.

    ``tests`` are the files that prove it: ``folder/name`` for tests/folder/test_name.py, and after a colon a word that
    must stand in it. ``refused`` says who refuses it: "" nobody, else AS_SCYLLADB or LEFT_OUT.
    """

    what: str
    example: str
    tests: tuple[str, ...]
    refused: str = ""


class Section(NamedTuple):
    title: str
    features: tuple[Feature, ...]


AS_SCYLLADB = "ScyllaDB too"
LEFT_OUT = "this node only"


def yes(what: str, example: str, *tests: str) -> Feature:
    return Feature(what, example, tests)


def no(what: str, example: str, *tests: str) -> Feature:
    """ScyllaDB refuses it as well."""
    return Feature(what, example, tests, AS_SCYLLADB)


def left_out(what: str, example: str, *tests: str) -> Feature:
    """ScyllaDB can do it."""
    return Feature(what, example, tests, LEFT_OUT)


SETUP = (
    "CREATE KEYSPACE park WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1} "
    "AND tablets = {'enabled': false}",
    "USE park",
    "CREATE TABLE seats (block int, seat int, status text, price int, town text static, tags set<text>, "
    "notes list<text>, marks map<text, int>, spot tuple<int, int>, PRIMARY KEY (block, seat))",
    "CREATE TABLE fans (name text PRIMARY KEY, age int, born date)",
    "INSERT INTO seats (block, seat, status, price, town, notes) VALUES (1, 1, 'FREE', 20, 'Lund', ['new'])",
)

KEYSPACES = Section(
    "Keyspaces",
    (
        yes(
            "CREATE KEYSPACE, on vnodes",
            "CREATE KEYSPACE plain WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1} "
            "AND tablets = {'enabled': false}",
            "conformance/keyspaces",
        ),
        yes(
            "CREATE KEYSPACE, with tablets",
            "CREATE KEYSPACE IF NOT EXISTS tabled WITH replication = {'class': 'NetworkTopologyStrategy', "
            "'replication_factor': 1} AND tablets = {'enabled': true}",
            "conformance/keyspaces",
            "conformance/cdc_streams",
        ),
        yes(
            "SimpleStrategy",
            "CREATE KEYSPACE simple WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1} "
            "AND tablets = {'enabled': false}",
            "conformance/keyspaces",
        ),
        yes("ALTER KEYSPACE", "ALTER KEYSPACE plain WITH durable_writes = true", "conformance/keyspaces"),
        yes("USE", "USE park", "conformance/keyspaces"),
        yes("DROP KEYSPACE", "DROP KEYSPACE IF EXISTS plain", "conformance/keyspaces"),
        left_out(
            "a rack list as replication factor",
            "CREATE KEYSPACE racks WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': ['rack1']}",
            "content/coverage_page",
        ),
    ),
)

TABLES = Section(
    "Tables",
    (
        yes(
            "compound and composite keys, clustering order, static columns",
            "CREATE TABLE visits (event int, gate text, at timestamp, fan text, open boolean static, "
            "PRIMARY KEY ((event, gate), at)) WITH CLUSTERING ORDER BY (at DESC)",
            "conformance/tables",
            "unit/ddl",
        ),
        yes(
            "table options",
            "CREATE TABLE holds (seat int PRIMARY KEY, fan text) WITH default_time_to_live = 900 "
            "AND gc_grace_seconds = 3600 AND comment = 'held for a quarter of an hour'",
            "conformance/tables",
        ),
        yes("ALTER TABLE … ADD", "ALTER TABLE fans ADD (email text, phone text)", "conformance/alter"),
        yes("ALTER TABLE … DROP", "ALTER TABLE fans DROP phone", "conformance/alter"),
        yes(
            "ALTER TABLE … DROP, of what is older than a timestamp",
            "ALTER TABLE fans DROP email USING TIMESTAMP 1700000000000000",
            "conformance/alter:USING TIMESTAMP",
            "unit/dropped_columns",
        ),
        yes("ALTER TABLE … RENAME", "ALTER TABLE visits RENAME at TO entered", "conformance/alter"),
        yes("ALTER TABLE … WITH", "ALTER TABLE fans WITH comment = 'who comes'", "conformance/alter"),
        yes("TRUNCATE", "TRUNCATE TABLE visits", "conformance/writes", "conformance/random/random_sequences"),
        yes("DROP TABLE", "DROP TABLE visits", "conformance/tables"),
        yes(
            "rows that end as a whole (a column marked TTL)",
            "CREATE TABLE passes (id int PRIMARY KEY, until timestamp TTL)",
            "conformance/ttl:timestamp TTL",
            "conformance/change_reader_rows:timestamp TTL",
        ),
        yes(
            "tables that count",
            "CREATE TABLE counts (gate text PRIMARY KEY, people counter)",
            "conformance/counters",
            "unit/counters",
        ),
        no("compact storage", "CREATE TABLE old (k int PRIMARY KEY) WITH COMPACT STORAGE", "unit/ddl:COMPACT STORAGE"),
        no(
            "columns that are no counters in a table with counters",
            "CREATE TABLE mixed (k int PRIMARY KEY, n counter, v int)",
            "conformance/counters",
            "unit/counters",
        ),
    ),
)

TYPES = Section(
    "Types",
    (
        yes(
            "all scalar types",
            "CREATE TABLE scalars (k int PRIMARY KEY, a ascii, b bigint, c blob, d boolean, e date, f decimal, "
            "g double, h float, i inet, j smallint, l text, m time, n timestamp, o timeuuid, p tinyint, q uuid, "
            "r varchar, s varint)",
            "conformance/types",
            "unit/types",
        ),
        yes(
            "lists, sets, maps and tuples; frozen, and in one another",
            "CREATE TABLE nested (k int PRIMARY KEY, l list<text>, s set<int>, m map<text, frozen<list<int>>>, "
            "t tuple<int, text>, f frozen<set<int>>)",
            "conformance/collections",
            "conformance/types",
        ),
        yes(
            "durations",
            "CREATE TABLE spans (k int PRIMARY KEY, d duration)",
            "conformance/types",
            "unit/durations_and_vectors",
        ),
        yes(
            "vectors",
            "CREATE TABLE vectors (k int PRIMARY KEY, v vector<float, 3>)",
            "conformance/types",
            "unit/durations_and_vectors",
        ),
        yes(
            "user-defined types",
            "CREATE TYPE IF NOT EXISTS address (street text, zip int)",
            "conformance/user_types",
            "unit/user_types",
        ),
        yes(
            "user-defined types in columns and in one another, frozen and not",
            "CREATE TABLE homes (k int PRIMARY KEY, main address, past list<frozen<address>>)",
            "conformance/user_types",
        ),
        yes("ALTER TYPE … ADD", "ALTER TYPE address ADD town text", "conformance/user_types"),
        yes("ALTER TYPE … RENAME", "ALTER TYPE address RENAME town TO city", "conformance/user_types"),
        yes(
            "fields set, deleted and selected by themselves",
            "UPDATE homes SET main.zip = 10115 WHERE k = 1",
            "conformance/user_types:DELETE a.street",
        ),
        no(
            "a condition on a field",
            "UPDATE homes SET main = null WHERE k = 1 IF main.zip = 10115",
            "conformance/user_types:IF {condition}",
        ),
        yes("DROP TYPE", "DROP TYPE IF EXISTS nothing", "conformance/user_types"),
        no("a type in use dropped", "DROP TYPE address", "conformance/user_types:still used by table"),
        no(
            "a collection in a collection that is not frozen",
            "CREATE TABLE deep (k int PRIMARY KEY, l list<list<int>>)",
            "conformance/tables:list<list<int>>",
        ),
    ),
)

WRITES = Section(
    "Writes",
    (
        yes("INSERT", "INSERT INTO fans (name, age, born) VALUES ('Ann', 30, '1995-04-01')", "conformance/writes"),
        yes(
            "UPDATE", "UPDATE seats SET status = 'HELD', price = 25 WHERE block = 1 AND seat = 1", "conformance/writes"
        ),
        yes(
            "several rows at once",
            "UPDATE seats SET price = 30 WHERE block IN (1, 2) AND seat IN (1, 2)",
            "conformance/writes",
        ),
        yes(
            "DELETE of columns, elements",
            "DELETE price, marks['x'] FROM seats WHERE block = 1 AND seat = 2",
            "conformance/writes",
        ),
        yes(
            "DELETE of rows, ranges, partitions",
            "DELETE FROM seats WHERE block = 3 AND seat > 5",
            "conformance/writes",
            "unit/modify",
        ),
        yes("static columns", "UPDATE seats SET town = 'Oslo' WHERE block = 2", "conformance/writes"),
        yes(
            "sets and maps: add, take away, one entry",
            "UPDATE seats SET tags = tags + {'sun'}, marks['x'] = 1 WHERE block = 1 AND seat = 1",
            "conformance/collections",
        ),
        yes(
            "lists: append, prepend, take away, by index",
            "UPDATE seats SET notes[0] = 'first', notes = notes + ['last'] WHERE block = 1 AND seat = 1",
            "conformance/collections",
        ),
        yes(
            "TTL and timestamps",
            "INSERT INTO fans (name, age) VALUES ('Bo', 8) USING TTL 3600 AND TIMESTAMP 1700000000000000",
            "conformance/ttl",
            "conformance/random/random_sequences",
        ),
        yes(
            "a timeout of the request's own",
            "INSERT INTO fans (name) VALUES ('Cy') USING TIMEOUT 500ms",
            "conformance/writes:TIMEOUT",
            "unit/decisions:TIMEOUT",
        ),
        yes(
            "batches, logged and not, with timestamps",
            "BEGIN UNLOGGED BATCH USING TIMESTAMP 1700000000000000 INSERT INTO fans (name) VALUES ('Di'); "
            "DELETE FROM fans WHERE name = 'Cy'; APPLY BATCH",
            "conformance/batches",
            "unit/batch",
        ),
        yes(
            "counting",
            "UPDATE counts SET people = people + 1 WHERE gate = 'A'",
            "conformance/counters",
            "unit/counters",
        ),
        yes(
            "counter batches",
            "BEGIN COUNTER BATCH UPDATE counts SET people = people + 1 WHERE gate = 'A'; APPLY BATCH",
            "conformance/counters",
            "unit/counters",
        ),
        yes(
            "INSERT … JSON, DEFAULT NULL and UNSET",
            """INSERT INTO fans JSON '{"name": "Ed", "age": 7}' DEFAULT UNSET""",
            "conformance/json",
            "unit/json",
        ),
        no(
            "counters in a logged batch",
            "BEGIN BATCH UPDATE counts SET people = people + 1 WHERE gate = 'A'; APPLY BATCH",
            "unit/counters",
        ),
    ),
)

TRANSACTIONS = Section(
    "Lightweight transactions",
    (
        yes(
            "IF NOT EXISTS",
            "INSERT INTO fans (name, age) VALUES ('Flo', 5) IF NOT EXISTS",
            "conformance/lwt",
            "unit/lwt",
        ),
        yes("IF EXISTS", "DELETE FROM fans WHERE name = 'Flo' IF EXISTS", "conformance/lwt"),
        yes(
            "conditions with =, !=, <, <=, >, >=, IN, LIKE",
            "UPDATE seats SET status = 'SOLD' WHERE block = 1 AND seat = 1 IF status LIKE 'H%' AND price IN (25, 30)",
            "conformance/lwt_conditions",
        ),
        yes(
            "conditions on elements, and on null",
            "UPDATE seats SET price = 1 WHERE block = 1 AND seat = 1 IF marks['x'] = 1 AND notes[7] = null",
            "conformance/lwt_conditions",
        ),
        yes("with a TTL", "INSERT INTO fans (name) VALUES ('Gil') IF NOT EXISTS USING TTL 60", "conformance/lwt"),
        yes(
            "conditional batches",
            "BEGIN BATCH UPDATE seats SET status = 'HELD' WHERE block = 1 AND seat = 1 IF status = 'SOLD'; "
            "UPDATE seats SET status = 'HELD' WHERE block = 1 AND seat = 2; APPLY BATCH",
            "conformance/lwt_batches",
        ),
        yes("reads at SERIAL", "", "conformance/consistency:SERIAL", "conformance/lwt:SERIAL"),
        no(
            "a timestamp of the client's own",
            "UPDATE fans USING TIMESTAMP 1 SET age = 31 WHERE name = 'Ann' IF age = 30",
            "conformance/lwt",
        ),
        no(
            "more than one partition in a batch",
            "BEGIN BATCH UPDATE fans SET age = 1 WHERE name = 'Ann' IF age = 2; "
            "UPDATE fans SET age = 1 WHERE name = 'Bo'; APPLY BATCH",
            "conformance/lwt_batches",
        ),
    ),
)

READS = Section(
    "Reads",
    (
        yes(
            "by key, with = and IN",
            "SELECT * FROM seats WHERE block IN (1, 2) AND seat = 1",
            "conformance/select",
            "unit/select",
        ),
        yes(
            "ranges of clustering keys",
            "SELECT seat FROM seats WHERE block = 1 AND seat >= 1 AND seat < 9",
            "conformance/select",
        ),
        yes(
            "several columns together",
            "SELECT seat FROM seats WHERE block = 1 AND (seat) > (0)",
            "conformance/select",
            "unit/restrictions",
        ),
        yes("token ranges", "SELECT block FROM seats WHERE token(block) > -9000000000000000000", "conformance/select"),
        yes("ORDER BY", "SELECT seat FROM seats WHERE block = 1 ORDER BY seat DESC", "conformance/select"),
        yes(
            "LIMIT and PER PARTITION LIMIT",
            "SELECT block, seat FROM seats PER PARTITION LIMIT 1 LIMIT 10",
            "conformance/select",
            "conformance/random/random_sequences",
        ),
        yes("DISTINCT", "SELECT DISTINCT block, town FROM seats", "conformance/select"),
        yes("ALLOW FILTERING", "SELECT seat FROM seats WHERE price > 10 ALLOW FILTERING", "conformance/filtering"),
        yes(
            "CONTAINS and CONTAINS KEY",
            "SELECT seat FROM seats WHERE tags CONTAINS 'sun' AND marks CONTAINS KEY 'x' ALLOW FILTERING",
            "conformance/filtering",
        ),
        yes("LIKE", "SELECT seat FROM seats WHERE status LIKE 'H%' ALLOW FILTERING", "conformance/filtering:LIKE"),
        yes("elements of collections", "SELECT marks['x'] FROM seats", "conformance/functions:m["),
        yes("aliases", "SELECT seat AS number FROM seats", "conformance/select"),
        yes("WRITETIME and TTL", "SELECT WRITETIME(price), TTL(price) FROM seats", "conformance/ttl"),
        yes(
            "count, min, max, sum, avg", "SELECT count(*), min(price), avg(price) FROM seats", "conformance/aggregates"
        ),
        yes(
            "functions of time, UUIDs, tokens, blobs",
            "SELECT toTimestamp(now()), token(block), blobAsInt(intAsBlob(seat)) FROM seats",
            "conformance/functions",
            "unit/functions",
        ),
        yes(
            "functions of numbers (which Cassandra has, and ScyllaDB not yet), of sets and of vectors",
            "SELECT abs(price), set_intersection(tags, {'sun'}) FROM seats",
            "unit/functions_made",
        ),
        yes("CAST", "SELECT CAST(price AS text) FROM seats", "conformance/functions"),
        yes(
            "BYPASS CACHE and USING TIMEOUT",
            "SELECT * FROM seats BYPASS CACHE USING TIMEOUT 2s",
            "conformance/select:BYPASS CACHE",
        ),
        yes("paging, at any page size", "", "conformance/paging", "conformance/random/random_sequences"),
        yes(
            "pages that end at 1 MiB, at 10,000 tombstones, or at the rows read where they are filtered",
            "",
            "conformance/paging",
            "unit/pages",
        ),
        no("SELECT without FROM, which comes with 2026.4", "SELECT 1", "unit/parser_errors:SELECT 1"),
        no("a literal as a selector, likewise", "SELECT 7 FROM seats", "unit/select:infer type"),
        no("a filter without ALLOW FILTERING", "SELECT * FROM seats WHERE price = 1", "conformance/filtering"),
        yes(
            "GROUP BY the partition key and a prefix of the clustering key; LIMIT and PER PARTITION LIMIT count groups",
            "SELECT block, count(*) FROM seats GROUP BY block",
            "conformance/group_by",
        ),
        yes("SELECT JSON", "SELECT JSON seat, count(*) AS sold FROM seats", "conformance/json", "unit/json"),
        yes(
            "toJson and fromJson",
            "SELECT toJson(marks) FROM seats WHERE block = fromJson('1')",
            "conformance/json",
            "unit/json",
        ),
        yes(
            "what is stored, piece by piece (in one source, `memtable:0`)",
            "SELECT * FROM MUTATION_FRAGMENTS(seats) WHERE block = 1",
            "conformance/fragments",
        ),
        left_out("nearest neighbours", "SELECT * FROM seats ORDER BY spot ANN OF [1, 2] LIMIT 1", "unit/parser:ANN OF"),
    ),
)

VIEWS = Section(
    "Materialized views and indexes",
    (
        yes(
            "CREATE MATERIALIZED VIEW",
            "CREATE MATERIALIZED VIEW free_seats AS SELECT block, seat, status, price FROM seats "
            "WHERE status = 'FREE' AND seat IS NOT NULL PRIMARY KEY ((block, status), seat)",
            "conformance/view_rules",
            "conformance/views",
            "conformance/random/random_sequences",
            "unit/ddl_views",
            "unit/views",
        ),
        yes(
            "ALTER MATERIALIZED VIEW",
            "ALTER MATERIALIZED VIEW free_seats WITH comment = 'what can be bought'",
            "conformance/view_rules",
        ),
        yes("DROP MATERIALIZED VIEW", "DROP MATERIALIZED VIEW free_seats", "conformance/view_rules"),
        yes("CREATE INDEX", "CREATE INDEX by_status ON seats (status)", "conformance/indexes"),
        yes("a query by an index", "SELECT seat FROM seats WHERE status = 'HELD'", "conformance/indexes"),
        yes(
            "indexes on elements of collections",
            "CREATE INDEX by_tag ON seats (VALUES(tags))",
            "conformance/element_indexes",
        ),
        yes(
            "local indexes",
            "CREATE INDEX near ON seats ((block), price) WITH comment = 'seats of one block'",
            "conformance/indexes",
            "unit/local_indexes",
        ),
        yes("DROP INDEX", "DROP INDEX by_tag", "conformance/indexes"),
        no(
            "two columns that are no keys of the base in a view's key",
            "CREATE MATERIALIZED VIEW both AS SELECT * FROM fans WHERE age IS NOT NULL AND born IS NOT NULL "
            "AND name IS NOT NULL PRIMARY KEY (age, born, name)",
            "conformance/view_rules",
        ),
        left_out(
            "filters of views with CONTAINS, functions or several columns",
            "CREATE MATERIALIZED VIEW some AS SELECT * FROM fans WHERE name = blobAsText(0x41) PRIMARY KEY (name)",
            "unit/ddl_views:of a materialized view",
        ),
        left_out(
            "vector indexes",
            "CREATE CUSTOM INDEX by_spot ON vectors (v) USING 'vector_index'",
            "unit/durations_and_vectors:Vector indexes",
        ),
        no(
            "custom indexes",
            "CREATE CUSTOM INDEX own ON fans (age) USING 'org.example.Index'",
            "conformance/indexes:CUSTOM INDEX",
        ),
    ),
)

CHANGES = Section(
    "Change data capture",
    (
        yes(
            "CREATE or ALTER TABLE … WITH cdc",
            "ALTER TABLE seats WITH cdc = {'enabled': true, 'preimage': 'full', 'postimage': true, 'ttl': 3600}",
            "conformance/cdc",
            "conformance/cdc_log",
            "unit/cdc",
        ),
        yes(
            "the log table",
            'SELECT "cdc$operation", seat FROM seats_scylla_cdc_log',
            "conformance/cdc",
            "conformance/cdc_log",
        ),
        yes(
            "streams, in keyspaces on vnodes",
            "SELECT time FROM system_distributed.cdc_generation_timestamps WHERE key = 'timestamps'",
            "conformance/cdc_streams",
            "conformance/change_reader",
        ),
        yes("streams, in keyspaces with tablets", "SELECT * FROM system.cdc_streams", "conformance/cdc_streams"),
        no("dropping the log of a table that is followed", "DROP TABLE seats_scylla_cdc_log", "conformance/cdc_log"),
    ),
)

INTROSPECTION = Section(
    "Introspection",
    (
        yes("DESCRIBE", "DESCRIBE TABLE seats", "conformance/describe", "unit/describe"),
        yes("the whole schema", "DESCRIBE FULL SCHEMA WITH INTERNALS", "conformance/describe"),
        yes(
            "system_schema",
            "SELECT * FROM system_schema.scylla_tables",
            "conformance/system_tables",
            "conformance/metadata",
        ),
        yes("what the node is", "SELECT * FROM system.versions", "conformance/system_tables"),
        yes("settings", "SELECT name, value FROM system.config", "unit/system_tables:system.config"),
        yes("built views", "SELECT * FROM system.built_views", "conformance/system_tables", "conformance/views"),
        yes("tracing", "SELECT * FROM system_traces.sessions", "conformance/system_tables:system_traces"),
        no("writing to system tables", "DELETE FROM system.local WHERE key = 'local'", "conformance/system_tables"),
    ),
)

PROTOCOL = Section(
    "Protocol",
    (
        yes("native protocol 3 and 4", "", "conformance/protocol"),
        yes("prepared statements, named and unset values", "", "conformance/prepared", "unit/terms"),
        yes(
            "consistency levels: Unavailable when replicas are missing",
            "",
            "conformance/consistency",
            "unit/consistency",
        ),
        yes(
            "transactions with fewer nodes than replicas: decided by those that exist, and a timeout where more must "
            "confirm",
            "",
            "conformance/consistency:decided",
            "unit/lwt:confirmed",
        ),
        yes("schema events", "", "conformance/metadata", "conformance/protocol"),
        yes(
            "unmodified clients: cqlsh, scyllapy, drivers for Go, Java, Node.js and Python",
            "",
            "conformance/clients",
        ),
        yes("syntax errors with line and column", "", "conformance/syntax_errors", "unit/parser_errors"),
    ),
)

RIGHTS = Section(
    "Roles, permissions and service levels (a node started with `--password` asks who one is)",
    (
        yes("CREATE, ALTER and DROP ROLE, also as USER", "", "unit/roles:CREATE ROLE", "unit/parser_schema:USER"),
        yes("GRANT and REVOKE of roles and permissions", "", "unit/roles:GRANT", "unit/access:GRANT"),
        yes("LIST ROLES, LIST USERS, LIST … PERMISSIONS", "", "unit/roles:LIST"),
        yes("permissions asked for by every statement", "", "unit/roles:test_what_a_statement_needs"),
        yes(
            "service levels: kept and shown, without effect on one node of one thread",
            "CREATE SERVICE LEVEL gold WITH timeout = 500ms AND shares = 500",
            "unit/roles:SERVICE LEVEL",
        ),
        yes("lists of service levels", "LIST ALL SERVICE LEVELS", "unit/roles:SERVICE LEVELS"),
        yes(
            "the rate limit of a partition: kept and shown, not enforced",
            "ALTER TABLE fans WITH per_partition_rate_limit = {'max_reads_per_second': 100}",
            "unit/describe:per_partition_rate_limit",
        ),
        no("roles where nobody has to log in", "CREATE ROLE guard", "unit/roles:anonymous"),
    ),
)

NODE = Section(
    "The node itself (by its control channel, not by CQL)",
    (
        yes("data outlive the process, however it ends", "", "unit/journal", "unit/node"),
        yes("pushing the clock", "", "unit/node:push_clock", "conformance/ttl:push_clock"),
        yes("a clock for each keyspace", "", "unit/keyspace_clocks"),
        yes("ending when nobody has asked for hours: `--idle-hours 8`", "", "unit/idle"),
        yes("the release that it follows: `--as 2026.1`, `--as 2026.2`", "", "unit/release", "unit/node:--as"),
        yes("decisions that take time, one after the other of a partition", "", "unit/decisions"),
        yes("delaying views, refusing writes", "", "unit/node:refuse_writes", "conformance/views:delay_views"),
        yes("new CDC generations, splitting tablets", "", "conformance/cdc_streams:new_cdc_generation"),
    ),
)

OTHERS = Section(
    "Left out",
    (
        left_out(
            "user-defined functions",
            "CREATE FUNCTION twice(a int) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE lua AS 'return a * 2'",
            "unit/parser_schema:FUNCTION",
        ),
        left_out(
            "user-defined aggregates", "CREATE AGGREGATE middle(int) SFUNC f STYPE int", "unit/parser_schema:AGGREGATE"
        ),
        left_out("pruning of views", "PRUNE MATERIALIZED VIEW by_status_index", "unit/parser:PRUNE"),
    ),
)

SECTIONS = (
    KEYSPACES,
    TABLES,
    TYPES,
    WRITES,
    TRANSACTIONS,
    READS,
    VIEWS,
    CHANGES,
    INTROSPECTION,
    PROTOCOL,
    RIGHTS,
    NODE,
    OTHERS,
)
