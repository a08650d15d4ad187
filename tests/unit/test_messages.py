"""What the protocol's messages do with results and texts that are out of the ordinary."""

from __future__ import annotations

import gc
import weakref

from embedded_scylla.errors import InvalidRequest
from embedded_scylla.protocol import messages
from embedded_scylla.request import Plan, Rows
from embedded_scylla.schema import ColumnSpec
from embedded_scylla.types import INT
from tests.engines.wire import Body


class Given(Plan):
    """A plan that gives these columns."""

    def __init__(self, *names: str):
        self.columns = [ColumnSpec("ks", "t", name, INT) for name in names]


def names(data: bytes) -> list[str]:
    """The columns' names in a result of rows."""
    body = Body(data)
    _, _, count, _, _ = body.int(), body.int(), body.int(), body.string(), body.string()
    found = []
    for _ in range(count):
        found.append(body.string())
        body.short()
    return found


def test_columns_are_described_once_for_each_plan() -> None:
    plan, other = Given("a", "b"), Given("c")
    result = messages.encode_result(Rows(plan.columns, []), plan)
    assert names(result) == ["a", "b"]
    assert messages.encode_result(Rows(plan.columns, []), plan) == result
    assert names(messages.encode_result(Rows(other.columns, []), other)) == ["c"]
    # A transaction's columns depend on what it finds.
    assert names(messages.encode_result(Rows(other.columns, []), plan)) == ["c"]
    assert names(messages.encode_result(Rows(plan.columns, []), plan)) == ["a", "b"]
    assert names(messages.encode_result(Rows(plan.columns, []))) == ["a", "b"]


def test_a_description_goes_with_its_plan() -> None:
    plan = Given("a")
    messages.encode_result(Rows(plan.columns, []), plan)
    gone = weakref.ref(plan)
    del plan
    gc.collect()
    assert gone() is None


def test_a_long_message_is_cut() -> None:
    body = Body(messages.encode_error(InvalidRequest("ö" * 70_000)))
    assert (body.int(), body.string()) == (0x2200, "ö" * 30_000 + "…")


def test_a_long_warning_is_cut() -> None:
    (warning,) = Body(messages.encode_warnings(["x" * 70_000])).strings()
    assert warning == "x" * 60_000 + "…"


def test_half_a_character_does_not_keep_back_an_error() -> None:
    body = Body(messages.encode_error(InvalidRequest("no \ud800 here")))
    assert (body.int(), body.string()) == (0x2200, "no ? here")
