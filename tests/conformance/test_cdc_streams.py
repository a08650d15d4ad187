"""CDC streams: which stream a change goes to, how a reader finds them, and which write times are accepted."""

import itertools
from datetime import UTC

import pytest
from cassandra import ConsistencyLevel, InvalidRequest
from cassandra.cluster import NoHostAvailable
from cassandra.query import SimpleStatement

pytestmark = pytest.mark.differs("cassandra", "its change log is a file, not a table")


def at_one(statement):
    """system_distributed wants three replicas, and most tests have one node."""
    return SimpleStatement(statement, consistency_level=ConsistencyLevel.ONE, fetch_size=None)


@pytest.fixture(scope="module")
def tablets_keyspace(session, keyspace):
    name = f"{keyspace}_tablets"
    session.execute(
        f"CREATE KEYSPACE {name} WITH replication = {{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}} "
        "AND tablets = {'enabled': true, 'initial': 4}"
    )
    yield name
    session.execute(f"DROP KEYSPACE {name}")


@pytest.fixture
def logged(create):
    return create("(p int PRIMARY KEY, v int)", "WITH cdc = {'enabled': true}")


def signed(stream):
    return int.from_bytes(stream[:8], "big", signed=True)


# ---------------------------------------------------------------- vnodes


def test_generations(run):
    """The newest first; only the last has not expired."""
    rows = run(
        at_one("SELECT time, expired FROM system_distributed.cdc_generation_timestamps WHERE key = 'timestamps'")
    )
    assert rows and rows[0][1] is None
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)
    for newer, older in itertools.pairwise(rows):
        assert older[1] == newer[0]


def streams_of_last_generation(run):
    ((last, _), *_) = run(
        at_one("SELECT time, expired FROM system_distributed.cdc_generation_timestamps WHERE key = 'timestamps'")
    )
    millis = round(last.replace(tzinfo=UTC).timestamp() * 1000)
    return run(
        at_one(f"SELECT range_end, streams FROM system_distributed.cdc_streams_descriptions_v2 WHERE time = {millis}")
    )


def test_anatomy_of_a_stream_id(run):
    """token: 64 bits, random: 38, index of the token range: 22, version: 4."""
    described = streams_of_last_generation(run)
    ends = [end for end, _ in described]
    assert ends and ends == sorted(ends)
    for place, (end, streams) in enumerate(described):
        for stream in streams:
            assert len(stream) == 16
            low = int.from_bytes(stream[8:], "big")
            assert low & 0xF == 1
            assert low >> 4 & (1 << 22) - 1 == place
            if place:
                assert ends[place - 1] < signed(stream) <= end


def test_a_change_goes_to_the_stream_of_its_token_range(logged, run):
    described = streams_of_last_generation(run)
    for p in range(20):
        run(f"INSERT INTO {logged} (p) VALUES ({p})")
    tokens = dict(run(f"SELECT p, token(p) FROM {logged}"))
    logged_changes = run(f'SELECT "cdc$stream_id", p FROM {logged}_scylla_cdc_log')
    assert len(logged_changes) == 20
    for stream, p in logged_changes:
        wanted = next((streams for end, streams in described if end >= tokens[p]), described[0][1])
        assert stream in wanted


def test_a_partition_stays_in_its_stream(logged, run):
    for v in range(5):
        run(f"INSERT INTO {logged} (p, v) VALUES (1, {v})")
    assert len(run(f'SELECT DISTINCT "cdc$stream_id" FROM {logged}_scylla_cdc_log')) == 1
    assert [row[0] for row in run(f"SELECT v FROM {logged}_scylla_cdc_log")] == [0, 1, 2, 3, 4]


def test_tables_share_the_streams(create, run):
    """In keyspaces on vnodes streams are the cluster's: the same partition key, the same stream."""
    found = set()
    for _ in range(2):
        table = create("(p int PRIMARY KEY)", "WITH cdc = {'enabled': true}")
        run(f"INSERT INTO {table} (p) VALUES (7)")
        found.add(run(f'SELECT "cdc$stream_id" FROM {table}_scylla_cdc_log')[0][0])
    assert len(found) == 1


@pytest.mark.embedded
def test_a_new_generation_has_new_streams(logged, run, engine):
    run(f"INSERT INTO {logged} (p) VALUES (1)")
    begun = engine.control("new_cdc_generation")["timestamp"]
    run(f"INSERT INTO {logged} (p) VALUES (1) USING TIMESTAMP {(begun + 1) * 1000}")
    assert len(run(f'SELECT DISTINCT "cdc$stream_id" FROM {logged}_scylla_cdc_log')) == 2
    rows = run(
        at_one("SELECT time, expired FROM system_distributed.cdc_generation_timestamps WHERE key = 'timestamps'")
    )
    assert len(rows) >= 2 and rows[1][1] == rows[0][0]


