"""Roles and permissions: who may do what, where a node lets nobody in who does not log in."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded_scylla.errors import BadCredentials, InvalidRequest, SyntaxException, Unauthorized
from embedded_scylla.types import Duration
from tests.unit.asking import Asking


class Guarded(Asking):
    """A node that asks for passwords; statements come from ``user``."""

    user: str | None = None

    def __init__(self, directory: Path | None = None) -> None:
        super().__init__(directory)
        self.engine.roles.enforce("ada", "door")
        self.user = "ada"

    def plan(self, text, keyspace="ks"):
        made = super().plan(text, keyspace)
        if self.user is not None:
            self.engine.roles.check(self.user, made.needs)
        return made

    def context(self, plan, *values, **options):
        context = super().context(plan, *values, **options)
        context.user = self.user
        return context

    def refused(self, error: type[Exception], text: str, user: str | None = None) -> str:
        """The sentence with which a statement of ``user`` is refused."""
        before, self.user = self.user, user or self.user
        try:
            with pytest.raises(error) as caught:
                self.run(text)
        finally:
            self.user = before
        return caught.value.message

    def rows_as(self, user: str, text: str) -> list[tuple]:
        before, self.user = self.user, user
        try:
            return self.rows(text)
        finally:
            self.user = before


@pytest.fixture
def node() -> Guarded:
    made = Guarded()
    made.run("CREATE TABLE seats (block int, seat int, status text, PRIMARY KEY (block, seat))")
    made.run("CREATE ROLE bo WITH PASSWORD = 'window' AND LOGIN = true")
    return made


# ---------------------------------------------------------------- where nobody has to log in


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE ROLE bo",
        "CREATE USER bo WITH PASSWORD 'x'",
        "ALTER ROLE bo WITH LOGIN = true",
        "DROP ROLE IF EXISTS bo",
        "GRANT bo TO ada",
        "GRANT SELECT ON KEYSPACE ks TO bo",
        "REVOKE ALL ON ALL KEYSPACES FROM bo",
        "LIST ROLES",
        "LIST USERS",
        "LIST ALL PERMISSIONS",
    ],
)
def test_whoever_is_anonymous_has_nothing_to_do_with_roles(statement: str) -> None:
    with pytest.raises(Unauthorized) as refusal:
        Asking().run(statement)
    assert refusal.value.message == "You have to be logged in and not anonymous to perform this request"


def test_without_passwords_everybody_may_do_everything() -> None:
    asking = Asking()
    asking.run("CREATE TABLE t (p int PRIMARY KEY)")
    assert asking.rows("SELECT * FROM t") == []
    assert asking.rows("SELECT value FROM system.config WHERE name = 'authorizer'") == [('"AllowAllAuthorizer"',)]


# ---------------------------------------------------------------- roles


def test_roles_are_listed_with_what_they_may(node: Guarded) -> None:
    node.run("CREATE USER cy WITH PASSWORD 'x' SUPERUSER")
    node.run('CREATE ROLE "Ed"')
    answer = node.ask("LIST ROLES")
    assert answer.names == ["role", "super", "login", "options"]
    assert answer.rows == [
        ("Ed", False, False, {}), ("ada", True, True, {}), ("bo", False, True, {}), ("cy", True, True, {}),
    ]  # fmt: skip
    assert node.rows("LIST USERS") == [("ada", True), ("bo", False), ("cy", True)]


def test_a_role_is_made_once(node: Guarded) -> None:
    assert node.refused(InvalidRequest, "CREATE ROLE bo") == "Role bo already exists."
    node.run("CREATE ROLE IF NOT EXISTS bo WITH SUPERUSER = true")
    assert not node.engine.roles.is_superuser("bo")


def test_a_role_that_is_not_there(node: Guarded) -> None:
    for statement in (
        "ALTER ROLE nobody WITH LOGIN = true",
        "DROP ROLE nobody",
        "GRANT nobody TO bo",
        "GRANT bo TO nobody",
        "GRANT SELECT ON seats TO nobody",
        "LIST ROLES OF nobody",
        "LIST ALL OF nobody",
    ):
        assert node.refused(InvalidRequest, statement) == "Role nobody doesn't exist."
    node.run("DROP ROLE IF EXISTS nobody")
    assert node.refused(InvalidRequest, "GRANT ALTER ON ROLE nobody TO bo") == "<role nobody> doesn't exist."


def test_roles_in_roles(node: Guarded) -> None:
    node.run("CREATE ROLE seller")
    node.run("CREATE ROLE staff")
    node.run("GRANT staff TO seller")
    node.run("GRANT seller TO bo")
    assert [row[0] for row in node.rows("LIST ROLES OF bo")] == ["bo", "seller", "staff"]
    assert [row[0] for row in node.rows("LIST ROLES OF bo NORECURSIVE")] == ["bo", "seller"]
    assert node.rows("SELECT role, member FROM system.role_members WHERE role = 'seller'") == [("seller", "bo")]
    assert node.refused(InvalidRequest, "GRANT staff TO bo") == "bo already includes role staff."
    assert node.refused(InvalidRequest, "GRANT bo TO staff") == "bo already includes role staff."
    assert node.refused(InvalidRequest, "REVOKE staff FROM bo") == (
        "bo was not granted role staff, so it cannot be revoked."
    )
    node.run("GRANT SELECT ON seats TO staff")
    assert node.rows_as("bo", "SELECT * FROM seats") == []
    node.run("REVOKE seller FROM bo")
    assert "no SELECT permission" in node.refused(Unauthorized, "SELECT * FROM seats", "bo")
    node.run("DROP ROLE staff")
    assert [row[0] for row in node.rows("LIST ROLES OF seller")] == ["seller"]


def test_who_may_change_roles(node: Guarded) -> None:
    node.run("CREATE ROLE cy")
    for statement, sentence in {
        "CREATE ROLE ed": "User bo has no CREATE permission on <all roles> or any of its parents",
        "ALTER ROLE cy WITH LOGIN = true": "User bo has no ALTER permission on <role cy> or any of its parents",
        "ALTER ROLE cy WITH SUPERUSER = true": "Only superusers are allowed to alter superuser status.",
        "DROP ROLE cy": "User bo has no DROP permission on <role cy> or any of its parents",
        "GRANT cy TO bo": "User bo has no AUTHORIZE permission on <role cy> or any of its parents",
        "LIST ROLES OF cy": "You are not authorized to view the roles granted to role 'cy'.",
        "LIST ALL": "You are not authorized to view everyone's permissions",
        "LIST ALL OF cy": "You are not authorized to view cy's permissions",
    }.items():
        assert node.refused(Unauthorized, statement, "bo") == sentence
    assert node.rows_as("bo", "LIST ROLES") == [("bo", False, True, {})]
    node.run("GRANT ALL ON ALL ROLES TO bo")
    node.user = "bo"
    assert node.refused(Unauthorized, "CREATE ROLE ed WITH SUPERUSER = true") == (
        "Only superusers can create a role with superuser status."
    )
    assert node.refused(Unauthorized, "DROP ROLE ada") == "Only superusers can drop a superuser role."
    node.run("CREATE ROLE ed")
    node.run("DROP ROLE cy")
    node.user = "ada"
    assert node.refused(InvalidRequest, "DROP ROLE ada") == "Cannot DROP primary role for current login."
    assert node.refused(Unauthorized, "ALTER ROLE ada WITH SUPERUSER = false") == (
        "You aren't allowed to alter your own superuser status or that of a role granted to you."
    )


def test_passwords(node: Guarded) -> None:
    roles = node.engine.roles
    roles.authenticate("bo", "window")
    node.user = "bo"
    node.run("ALTER ROLE bo WITH PASSWORD = 'new'")  # everybody may change their own
    with pytest.raises(BadCredentials, match="Username and/or password are incorrect"):
        roles.authenticate("bo", "window")
    roles.authenticate("bo", "new")
    node.user = "ada"
    ((kept,),) = node.rows("SELECT salted_hash FROM system.roles WHERE role = 'bo'")
    assert "new" not in kept
    node.run(f"CREATE ROLE twin WITH HASHED PASSWORD = '{kept}' AND LOGIN = true")
    roles.authenticate("twin", "new")
    node.run("ALTER USER twin WITH PASSWORD 'own' NOSUPERUSER")
    node.run("ALTER ROLE twin WITH LOGIN = false")
    with pytest.raises(BadCredentials, match="twin is not permitted to log in"):
        roles.authenticate("twin", "own")
    node.run("CREATE ROLE other WITH HASHED PASSWORD = '$6$it''s' AND LOGIN = true")  # kept, as any other
    assert node.rows("SELECT salted_hash FROM system.roles WHERE role = 'other'") == [("$6$it's",)]
    with pytest.raises(BadCredentials, match="Username and/or password are incorrect"):
        roles.authenticate("other", "$6$it's")
    assert node.refused(InvalidRequest, "CREATE ROLE x WITH OPTIONS = {'a': 'b'}") == (
        "The OPTIONS option is not supported."
    )


# ---------------------------------------------------------------- permissions


@pytest.mark.parametrize(
    ("permission", "resource", "statement"),
    [
        ("SELECT", "<table ks.seats>", "SELECT * FROM seats"),
        ("SELECT", "<table ks.seats>", "SELECT * FROM free"),
        ("SELECT", "<table system.clients>", "SELECT * FROM system.clients"),
        ("MODIFY", "<table ks.seats>", "INSERT INTO seats (block, seat) VALUES (1, 1)"),
        ("MODIFY", "<table ks.seats>", "UPDATE seats SET status = 'x' WHERE block = 1 AND seat = 1"),
        ("MODIFY", "<table ks.seats>", "BEGIN BATCH DELETE FROM seats WHERE block = 1; APPLY BATCH"),
        ("MODIFY", "<table ks.seats>", "TRUNCATE seats"),
        ("ALTER", "<table ks.seats>", "ALTER TABLE seats ADD v int"),
        ("ALTER", "<table ks.seats>", "CREATE INDEX ON seats (status)"),
        ("ALTER", "<table ks.seats>", "DROP MATERIALIZED VIEW free"),
        ("DROP", "<table ks.seats>", "DROP TABLE seats"),
        ("CREATE", "<keyspace ks>", "CREATE TABLE t (p int PRIMARY KEY)"),
        ("ALTER", "<keyspace ks>", "ALTER KEYSPACE ks WITH durable_writes = true"),
        ("DROP", "<keyspace ks>", "DROP KEYSPACE ks"),
        ("CREATE", "<all keyspaces>", "CREATE KEYSPACE mine WITH replication = {'replication_factor': 1}"),
        ("CREATE", "<all service levels>", "CREATE SERVICE LEVEL gold"),
    ],
)
def test_what_a_statement_needs(node: Guarded, permission: str, resource: str, statement: str) -> None:
    node.run(
        "CREATE MATERIALIZED VIEW free AS SELECT * FROM seats WHERE block IS NOT NULL AND seat IS NOT NULL "
        "AND status IS NOT NULL PRIMARY KEY (status, block, seat)"
    )
    assert node.refused(Unauthorized, statement, "bo") == (
        f"User bo has no {permission} permission on {resource} or any of its parents"
    )


def test_a_condition_reads(node: Guarded) -> None:
    node.run("GRANT MODIFY ON seats TO bo")
    node.user = "bo"
    node.run("INSERT INTO seats (block, seat) VALUES (1, 1)")
    assert "no SELECT permission" in node.refused(
        Unauthorized, "INSERT INTO seats (block, seat) VALUES (1, 1) IF NOT EXISTS"
    )


@pytest.mark.parametrize("table", ["system.local", "system.peers", "system_schema.tables", "system_schema.columns"])
def test_what_drivers_read_is_for_everybody(node: Guarded, table: str) -> None:
    node.rows_as("bo", f"SELECT * FROM {table}")


@pytest.mark.parametrize("resource", ["seats", "TABLE ks.seats", "KEYSPACE ks", "ALL KEYSPACES"])
def test_what_is_granted_on_the_whole_holds_for_its_parts(node: Guarded, resource: str) -> None:
    node.run(f"GRANT SELECT PERMISSION ON {resource} TO bo")
    assert node.rows_as("bo", "SELECT * FROM seats") == []
    node.run(f"REVOKE SELECT ON {resource} FROM bo")
    assert "no SELECT permission" in node.refused(Unauthorized, "SELECT * FROM seats", "bo")


def test_grants_are_listed(node: Guarded) -> None:
    node.run("GRANT SELECT ON KEYSPACE ks TO bo")
    node.run("GRANT ALL PERMISSIONS ON seats TO bo")
    answer = node.ask("LIST ALL OF bo")
    assert answer.names == ["role", "username", "resource", "permission"]
    assert answer.rows == [
        ("bo", "bo", "<keyspace ks>", "SELECT"),
        *(("bo", "bo", "<table ks.seats>", name) for name in ("ALTER", "AUTHORIZE", "DROP", "MODIFY", "SELECT")),
    ]
    assert node.rows("LIST SELECT ON seats OF bo NORECURSIVE") == [("bo", "bo", "<table ks.seats>", "SELECT")]
    assert len(node.rows("LIST SELECT ON seats OF bo")) == 2
    kept = node.rows("SELECT resource, permissions FROM system.role_permissions WHERE role = 'bo'")
    assert {resource: set(permissions) for resource, permissions in kept} == {
        "data/ks": {"SELECT"},
        "data/ks/seats": {"ALTER", "AUTHORIZE", "DROP", "MODIFY", "SELECT"},
    }


def test_who_grants_must_have(node: Guarded) -> None:
    node.run("CREATE ROLE cy")
    node.run("GRANT AUTHORIZE ON seats TO bo")
    assert node.refused(Unauthorized, "GRANT SELECT ON seats TO cy", "bo") == (
        "User bo has no SELECT permission on <table ks.seats> or any of its parents"
    )
    assert node.refused(InvalidRequest, "GRANT EXECUTE ON seats TO bo") == (
        "Resource <table ks.seats> does not support any of the requested permissions."
    )
    assert node.refused(InvalidRequest, "GRANT SELECT ON nowhere TO bo") == "<table ks.nowhere> doesn't exist."


def test_what_is_gone_takes_its_grants_along(node: Guarded) -> None:
    node.run("GRANT SELECT ON seats TO bo")
    node.run("DROP TABLE seats")
    node.run("CREATE TABLE seats (block int PRIMARY KEY)")
    assert "no SELECT permission" in node.refused(Unauthorized, "SELECT * FROM seats", "bo")


def test_all_of_it_outlives_the_process(tmp_path: Path) -> None:
    node = Guarded(tmp_path)
    node.run("CREATE ROLE bo WITH PASSWORD = 'window' AND LOGIN = true")
    node.run("CREATE ROLE staff")
    node.run("GRANT staff TO bo")
    node.run("GRANT SELECT ON KEYSPACE ks TO staff")
    node.run("CREATE SERVICE LEVEL gold WITH timeout = 20ms AND workload_type = 'interactive' AND shares = 200")
    node.run("ATTACH SERVICE LEVEL gold TO staff")
    before = node.engine.roles.state()
    node.engine.persistence.abandon()  # as if it had been killed
    for _ in range(2):
        node = Guarded(tmp_path)
        after = node.engine.roles.state()
        assert len(after[0]) == 3
        assert after[0][1:] == before[0][1:]  # the first has a new salt
        assert after[1] == before[1]
        node.engine.roles.authenticate("bo", "window")
        node.engine.persistence.snapshot()
        node.engine.close()


# ---------------------------------------------------------------- service levels


MADE = [
    'CREATE ROLE "Grace H" WITH LOGIN = false AND SUPERUSER = true;',
    "CREATE ROLE kate WITH LOGIN = true AND SUPERUSER = false;",
    'GRANT "Grace H" TO kate;',
    "GRANT EXECUTE ON ALL FUNCTIONS TO kate;",
    "GRANT MODIFY ON ALL KEYSPACES TO kate;",
    "GRANT ALTER ON KEYSPACE ks TO kate;",
    "GRANT SELECT ON ks.seats TO kate;",
    "GRANT DESCRIBE ON ALL ROLES TO kate;",
    'GRANT DROP ON ROLE "Grace H" TO kate;',
    "CREATE SERVICE LEVEL gold WITH TIMEOUT = 250ms AND WORKLOAD_TYPE = 'batch' AND SHARES = 400;",
    "CREATE SERVICE LEVEL plain WITH SHARES = 1000;",
    "ATTACH SERVICE LEVEL gold TO kate;",
]


def test_what_is_described_with_internals_makes_the_rights_again(node: Guarded) -> None:
    for name in ("bo", "cy"):
        node.run(f"DROP ROLE IF EXISTS {name}")
    for statement in MADE:
        node.run(statement)
    found = [row[1:] for row in node.rows("DESCRIBE SCHEMA WITH INTERNALS") if row[0] is None]
    theirs = [row for row in found if not row[2].endswith("TO ada;")]  # who makes a role may do everything with it
    first = ("role", "ada", "CREATE ROLE IF NOT EXISTS ada WITH LOGIN = true AND SUPERUSER = true;")
    others = [row for row in theirs if row != first]
    assert len(others) == len(theirs) - 1
    assert sorted(row[2] for row in others) == sorted(MADE)
    assert [row[:2] for row in others if row[0] != "grant_permission"] == [
        ("role", '"Grace H"'), ("role", "kate"), ("grant_role", '"Grace H"'),
        ("service_level", "gold"), ("service_level", "plain"), ("service_level_attachment", "gold"),
    ]  # fmt: skip
    assert not any(row[0] is None for row in node.rows("DESCRIBE SCHEMA"))


def test_hashed_passwords_are_described_to_superusers(node: Guarded) -> None:
    node.run("CREATE ROLE kate WITH HASHED PASSWORD = '$6$it''s'")
    found = [row[3] for row in node.rows("DESC SCHEMA WITH INTERNALS AND PASSWORDS") if row[2] == "kate"]
    assert found[0] == "CREATE ROLE kate WITH HASHED PASSWORD = '$6$it''s' AND LOGIN = false AND SUPERUSER = false;"
    sentence = "DESCRIBE SCHEMA WITH INTERNALS AND PASSWORDS can only be issued by a superuser"
    assert node.refused(Unauthorized, "DESC SCHEMA WITH INTERNALS AND PASSWORDS", "bo") == sentence
    with pytest.raises(Unauthorized, match=sentence):
        Asking().run("DESC SCHEMA WITH INTERNALS AND PASSWORDS")


def test_service_levels_are_kept_and_shown() -> None:
    asking = Asking()
    asking.run("CREATE SERVICE LEVEL gold WITH timeout = 20ms AND workload_type = 'interactive' AND shares = 750")
    asking.run("CREATE SERVICE_LEVEL IF NOT EXISTS gold")
    asking.run("CREATE SERVICE LEVEL plain WITH shares = 250")
    answer = asking.ask("LIST ALL SERVICE LEVELS")
    assert answer.names == [
        "service_level", "timeout", "workload_type", "shares", "percentage of all service level shares",
    ]  # fmt: skip
    assert answer.rows == [
        ("gold", Duration(0, 0, 20_000_000), "interactive", 750, "75.00%"),
        ("plain", None, None, 250, "25.00%"),
    ]
    asking.run("ALTER SERVICE LEVEL gold WITH timeout = null AND shares = 500")
    assert asking.rows("LIST SERVICE LEVEL gold") == [("gold", None, "interactive", 500)]
    assert asking.rows("SELECT service_level, shares FROM system.service_levels_v2 WHERE service_level = 'gold'") == [
        ("gold", 500)
    ]
    asking.run("DROP SERVICE LEVEL gold")
    asking.run("DROP SERVICE LEVEL IF EXISTS gold")
    assert [row[0] for row in asking.rows("LIST ALL SERVICE LEVELS")] == ["plain"]


def test_service_levels_of_roles(node: Guarded) -> None:
    node.run("CREATE SERVICE LEVEL gold WITH timeout = 20ms AND shares = 500")
    node.run("CREATE SERVICE LEVEL slow WITH timeout = 5s AND shares = 100")
    node.run("CREATE ROLE staff")
    node.run("GRANT staff TO bo")
    node.run("ATTACH SERVICE LEVEL gold TO bo")
    node.run("ATTACH SERVICE_LEVEL slow TO staff")
    assert node.rows("LIST ATTACHED SERVICE LEVEL OF bo") == [("bo", "gold")]
    assert node.rows("LIST ALL ATTACHED SERVICE LEVELS") == [("bo", "gold"), ("staff", "slow")]
    assert node.rows("LIST EFFECTIVE SERVICE LEVEL OF bo") == [("timeout", "gold", "20ms"), ("shares", "slow", "100")]
    assert node.rows("SELECT value FROM system.role_attributes WHERE role = 'bo'") == [("gold",)]
    node.run("DETACH SERVICE LEVEL FROM bo")
    assert node.rows("LIST ALL ATTACHED SERVICE LEVELS") == [("staff", "slow")]


@pytest.mark.parametrize(
    ("statement", "error", "sentence"),
    [
        ("CREATE SERVICE LEVEL gold", InvalidRequest, "The service level 'gold' already exists."),
        ("ALTER SERVICE LEVEL no WITH shares = 1", InvalidRequest, "The service level 'no' doesn't exist."),
        ("DROP SERVICE LEVEL no", InvalidRequest, "Service Level no doesn't exists."),
        ("ATTACH SERVICE LEVEL no TO bo", InvalidRequest, "Service Level no doesn't exists."),
        ("ATTACH SERVICE LEVEL gold TO nobody", InvalidRequest, "Role nobody doesn't exist."),
        ("ALTER SERVICE LEVEL gold WITH weight = 1", SyntaxException, "Unknown property 'weight'"),
        (
            "ALTER SERVICE LEVEL gold WITH shares = 0",
            SyntaxException,
            "'SHARES' can only take values of 1-1000 (given 0)",
        ),
        (
            "ALTER SERVICE LEVEL gold WITH timeout = 2d",
            InvalidRequest,
            "Timeout values cannot be expressed in days/months",
        ),
        (
            "ALTER SERVICE LEVEL gold WITH timeout = 5us",
            InvalidRequest,
            "Timeout values must be expressed in millisecond granularity",
        ),
        ("ALTER SERVICE LEVEL gold WITH workload_type = 'x'", InvalidRequest, "Invalid workload type: x"),
    ],
)
def test_service_levels_that_cannot_be(statement: str, error: type[Exception], sentence: str) -> None:
    asking = Asking()
    asking.run("CREATE SERVICE LEVEL gold")
    with pytest.raises(error) as refusal:
        asking.run(statement)
    assert refusal.value.message == sentence


# ---------------------------------------------------------------- what there never is


def test_dropping_a_function_that_cannot_be() -> None:
    asking = Asking()
    for kind in ("FUNCTION", "AGGREGATE"):
        asking.run(f"DROP {kind} IF EXISTS twice")
        asking.run(f"DROP {kind} IF EXISTS ks.twice(int, list<text>)")
        with pytest.raises(InvalidRequest, match=r"^No function named ks\.twice found$"):
            asking.run(f"DROP {kind} twice")
        with pytest.raises(InvalidRequest, match=r"^User function ks\.twice\(int\) doesn't exist$"):
            asking.run(f"DROP {kind} twice(int)")
