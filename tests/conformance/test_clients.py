"""Clients that other people wrote, unmodified, do their everyday work against the node."""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.clients import (
    ClientUnavailable,
    go_client,
    java_client,
    node_client,
    output_of,
    python_client,
)
from tests.full import only_in_full
from tests.patience import LONG_SECONDS, SECONDS

from .conftest import _unique, keyspace_options
from .programs import HOTEL

pytestmark = pytest.mark.embedded

SHELLS = {"scylla": "scylla-cqlsh", "apache": "cqlsh"}
# Every day ScyllaDB's shell and Apache's driver for Python stand for all: two codebases that share little.
COMPILED = only_in_full("it is fetched, and then compiled or begun on a virtual machine at each run, for one session")


def _installed(install, *packages):
    try:
        return install(*packages)
    except ClientUnavailable as reason:
        pytest.skip(f"{' '.join(packages)} cannot be installed here: {reason}")


@pytest.fixture(scope="module")
def scylla_cqlsh() -> Path:
    return _installed(python_client, "scylla-cqlsh") / "cqlsh"


@pytest.fixture(
    scope="module",
    params=["scylla", pytest.param("apache", marks=only_in_full("the other shell does the same every day"))],
)
def cqlsh(request: pytest.FixtureRequest) -> Path:
    """Each of the two shells."""
    return _installed(python_client, SHELLS[request.param]) / "cqlsh"


@pytest.fixture(scope="module")
def shop(session, keyspace) -> str:
    """A table with three rows and a bit of everything in them."""
    table = f"{keyspace}.shop"
    session.execute(
        f"CREATE TABLE {table} (p int, c int, name text, prices list<decimal>, seen timestamp, PRIMARY KEY (p, c))"
    )
    for c in (1, 2, 3):
        session.execute(
            f"INSERT INTO {table} (p, c, name, prices, seen) "
            f"VALUES (1, {c}, 'it''s {c}', [1.50, 2], '2030-01-0{c} 10:00:00+0000')"
        )
    return table


def ask(cqlsh: Path, engine, text: str) -> subprocess.CompletedProcess[str]:
    return output_of([cqlsh, engine.host, str(engine.port)], text)


# ---------------------------------------------------------------- cqlsh, reading a script


@pytest.fixture(scope="module")
def transcript(cqlsh, engine, shop, tmp_path_factory) -> subprocess.CompletedProcess[str]:
    """What a shell prints of one long script: to start it takes more time than all that it is asked."""
    file = tmp_path_factory.mktemp("cqlsh") / "script.cql"
    file.write_text(f"-- a comment\nINSERT INTO {shop} (p, c) VALUES (9, 4);\nSELECT p, c FROM {shop} WHERE p = 9;\n")
    script = f"""
        SELECT c, name, prices FROM {shop} WHERE p = 1;
        SELECT nope FROM {shop};
        SELECT FROM;
        SELECT count(*) FROM {shop} WHERE p = 1;
        SHOW VERSION
        SHOW HOST
        TRACING ON
        SELECT * FROM {shop} WHERE p = 1;
        TRACING OFF
        EXPAND ON
        SELECT c, name FROM {shop} WHERE p = 1 AND c = 3;
        EXPAND OFF
        SOURCE '{file}'
        CONSISTENCY LOCAL_QUORUM
        """
    return ask(cqlsh, engine, textwrap.dedent(script))


def test_cqlsh_shows_rows(transcript):
    assert re.search(r"2 \|\s+it's 2 \|\s+\[(Decimal\(')?1\.50", transcript.stdout)
    assert "(3 rows)" in transcript.stdout


def test_cqlsh_shows_refusals_and_goes_on(transcript):
    first, second = re.findall(r"^<stdin>.*", transcript.stderr, re.MULTILINE)
    assert 'code=2200 [Invalid query] message="Unrecognized name nope"' in first
    assert "SyntaxException: line 1:7 no viable alternative at input 'FROM'" in second
    assert re.search(r"count\s+-+\s+3\s", transcript.stdout)


