"""The native protocol, byte by byte: what drivers rely on, and what happens to a client that breaks the rules."""

from __future__ import annotations

import struct
import uuid

import pytest

from tests.engines import wire
from tests.engines.wire import (
    BATCH,
    ERROR,
    EVENT,
    EXECUTE,
    ONE,
    OPTIONS,
    PREPARE,
    QUERY,
    READY,
    REGISTER,
    RESULT,
    STARTUP,
    SUPPORTED,
    UNSET,
    Body,
    Wire,
    error_of,
    execute,
    integer,
    long_string,
    query,
    rows_of,
    short,
    string,
    string_map,
    strings,
    value,
)  # fmt: skip
from tests.patience import HOUR

PROTOCOL_ERROR, SERVER_ERROR, UNAVAILABLE, SYNTAX_ERROR, INVALID = 0x000A, 0x0000, 0x1000, 0x2000, 0x2200
ALREADY_EXISTS, UNPREPARED, CONFIG_ERROR, UNAUTHORIZED = 0x2400, 0x2500, 0x2300, 0x2100


@pytest.fixture
def dial(engine):
    """Open connections; all are closed with the test."""
    opened = []

    def open_one(**options) -> Wire:
        opened.append(Wire(engine.host, engine.port, **options))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.__exit__()


@pytest.fixture
def client(dial) -> Wire:
    return dial()


@pytest.fixture
def table(create) -> str:
    return create("(p int, c int, v text, s int static, PRIMARY KEY (p, c))")


# ---------------------------------------------------------------- opening a connection


@pytest.mark.parametrize("version", [3, 4])
def test_both_versions_are_spoken(dial, version):
    client = dial(version=version)
    answer = client.query("SELECT key FROM system.local")
    assert answer.version == 0x80 | version
    assert rows_of(answer) == [[b"local"]]


@pytest.mark.differs("cassandra", "it speaks version 5")
@pytest.mark.parametrize("version", [1, 2, 5, 6, 42, 0x41, 0x84])
def test_other_versions_are_refused_in_the_highest_one(dial, version):
    """A driver reads the refusal in a version it knows, and tries again with that one. Nobody knows how such a
    version numbers its streams, so the refusal is on stream 0: Apache's Go driver counts on it."""
    client = dial(version=version, start=False)
    client.send(OPTIONS, stream=7)
    answer = client.receive()
    assert (answer.version, answer.stream, answer.opcode) == (0x84, 0, ERROR)
    assert error_of(answer) == (PROTOCOL_ERROR, f"Invalid or unsupported protocol version: {version}")
    assert client.is_closed()


@pytest.mark.differs("cassandra", "it takes any version at any time")
def test_the_version_stays_the_same(client):
    client.version = 3
    client.send(OPTIONS, stream=7)
    answer = client.receive()
    assert (answer.version, answer.stream) == (0x84, 0)
    assert error_of(answer) == (
        PROTOCOL_ERROR,
        "Invalid message version. Got 3 but previous messages on this connection had version 4",
    )
    assert client.is_closed()


@pytest.mark.differs("cassandra", "it waits for more")
def test_the_first_message_is_short(dial):
    """Whoever begins with more than 100 kB speaks another protocol."""
    client = dial(start=False)
    client.send_bytes(struct.pack(">BBhBI", 4, 0, 5, STARTUP, 100_001))
    answer = client.receive()
    assert (answer.stream, *error_of(answer)) == (
        0,
        PROTOCOL_ERROR,
        "Initial message size too large (100001), rejecting as invalid",
    )
    assert client.is_closed()


@pytest.mark.embedded
def test_a_message_is_short_until_the_connection_is_open(dial):
    """ScyllaDB looks at the very first one only; here whoever has not said STARTUP is not waited for that long."""
    client = dial(start=False)
    assert client.ask(OPTIONS).opcode == SUPPORTED
    client.send_bytes(struct.pack(">BBhBI", 4, 0, 5, QUERY, 100_001))
    assert error_of(client.receive())[1] == "Initial message size too large (100001), rejecting as invalid"
    assert client.is_closed()


@pytest.mark.embedded
def test_a_control_line_without_an_end_is_cut(dial):
    client = dial(start=False)
    client.send_bytes(b"{" * 70_000)
    assert b"A line has at most 65536 bytes" in client.rest()


