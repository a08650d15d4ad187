"""Keyspaces: made, altered, dropped, and everything about them that is refused."""

from __future__ import annotations

import pytest
from cassandra import AlreadyExists, InvalidRequest, Unauthorized
from cassandra.protocol import ConfigurationException, SyntaxException

NTS = "{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"


@pytest.fixture
def name(session, keyspace, request):
    """A name that no keyspace has; what gets it is dropped after the test."""
    name = f"{keyspace}_{abs(hash(request.node.name)) % 10_000}"
    yield name
    session.execute(f"DROP KEYSPACE IF EXISTS {name}")


def stored(run, name: str) -> tuple[dict, bool]:
    ((replication, durable),) = run(
        f"SELECT replication, durable_writes FROM system_schema.keyspaces WHERE keyspace_name = '{name}'"
    )
    return {k: v.rpartition(".")[2] for k, v in replication.items()}, durable


def test_replication_factor_is_kept_per_datacenter(name, run):
    run(f"CREATE KEYSPACE {name} WITH replication = {NTS}")
    assert stored(run, name) == ({"class": "NetworkTopologyStrategy", "datacenter1": "1"}, True)


def test_simple_strategy(name, run):
    run(f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': '2'}} "
        "AND durable_writes = false")  # fmt: skip
    assert stored(run, name) == ({"class": "SimpleStrategy", "replication_factor": "2"}, False)


@pytest.mark.differs("cassandra", "it knows no tablets, and no defaults")
@pytest.mark.parametrize(
    "options, tablets",
    [("", 0), (f"WITH replication = {NTS}", 0), (f"WITH replication = {NTS} AND tablets = {{'enabled': true}}", 0),
     (f"WITH replication = {NTS} AND tablets = {{'initial': 4}}", 4),
     (f"WITH replication = {NTS} AND tablets = {{'enabled': false}}", None), ("WITH durable_writes = true", 0)],
)  # fmt: skip
def test_tablets(name, run, options, tablets):
    """New keyspaces are on tablets unless they say otherwise; one on vnodes has no row here."""
    run(f"CREATE KEYSPACE {name} {options}")
    found = run(f"SELECT initial_tablets FROM system_schema.scylla_keyspaces WHERE keyspace_name = '{name}'")
    assert found == ([] if tablets is None else [(tablets,)])


def test_a_name_is_taken_once(keyspace, refused, run):
    refused(AlreadyExists, f"CREATE KEYSPACE {keyspace} WITH replication = {NTS}")
    run(f"CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {NTS}")


@pytest.mark.differs("cassandra", "it says most of this in words of its own")
@pytest.mark.parametrize(
    "replication, message",
    [
        ("'class': 'Nothing'", "unable to find class 'Nothing'"),
        ("'class': 'SimpleStrategy'", "SimpleStrategy requires a replication_factor strategy option"),
        ("'class': 'SimpleStrategy', 'replication_factor': 'x'", "must be numeric and non-negative, found 'x'"),
        ("'class': 'SimpleStrategy', 'replication_factor': -1", "must be numeric and non-negative, found '-1'"),
        (
            "'class': 'NetworkTopologyStrategy', 'nowhere': 1",
            r"Unrecognized strategy option \{nowhere\} passed to "
            r"org\.apache\.cassandra\.locator\.NetworkTopologyStrategy",
        ),
    ],
)
def test_replication_that_is_refused(name, refused, replication, message):
    refused(ConfigurationException, f"CREATE KEYSPACE {name} WITH replication = {{{replication}}}", message)


@pytest.mark.differs("cassandra", "it knows no tablets, and says the rest in words of its own")
@pytest.mark.parametrize(
    "option, error, message",
    [
        ("nothing = 1", SyntaxException, "Unknown property 'nothing'"),
        (f"replication = {NTS}", SyntaxException, "Multiple definition for property 'replication'"),
        ("tablets = {'enabled': 'maybe'}", ConfigurationException, "Tablets enabled value must be true or false"),
        ("tablets = {'initial': 'x'}", ConfigurationException, "Initial tablets value should be numeric; found x"),
    ],
)
def test_options_that_are_refused(name, refused, option, error, message):
    refused(error, f"CREATE KEYSPACE {name} WITH replication = {NTS} AND {option}", message)


@pytest.mark.differs("cassandra", "it says most of this in words of its own")
@pytest.mark.parametrize(
    "statement, error, message",
    [
        ('CREATE KEYSPACE "no-name" WITH replication = {r}', InvalidRequest, '"no-name" is not a valid keyspace name'),
        ("CREATE KEYSPACE system WITH replication = {r}", InvalidRequest, "system keyspace is not user-modifiable"),
        ("ALTER KEYSPACE {n} WITH durable_writes = true", InvalidRequest, "{n}"),
        ("ALTER KEYSPACE system WITH durable_writes = true", Unauthorized, "system keyspace is not user-modifiable"),
        ("DROP KEYSPACE {n}", ConfigurationException, "Cannot drop non existing keyspace '{n}'"),
        ("DROP KEYSPACE system_schema", Unauthorized, "system_schema keyspace is not user-modifiable"),
        ("USE {n}", InvalidRequest, "Keyspace '{n}' does not exist"),
        ("CREATE TABLE {n}.t (p int PRIMARY KEY)", InvalidRequest, "{n}"),
    ],
)
def test_names_that_are_refused(name, refused, statement, error, message):
    refused(error, statement.format(n=name, r=NTS), message.format(n=name))


def test_alter(name, run):
    run(f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
    run(f"ALTER KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 3}}")
    assert stored(run, name)[0]["replication_factor"] == "3"
    run(f"ALTER KEYSPACE {name} WITH durable_writes = false")
    assert stored(run, name) == ({"class": "SimpleStrategy", "replication_factor": "3"}, False)


@pytest.mark.differs("cassandra", "it knows no tablets")
def test_a_keyspace_stays_on_tablets_or_vnodes(name, keyspace, run, refused):
    run(f"CREATE KEYSPACE {name} WITH replication = {NTS}")
    refused(InvalidRequest, f"ALTER KEYSPACE {name} WITH tablets = {{'enabled': false}}",
            "Cannot alter replication strategy vnode/tablets flavor")  # fmt: skip
    refused(InvalidRequest, f"ALTER KEYSPACE {name} WITH replication = {NTS}",
            "'replication_factor' tag is not allowed when executing ALTER KEYSPACE with tablets")  # fmt: skip


def test_drop_takes_everything_along(name, run, refused):
    run(f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
    run(f"CREATE TABLE {name}.t (p int PRIMARY KEY)")
    run(f"DROP KEYSPACE {name}")
    assert run(f"SELECT * FROM system_schema.tables WHERE keyspace_name = '{name}'") == []
    refused(InvalidRequest, f"SELECT * FROM {name}.t", name)
    run(f"DROP KEYSPACE IF EXISTS {name}")


@pytest.mark.differs("cassandra", "it warns in words of its own")
def test_warnings(name, session):
    """What works on a laptop may be no good idea in production: the server says so, and does it."""
    future = session.execute_async(
        f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
    )
    future.result()
    strategy, factor = future.warnings
    assert strategy.startswith(
        f"SimpleStrategy replication class is not recommended, but was used for keyspace {name}."
    )
    assert factor == (
        "Using Replication Factor replication_factor=1 lower than the minimum_replication_factor_warn_threshold=3 is "
        "not recommended."
    )