def test_cqlsh_knows_the_session(transcript, engine):
    for part in ("CQL spec 3.3.1", "Native protocol v4", f"{engine.host}:{engine.port}", "LOCAL_QUORUM"):
        assert part in transcript.stdout


def test_cqlsh_traces(transcript):
    assert "Tracing session: " in transcript.stdout
    assert "Request complete" in transcript.stdout


def test_cqlsh_expands(transcript):
    assert re.search(r"@ Row 1\n-+\+-+\n c\s+\| 3\n name \| it's 3\n", transcript.stdout)


def test_cqlsh_runs_a_file(transcript):
    assert re.search(r"9 \| 4\s+\(1 rows\)", transcript.stdout)


@pytest.fixture(scope="module")
def wares(session, keyspace) -> list[str]:
    """Tables that are hard to write as text: one of each type, a key of several columns, and counters."""
    session.execute("CREATE TYPE size (name text, height int)")
    session.execute(_WARES.format("wares"))
    session.execute(_SOLD.format("sold"))
    for n in (1, 2, 3):
        session.execute(
            "INSERT INTO wares (p, q, c, big, price, rate, ok, made, hour, at, id, moment, ip, body, tags, notes, "
            f"parts, size, sizes, pair) VALUES ({n}, 'a,b', '2030-01-0{n}', {2**40}, 1.50, 0.25, true, '2030-01-01', "
            f"'10:00:00.5', '2030-01-0{n} 10:00:00.123+0000', 123e4567-e89b-42d3-a456-426614174000, "
            "123e4567-e89b-11d3-a456-426614174000, '10.0.0.1', 0xcafe, {'x', 'it''s'}, [1, 2], {'a b': 1}, "
            "{name: 'L', height: 3}, [{name: 'M', height: 2}], (1, 'one'))"
        )
        session.execute("UPDATE sold SET n = n + ?, total = total + 10 WHERE p = 1 AND c = ?".replace("?", str(n)))
    session.execute("INSERT INTO wares (p, q, c) VALUES (4, 'nothing else', '2030-01-01')")
    return ["wares", "sold"]


_WARES = (
    "CREATE TABLE {} (p int, q text, c timestamp, big bigint, price decimal, rate double, ok boolean, made date, "
    "hour time, at timestamp, id uuid, moment timeuuid, ip inet, body blob, tags set<text>, notes list<int>, "
    "parts map<text, int>, size size, sizes list<frozen<size>>, pair frozen<tuple<int, text>>, PRIMARY KEY ((p, q), c))"
)
_SOLD = "CREATE TABLE {} (p int, c int, n counter, total counter, PRIMARY KEY (p, c))"


def test_cqlsh_copies_out_and_in_again(cqlsh, engine, keyspace, wares, session, tmp_path):
    """COPY reads the schema, prepares, pages and writes batches: half a driver's work in two statements."""
    copies = [f"{table}_{cqlsh.parent.parent.name.replace('-', '_')}" for table in wares]
    session.execute(_WARES.format(copies[0]))
    session.execute(_SOLD.format(copies[1]))
    pairs = list(zip(wares, copies, strict=True))
    done = ask(
        cqlsh,
        engine,
        f"USE {keyspace};\n"
        + "".join(f"COPY {table} TO '{tmp_path}/{table}.csv' WITH HEADER = true;\n" for table in wares)
        + "".join(f"COPY {copy} FROM '{tmp_path}/{table}.csv' WITH HEADER = true;\n" for table, copy in pairs),
    )
    assert re.findall(r"(\d) rows exported", done.stdout) == ["4", "3"], done.stdout + done.stderr
    assert re.findall(r"(\d) rows imported", done.stdout) == ["4", "3"], done.stdout + done.stderr
    assert (tmp_path / "sold.csv").read_text().splitlines()[0] == "p,c,n,total"
    for table, copy in pairs:
        assert list(session.execute(f"SELECT * FROM {copy}")) == list(session.execute(f"SELECT * FROM {table}"))