@pytest.mark.differs("cassandra", "it insists on the version of CQL")
def test_startup_may_say_nothing(dial):
    assert dial(start=False).ask(STARTUP, string_map()).opcode == READY


def test_options_before_startup(dial):
    answer = dial(start=False).ask(OPTIONS)
    assert answer.opcode == SUPPORTED
    supported = Body(answer.body).multimap()
    assert supported["CQL_VERSION"][0].startswith("3.")
    assert "lz4" in supported["COMPRESSION"]


@pytest.mark.differs("cassandra", "these are ScyllaDB's extensions")
def test_supported_tells_of_shards(client):
    """Drivers that know ScyllaDB open a connection for each shard; all five keys come together or not at all."""
    supported = Body(client.ask(OPTIONS).body).multimap()
    assert supported["SCYLLA_PARTITIONER"] == ["org.apache.cassandra.dht.Murmur3Partitioner"]
    assert supported["SCYLLA_SHARDING_ALGORITHM"] == ["biased-token-round-robin"]
    shard, shards = int(supported["SCYLLA_SHARD"][0]), int(supported["SCYLLA_NR_SHARDS"][0])
    assert 0 <= shard < shards
    assert supported["SCYLLA_SHARDING_IGNORE_MSB"] == ["12"]
    assert supported["SCYLLA_RATE_LIMIT_ERROR"] == ["ERROR_CODE=61440"]


@pytest.mark.embedded  # ScyllaDB from 2026.3 on
def test_supported_tells_whom_one_has_reached(client):
    """A driver that finds another host than it dialled (behind a proxy, say) knows it before it asks anything."""
    supported = Body(client.ask(OPTIONS).body).multimap()
    ((host_id,),) = rows_of(client.query("SELECT host_id FROM system.local"))
    assert supported["SCYLLA_HOST_ID"] == [str(uuid.UUID(bytes=host_id))]


@pytest.mark.differs("cassandra", "it closes the connection and names the message in another way")
@pytest.mark.parametrize(
    "opcode, body", [(QUERY, query("SELECT key FROM system.local")), (REGISTER, strings()), (0x55, b"")]
)
def test_nothing_but_options_and_startup_comes_first(dial, opcode, body):
    client = dial(start=False)
    assert error_of(client.ask(opcode, body)) == (
        PROTOCOL_ERROR,
        f"Unexpected message {opcode}, expecting STARTUP or OPTIONS",
    )


@pytest.mark.differs("cassandra", "it closes the connection")
def test_startup_comes_once(client):
    assert error_of(client.ask(STARTUP, string_map(CQL_VERSION="3.0.0"))) == (
        PROTOCOL_ERROR,
        "Unexpected message STARTUP, the connection is already initialized",
    )
    assert rows_of(client.query("SELECT key FROM system.local")) == [[b"local"]]


@pytest.mark.differs("cassandra", "it says it in other words")
def test_an_unknown_compression_is_refused(dial):
    client = dial(start=False)
    code, message = error_of(client.ask(STARTUP, string_map(CQL_VERSION="3.0.0", COMPRESSION="zip")))
    assert (code, message) == (PROTOCOL_ERROR, "Unknown compression algorithm: zip")


def test_register_takes_the_three_events(client):
    answer = client.ask(REGISTER, strings("TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE"))
    assert answer.opcode == READY


@pytest.mark.differs("cassandra", "it closes the connection")
def test_register_refuses_other_events(client):
    code, message = error_of(client.ask(REGISTER, strings("WEATHER_CHANGE")))
    assert code == PROTOCOL_ERROR
    assert "WEATHER_CHANGE" in message


# ---------------------------------------------------------------- frames


def test_streams_come_back_with_their_answers(client):
    """Many requests may be under way on one connection: the stream number tells whose answer it is."""
    for stream in (0, 5, 32767, 3):
        client.send(QUERY, query("SELECT key FROM system.local"), stream=stream)
    assert sorted(client.receive().stream for _ in range(4)) == [0, 3, 5, 32767]


def test_a_frame_may_come_in_pieces(client):
    body = query("SELECT key FROM system.local")
    frame = struct.pack(">BBhBi", 4, 0, 9, QUERY, len(body)) + body
    for at in range(0, len(frame), 7):
        client.send_bytes(frame[at : at + 7])
    assert rows_of(client.receive()) == [[b"local"]]


