"""Which ScyllaDB the node follows, and what depends on it."""

from __future__ import annotations

import pytest

from embedded_scylla.assembly import assemble
from embedded_scylla.errors import ConfigurationException, SyntaxException
from embedded_scylla.release import DEFAULT, FEATURE, LTS, RELEASES, Release
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