def test_a_keyspace_is_made_again_from_its_description_in_cqlsh(scylla_cqlsh, engine, session):
    """Types, tables, a view and an index, in an order in which each finds what it needs. DESCRIBE is answered by the
    server. (Apache's shell would ask it too, but not of a server that, as ScyllaDB, calls itself release 3.0.8.)"""
    name = _unique("hotel")
    odd = """CREATE TABLE odd ("P" int, c int, v map<text, frozen<set<int>>>, s int static, PRIMARY KEY ("P", c))
             WITH CLUSTERING ORDER BY (c DESC) AND comment = 'it''s'"""
    schema = ";\n".join((*HOTEL.schema, odd))
    script = f"CREATE KEYSPACE {name} {keyspace_options(engine)};\nUSE {name};\n{schema};\nDESCRIBE KEYSPACE\n"
    made = ask(scylla_cqlsh, engine, script)
    described = made.stdout[made.stdout.index("CREATE KEYSPACE") :]  # a warning of one replica comes first
    again = ask(
        scylla_cqlsh,
        engine,
        f"DROP KEYSPACE {name};\n{described}\nDESCRIBE KEYSPACE {name}\nUSE {name};\nDESCRIBE TYPES\n"
        "DESCRIBE TYPE address\nDESCRIBE INDEX guests_first_name_idx\nDESCRIBE FUNCTIONS\nDESCRIBE AGGREGATES\n"
        f"DESCRIBE MATERIALIZED VIEW reservations_by_confirmation\nDESCRIBE guests\nDROP KEYSPACE {name};\n",
    )
    assert made.stderr + again.stderr == ""
    assert described.count("CREATE ") == 2 + sum(part.startswith("CREATE") for part in HOTEL.schema)
    _, same, rest = again.stdout.partition(described)
    assert same, again.stdout
    for shown in (
        f"CREATE TYPE {name}.address (\n    street text,",
        f"CREATE INDEX guests_first_name_idx ON {name}.guests(first_name);",
        f"CREATE MATERIALIZED VIEW {name}.reservations_by_confirmation AS",
        f"CREATE TABLE {name}.guests (",
    ):
        assert shown in rest


def test_describe_in_cqlsh(scylla_cqlsh, engine, keyspace, shop):
    done = ask(
        scylla_cqlsh,
        engine,
        f"USE {keyspace};\nDESCRIBE KEYSPACES\nDESCRIBE KEYSPACE\nDESCRIBE TABLES\nDESCRIBE SCHEMA\n"
        "DESCRIBE CLUSTER\nDESCRIBE FULL SCHEMA\nDESCRIBE shop\n",
    )
    assert done.stderr == ""
    assert re.search(r"^(\w+ +)*shop( |$)", done.stdout, re.MULTILINE)
    for shown in (
        "system_schema",
        f"CREATE KEYSPACE {keyspace} WITH replication",
        f"CREATE TABLE {shop} (",
        "Partitioner: org.apache.cassandra.dht.Murmur3Partitioner",
        "CREATE TABLE system_schema.columns",
        "PRIMARY KEY (p, c)",
    ):
        assert shown in done.stdout


# ---------------------------------------------------------------- cqlsh, at a terminal


