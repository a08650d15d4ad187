"""The rehearsal's nodes: each hides what it is, and lets the course in by its variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers import connect, engine_of, open_chapter, time_to_lapse
from helpers.lab.connection import disconnect
from helpers.lab.replication import tablets
from helpers.lab.settings import VARIABLES
from tools import rehearse
from tools.rehearse import DISGUISES, stranger, surroundings


@pytest.mark.parametrize("name", DISGUISES)
def test_the_course_gets_in_and_takes_it_for_a_cluster(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helpers.lab.connection._clusters", {})
    monkeypatch.setenv("EMBEDDED_DIR", str(tmp_path))
    disguise = DISGUISES[name]
    with stranger(disguise, tmp_path) as port:
        known = surroundings(disguise, port)
        for variable in VARIABLES:
            monkeypatch.setenv(variable, known[variable]) if variable in known else monkeypatch.delenv(variable, False)
        session = connect()
        assert engine_of(session).name == f"ScyllaDB {'2026.2.0' if name == '2026.2' else '2026.1.0'}"
        assert tablets(session) is (name != "vnodes")
        assert time_to_lapse(session, 900) < 900
        assert open_chapter(session, "rehearsed", 100).seats == 100
        disconnect()


def test_a_disguise_that_there_is_not_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        rehearse.main(["moustache"])
    assert end.value.code == 2
    assert "there is no disguise 'moustache'; there are: 2026.1, 2026.2," in capsys.readouterr().err


def test_a_notebook_that_fails_in_one_disguise_is_told_with_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(rehearse, "rehearse", lambda disguise, output, *_: output.name != "slow")
    assert rehearse.main(["--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "Notebooks failed as: slow\n"
    assert rehearse.main(["vnodes", "--output", str(tmp_path)]) == 0
