"""What well-known programs bring: their schemas are made, written, read, described, and made again from that."""

from __future__ import annotations

import pytest

from .conftest import _unique, eventually, keyspace_options
from .programs import PROGRAMS


class Installed:
    """A program in a keyspace of its own."""

    def __init__(self, program, cluster, engine):
        self.program, self.keyspace = program, _unique("program")
        self._session = cluster.connect()
        self._session.execute(f"CREATE KEYSPACE {self.keyspace} {keyspace_options(engine)}")
        self._session.execute(f"USE {self.keyspace}")
        for statement in program.schema:
            self._session.execute(statement)
        self.write()

    def write(self):
        for text, values in self.program.writes:
            self._session.execute(self._session.prepare(text), values)

    def ask(self, text, values):
        return [tuple(row) for row in self._session.execute(self._session.prepare(text), values)]

    def described(self):
        """The statements that DESCRIBE gives."""
        return [row[3] for row in self._session.execute(f"DESCRIBE KEYSPACE {self.keyspace}")]

    def make_again(self, statements):
        self._session.execute(f"DROP KEYSPACE {self.keyspace}")
        for statement in statements:
            self._session.execute(statement)
        self._session.execute(f"USE {self.keyspace}")

    def remove(self):
        self._session.execute(f"DROP KEYSPACE IF EXISTS {self.keyspace}")
        self._session.shutdown()


CASES = [
    pytest.param(program, id=program.name.replace(" ", "-"), marks=[pytest.mark.differs(*d) for d in program.differs])
    for program in PROGRAMS
]


@pytest.fixture(scope="module", params=CASES)
def installed(request, cluster, engine):
    installed = Installed(request.param, cluster, engine)
    yield installed
    installed.remove()


def _answers(installed):
    for text, values, expected in installed.program.questions:
        eventually(lambda: installed.ask(text, values) == expected)  # noqa: B023 - a view or index follows
        assert installed.ask(text, values) == expected, text


def test_reads_what_it_wrote(installed):
    _answers(installed)


def test_is_made_again_from_its_description(installed):
    before = installed.described()
    assert len(before) == 1 + sum(statement.startswith("CREATE") for statement in installed.program.schema)
    installed.make_again(before)
    assert installed.described() == before
    installed.write()
    _answers(installed)