class Terminal:
    """A program that believes a person sits at it."""

    def __init__(self, command: list[str]):
        import pty

        self._master, slave = pty.openpty()
        environment = {**os.environ, "TERM": "dumb", "LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "ignore"}
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
        os.close(slave)
        self.seen = ""

    def read_until(self, text: str, seconds: float = SECONDS) -> str:
        """What is shown up to ``text``, which must come."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{text!r} did not come after {self.seen!r}"
            self.seen += os.read(self._master, 4096).decode(errors="replace").replace("\r", "")
        shown, _, self.seen = self.seen.partition(text)
        return shown

    def type(self, line: str) -> None:
        os.write(self._master, line.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture(scope="module")
def terminal(cqlsh, engine, shop) -> Iterator[Terminal]:
    if os.name == "nt":
        pytest.skip("Windows has no pseudo-terminals of this kind")
    with contextlib.closing(Terminal([str(cqlsh), "--no-color", engine.host, str(engine.port)])) as terminal:
        terminal.read_until("cqlsh>")
        yield terminal


def test_cqlsh_completes_names(terminal, shop):
    """Completion comes from the schema that the shell read. Asked first, while the prompt is empty."""
    terminal.type(f"SELECT count(*) FROM {shop[:-2]}\t")
    terminal.read_until(shop)
    terminal.type(" WHERE p = 1;\n")
    assert re.search(r"\b3\b", terminal.read_until("(1 rows)"))
    terminal.read_until("cqlsh>")


def test_cqlsh_pages_at_a_terminal(terminal, shop):
    """With PAGING 2 it stops after two rows and asks for the third with the server's paging state."""
    terminal.type("PAGING 2\n")
    terminal.read_until("Page size: 2")
    terminal.type(f"SELECT c, name FROM {shop} WHERE p = 1;\n")
    first = terminal.read_until("---MORE---")
    assert "it's 2" in first
    assert "it's 3" not in first
    terminal.type("\n")
    assert "it's 3" in terminal.read_until("(3 rows)")


def test_cqlsh_prompts_with_the_keyspace(terminal, keyspace):
    terminal.type(f"USE {keyspace};\n")
    terminal.read_until(f"cqlsh:{keyspace}>")


# ---------------------------------------------------------------- drivers


@pytest.fixture
def stock(create, run) -> str:
    """A table of one test's own with three rows."""
    table = create("(p int, c int, name text, PRIMARY KEY (p, c))")
    for c in (1, 2, 3):
        run(f"INSERT INTO {table} (p, c, name) VALUES (1, {c}, 'it''s {c}')")
    return table


def test_cassandra_driver(engine, stock):
    """The DataStax driver, with the protocol version that it finds by itself."""
    python = _installed(python_client, "cassandra-driver") / "python"
    done = output_of([python, "-c", _CASSANDRA_DRIVER, engine.host, str(engine.port), stock])
    assert "Traceback" not in done.stderr
    assert done.stdout.split() == ["4", "[0]", "200", "103", "NetworkTopologyStrategy", "True", "False"]


_CASSANDRA_DRIVER = textwrap.dedent("""
    import sys
    from cassandra.cluster import Cluster
    from cassandra.concurrent import execute_concurrent_with_args

    host, port, table = sys.argv[1:]
    cluster = Cluster([host], port=int(port))
    session = cluster.connect(table.split(".")[0])
    insert = session.prepare(f"INSERT INTO {table} (p, c, name) VALUES (?, ?, ?)")
    written = execute_concurrent_with_args(session, insert, [(1, i, "x") for i in range(4, 104)])
    written += execute_concurrent_with_args(session, insert, [(2, i, "x") for i in range(100)])
    session.default_fetch_size = 7
    counted = len(list(session.execute(f"SELECT * FROM {table} WHERE p = 1")))
    described = cluster.metadata.keyspaces[session.keyspace]
    traced = session.execute(f"SELECT * FROM {table} WHERE p = 1", trace=True).get_query_trace()
    lwt = session.execute(f"INSERT INTO {table} (p, c) VALUES (1, 1) IF NOT EXISTS")
    print(cluster.protocol_version, insert.routing_key_indexes, sum(ok for ok, _ in written), counted)
    print(type(described.replication_strategy).__name__, len(traced.events) > 2, lwt.was_applied)
    cluster.shutdown()
""")


@only_in_full("Python's other driver asks the same every day")
def test_scyllapy(engine, stock):
    """The Rust driver behind a Python face: it reads types, tokens and paging states on its own."""
    python = _installed(python_client, "scyllapy") / "python"
    done = output_of([python, "-c", _SCYLLAPY, f"{engine.host}:{engine.port}", stock])
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "[{'count': 203}]",
        "203",
        "[{'[applied]': False, 'name': \"it's 1\"}]",
        "refused",
        "[{'home': {'street': 'Quay', 'zip': 7}, 'homes': [{'street': 'Pier', 'zip': None}], 'home.zip': 7}]",
    ]