def test_the_readers_way(logged, session, run):
    """What CDC libraries ask: a window of time in a group of streams."""
    run(f"INSERT INTO {logged} (p, v) VALUES (1, 1)")
    streams = [row[0] for row in run(f'SELECT DISTINCT "cdc$stream_id" FROM {logged}_scylla_cdc_log')]
    prepared = session.prepare(
        f'SELECT * FROM {logged}_scylla_cdc_log WHERE "cdc$stream_id" IN ? AND "cdc$time" >= minTimeuuid(?) '
        'AND "cdc$time" < minTimeuuid(?) BYPASS CACHE'
    )
    ((written,),) = run(f"SELECT WRITETIME(v) FROM {logged}")
    at = written // 1000
    assert len(session.execute(prepared, (streams, at, at + 1)).all()) == 1
    assert len(session.execute(prepared, (streams, at - 10, at)).all()) == 0


# ---------------------------------------------------------------- tablets


def test_streams_of_a_table_on_tablets(tablets_keyspace, run):
    table = f"{tablets_keyspace}.sold"
    run(f"CREATE TABLE {table} (p int PRIMARY KEY) WITH cdc = {{'enabled': true}}")
    where = f"WHERE keyspace_name = '{tablets_keyspace}' AND table_name = 'sold'"
    ((begun,),) = run(f"SELECT timestamp FROM system.cdc_timestamps {where}")
    rows = run(f"SELECT timestamp, stream_state, stream_id FROM system.cdc_streams {where}")
    current = [stream for at, state, stream in rows if state == 0]
    assert {at for at, _, _ in rows} == {begun}
    assert sorted(stream for _, state, stream in rows if state == 2) == sorted(current)
    assert not [stream for _, state, stream in rows if state == 1]
    # One stream for each tablet; its token is the tablet's last one.
    tokens = sorted(map(signed, current))
    assert tokens[-1] == 2**63 - 1 and len(tokens) == len(set(tokens)) == 4
    for p in range(10):
        run(f"INSERT INTO {table} (p) VALUES ({p})")
    places = dict(run(f"SELECT p, token(p) FROM {table}"))
    logged_changes = run(f'SELECT "cdc$stream_id", p FROM {table}_scylla_cdc_log')
    assert len(logged_changes) == 10
    for stream, p in logged_changes:
        assert signed(stream) == min(token for token in tokens if token >= places[p])


def test_tables_on_vnodes_are_not_listed_there(logged, run):
    keyspace, name = logged.split(".")
    assert run(f"SELECT * FROM system.cdc_streams WHERE keyspace_name = '{keyspace}' AND table_name = '{name}'") == []


def test_writes_older_than_all_streams_of_a_table_on_tablets(tablets_keyspace, run, session):
    table = f"{tablets_keyspace}.young"
    run(f"CREATE TABLE {table} (p int PRIMARY KEY) WITH cdc = {{'enabled': true}}")
    with pytest.raises(NoHostAvailable, match="could not find any CDC streams for table"):
        session.execute(f"INSERT INTO {table} (p) VALUES (1) USING TIMESTAMP 123")
    assert run(f"SELECT * FROM {table}") == []


def test_no_transactions_on_a_log_on_tablets(tablets_keyspace, run, refused):
    table = f"{tablets_keyspace}.guarded"
    run(f"CREATE TABLE {table} (p int PRIMARY KEY) WITH cdc = {{'enabled': true}}")
    message = refused(
        InvalidRequest,
        f'INSERT INTO {table}_scylla_cdc_log ("cdc$stream_id", "cdc$time", "cdc$batch_seq_no") '
        "VALUES (0x00, now(), 0) IF NOT EXISTS",
    )
    assert f"LWT is not supported on CDC log tables: {table}_scylla_cdc_log" in message


# ---------------------------------------------------------------- accepted times


def test_no_writes_from_the_future(logged, run, refused):
    """Nobody knows yet which streams will be there then."""
    ((now,),) = run("SELECT toUnixTimestamp(now()) FROM system.local")
    later = now * 1000 + 24 * 3600 * 1_000_000
    refused(
        InvalidRequest,
        f"INSERT INTO {logged} (p) VALUES (1) USING TIMESTAMP {later}",
        'cdc: attempted to get a stream "from the future"',
    )
    assert run(f"SELECT * FROM {logged}") == []


def test_no_writes_before_the_first_generation(logged, refused):
    refused(
        InvalidRequest,
        f"INSERT INTO {logged} (p) VALUES (1) USING TIMESTAMP 123",
        'cdc: attempted to get a stream "from the past"',
    )


def test_refused_changes_leave_nothing_of_a_batch(create, logged, run, refused):
    plain = create("(p int PRIMARY KEY)")
    refused(
        InvalidRequest,
        f"BEGIN BATCH INSERT INTO {plain} (p) VALUES (1); "
        f"INSERT INTO {logged} (p) VALUES (1) USING TIMESTAMP 123; APPLY BATCH",
        "cdc",
    )
    assert run(f"SELECT * FROM {plain}") == []


def test_tables_without_log_take_any_time(create, run):
    table = create("(p int PRIMARY KEY, v int)")
    run(f"INSERT INTO {table} (p, v) VALUES (1, 1) USING TIMESTAMP 123")
    assert run(f"SELECT WRITETIME(v) FROM {table}") == [(123,)]
