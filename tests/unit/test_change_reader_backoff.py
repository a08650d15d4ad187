"""Which errors are waited out, for how long, and what is said in the end."""

from __future__ import annotations

from itertools import islice

import pytest
from cassandra import AuthenticationFailed, InvalidRequest, OperationTimedOut, ReadTimeout, Unauthorized, Unavailable
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionShutdown
from cassandra.protocol import OverloadedErrorMessage, ServerError
from hypothesis import given
from hypothesis import strategies as st

from scylla_cdc import ChangeReaderError, ChangesLostError, NoLogError, StreamsNotPublishedError
from scylla_cdc.backoff import Retry, delays, is_transient
from scylla_cdc.windows import machine_now

PASSING = [
    OperationTimedOut(),
    ReadTimeout("too slow"),
    Unavailable("too few"),
    ConnectionShutdown("gone"),
    OverloadedErrorMessage(0x1001, "busy", None),
    ServerError(0, "oops", None),
    NoHostAvailable("none", {}),
    NoHostAvailable("none", {"a": InvalidRequest("no"), "b": OperationTimedOut()}),
    StreamsNotPublishedError("not yet"),
    ConnectionRefusedError(),
]
LASTING = [
    InvalidRequest("unconfigured table"),
    Unauthorized("no permission"),
    AuthenticationFailed("wrong password"),
    NoHostAvailable("none", {"a": AuthenticationFailed("wrong password")}),
    NoLogError("no log"),
    ChangesLostError("gone", machine_now(), machine_now()),
    ValueError("a bug"),
    KeyboardInterrupt(),
]


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_what_passes(error: BaseException) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("error", LASTING, ids=repr)
def test_what_does_not_pass(error: BaseException) -> None:
    assert not is_transient(error)


@given(st.floats(0, 1))
def test_delays_double_up_to_a_limit_and_vary(chance: float) -> None:
    found = list(islice(delays(first=0.1, longest=2.0, jitter=0.2, chance=lambda: chance), 8))
    middle = [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]
    assert found == pytest.approx([delay * (0.8 + 0.4 * chance) for delay in middle])


class World:
    """Time that passes only by waiting, and an action that fails for a while."""

    def __init__(self, failures: list[BaseException]):
        self.now, self.failures, self.calls = 0.0, failures, 0

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def action(self) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"

    def retry(self, patience: float | None = None) -> Retry:
        return Retry(self.wait, patience, clock=lambda: self.now)


def test_trying_again_until_it_works() -> None:
    world = World(PASSING[:5])
    retry = world.retry()
    assert retry(world.action, "do it") == "done"
    assert (world.calls, retry.retries) == (6, 5)
    assert retry.last_error == "OverloadedErrorMessage: busy"
    assert 0.8 * 3.1 <= world.now <= 1.2 * 3.1


def test_patience_ends() -> None:
    world = World([OperationTimedOut() for _ in range(100)])
    with pytest.raises(ChangeReaderError, match=r"The change reader could not do it, for 1\d s: OperationTimedOut"):
        world.retry(patience=10)(world.action, "do it")
    assert 10 <= world.now < 20


def test_what_will_not_pass_is_told_at_once() -> None:
    world = World([InvalidRequest("unconfigured table t")])
    with pytest.raises(ChangeReaderError, match="could not do it: InvalidRequest: unconfigured table t") as error:
        world.retry()(world.action, "do it")
    assert isinstance(error.value.__cause__, InvalidRequest) and world.calls == 1


@pytest.mark.parametrize("error", [NoLogError("no log"), ValueError("a bug"), KeyboardInterrupt()], ids=repr)
def test_clear_errors_and_bugs_stay_what_they_are(error: BaseException) -> None:
    world = World([error])
    with pytest.raises(type(error)) as raised:
        world.retry()(world.action, "do it")
    assert raised.value is error


def test_in_a_notebook_only_the_sentence_is_shown() -> None:
    assert NoLogError("There is no table a.b.")._render_traceback_() == ["NoLogError: There is no table a.b."]