_SCYLLAPY = textwrap.dedent("""
    import asyncio, sys
    from dataclasses import dataclass
    from scyllapy import BatchType, InlineBatch, Scylla
    from scyllapy.exceptions import ScyllaPyDBError
    from scyllapy.extra_types import ScyllaPyUDT

    @dataclass
    class Address(ScyllaPyUDT):
        street: str
        zip: int | None

    async def main(address, table):
        scylla = Scylla([address])
        await scylla.startup()
        insert = await scylla.prepare(f"INSERT INTO {table} (p, c, name) VALUES (?, ?, ?)")
        await asyncio.gather(*(scylla.execute(insert, (2, i, "x")) for i in range(198)))
        batch = InlineBatch(BatchType.LOGGED)
        for i in (1, 2):
            batch.add_query(f"INSERT INTO {table} (p, c, name) VALUES (?, ?, ?)", (3, i, "y"))
        await scylla.batch(batch)
        print((await scylla.execute(f"SELECT count(*) FROM {table}")).all())
        print(len([row async for row in await scylla.execute(f"SELECT c FROM {table}", paged=True)]))
        print((await scylla.execute(f"UPDATE {table} SET name = 'z' WHERE p = 1 AND c = 1 IF name = 'nobody'")).all())
        try:
            await scylla.execute(f"SELECT nope FROM {table}")
        except ScyllaPyDBError as error:
            print("refused" if "Unrecognized name nope" in str(error) else error)
        keyspace, _, name = table.partition(".")
        await scylla.execute(f"CREATE TYPE {keyspace}.address (street text, zip int)")
        await scylla.execute(f"ALTER TABLE {table} ADD (home address, homes list<frozen<address>>)")
        insert = await scylla.prepare(f"INSERT INTO {table} (p, c, home, homes) VALUES (?, ?, ?, ?)")
        await scylla.execute(insert, (4, 1, Address("Quay", 7), [Address("Pier", None)]))
        found = (await scylla.execute(f"SELECT home, homes, home.zip FROM {table} WHERE p = 4")).all()
        print([{key: row[key] for key in ("home", "homes", "home.zip")} for row in found])
        await scylla.shutdown()

    asyncio.run(main(*sys.argv[1:]))
""")


@COMPILED
def test_node_driver(engine, stock):
    """The npm cassandra-driver: JavaScript's numbers and names, its own paging and tracing."""
    node, folder = _installed(node_client, "cassandra-driver")
    script = folder / "everyday.js"
    script.write_text(_NODE_DRIVER)
    done = output_of([node, script, f"{engine.host}:{engine.port}", stock])
    assert done.stderr == ""
    assert done.stdout.split() == ["23", "p,c", "QUERY", "8704", "false"] or done.stdout.split() == [
        "23", "p,c", "Execute", "CQL3", "query", "8704", "false",
    ]  # fmt: skip


_NODE_DRIVER = textwrap.dedent("""
    const cassandra = require('cassandra-driver');
    const [address, table] = process.argv.slice(2);
    const [keyspace, name] = table.split('.');
    (async () => {
      const client = new cassandra.Client({contactPoints: [address], localDataCenter: 'datacenter1'});
      await client.connect();
      for (let i = 0; i < 20; i++)
        await client.execute(`INSERT INTO ${table} (p, c, name) VALUES (?, ?, ?)`, [2, i, 'x'], {prepare: true});
      let rows = 0;
      await new Promise((done, failed) => client.eachRow(`SELECT * FROM ${table}`, [],
        {autoPage: true, fetchSize: 3, prepare: true}, () => rows++, error => error ? failed(error) : done()));
      console.log(rows);
      const described = await client.metadata.getTable(keyspace, name);
      console.log(described.partitionKeys.concat(described.clusteringKeys).map(c => c.name).join());
      const traced = await client.execute(`SELECT * FROM ${table} WHERE p = 1`, [], {traceQuery: true});
      console.log((await client.metadata.getTrace(traced.info.traceId)).requestType);
      await client.execute(`SELECT nope FROM ${table}`).catch(error => console.log(error.code));
      const lwt = await client.execute(`INSERT INTO ${table} (p, c) VALUES (1, 1) IF NOT EXISTS`);
      console.log(lwt.wasApplied());
      await client.shutdown();
    })();
""")


