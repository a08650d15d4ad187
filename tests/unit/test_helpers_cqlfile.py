"""The files under cql/: how they are cut, which names they have, and that running them twice does no harm."""

from __future__ import annotations

from collections import Counter

import pytest
from cassandra.cluster import Session

from helpers import apply_cql, statement, statements
from helpers.lab.errors import LabError
from helpers.lab.statements import CQL_DIRECTORY, split, without_scylla_options

FILES = sorted(path.name for path in CQL_DIRECTORY.glob("*.cql"))
KEYSPACE = "unit_cqlfile"


def test_a_semicolon_in_quotes_or_in_a_comment_ends_nothing() -> None:
    text = """
    -- first; with a comment
    INSERT INTO t (a) VALUES ('x;--y''z'); -- trailing; words
    /* a block; of words */ SELECT "a;b" FROM t // more; words
    ;
    SELECT 1
    """
    assert list(split(text)) == ["INSERT INTO t (a) VALUES ('x;--y''z')", 'SELECT "a;b" FROM t', "SELECT 1"]


def test_a_statement_knows_its_name_and_the_comment_above_it() -> None:
    text = "-- The header of a file.\n\n-- Why it is\n-- as it is.\n-- name: look\nSELECT 1;\nSELECT 2;"
    look, other = split(text)
    assert (look.name, look.why) == ("look", "Why it is as it is.")
    assert (other.name, other.why) == (None, "")


@pytest.mark.parametrize("file", FILES)
def test_every_statement_is_explained_and_none_is_lost(file: str) -> None:
    found = statements(file)
    assert len(found) == sum(
        line.rstrip().endswith(";") and not line.lstrip().startswith("--")
        for line in (CQL_DIRECTORY / file).read_text(encoding="utf-8").splitlines()
    )
    assert found[0].why or file == "source.cql"


def test_names_are_unique() -> None:
    names = Counter(each.name for file in FILES for each in statements(file) if each.name)
    assert [name for name, number in names.items() if number > 1] == []


def test_the_source_has_five_inserts_and_seven_selects() -> None:
    assert len(statements("inserts.cql")) == 5
    selects = [each for each in statements("selects.cql") if each.why[:1].isdigit() and each.why[1] == "."]
    assert [each.why[0] for each in selects] == list("1234567")


def test_a_marked_value_is_replaced_and_keeps_its_quotes() -> None:
    keyspace, tickets, *_ = statements("source.cql", keyspace="arena", replicas=3)
    assert keyspace.startswith("CREATE KEYSPACE IF NOT EXISTS arena\n")
    assert "'datacenter1': '3'" in keyspace
    assert tickets.startswith("CREATE TABLE IF NOT EXISTS arena.tickets (")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"keyspace": "x; DROP"},
            r"keyspace may have the letters a to z, digits and _, and 'x; DROP' has ';'",
        ),
        ({"replicas": "many"}, r"replicas in cql/keyspace.cql must be a whole number, not 'many'"),
        ({"colour": 1}, r"cql/keyspace.cql has no place for colour"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(LabError, match=sentence):
        statements("keyspace.cql", **values)


def test_unknown_names_are_told_with_the_known_ones() -> None:
    with pytest.raises(LabError, match=r"No statement in cql/ is named 'hold'\. There are: .*hold_seat"):
        statement("hold")
    with pytest.raises(LabError, match=r"There is no file cql/table\.cql\. There are: .*tables\.cql"):
        statements("table.cql")


def test_the_options_of_scylladb_alone_can_be_left_out() -> None:
    queue = without_scylla_options(statements("tables.cql")[-1])
    assert "cdc" not in queue
    assert queue.endswith("AND default_time_to_live = 900")


def test_every_file_runs_twice(lab: Session) -> None:
    lab.execute(f"DROP KEYSPACE IF EXISTS {KEYSPACE}")
    apply_cql(lab, "keyspace.cql", keyspace=KEYSPACE)
    lab.set_keyspace(KEYSPACE)
    for file in ("tables.cql", "views.cql"):
        assert len(apply_cql(lab, file)) == len(apply_cql(lab, file))
    added = apply_cql(lab, "checkout.cql")
    assert added and all(each.startswith("ALTER TABLE") for each in added)
    assert apply_cql(lab, "checkout.cql") == []
    tables = {
        row[0]
        for row in lab.execute("SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s", [KEYSPACE])
    }
    assert tables == {
        *("venue_sections", "events", "tickets", "orders", "order_queue", "order_queue_scylla_cdc_log"),
    }
    for file in FILES:
        for each in statements(file):
            if each.name and "tablet" not in each.name:
                lab.prepare(each)


def test_the_source_runs_with_every_option_it_names(lab: Session) -> None:
    lab.execute(f"DROP KEYSPACE IF EXISTS {KEYSPACE}_source")
    assert len(apply_cql(lab, "source.cql", keyspace=f"{KEYSPACE}_source")) == 8
    row = lab.execute(
        "SELECT default_time_to_live, speculative_retry FROM system_schema.tables"
        " WHERE keyspace_name = %s AND table_name = 'order_queue'",
        [f"{KEYSPACE}_source"],
    ).one()
    assert tuple(row) == (900, "99.0PERCENTILE")