def test_half_a_frame_holds_up_nobody_else(client, dial):
    """A client that falls silent in the middle of a frame keeps its connection; the others are served."""
    client.send_bytes(struct.pack(">BBhBi", 4, 0, 1, QUERY, 100) + b"half")
    assert rows_of(dial().query("SELECT key FROM system.local")) == [[b"local"]]
    client.send_bytes(b"\x00" * 96)
    assert client.receive().opcode == ERROR


def test_a_client_may_leave_in_the_middle(dial):
    dial().send_bytes(b"\x04\x00\x00")
    leaving = dial()
    leaving.send(QUERY, query("SELECT * FROM system_schema.columns"))
    leaving.__exit__()
    assert rows_of(dial().query("SELECT key FROM system.local")) == [[b"local"]]


@pytest.mark.differs("cassandra", "it closes the connection")
def test_an_unknown_opcode(client):
    assert error_of(client.ask(0x55)) == (PROTOCOL_ERROR, "Unknown opcode 85")
    assert rows_of(client.query("SELECT key FROM system.local")) == [[b"local"]]


@pytest.mark.differs("cassandra", "it waits for more")
@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFFFFF])
def test_an_impossible_length_ends_the_connection(client, length):
    client.send_bytes(struct.pack(">BBhBI", 4, 0, 9, QUERY, length))
    answer = client.receive()
    code, message = error_of(answer)
    assert (answer.stream, code) == (9, INVALID)
    assert message.startswith(f"request size too large (frame size {length}; estimate ")
    assert client.is_closed()


@pytest.mark.differs("cassandra", "it says only that the body is too short")
@pytest.mark.parametrize(
    "opcode, body, message",
    [
        (QUERY, b"", "truncated frame: expected 4 bytes, length is 0"),
        (QUERY, integer(50) + b"SELECT", "truncated frame: expected 50 bytes, length is 6"),
        (QUERY, long_string("SELECT key FROM system.local"), "truncated frame: expected 3 bytes, length is 0"),
        (QUERY, query("SELECT key FROM system.local", flags=wire.PAGE_SIZE), "truncated frame: expected 4 bytes"),
        (
            QUERY,
            query("SELECT key FROM system.local", flags=wire.VALUES, rest=short(1) + integer(9)),
            "expected 9 bytes",
        ),
        (QUERY, integer(2) + b"\xc3\x28" + short(ONE) + b"\x00", "Cannot decode string as UTF8, invalid character"),
        (EXECUTE, short(16) + b"short", "truncated frame: expected 16 bytes, length is 5"),
        (PREPARE, b"\x00", "truncated frame: expected 4 bytes, length is 1"),
        (BATCH, b"\x00\x00\x01\xff", "Invalid query kind in BATCH messages. Must be 0 or 1 but got 255"),
        (BATCH, b"\x07\x00\x00", "BATCH type"),
        (REGISTER, short(3), "truncated frame"),
    ],
)
def test_a_malformed_body_is_refused_and_the_connection_goes_on(client, opcode, body, message):
    code, text = error_of(client.ask(opcode, body))
    assert code == PROTOCOL_ERROR
    assert message in text
    assert rows_of(client.query("SELECT key FROM system.local")) == [[b"local"]]


def test_large_values_pass(client, table):
    """Two frames of several MB, there and back."""
    text = "x" * 5_000_000
    client.query(
        f"INSERT INTO {table} (p, c, v) VALUES (1, 1, ?)", flags=wire.VALUES, rest=short(1) + value(text.encode())
    )
    assert rows_of(client.query(f"SELECT v FROM {table} WHERE p = 1")) == [[text.encode()]]


def test_a_payload_of_the_client_is_passed_over(client):
    """Flag 4: a map of bytes before the body, for extensions of a server that knows them."""
    payload = short(1) + string("request-id") + value(b"\x01\x02")
    answer = client.ask(QUERY, payload + query("SELECT key FROM system.local"), flags=wire.CUSTOM_PAYLOAD)
    assert rows_of(answer) == [[b"local"]]


# ---------------------------------------------------------------- compression


