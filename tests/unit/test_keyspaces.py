"""What a keyspace may be called, and two notebooks that want the same one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from cassandra.cluster import Session

from helpers import apply_cql, checkpoint, connect, open_chapter
from helpers.lab import claims
from helpers.lab.claims import claim, somebody_else_in
from helpers.lab.errors import LabError
from helpers.lab.keyspaces import check_keyspace_name

SENTENCES = {
    "Seats": "^keyspace must be in lower case: CQL reads Seats as seats.$",
    "TABLE": "^keyspace must be in lower case: CQL reads TABLE as table.$",
    "s" * 60: "^keyspace must have 48 letters at most, and this name has 60.$",
    "": "^keyspace must not be empty: give it a name",
    "seats 1": "^keyspace may have the letters a to z, digits and _, and 'seats 1' has ' '.$",
    "4seats": "^keyspace must begin with a letter, and '4seats' begins with '4'.$",
    "plätze": "^keyspace may have the letters a to z, digits and _, and 'plätze' has 'ä'.$",
    "system_auth": "^keyspace must not be 'system_auth': such names are the server's own.$",
    7: "^keyspace must be a name in quotes, such as .*, not 7.$",
    None: "^keyspace must be a name in quotes, such as .*, not None.$",
}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_name_that_cannot_be_is_refused_in_one_sentence_everywhere(lab: Session, name: object) -> None:
    asking = [lambda: open_chapter(lab, name, 10), lambda: apply_cql(lab, "keyspace.cql", keyspace=name)]
    if name is not None:  # there, no name means: no keyspace, and the chapter's own
        asking += [lambda: connect(name), lambda: checkpoint("04", seats=10, keyspace=name)]
    for ask in asking if name != "system_auth" else asking[:2]:
        with pytest.raises(LabError, match=SENTENCES[name]):
            ask()


@pytest.mark.parametrize("word", ["select", "table", "from", "keyspace"])
def test_a_reserved_word_is_refused_and_claims_nothing(lab: Session, unclaimed: None, word: str) -> None:
    with pytest.raises(LabError, match=f"keyspace must not be '{word}', which is a reserved word of CQL"):
        open_chapter(lab, word, 10)
    assert claims._claimed is None


def test_names_as_long_as_can_be_are_good() -> None:
    check_keyspace_name("s" * 48)


OTHER = """
import sys
from types import SimpleNamespace
from helpers.lab.claims import claim
address, port, keyspace = sys.argv[1:]
server = SimpleNamespace(endpoints_resolved=[SimpleNamespace(address=address, port=port)])
claim(SimpleNamespace(cluster=server), keyspace)
print("mine", flush=True)
input()
"""


@pytest.fixture
def unclaimed(lab: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process works in no keyspace, and lets go of what it claims."""
    with monkeypatch.context() as patch:
        patch.setattr(claims, "_claimed", None)
        yield
        if claims._claimed is not None:
            claims._claimed.release()


@pytest.fixture
def other_notebook(lab: Session, unclaimed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """Another kernel, which works in seats_other."""
    monkeypatch.setattr(claims, "_LINGER_SECONDS", 0.1)
    environment = {**os.environ, "JPY_SESSION_NAME": "/somewhere/04_timed_checkouts.ipynb"}
    (point,) = lab.cluster.endpoints_resolved
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, point.address, str(point.port), "seats_other"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout.readline() == "mine\n"
        yield process
        process.kill()


def test_the_second_notebook_of_a_keyspace_is_told_of_the_first(
    lab: Session, other_notebook: subprocess.Popen[str]
) -> None:
    who = rf"\(04_timed_checkouts\.ipynb, process {other_notebook.pid}\)"
    with pytest.raises(
        LabError, match=rf"^Another notebook works in the keyspace seats_other {who}.* another keyspace"
    ):
        open_chapter(lab, "seats_other", 10)
    assert not list(lab.execute("SELECT * FROM system_schema.tables WHERE keyspace_name = 'seats_other'"))
    assert open_chapter(lab, "seats_own", 10).seats == 10


def test_what_a_process_claimed_is_free_when_it_ends(lab: Session, other_notebook: subprocess.Popen[str]) -> None:
    """However it ends: a kernel is killed when it is restarted."""
    assert somebody_else_in(lab, "seats_other")
    other_notebook.kill()
    other_notebook.wait()
    claim(lab, "seats_other")
    assert somebody_else_in(lab, "seats_other") is None


def test_one_s_own_keyspace_may_be_opened_again_and_left(lab: Session, unclaimed: None) -> None:
    claim(lab, "seats_a")
    claim(lab, "seats_a")
    first = claims._claimed
    claim(lab, "seats_b")
    assert first.take(), "a process works in one keyspace: the one before is free"
    first.release()


def test_a_keyspace_of_the_same_name_on_another_server_is_another(
    lab: Session, other_notebook: subprocess.Popen[str]
) -> None:
    elsewhere = SimpleNamespace(cluster=SimpleNamespace(endpoints_resolved=[SimpleNamespace(address="::1", port=9042)]))
    assert somebody_else_in(lab, "seats_other")
    assert somebody_else_in(elsewhere, "seats_other") is None


def test_a_checkpoint_of_another_chapter_says_who_works_there_and_goes_on(
    lab: Session,
    other_notebook: subprocess.Popen[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("helpers.course.catch_up.keyspace_of", lambda chapter: "seats_other")
    checkpoint("04", seats=500)
    told = capsys.readouterr().out
    assert "Another notebook works in the keyspace seats_other (04_timed_checkouts.ipynb" in told
    assert "seats_other: Midnight Orchestra" in told


def test_where_nothing_can_be_locked_nobody_is_kept_out(
    lab: Session, unclaimed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EMBEDDED_DIR", str(tmp_path / "file"))
    claim(lab, "seats")
    assert somebody_else_in(lab, "seats") is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_forked_child_lets_its_parent_s_keyspace_go_with_the_parent(lab: Session, unclaimed: None) -> None:
    """The child has a copy of the lock's file: kept open, it would hold the keyspace after the parent's end."""
    claim(lab, "seats_forked")
    reader, writer = os.pipe()
    begun, begins = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.write(begins, b"1")
        os.read(reader, 1)
        os._exit(0)
    os.read(begun, 1)  # before it has begun, it cannot have let go
    claims._claimed.release()
    free = claims._claimed.take()
    os.close(writer)
    os.waitpid(child, 0)
    for end in (reader, begun, begins):
        os.close(end)
    assert free
