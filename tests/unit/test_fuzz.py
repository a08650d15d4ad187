"""Statements from a grammar of its own, half of them damaged; frames that are not quite valid; data directories with
flipped, missing and foreign bytes: whatever comes, the node answers or refuses, and after a restart it says the same as
before. ``make fuzz`` plays for longer."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from tests.fuzz.findings import Tally
from tests.fuzz.frames import conversations
from tests.fuzz.journals import directories
from tests.fuzz.kept import FOUND, keep, play_again
from tests.fuzz.player import runs

STATEMENTS = 400  # of one node
CONVERSATIONS = 120
DIRECTORIES = 3  # of a node, each time it is left


def assert_nothing_found(tally: Tally) -> None:
    assert not tally.findings, "\n\n".join(f"{f.where}\n{f.case!r:.2000}\n{f.story}" for f in tally.findings.values())


@pytest.fixture(scope="module")
def tally(tmp_path_factory: pytest.TempPathFactory) -> Tally:
    """Of a node without passwords and one with them, each restarted twice."""
    tally = Tally()
    for _ in islice(runs(tmp_path_factory.mktemp("nodes"), 2, tally, STATEMENTS), 4):
        pass
    return tally


def test_nobody_is_answered_with_a_fault_of_the_node(tally: Tally) -> None:
    assert tally.restarts == 4 and tally.asked == 2 * STATEMENTS
    assert_nothing_found(tally)


def test_half_of_what_was_asked_could_be_carried_out(tally: Tally) -> None:
    """A grammar whose statements are all refused would test the refusals alone."""
    assert sum(tally.carried_out.values()) > 0.6 * sum(tally.valid.values())
    assert tally.damaged_refused > 0.3 * tally.damaged
    never = {kind for kind, asked in tally.valid.items() if asked >= 20 and not tally.carried_out[kind]}
    assert not never


def test_whatever_frames_come_it_answers_or_hangs_up(tmp_path: Path) -> None:
    """To a node without passwords and one with them."""
    tally = Tally()
    for _ in islice(conversations(tmp_path, 2, tally, CONVERSATIONS), 2):
        pass
    assert tally.conversations == 2 * CONVERSATIONS
    assert_nothing_found(tally)
    assert all(tally.answers[name] > CONVERSATIONS / 10 for name in ("RESULT", "ERROR", "READY", "AUTH_SUCCESS"))


def test_whatever_became_of_its_files_it_serves_what_is_sound(tmp_path: Path) -> None:
    """As they are left by a kill, with a snapshot and without one."""
    tally = Tally()
    for _ in islice(directories(tmp_path, 1, tally, DIRECTORIES), 3):
        pass
    assert tally.directories == 3 * DIRECTORIES
    assert_nothing_found(tally)
    assert 0 < tally.records_lost < tally.records / 2


@pytest.mark.parametrize("case", sorted(FOUND.iterdir()), ids=lambda case: case.name)
def test_what_was_found_is_mended(case: Path, tmp_path: Path) -> None:
    tally = Tally()
    play_again(case, tmp_path / "node", tally)
    assert_nothing_found(tally)


# ---------------------------------------------------------------- that it would find something


def fault(*arguments: object) -> None:
    raise ZeroDivisionError("on purpose")


FAULTS: dict[str, tuple[str, object, Callable[[Path, Tally], object]]] = {
    "cql": (
        "embedded_scylla.modify.batch.BatchPlan.execute",
        fault,
        lambda directory, tally: next(runs(directory, 2, tally, 100)),
    ),
    "frames": (
        "embedded_scylla.protocol.connection.EVENT_TYPES",
        None,
        lambda directory, tally: next(conversations(directory, 2, tally, 30)),
    ),
    "zip": (
        "embedded_scylla.storage.record_file.RecordReader._search",
        lambda reader, position: None,  # nothing behind a hole
        lambda directory, tally: next(directories(directory, 1, tally, 6)),
    ),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_found_and_kept_as_a_case(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, instead, play = FAULTS[kind]
    tally, again, mended = Tally(), Tally(), Tally()
    with monkeypatch.context() as patch:
        patch.setattr(place, instead)
        play(tmp_path / "first", tally)
        finding = next(iter(tally.findings.values()))
        case = keep(finding, tmp_path)
        assert case.suffix == f".{kind}"
        play_again(case, tmp_path / "again", again)
    play_again(case, tmp_path / "mended", mended)
    assert_nothing_found(mended)
    assert finding.where in again.findings