@pytest.fixture
def own_keyspace(session) -> Iterator[str]:
    """The name of a keyspace that a client makes."""
    name = _unique("mapped")
    yield name
    session.execute(f"DROP KEYSPACE IF EXISTS {name}")


@only_in_full("it is fetched with all that it needs, for one program")
def test_express_cassandra(engine, own_keyspace, run):
    """An object mapper for JavaScript: it makes types, tables, indexes and views, and alters them as models change."""
    node, folder = _installed(node_client, "express-cassandra")
    script = folder / "everyday.js"
    script.write_text(_EXPRESS_CASSANDRA)
    done = output_of([node, script, engine.host, str(engine.port), own_keyspace])
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "true", "false", "Quay 7 1 b true", "20,36", "1 2", "2", "Bo null",
    ]  # fmt: skip
    assert run(f"SELECT seat FROM {own_keyspace}.\"Fan\" WHERE name = 'Bo'") == [(None,)]


_EXPRESS_CASSANDRA = textwrap.dedent("""
    const cassandra = require('express-cassandra');
    const [host, port, keyspace] = process.argv.slice(2);
    const models = cassandra.createClient({
      clientOptions: {contactPoints: [host], localDataCenter: 'datacenter1', protocolOptions: {port: Number(port)},
        keyspace, queryOptions: {consistency: cassandra.consistencies.one}},
      ormOptions: {
        defaultReplicationStrategy: {class: 'NetworkTopologyStrategy', datacenter1: 1},
        migration: 'alter', disableTTYConfirmation: true,
        udts: {phone: {label: 'text', number: 'text'},
          address: {street: 'text', zip: 'int', phones: 'set<frozen<phone>>'}},
      },
    });
    const fields = {
      name: 'text', age: 'int', since: {type: 'timestamp', default: {$db_function: 'toTimestamp(now())'}},
      home: {type: 'frozen', typeDef: '<address>'}, past: {type: 'list', typeDef: '<frozen<address>>'},
      tags: {type: 'set', typeDef: '<text>'}, notes: {type: 'map', typeDef: '<text, text>'},
    };
    (async () => {
      await models.initAsync();
      const schema = {fields, key: [['name'], 'age'], indexes: ['tags'], clustering_order: {age: 'desc'},
        materialized_views: {by_age: {select: ['*'], key: ['age', 'name']}}};
      let Fan = models.loadSchema('Fan', schema);
      console.log(await Fan.syncDBAsync());
      const home = {street: 'Quay', zip: 1, phones: [{label: 'work', number: '7'}]};
      await new Fan({name: 'Ada', age: 36, home, past: [home], tags: ['x', 'y'], notes: {a: 'b'}}).saveAsync();
      const again = await new Fan({name: 'Ada', age: 36}).saveAsync({if_not_exist: true});
      console.log(again.rows[0]['[applied]']);
      await new Fan({name: 'Ada', age: 20}).saveAsync({ttl: 3600});
      const ada = await Fan.findOneAsync({name: 'Ada', age: 36});
      console.log(ada.home.street, ada.home.phones[0].number, ada.past[0].zip, ada.notes.a, ada.since instanceof Date);
      await Fan.updateAsync({name: 'Ada', age: 36},
        {tags: {$add: ['z']}, notes: {$add: {c: 'd'}}, home: {...home, zip: 2}});
      const ages = await Fan.findAsync({name: 'Ada', $orderby: {$asc: 'age'}, $limit: 5}, {raw: true});
      console.log(ages.map(row => row.age).join());
      console.log((await Fan.findAsync({tags: {$contains: 'z'}})).length,
        (await Fan.findAsync({age: 36}, {materialized_view: 'by_age'}))[0].home.zip);
      let rows = 0;
      await new Promise((done, failed) => Fan.eachRow({}, {fetchSize: 1, autoPage: true, raw: true}, () => rows++,
        error => error ? failed(error) : done()));
      console.log(rows);
      await models.doBatchAsync([new Fan({name: 'Bo', age: 1}).save({return_query: true}),
        Fan.update({name: 'Ada', age: 36}, {past: {$append: [home]}}, {return_query: true})]);
      Fan = models.loadSchema('Fan', {...schema, fields: {...fields, seat: 'int'}});
      await Fan.syncDBAsync();  // a column more
      await Fan.deleteAsync({name: 'Ada'});
      console.log((await Fan.findAsync({}, {raw: true})).map(row => `${row.name} ${row.seat}`).join());
      await models.closeAsync();
    })().catch(error => { console.error(error); process.exit(1); });
""")