def compress(body: bytes) -> bytes:
    """An lz4 block that holds the body as it is, after its length: the smallest valid compressor."""
    extra, rest = b"", len(body) - 15
    if rest >= 0:
        extra = b"\xff" * (rest // 255) + bytes((rest % 255,))
    return integer(len(body)) + bytes((min(len(body), 15) << 4,)) + extra + body


def test_lz4(dial):
    """Once agreed on at STARTUP, each frame says with a flag whether its body is compressed."""
    decompress = pytest.importorskip(
        "cassandra.cython_lz4", reason="this build of the driver has no lz4"
    ).lz4_decompress
    client = dial(COMPRESSION="lz4")
    plain = client.query("SELECT key FROM system.local")
    packed = client.ask(QUERY, compress(query("SELECT key FROM system.local")), flags=wire.COMPRESSED)
    for answer in (plain, packed):
        if answer.flags & wire.COMPRESSED:
            answer = answer._replace(body=decompress(answer.body))
        assert rows_of(answer) == [[b"local"]]


@pytest.mark.parametrize(
    "body, message",
    [
        (integer(1000) + b"\xf0not lz4 at all", "CQL frame LZ4 uncompression failure"),
        (integer(5) + b"\x10a", "CQL frame LZ4 uncompression failure"),
        (integer(0x7FFFFFFF) + b"\x10a", "CQL frame LZ4 uncompression failure"),
        (integer(-1) + b"\x10a", "CQL frame uncompressed length is negative: -1"),
        (b"\x00\x00", "CQL frame truncated: expected to have at least 4 bytes, got 2"),
    ],
)
@pytest.mark.differs("cassandra", "it says this in words of its own")
def test_a_body_that_is_not_lz4_ends_the_connection(dial, body, message):
    client = dial(COMPRESSION="lz4")
    client.send(QUERY, body, stream=3, flags=wire.COMPRESSED)
    assert error_of(client.receive())[1] == message
    assert client.is_closed()


@pytest.mark.differs("cassandra", "it reads the body as it is")
def test_nobody_compresses_unasked(client):
    client.send(QUERY, compress(query("SELECT key FROM system.local")), stream=3, flags=wire.COMPRESSED)
    answer = client.receive()
    assert (answer.stream, *error_of(answer)) == (0, PROTOCOL_ERROR, "Unknown compression algorithm")
    assert client.is_closed()


# ---------------------------------------------------------------- errors


@pytest.mark.differs("cassandra", "it says that the table does not exist")
def test_invalid(client):
    assert error_of(client.query("SELECT * FROM system.nothing")) == (INVALID, "unconfigured table nothing")


def test_syntax_error(client):
    assert error_of(client.query("SELEKT"))[0] == SYNTAX_ERROR


def test_already_exists_names_what(client, table):
    """Beside the sentence there are the keyspace and the table, for programs."""
    answer = client.query(f"CREATE TABLE {table} (p int PRIMARY KEY)")
    body = Body(answer.body)
    assert body.int() == ALREADY_EXISTS
    body.string()
    assert f"{body.string()}.{body.string()}" == table


def test_already_exists_for_a_keyspace_names_no_table(client, keyspace):
    answer = client.query(
        f"CREATE KEYSPACE {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
    )
    body = Body(answer.body)
    assert body.int() == ALREADY_EXISTS
    body.string()
    assert (body.string(), body.string()) == (keyspace, "")


@pytest.mark.differs("cassandra", "it gives the level and the numbers in other words")
def test_unavailable_tells_the_numbers(client, keyspace, run):
    run(f"CREATE KEYSPACE {keyspace}_3 WITH replication = "
        "{'class': 'NetworkTopologyStrategy', 'replication_factor': 3} AND tablets = {'enabled': false}")  # fmt: skip
    run(f"CREATE TABLE {keyspace}_3.t (p int PRIMARY KEY)")
    answer = client.query(f"SELECT * FROM {keyspace}_3.t", consistency=wire.QUORUM)
    run(f"DROP KEYSPACE {keyspace}_3")
    body = Body(answer.body)
    assert body.int() == UNAVAILABLE
    assert body.string() == "Cannot achieve consistency level for cl QUORUM. Requires 2, alive 1"
    assert (body.short(), body.int(), body.int()) == (wire.QUORUM, 2, 1)


def test_unprepared_gives_the_id_back(client):
    answer = client.ask(EXECUTE, execute(b"0123456789abcdef"))
    body = Body(answer.body)
    assert body.int() == UNPREPARED
    body.string()
    assert body.short_bytes() == b"0123456789abcdef"


@pytest.mark.differs("cassandra", "it says it in other words")
def test_an_unknown_consistency_level(client):
    answer = client.query("SELECT key FROM system.local", consistency=77)
    assert error_of(answer) == (PROTOCOL_ERROR, "Unknown code 77 for a consistency level")


@pytest.mark.differs("cassandra", "it takes the paging state apart in another way")
@pytest.mark.parametrize("state", [b"", b"\x00", b"nonsense", b"\xff" * 50])
def test_a_paging_state_that_is_none(client, table, state):
    answer = client.query(
        f"SELECT * FROM {table}", flags=wire.PAGE_SIZE | wire.PAGING_STATE, rest=integer(2) + value(state)
    )
    assert answer.opcode == ERROR or rows_of(answer) == []
    if answer.opcode == ERROR:
        assert error_of(answer)[0] in (PROTOCOL_ERROR, INVALID)


# ---------------------------------------------------------------- QUERY


def test_values_in_a_query(client, table):
    """A text with markers may be sent with its values, without being prepared first."""
    rest = short(3) + value(integer(1)) + value(integer(2)) + value(b"three")
    answer = client.query(f"INSERT INTO {table} (p, c, v) VALUES (?, ?, ?)", flags=wire.VALUES, rest=rest)
    assert Body(answer.body).int() == wire.VOID
    assert rows_of(client.query(f"SELECT p, c, v FROM {table}")) == [[integer(1), integer(2), b"three"]]


def test_values_by_name(client, table):
    rest = short(3) + string("v") + value(b"x") + string("c") + value(integer(2)) + string("p") + value(integer(1))
    client.query(f"INSERT INTO {table} (p, c, v) VALUES (:p, :c, :v)", flags=wire.VALUES | wire.NAMES, rest=rest)
    assert rows_of(client.query(f"SELECT p, c, v FROM {table}")) == [[integer(1), integer(2), b"x"]]


@pytest.mark.parametrize("given", [0, 1, 3])
def test_as_many_values_as_markers(client, table, given):
    rest = short(given) + value(integer(1)) * given
    answer = client.query(f"SELECT * FROM {table} WHERE p = ? AND c = ?", flags=wire.VALUES, rest=rest)
    assert error_of(answer)[0] == INVALID


def test_a_value_of_the_wrong_length(client, table):
    answer = client.query(f"SELECT * FROM {table} WHERE p = ?", flags=wire.VALUES, rest=short(1) + value(b"\x01\x02"))
    assert error_of(answer)[0] == INVALID


def test_unset_leaves_a_column_alone(client, table):
    client.query(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, 'kept')")
    client.query(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, ?)", flags=wire.VALUES, rest=short(1) + UNSET)
    assert rows_of(client.query(f"SELECT v FROM {table}")) == [[b"kept"]]


def test_version_3_knows_no_unset(dial, table):
    """There, every negative length is null."""
    client = dial(version=3)
    client.query(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, 'lost')")
    client.query(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, ?)", flags=wire.VALUES, rest=short(1) + UNSET)
    assert rows_of(client.query(f"SELECT v FROM {table}")) == [[None]]


def test_an_invalid_length_of_a_value(client, table):
    answer = client.query(f"SELECT * FROM {table} WHERE p = ?", flags=wire.VALUES, rest=short(1) + integer(-3))
    assert error_of(answer)[0] == PROTOCOL_ERROR


def ahead(engine):
    """How far (µs) other tests have pushed the node's clock: it takes its clients' timestamps along."""
    return round(engine.control("status")["clock_offset_seconds"] * 1e6) if engine.name == "embedded" else 0


def test_the_default_timestamp(client, table, engine):
    """Microseconds that the client gives; USING TIMESTAMP goes before it."""
    for c, using in ((1, ""), (2, " USING TIMESTAMP 77")):
        text = f"INSERT INTO {table} (p, c, v) VALUES (1, {c}, 'x'){using}"
        client.query(text, flags=wire.TIMESTAMP, rest=struct.pack(">q", 123_456))
    written = rows_of(client.query(f"SELECT writetime(v) FROM {table}"))
    assert [struct.unpack(">q", row[0])[0] for row in written] == [123_456 + ahead(engine), 77]


def test_skipped_metadata(client, table):
    """A driver that prepared a statement knows its columns: it asks for the rows alone."""
    client.query(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, 'x')")
    full = client.query(f"SELECT * FROM {table}")
    short_one = client.query(f"SELECT * FROM {table}", flags=wire.SKIP_METADATA)
    assert rows_of(short_one) == rows_of(full)
    body = Body(short_one.body)
    assert (body.int(), body.int() & 4, body.int()) == (wire.ROWS, 4, 4)


def test_metadata_names_the_table_once(client, table):
    body = Body(client.query(f"SELECT p, v FROM {table}").body)
    assert (body.int(), body.int(), body.int()) == (wire.ROWS, 1, 2)
    assert f"{body.string()}.{body.string()}" == table
    assert (body.string(), body.short(), body.string(), body.short()) == ("p", 0x09, "v", 0x0D)


def test_set_keyspace(client, keyspace):
    body = Body(client.query(f"USE {keyspace}").body)
    assert (body.int(), body.string()) == (wire.SET_KEYSPACE, keyspace)


def test_schema_change(client, keyspace, create):
    """The answer to DDL says what has changed, so that a driver reads only that anew."""
    table = create("(p int PRIMARY KEY)")
    body = Body(client.query(f"ALTER TABLE {table} ADD v int").body)
    assert body.int() == wire.SCHEMA_CHANGE
    assert [body.string() for _ in range(4)] == ["UPDATED", "TABLE", keyspace, table.partition(".")[2]]


@pytest.mark.differs("cassandra", "it answers with void")
def test_if_not_exists_is_announced_though_nothing_changes(client, keyspace, table):
    """Whoever created it may have done so just now, on another node: the driver is made to look."""
    body = Body(client.query(f"CREATE TABLE IF NOT EXISTS {table} (p int PRIMARY KEY)").body)
    assert (body.int(), body.string(), body.string(), body.string()) == (
        wire.SCHEMA_CHANGE,
        "CREATED",
        "TABLE",
        keyspace,
    )


def test_pages(client, table):
    for c in range(5):
        client.query(f"INSERT INTO {table} (p, c) VALUES (1, {c})")
    state, pages = None, []
    while True:
        flags = wire.PAGE_SIZE | (wire.PAGING_STATE if state else 0)
        rest = integer(2) + (value(state) if state else b"")
        answer = client.query(f"SELECT c FROM {table} WHERE p = 1", flags=flags, rest=rest)
        pages.append([struct.unpack(">i", c)[0] for (c,) in rows_of(answer)])
        body = Body(answer.body)
        body.int()
        if not body.int() & 2:
            break
        body.int()
        state = body.bytes()
    assert [c for page in pages for c in page] == [0, 1, 2, 3, 4]
    assert all(len(page) <= 2 for page in pages)


# ---------------------------------------------------------------- PREPARE and EXECUTE


def test_prepared_tells_the_routing_key(client, create):
    """The indexes of the variables that make the partition key, in the key's own order: whence tokens come."""
    table = create("(a int, b text, c int, v int, PRIMARY KEY ((a, b), c))")
    _, body = client.prepare(f"UPDATE {table} SET v = ? WHERE c = ? AND b = ? AND a = ?")
    flags, count, keys = body.int(), body.int(), body.int()
    assert (flags & 1, count, [body.short() for _ in range(keys)]) == (1, 4, [3, 2])


def test_version_3_has_no_routing_key(dial, table):
    _, body = dial(version=3).prepare(f"SELECT * FROM {table} WHERE p = ?")
    assert (body.int(), body.int()) == (1, 1)
    assert f"{body.string()}.{body.string()}" == table


def test_execute(client, table):
    insert, _ = client.prepare(f"INSERT INTO {table} (p, c, v) VALUES (?, ?, ?)")
    rest = short(3) + value(integer(1)) + value(integer(2)) + value(None)
    assert Body(client.ask(EXECUTE, execute(insert, flags=wire.VALUES, rest=rest)).body).int() == wire.VOID
    select, _ = client.prepare(f"SELECT p, c, v FROM {table} WHERE p = ?")
    answer = client.ask(EXECUTE, execute(select, flags=wire.VALUES, rest=short(1) + value(integer(1))))
    assert rows_of(answer) == [[integer(1), integer(2), None]]


def test_the_id_belongs_to_text_and_keyspace(client, keyspace, table):
    """The same text, prepared by anybody, has the same id: that is why a driver may ask another node for it."""
    text = f"SELECT * FROM {table} WHERE p = ?"
    first, _ = client.prepare(text)
    assert client.prepare(text)[0] == first
    assert client.prepare(text + " ")[0] != first


def test_another_connection_may_execute_it(client, dial, table):
    statement_id, _ = client.prepare(f"SELECT * FROM {table}")
    assert rows_of(dial().ask(EXECUTE, execute(statement_id))) == []


# ---------------------------------------------------------------- BATCH


def batch(kind: int, *statements: bytes, flags: int = 0, rest: bytes = b"") -> bytes:
    return bytes((kind,)) + short(len(statements)) + b"".join(statements) + short(ONE) + bytes((flags,)) + rest


def in_batch(text: str | bytes, *values: bytes | None) -> bytes:
    what = b"\x01" + short(len(text)) + text if isinstance(text, bytes) else b"\x00" + long_string(text)
    return what + short(len(values)) + b"".join(map(value, values))


@pytest.mark.parametrize("kind", [0, 1])
def test_a_batch_of_texts_and_prepared_statements(client, table, kind):
    insert, _ = client.prepare(f"INSERT INTO {table} (p, c, v) VALUES (?, ?, ?)")
    body = batch(
        kind,
        in_batch(insert, integer(1), integer(1), b"one"),
        in_batch(f"INSERT INTO {table} (p, c, v) VALUES (1, ?, 'two')", integer(2)),
        in_batch(f"UPDATE {table} SET s = 3 WHERE p = 1"),
    )
    assert Body(client.ask(BATCH, body).body).int() == wire.VOID
    assert rows_of(client.query(f"SELECT c, s, v FROM {table}")) == [
        [integer(1), integer(3), b"one"],
        [integer(2), integer(3), b"two"],
    ]


def test_an_empty_batch(client):
    assert Body(client.ask(BATCH, batch(0)).body).int() == wire.VOID


def test_a_batch_with_an_unknown_id(client):
    assert error_of(client.ask(BATCH, batch(0, in_batch(b"0" * 16))))[0] == UNPREPARED


def test_a_batch_takes_no_select(client, table):
    assert error_of(client.ask(BATCH, batch(0, in_batch(f"SELECT * FROM {table}"))))[0] == INVALID


def test_the_default_timestamp_of_a_batch(client, table, engine):
    body = batch(
        0,
        in_batch(f"INSERT INTO {table} (p, c, v) VALUES (1, 1, 'x')"),
        flags=wire.TIMESTAMP,
        rest=struct.pack(">q", 99),
    )
    client.ask(BATCH, body)
    assert rows_of(client.query(f"SELECT writetime(v) FROM {table}")) == [[struct.pack(">q", 99 + ahead(engine))]]


# ---------------------------------------------------------------- events, warnings, traces


def test_schema_events_reach_those_who_registered(client, dial, keyspace, create):
    listening, deaf = dial(), dial()
    listening.ask(REGISTER, strings("SCHEMA_CHANGE"))
    deaf.ask(REGISTER, strings("STATUS_CHANGE"))
    name = create("(p int PRIMARY KEY)").partition(".")[2]
    event = listening.receive()
    assert (event.stream, event.opcode) == (-1, EVENT)
    body = Body(event.body)
    assert [body.string() for _ in range(5)] == ["SCHEMA_CHANGE", "CREATED", "TABLE", keyspace, name]
    deaf.send(OPTIONS, stream=11)
    assert deaf.receive().stream == 11


def test_a_view_is_announced_as_a_table(client, dial, keyspace, create, run):
    table = create("(p int, c int, PRIMARY KEY (p, c))")
    listening = dial()
    listening.ask(REGISTER, strings("SCHEMA_CHANGE"))
    run(f"CREATE MATERIALIZED VIEW {table}_v AS SELECT * FROM {table} WHERE p IS NOT NULL AND c IS NOT NULL "
        "PRIMARY KEY (c, p)")  # fmt: skip
    body = Body(listening.receive().body)
    assert [body.string() for _ in range(5)] == ["SCHEMA_CHANGE", "CREATED", "TABLE", keyspace,
                                                 f"{table.partition('.')[2]}_v"]  # fmt: skip
    run(f"DROP MATERIALIZED VIEW {table}_v")


@pytest.mark.differs("cassandra", "it has no log tables, and other indexes")
@pytest.mark.parametrize(
    "change, also",
    [("WITH cdc = {{'enabled': true}}", "{t}_scylla_cdc_log"), ("CREATE INDEX {t}_i ON {k}.{t} (v)", "{t}_i_index")],
)
def test_tables_that_come_along_are_announced_too(dial, keyspace, create, run, change, also):
    """A log, and the view behind an index: nobody named them, yet there they are."""
    name = create("(p int PRIMARY KEY, v int)").partition(".")[2]
    listening = dial()
    listening.ask(REGISTER, strings("SCHEMA_CHANGE"))
    change = change.format(t=name, k=keyspace)
    run(change if change.startswith("CREATE") else f"ALTER TABLE {keyspace}.{name} {change}")
    bodies = [Body(listening.receive().body) for _ in range(2)]
    seen = {tuple(body.string() for _ in range(5)) for body in bodies}
    assert seen == {
        ("SCHEMA_CHANGE", "CREATED", "TABLE", keyspace, also.format(t=name)),
        ("SCHEMA_CHANGE", "UPDATED", "TABLE", keyspace, name),
    }


def test_a_keyspace_takes_its_tables_along(dial, keyspace, run):
    name = f"{keyspace}_2"
    run(f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
    run(f"CREATE TABLE {name}.t (p int PRIMARY KEY)")
    listening = dial()
    listening.ask(REGISTER, strings("SCHEMA_CHANGE"))
    run(f"DROP KEYSPACE {name}")
    bodies = [Body(listening.receive().body) for _ in range(2)]
    assert [[body.string() for _ in range(4)] for body in bodies] == [
        ["SCHEMA_CHANGE", "DROPPED", "TABLE", name],
        ["SCHEMA_CHANGE", "DROPPED", "KEYSPACE", name],
    ]


@pytest.mark.differs("cassandra", "it warns of other things")
def test_warnings_come_before_the_body(client, keyspace):
    answer = client.query(f"ALTER KEYSPACE {keyspace} WITH replication = "
                          "{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}")  # fmt: skip
    assert answer.flags & wire.WARNING
    (warning,) = Body(answer.body).strings()
    assert "replication_factor=1" in warning


@pytest.mark.differs("cassandra", "it warns of other things")
def test_version_3_has_no_warnings(dial, keyspace):
    answer = dial(version=3).query(f"ALTER KEYSPACE {keyspace} WITH replication = "
                                   "{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}")  # fmt: skip
    assert (answer.opcode, answer.flags & wire.WARNING) == (RESULT, 0)


def test_a_traced_answer_begins_with_the_trace(client, table):
    answer = client.ask(QUERY, query(f"SELECT * FROM {table}"), flags=wire.TRACING)
    assert answer.flags & wire.TRACING
    session_id = answer.body[:16]
    assert rows_of(answer._replace(body=answer.body[16:])) == []
    text = f"SELECT session_id FROM system_traces.sessions WHERE session_id = {session_id.hex()[:8]}-" + "-".join(
        session_id.hex()[a:b] for a, b in ((8, 12), (12, 16), (16, 20), (20, 32))
    )
    for _ in range(200):  # a cluster writes its traces in its own time
        found = rows_of(client.query(text))
        if found:
            break
    assert found == [[session_id]]


def test_a_failed_request_may_be_traced(client):
    answer = client.ask(QUERY, query("SELECT nope FROM system.local"), flags=wire.TRACING)
    assert answer.opcode == ERROR


@pytest.mark.parametrize("opcode", [QUERY, EXECUTE, BATCH])
def test_a_request_that_cannot_be_read_may_be_traced(client, opcode):
    """It ends before the node knows what to call it."""
    assert client.ask(opcode, b"\x00", flags=wire.TRACING).opcode == ERROR
    assert rows_of(client.query("SELECT key FROM system.local")) == [[b"local"]]


def test_only_statements_are_traced(client):
    answer = client.ask(OPTIONS, flags=wire.TRACING)
    assert (answer.opcode, answer.flags) == (SUPPORTED, 0)


@pytest.mark.embedded
def test_an_answer_does_not_wait_for_its_trace(client, engine):
    """A trace is a write too. Where writes are refused, the answer comes without one."""
    engine.control("refuse_writes", seconds=HOUR)
    try:
        answer = client.ask(QUERY, query("SELECT key FROM system.local"), flags=wire.TRACING)
    finally:
        engine.control("refuse_writes", seconds=0)
    assert answer.flags & wire.TRACING == 0
    assert rows_of(answer) == [[b"local"]]
