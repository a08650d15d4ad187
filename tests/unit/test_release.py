"""Which ScyllaDB the node follows, and what depends on it."""

from __future__ import annotations

import pytest

from embedded_scylla.assembly import assemble
from embedded_scylla.errors import ConfigurationException, InvalidRequest, SyntaxException
from embedded_scylla.notices import Notices
from embedded_scylla.protocol import frame
from embedded_scylla.protocol.connection import Connection
from embedded_scylla.release import DEFAULT, FEATURE, LTS, RELEASES, Release
from embedded_scylla.where.restrictions import SLICES_EVERY_PARTITION
from tests.unit.asking import KEYSPACE, Asking

TABLETS = KEYSPACE.replace("false", "true").replace(" ks ", " tab ")


def following(release: Release) -> Asking:
    """A node that follows a release, with a keyspace on vnodes, ``ks``, and one on tablets, ``tab``."""
    node = Asking(node=assemble(release=release))
    node.run(TABLETS)
    return node


def gc_mode(node: Asking, table: str) -> str:
    created, *_ = node.rows(f"DESCRIBE TABLE {table}")
    return created[3].split("tombstone_gc = {'mode': '")[1].split("'")[0]


def test_each_release_is_found_by_its_name() -> None:
    assert [(name, release.version.rpartition(".")[0]) for name, release in RELEASES.items()] == [
        ("2026.1", "2026.1"),
        ("2026.2", "2026.2"),
    ]


@pytest.mark.parametrize("release", [LTS, FEATURE, DEFAULT])
def test_the_node_says_which_it_follows_and_that_it_is_none(release: Release) -> None:
    ((version,),) = following(release).rows("SELECT version FROM system.versions")
    assert version.startswith(f"{release.version}-embedded-")


def test_a_node_that_was_not_told_follows_the_long_term_support_release() -> None:
    assert (DEFAULT.name, DEFAULT.version) == (LTS.name, LTS.version)
    node = following(DEFAULT)
    node.run("CREATE TABLE t (p int PRIMARY KEY)")
    assert gc_mode(node, "t") == "timeout"


@pytest.mark.parametrize("keyspace", ["ks", "tab"])
@pytest.mark.parametrize(("release", "mode"), [(LTS, "timeout"), (FEATURE, "repair")])
def test_what_tombstones_wait_for(release: Release, mode: str, keyspace: str) -> None:
    node = following(release)
    node.run(f"CREATE TABLE {keyspace}.t (p int PRIMARY KEY) WITH cdc = {{'enabled': true}}")
    assert gc_mode(node, f"{keyspace}.t") == mode
    assert gc_mode(node, f"{keyspace}.t_scylla_cdc_log") == "timeout"


def test_one_replica_cannot_wait_for_a_repair_before_2026_2() -> None:
    create = "CREATE TABLE t (p int PRIMARY KEY) WITH tombstone_gc = {'mode': 'repair'}"
    with pytest.raises(ConfigurationException, match="tombstone_gc option with mode = repair not supported for table"):
        following(LTS).run(create)
    older = following(LTS)
    older.run(
        "CREATE KEYSPACE three WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 3} "
        "AND tablets = {'enabled': false}"
    )
    for node, table in ((older, "three.t"), (following(FEATURE), "ks.t")):
        node.run(create.replace(" t ", f" {table} "))
        assert gc_mode(node, table) == "repair"


MARKED = "CREATE TABLE t (p int PRIMARY KEY, e timestamp TTL)"


def test_columns_that_end_rows_are_known_from_2026_2_on() -> None:
    with pytest.raises(SyntaxException, match=r"^line 1:47 : Unexpected 'TTL'"):
        following(LTS).run(MARKED)
    node = following(LTS)
    node.run("CREATE TABLE t (p int PRIMARY KEY, ttl timestamp)")  # a name like any other
    with pytest.raises(SyntaxException):
        node.run("ALTER TABLE t TTL ttl")
    for release in (FEATURE, DEFAULT):
        following(release).run(MARKED)


@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
def test_tablets_are_what_a_keyspace_gets_that_does_not_say(release: Release) -> None:
    node = following(release)
    node.run("CREATE KEYSPACE silent WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}")
    assert node.rows("SELECT initial_tablets FROM system_schema.scylla_keyspaces WHERE keyspace_name = 'silent'") == [
        (0,)
    ]
    ((_, _, _, described),) = node.rows("DESCRIBE KEYSPACE silent")
    assert described.endswith("AND tablets = {'enabled': true};")


@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
def test_a_slice_of_every_partition_is_answered_with_a_warning_as_shipped(release: Release) -> None:
    node = following(release)
    node.run("CREATE TABLE t (p int, c int, v int, PRIMARY KEY (p, c))")
    node.run("INSERT INTO t (p, c, v) VALUES (1, 2, 3)")
    for where in ("c = 2", "c > 1", "token(p) >= -9223372036854775807 AND c IN (1, 2)"):
        answer = node.ask(f"SELECT p FROM t WHERE {where}")
        assert (answer.rows, answer.warnings) == ([(1,)], [SLICES_EVERY_PARTITION])
        answer = node.ask(f"SELECT p FROM t WHERE {where} ALLOW FILTERING")
        assert (answer.rows, answer.warnings) == ([(1,)], [])
        with pytest.raises(InvalidRequest, match=r"use ALLOW FILTERING$"):
            node.run(f"SELECT p FROM t WHERE {where} AND v = 3")
    assert setting(node, "strict_allow_filtering") == '"warn"'


def test_a_node_that_was_not_told_refuses_it_as_later_releases_will() -> None:
    node = following(DEFAULT)
    node.run("CREATE TABLE t (p int, c int, v int, PRIMARY KEY (p, c))")
    with pytest.raises(InvalidRequest, match=r"use ALLOW FILTERING$"):
        node.run("SELECT p FROM t WHERE c = 2")
    assert setting(node, "strict_allow_filtering") == '"true"'


@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
def test_no_release_has_functions_of_mathematics_yet(release: Release) -> None:
    for node, known in ((following(release), False), (following(DEFAULT), True)):
        node.run("CREATE TABLE t (p int PRIMARY KEY, v int)")
        for statement in ("SELECT abs(v) FROM t", "INSERT INTO t (p, v) VALUES (1, abs((int) -2))"):
            if known:
                node.run(statement)
            else:
                with pytest.raises(InvalidRequest, match=r"^Unknown function abs called$"):
                    node.run(statement)


@pytest.mark.parametrize(("release", "tells"), [(LTS, False), (FEATURE, False), (DEFAULT, True)])
def test_clients_are_told_the_host_id_after_2026_2(release: Release, tells: bool) -> None:
    assembly, sent = assemble(release=release), bytearray()
    connection = Connection(
        assembly.engine, assembly.prepared, ("127.0.0.1", 1), lambda data: sent.extend(data) is None, Notices()
    )
    connection.feed(frame.encode_frame(4, 0, 0, frame.OPTIONS, b"").replace(b"\x84", b"\x04", 1))
    assert (str(assembly.engine.node.host_id).encode() in sent) is tells
    assert b"SCYLLA_NR_SHARDS" in sent


def setting(node: Asking, name: str) -> str:
    ((value,),) = node.rows(f"SELECT value FROM system.config WHERE name = '{name}'")
    return value