@COMPILED
@pytest.mark.timeout(2 * LONG_SECONDS)  # where it is not installed yet, Go compiles it
@pytest.mark.parametrize(
    "module, fork",
    [
        ("github.com/gocql/gocql@v1.7.0", ""),
        ("github.com/apache/cassandra-gocql-driver/v2@v2.1.2", ""),
        ("github.com/gocql/gocql@v1.14.4", "github.com/scylladb/gocql@v1.14.4"),
    ],
    ids=["gocql", "apache", "scylladb"],
)
def test_go_driver(engine, stock, module, fork):
    """gocql, its successor at Apache, which tries protocol 5 first, and ScyllaDB's fork, which looks for shards."""
    go, folder = _installed(go_client, module, fork)
    (folder / "main.go").write_text(_GO_DRIVER.replace("DRIVER", module.partition("@")[0]))
    built = output_of([go, "build", "-C", folder, "-o", folder / "everyday", "."])
    assert built.returncode == 0, built.stderr
    done = output_of([folder / "everyday", engine.host, str(engine.port), stock])
    assert done.stdout.splitlines() == ["203", "c,name,p", "true", "2200", "false it's 1", "true"], done.stderr


_GO_DRIVER = textwrap.dedent(r"""
    package main

    import (
        "errors"
        "fmt"
        "os"
        "sort"
        "strconv"
        "strings"
        "time"

        "DRIVER"
    )

    type tracer struct{ traces int }

    func (t *tracer) Trace(id []byte) { t.traces++ }

    func must(err error) {
        if err != nil {
            fmt.Fprintln(os.Stderr, err)
            os.Exit(1)
        }
    }

    func main() {
        table := os.Args[3]
        keyspace, name, _ := strings.Cut(table, ".")
        cluster := gocql.NewCluster(os.Args[1])
        port, err := strconv.Atoi(os.Args[2])
        must(err)
        cluster.Port, cluster.Keyspace, cluster.Timeout = port, keyspace, 10*time.Second
        cluster.Consistency = gocql.LocalQuorum
        session, err := cluster.CreateSession()
        must(err)
        defer session.Close()

        insert := "INSERT INTO " + table + " (p, c, name) VALUES (?, ?, ?)"
        for i := 0; i < 100; i++ {
            must(session.Query(insert, 2, i, "x").Exec())
        }
        batch := session.NewBatch(gocql.UnloggedBatch)
        for i := 0; i < 100; i++ {
            batch.Query(insert, 3, i, "y")
        }
        must(session.ExecuteBatch(batch))

        rows, p := 0, 0
        all := session.Query("SELECT p FROM " + table).PageSize(7).Iter()
        for all.Scan(&p) {
            rows++
        }
        must(all.Close())
        fmt.Println(rows)

        described, err := session.KeyspaceMetadata(keyspace)
        must(err)
        columns := []string{}
        for column := range described.Tables[name].Columns {
            columns = append(columns, column)
        }
        sort.Strings(columns)
        fmt.Println(strings.Join(columns, ","))

        counted := &tracer{}
        must(session.Query("SELECT p FROM " + table).Trace(counted).Exec())
        fmt.Println(counted.traces == 1)

        var refusal gocql.RequestError
        if errors.As(session.Query("SELECT nope FROM "+table).Exec(), &refusal) {
            fmt.Printf("%x\n", refusal.Code())
        }
        var old string
        update := "UPDATE " + table + " SET name = 'z' WHERE p = 1 AND c = 1 IF name = 'n'"
        applied, err := session.Query(update).ScanCAS(&old)
        must(err)
        fmt.Println(applied, old)
        local := session.Query("SELECT tokens FROM system.local").Iter().Columns()
        fmt.Println(local[0].TypeInfo.Type() == gocql.TypeSet)
    }
""")


