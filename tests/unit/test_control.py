"""The control channel: whatever is asked, and whatever fails, there is an answer in a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from embedded_scylla.notices import Notices
from embedded_scylla.protocol.control import COMMANDS, LONGEST_LINE, ControlConnection
from embedded_scylla.storage.journal import JournalError


class Dials:
    """Remembers what was turned; ``trouble`` is what comes of turning anything."""

    def __init__(self, trouble: Exception | None = None):
        self.trouble = trouble
        self.turned: list[tuple[Any, ...]] = []

    def status(self) -> dict[str, Any]:
        return {"pid": 7, "notices": ["82 rows were lost."], "clock_offset_seconds": 900.0}

    def _turn(self, *what: Any) -> Any:
        if self.trouble is not None:
            raise self.trouble
        self.turned.append(what)
        return 900.0

    def push_clock(self, seconds: float, keyspace: str | None = None) -> float:
        return self._turn("push_clock", seconds, *([keyspace] if keyspace else []))

    def delay_views(self, seconds: float) -> None:
        self._turn("delay_views", seconds)

    def decisions_take(self, seconds: float) -> None:
        self._turn("decisions_take", seconds)

    def refuse_writes(self, seconds: float) -> None:
        self._turn("refuse_writes", seconds)

    def new_cdc_generation(self) -> int:
        return self._turn("new_cdc_generation")

    def split_tablets(self, name: str) -> int:
        return self._turn("split_tablets", name)


class Server:
    def __init__(self) -> None:
        self.stopped = False

    def status(self) -> dict[str, Any]:
        return {"clients": 3}

    def stop(self) -> None:
        self.stopped = True


class Caller:
    """Somebody on the other end of a control connection."""

    def __init__(self, dials: Dials | None = None, address: str = "127.0.0.1"):
        self.dials, self.server = dials or Dials(), Server()
        self._sent, self.has_room = bytearray(), True
        self.connection = ControlConnection(self.dials, self.server, (address, 1), self._take, Notices())

    def _take(self, data: bytes) -> bool:
        self._sent += data
        return self.has_room

    def say(self, data: bytes) -> list[dict[str, Any]]:
        """The answers to what is sent."""
        self.connection.feed(data)
        lines = bytes(self._sent).splitlines(keepends=True)
        self._sent.clear()
        assert all(line.endswith(b"\n") for line in lines)
        return [json.loads(line) for line in lines]

    def ask(self, **request: Any) -> dict[str, Any]:
        (answer,) = self.say(json.dumps(request).encode() + b"\n")
        return answer


GOOD = {"seconds": 1, "milliseconds": 1, "table": "ks.t"}
TURNING = [name for name in COMMANDS if name not in ("status", "stop")]


def request(name: str) -> dict[str, Any]:
    argument = COMMANDS[name].argument
    return {"do": name} | ({argument: GOOD[argument]} if argument else {})


@pytest.mark.parametrize("name", TURNING)
@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (JournalError("The journal cannot be written to."), "The journal cannot be written to."),
        (ValueError("It has no streams."), "It has no streams."),
        (OSError(28, "No space left on device"), "OSError in the embedded node: [Errno 28] No space left on device"),
        (RuntimeError("bound to happen"), "RuntimeError in the embedded node: bound to happen"),
    ],
)
def test_a_command_that_fails_is_answered_and_the_connection_goes_on(
    name: str, trouble: Exception, sentence: str
) -> None:
    caller = Caller(Dials(trouble))
    assert caller.ask(**request(name)) == {"ok": False, "error": sentence}
    assert not caller.connection.closing
    assert caller.ask(do="status")["ok"] is True


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_answered(name: str) -> None:
    caller = Caller()
    assert caller.ask(**request(name))["ok"] is True
    assert caller.server.stopped is (name == "stop")


@pytest.mark.parametrize("name", COMMANDS)
def test_an_argument_too_many_is_refused_by_its_name(name: str) -> None:
    caller = Caller()
    answer = caller.ask(**request(name), minutes=3)
    takes = " and ".join(filter(None, (COMMANDS[name].argument, COMMANDS[name].option))) or "nothing"
    assert answer == {"ok": False, "error": f"{name} does not know minutes: it takes {takes}."}
    assert caller.dials.turned == []
    assert not caller.server.stopped


@pytest.mark.parametrize("name", [name for name in COMMANDS if COMMANDS[name].argument])
def test_a_missing_argument_is_asked_for(name: str) -> None:
    assert Caller().ask(do=name) == {"ok": False, "error": f"{name} needs {COMMANDS[name].argument}."}


@pytest.mark.parametrize("value", ["-1", '"ten"', "true", "null", "[]", "{}", "NaN", "Infinity", "1e400", "1000000000"])
@pytest.mark.parametrize("name", ["push_clock", "delay_views", "decisions_take", "refuse_writes"])
def test_a_number_must_be_one(name: str, value: str) -> None:
    caller = Caller()
    argument = COMMANDS[name].argument
    (answer,) = caller.say(f'{{"do": "{name}", "{argument}": {value}}}\n'.encode())
    assert answer["ok"] is False
    assert answer["error"].startswith(f"{argument} must be a number of at least 0 and below a billion, not ")
    assert caller.dials.turned == []


@pytest.mark.parametrize("value", [7, None, "", "table", "a.b.c", ["ks.t"]])
def test_a_table_must_be_named_with_its_keyspace(value: object) -> None:
    answer = Caller().ask(do="split_tablets", table=value)
    assert answer["error"].startswith("table must be a text such as keyspace.table, not ")


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"7", b'"status"', b"{}", b'{"do": 7}', b'{"do": []}', b'{"do": "dance"}', b"\xff\xfe{}",
     b"[" * 60_000, b'{"do": ' + b"9" * 5_000 + b"}"],
)  # fmt: skip
def test_what_is_no_command_is_told_which_there_are(line: bytes) -> None:
    caller = Caller()
    (answer,) = caller.say(line + b"\n")
    assert answer["ok"] is False
    assert answer["error"].startswith('Say {"do": …} with one of decisions_take, ')
    assert caller.ask(do="status")["ok"] is True


def test_a_long_value_is_quoted_in_short() -> None:
    assert len(Caller().ask(do="push_clock", seconds="x" * 50_000)["error"]) < 300


def test_lines_may_come_in_pieces_and_together() -> None:
    caller = Caller()
    assert caller.say(b'{"do": "new_cdc') == []
    assert [answer["ok"] for answer in caller.say(b'_generation"}\n{"do": "status"}\n{"do"')] == [True, True]
    assert [answer["ok"] for answer in caller.say(b': "stop"}\n')] == [True]
    assert caller.connection.held == 0


def test_a_line_without_an_end_is_cut_with_a_sentence() -> None:
    caller = Caller()
    answers: list[dict[str, Any]] = []
    for _ in range(LONGEST_LINE // 1000):
        answers += caller.say(b"{" * 1000)
    assert answers == []
    assert caller.connection.held <= LONGEST_LINE
    assert caller.say(b"{" * 1000) == [
        {"ok": False, "error": "A line has at most 65536 bytes, and ends with a newline."}
    ]
    assert caller.connection.closing
    assert caller.connection.held == 0


def test_a_line_that_is_too_long_is_refused_though_it_ends() -> None:
    caller = Caller()
    (answer,) = caller.say(b'{"do": "status"' + b" " * LONGEST_LINE + b"}\n" + b'{"do": "stop"}\n')
    assert (answer["ok"], caller.connection.closing, caller.server.stopped) == (False, True, False)


def test_lines_wait_until_there_is_room_for_their_answers() -> None:
    caller = Caller()
    caller.has_room = False
    assert len(caller.say(b'{"do": "status"}\n' * 3)) == 1
    assert len(caller.say(b"")) == 1
    caller.has_room = True
    assert len(caller.say(b"")) == 1
    assert (caller.connection.crowded, caller.connection.held) == (False, 0)


def test_other_machines_are_not_listened_to() -> None:
    caller = Caller(address="192.0.2.7")
    assert caller.ask(do="stop") == {"ok": False, "error": "The control channel listens to this machine only."}
    assert (caller.connection.closing, caller.server.stopped) == (True, False)


def test_the_status_has_what_dials_and_server_know() -> None:
    answer = Caller().ask(do="status")
    assert (answer["pid"], answer["clients"]) == (7, 3)
    assert answer["notices"] == ["82 rows were lost."]


def test_a_push_may_be_for_one_keyspace_alone() -> None:
    caller = Caller()
    assert caller.ask(do="push_clock", seconds=5, keyspace="seats_04")["ok"] is True
    assert caller.dials.turned == [("push_clock", 5, "seats_04")]
    refused = caller.ask(do="push_clock", seconds=5, keyspace=7)
    assert refused == {"ok": False, "error": "keyspace must be a text, not 7."}
