"""What the node does by itself may fail, and what it says of that does not fill its log."""

from __future__ import annotations

import pytest

from embedded_scylla.notices import NOTICE_PERIOD, Notices
from embedded_scylla.upkeep import Upkeep
from embedded_scylla.upkeep.guard import LONGEST_PAUSE, PAUSE, Guarded


class Watch:
    """A time that stands still unless it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Work:
    """Upkeep that is always due; ``trouble`` is what comes of it."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.tries = 0

    def seconds_until_due(self) -> float:
        return 0.0

    def run_due(self) -> None:
        self.tries += 1
        if self.trouble is not None:
            raise self.trouble


def test_a_task_that_fails_is_tried_again_after_a_pause_that_grows() -> None:
    watch, work = Watch(), Work()
    guarded = Guarded("Working", work, Notices(watch), watch)
    work.trouble = PermissionError(13, "a virus scanner holds the file")
    pauses = []
    for _ in range(9):
        guarded.run_due()
        pauses.append(guarded.seconds_until_due())
        tries = work.tries
        guarded.run_due()
        assert work.tries == tries, "it was not given its pause"
        watch.now += guarded.seconds_until_due() or 0
    assert pauses[:3] == [PAUSE, 2 * PAUSE, 4 * PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    assert guarded.failures == 9
    assert guarded.trouble is not None
    assert "a virus scanner holds the file" in guarded.trouble
    work.trouble = None
    guarded.run_due()
    assert (guarded.trouble, guarded.seconds_until_due()) == (None, 0.0)
    work.trouble = OSError("again")
    guarded.run_due()
    assert guarded.seconds_until_due() == PAUSE


def test_a_task_that_cannot_say_when_it_is_due_does_not_end_the_node() -> None:
    watch, work = Watch(), Work()
    work.seconds_until_due = lambda: 1 / 0  # type: ignore[assignment]
    guarded = Guarded("Working", work, Notices(watch), watch)
    assert guarded.seconds_until_due() == PAUSE
    assert guarded.failures == 1
    guarded.run_due()
    assert work.tries == 0


def test_one_task_that_fails_keeps_no_other_from_running() -> None:
    broken, other = Work(), Work()
    broken.trouble = PermissionError(13, "a virus scanner holds the file")
    upkeep = Upkeep({"Taking a snapshot": broken, "Purging": other}, Notices())
    for _ in range(3):
        upkeep.run_due()
    assert (broken.tries, other.tries, upkeep.failures) == (1, 3, 1)
    assert upkeep.troubles() == [
        "Taking a snapshot failed, and is tried again: [Errno 13] a virus scanner holds the file"
    ]
    assert upkeep.seconds_until_due() == 0.0


def test_a_notice_of_each_kind_is_said_once_in_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Watch()
    notices = Notices(watch)
    for number in range(1000):
        notices.say("full", f"no room for client {number}.")
    notices.say("accept", "out of descriptors.")
    assert capsys.readouterr().err.splitlines() == [
        "embedded_scylla: no room for client 0.",
        "embedded_scylla: out of descriptors.",
    ]
    watch.now += NOTICE_PERIOD
    notices.say("full", "no room for client 1000.")
    assert capsys.readouterr().err.splitlines() == [
        "embedded_scylla: no room for client 1000. (and 999 times more since it was last said)"
    ]


def test_faults_of_one_place_are_one_kind(capsys: pytest.CaptureFixture[str]) -> None:
    notices = Notices(Watch())

    def fail(number: int) -> None:
        try:
            raise RuntimeError(f"fault {number}")
        except RuntimeError as error:
            notices.fault("in a test", error)

    for number in range(50):
        fail(number)
    said = capsys.readouterr().err
    assert "RuntimeError: fault 0" in said
    assert said.count("a fault of the node") == 1


def test_nobody_listening_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.stderr", Closed())
    Notices(Watch()).say("full", "no room.")