@COMPILED
@pytest.mark.timeout(2 * LONG_SECONDS)  # where it is not installed yet, Maven fetches it
@pytest.mark.parametrize(
    "artifact",
    ["org.apache.cassandra:java-driver-core:4.19.0", "com.scylladb:java-driver-core:4.17.0.1"],
    ids=["apache", "scylladb"],
)
def test_java_driver(engine, stock, artifact):
    """The Java driver and ScyllaDB's fork: they negotiate the protocol, and check all metadata they are given."""
    command, folder = _installed(java_client, artifact)
    program = folder / "Everyday.java"
    program.write_text(_JAVA_DRIVER)
    done = output_of([*command, program, engine.host, str(engine.port), stock])
    shown = [line for line in done.stdout.splitlines() if "driver" not in line]  # one of them greets
    assert shown == ["V4", "203", "[p, c]", "true", "InvalidQueryException", "false it's 1", "[0]", "ok"], done.stderr


_JAVA_DRIVER = textwrap.dedent("""
    import com.datastax.oss.driver.api.core.CqlSession;
    import com.datastax.oss.driver.api.core.cql.*;
    import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
    import java.net.InetSocketAddress;
    import java.util.stream.Collectors;

    public class Everyday {
      public static void main(String[] args) {
        String table = args[2], keyspace = table.split("[.]")[0], name = table.split("[.]")[1];
        try (CqlSession session = CqlSession.builder()
            .addContactPoint(new InetSocketAddress(args[0], Integer.parseInt(args[1])))
            .withLocalDatacenter("datacenter1").withKeyspace(keyspace).build()) {
          System.out.println(session.getContext().getProtocolVersion());

          PreparedStatement insert = session.prepare("INSERT INTO " + table + " (p, c, name) VALUES (?, ?, ?)");
          for (int i = 0; i < 100; i++) session.execute(insert.bind(2, i, "x"));
          BatchStatementBuilder batch = BatchStatement.builder(BatchType.UNLOGGED);
          for (int i = 0; i < 100; i++) batch.addStatement(insert.bind(3, i, "y"));
          session.execute(batch.build());
          int rows = 0;
          for (Row row : session.execute(SimpleStatement.newInstance("SELECT * FROM " + table).setPageSize(7))) rows++;
          System.out.println(rows);

          System.out.println(session.getMetadata().getKeyspace(keyspace).get().getTable(name).get().getPrimaryKey()
              .stream().map(c -> c.getName().asCql(true)).collect(Collectors.toList()));
          ExecutionInfo traced = session.execute(
              SimpleStatement.newInstance("SELECT * FROM " + table).setTracing(true)).getExecutionInfo();
          System.out.println(traced.getQueryTrace().getEvents().size() > 2);
          try {
            session.execute("SELECT nope FROM " + table);
          } catch (InvalidQueryException refusal) {
            System.out.println(refusal.getClass().getSimpleName());
          }
          Row old = session.execute("UPDATE " + table + " SET name = 'z' WHERE p = 1 AND c = 1 IF name = 'n'").one();
          System.out.println(old.getBoolean("[applied]") + " " + old.getString("name"));
          System.out.println(insert.getPartitionKeyIndices());

          // The driver sees the new table by the event, and its answer by schema agreement.
          session.execute("CREATE TABLE " + table + "_new (p int PRIMARY KEY)");
          boolean seen = session.getMetadata().getKeyspace(keyspace).get().getTable(name + "_new").isPresent();
          session.execute("DROP TABLE " + table + "_new");
          System.out.println(seen ? "ok" : "unseen");
        }
      }
    }
""")
