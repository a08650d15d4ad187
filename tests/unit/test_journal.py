"""The journal in operation: what was flushed is there again, the disk may refuse, one process has the directory.

What is done with files that were damaged, removed or exchanged is in test_recovery.
"""

import contextlib
import errno
import itertools
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from embedded_scylla.storage import child, directory_lock, disk
from embedded_scylla.storage import journal as journal_module
from embedded_scylla.storage.journal import (
    TABLE_ID,
    DirectoryInUse,
    Journal,
    JournalError,
    decode_mutation,
    encode_mutation,
)
from embedded_scylla.storage.rows import Collection, Row
from embedded_scylla.storage.store import TableStore
from tests.patience import SECONDS
from tests.unit.example_tables import ONE, between, deletion, insert, make_table, number, write


def opened(directory) -> tuple[Journal, list]:
    journal = Journal(directory)
    return journal, list(journal.replay())


def written(directory, *records) -> None:
    journal, _ = opened(directory)
    for record in records:
        journal.append(*record)
    journal.close()


def reread(directory) -> tuple[list, list[str]]:
    """The records, and what the journal says of them."""
    journal, records = opened(directory)
    journal.close()
    return records, journal.notices


def names(directory) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def leave_as_killed(journal: Journal) -> None:
    """Let go of what the system takes back when a process ends, and do nothing that a journal does at its end."""
    journal._syncer.stop()
    os.close(journal._file)
    journal._state.close()
    journal._lock.release()


RECORDS = [("schema", {"a": 1}), ("write", (b"id", [(b"k", None, {"c": (1, b"v", 0, 0)})])), ("clock", 5)]


def test_what_was_appended_is_replayed(tmp_path):
    written(tmp_path, *RECORDS)
    assert reread(tmp_path) == (RECORDS, [])
    written(tmp_path, ("clock", 6))
    assert reread(tmp_path) == ([*RECORDS, ("clock", 6)], [])


def test_in_memory_nothing_is_kept():
    journal, records = opened(None)
    journal.append("clock", 1)
    journal.flush()
    journal.snapshot([("clock", 1)])
    assert records == [] and not journal.wants_snapshot(idle=True) and journal.size == 0
    journal.close()


def test_flushed_records_survive_a_killed_process(tmp_path):
    program = f"""
        import os, signal
        from embedded_scylla.storage.journal import Journal
        journal = Journal({str(tmp_path)!r})
        list(journal.replay())
        for number in range(1000):
            journal.append("clock", number)
            journal.flush()
        journal.append("clock", "never flushed")
        os._exit(9)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], timeout=SECONDS)
    assert done.returncode == 9
    assert reread(tmp_path) == ([("clock", number) for number in range(1000)], [])


# ---------------------------------------------------------------- snapshots


def test_a_snapshot_stands_for_all_before_it(tmp_path):
    journal, _ = opened(tmp_path)
    for record in RECORDS:
        journal.append(*record)
    journal.snapshot([("state", "all of it")])
    assert journal.size == 0
    journal.append("clock", 9)
    journal.close()
    assert reread(tmp_path) == ([("state", "all of it"), ("clock", 9)], [])
    assert names(tmp_path) == ["journal-1", "lock", "snapshot-1", "state"]


def test_a_snapshot_that_was_not_finished_does_not_count(tmp_path):
    written(tmp_path, *RECORDS)
    (tmp_path / "snapshot-1.new").write_bytes(b"half of")
    (tmp_path / "journal-1.new").write_bytes(b"")
    assert reread(tmp_path) == (RECORDS, [])
    journal, _ = opened(tmp_path)
    journal.snapshot([("state", "all of it")])
    journal.close()
    assert names(tmp_path) == ["journal-1", "lock", "snapshot-1", "state"]  # only now the rest may go


def test_a_snapshot_that_cannot_be_written_leaves_the_old_files_in_use(tmp_path):
    journal, _ = opened(tmp_path)
    journal.append("clock", 1)

    def failing():
        yield "state", 1
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(JournalError, match="No space left on device"):
        journal.snapshot(failing())
    journal.append("clock", 2)
    journal.close()
    assert reread(tmp_path) == ([("clock", 1), ("clock", 2)], [])
    assert names(tmp_path) == ["journal-0", "lock", "state"]


class Killed(BaseException):
    """Where the process ends: nothing behind it happens, no except for OSError sees it."""


def _end_at(patch, calls: int, error: BaseException) -> None:
    """Let the n-th request to sync, rename, remove or open a file fail, and all behind it."""
    left = [calls]

    def mortal(real):
        def call(*arguments, **named):
            if not left[0]:
                raise error
            left[0] -= 1
            return real(*arguments, **named)

        return call

    patch.setattr(journal_module, "full_sync", mortal(journal_module.full_sync))
    patch.setattr(journal_module, "sync_directory", mortal(journal_module.sync_directory))
    patch.setattr(Path, "replace", mortal(Path.replace))
    patch.setattr(Path, "unlink", mortal(Path.unlink))
    patch.setattr(os, "open", mortal(os.open))


def test_a_process_killed_within_a_snapshot_loses_nothing(tmp_path, monkeypatch):
    """Each record sets a key. At whatever point the process ends, the next one has all that was flushed."""
    finished = False
    for calls in itertools.count():
        directory = tmp_path / str(calls)
        journal, _ = opened(directory)
        journal.snapshot([("set", 0)])
        journal.append("set", 1)
        journal.append("set", 2)
        journal.flush()
        with monkeypatch.context() as patch, contextlib.suppress(Killed):
            _end_at(patch, calls, Killed())
            journal.snapshot([("set", 0), ("set", 1), ("set", 2)])
            finished = True
        leave_as_killed(journal)

        journal, records = opened(directory)
        assert {number for _, number in records} == {0, 1, 2} and journal.notices == []
        journal.append("set", 3)
        journal.snapshot([("set", 0), ("set", 1), ("set", 2), ("set", 3)])
        journal.close()
        assert {number for _, number in reread(directory)[0]} == {0, 1, 2, 3}
        kinds = [name.split("-")[0] for name in names(directory)]
        assert kinds == ["journal", "lock", "snapshot", "state"], "no litter stays"
        if finished:
            break
    assert calls >= 10


def test_a_disk_that_refuses_within_a_snapshot_leaves_a_journal_in_use(tmp_path, monkeypatch):
    refused = 0
    for calls in itertools.count():
        directory = tmp_path / str(calls)
        journal, _ = opened(directory)
        journal.append("set", 1)
        journal.flush()
        with monkeypatch.context() as patch:
            _end_at(patch, calls, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
            try:
                journal.snapshot([("set", 1)])
            except JournalError:
                refused += 1
        journal.append("set", 2)
        journal.close()
        assert reread(directory) == ([("set", 1), ("set", 2)], [])
        journal, records = opened(directory)
        journal.snapshot(records)
        journal.close()
        assert [name.split("-")[0] for name in names(directory)] == ["journal", "lock", "snapshot", "state"]
        if refused < calls:
            break  # there was room up to the removal of the old files
    assert calls >= 8


def test_a_snapshot_overwrites_no_file_that_appeared_meanwhile(tmp_path):
    journal, _ = opened(tmp_path)
    (tmp_path / "journal-1").write_bytes(b"put here by somebody")
    journal.snapshot([("set", 1)])
    journal.close()
    assert (tmp_path / "journal-1").read_bytes() == b"put here by somebody"
    assert reread(tmp_path)[0] == [("set", 1)]


def test_old_files_that_cannot_be_removed_are_said_and_tried_again(tmp_path, monkeypatch):
    journal, _ = opened(tmp_path)
    journal.append("set", 1)

    def held(path, missing_ok=False):
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(journal_module.Path, "unlink", held)
        journal.snapshot([("set", 1)])
    (notice,) = journal.notices
    assert "journal-0 is not needed any more and could not be removed (Permission denied)" in notice
    journal.append("set", 2)
    journal.close()
    assert names(tmp_path) == ["journal-1", "lock", "snapshot-1", "state"]
    assert reread(tmp_path) == ([("set", 1), ("set", 2)], [])


def test_a_snapshot_is_wanted_when_the_journal_has_grown(tmp_path):
    journal, _ = opened(tmp_path)
    assert not journal.wants_snapshot(idle=True)
    journal.append("write", bytes(2 << 20))
    journal.flush()
    assert journal.wants_snapshot(idle=True) and not journal.wants_snapshot()
    journal.close()


# ---------------------------------------------------------------- snapshots that a child writes


def until(happens, what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not happens():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


def waiting_for(path: Path, *records):
    """Records that cannot all be had before ``path`` is there."""
    yield from records
    until(path.exists, "what lets it go on")


needs_fork = pytest.mark.skipif(not child.CAN_FORK, reason="this system cannot copy a process")


@needs_fork
def test_requests_go_on_while_a_snapshot_is_written(tmp_path):
    data, word = tmp_path / "data", tmp_path / "word"
    journal, _ = opened(data)
    journal.append("set", 1)
    journal.begin_snapshot(waiting_for(word, ("set", 1)))
    journal.append("set", 2)
    journal.flush()
    journal.finish_snapshot()
    assert journal.writes_snapshot and journal.size > 0
    until((data / "snapshot-1.new").exists, "the child")
    assert names(data) == ["journal-0", "journal-1", "lock", "snapshot-1.new", "state"]
    word.touch()
    journal.finish_snapshot(wait=True)
    assert not journal.writes_snapshot
    journal.close()
    assert names(data) == ["journal-1", "lock", "snapshot-1", "state"]
    assert reread(data) == ([("set", 1), ("set", 2)], [])


@needs_fork
def test_what_comes_while_a_snapshot_is_written_is_there_after_a_kill(tmp_path):
    data, word = tmp_path / "data", tmp_path / "word"
    journal, _ = opened(data)
    journal.append("set", 1)
    journal.begin_snapshot(waiting_for(word, ("set", 1)))
    journal.append("set", 2)
    journal.flush()
    until((data / "snapshot-1.new").exists, "the child")  # which has let go of the lock by then
    leave_as_killed(journal)
    again, records = opened(data)
    assert (records, again.notices) == ([("set", 1), ("set", 2)], [])
    word.touch()
    until(lambda: journal._writing.child.ended(), "the child")  # late: nobody puts its file in place
    again.snapshot(records)
    again.close()
    assert [name.split("-")[0] for name in names(data)] == ["journal", "lock", "snapshot", "state"]
    assert reread(data)[0] == records


def failing(error: BaseException):
    yield "set", 1
    raise error


@needs_fork
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device"),
        (ValueError("unmarshallable object"), "it failed; the log says how"),
    ],
    ids=["full", "fault"],
)
def test_a_child_that_fails_leaves_all_in_use_and_another_may_come(tmp_path, error, said):
    journal, _ = opened(tmp_path)
    journal.append("set", 1)
    journal.begin_snapshot(failing(error))
    journal.append("set", 2)
    journal.flush()
    with pytest.raises(JournalError, match=f"{said}. What was kept is still in use"):
        journal.finish_snapshot(wait=True)
    journal.append("set", 3)
    journal.flush()
    before = journal.size
    journal.begin_snapshot([("set", 1), ("set", 2), ("set", 3)])
    journal.finish_snapshot(wait=True)
    assert journal.size < before
    journal.close()
    assert names(tmp_path) == ["journal-2", "lock", "snapshot-2", "state"]
    assert reread(tmp_path) == ([("set", 1), ("set", 2), ("set", 3)], [])


@needs_fork
def test_a_child_that_was_killed_is_said(tmp_path):
    journal, _ = opened(tmp_path)
    journal.append("set", 1)
    journal.begin_snapshot(waiting_for(tmp_path / "never"))
    os.kill(journal._writing.child._number, signal.SIGKILL)
    with pytest.raises(JournalError, match="the process that wrote it was ended by SIGKILL"):
        journal.finish_snapshot(wait=True)
    journal.close()
    assert reread(tmp_path) == ([("set", 1)], [])


@needs_fork
def test_a_node_that_is_killed_leaves_the_directory_free_and_its_child_ends(tmp_path):
    data, word = tmp_path / "data", tmp_path / "word"
    program = f"""
        import os, time
        from pathlib import Path
        from embedded_scylla.storage.journal import Journal
        journal = Journal({str(data)!r})
        list(journal.replay())
        journal.append("set", 1)
        def records():
            while not Path({str(word)!r}).exists():
                time.sleep(0.01)
            yield "set", 1
        journal.begin_snapshot(records())
        print(journal._writing.child._number, flush=True)
        os._exit(9)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=SECONDS)
    number = int(done.stdout)

    def alive() -> bool:
        return psutil.pid_exists(number) and psutil.Process(number).status() != psutil.STATUS_ZOMBIE

    def free() -> bool:
        with contextlib.suppress(DirectoryInUse):
            return reread(data) == ([("set", 1)], [])
        return False

    until(free, "the lock, which must not be the child's too")
    assert alive()
    word.touch()
    until(lambda: not alive(), "the child's end")
    assert "snapshot-1" not in names(data)


def test_without_children_it_is_written_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "CAN_FORK", False)
    journal, _ = opened(tmp_path)
    journal.append("set", 1)
    journal.begin_snapshot([("set", 1)])
    assert not journal.writes_snapshot and journal.size == 0
    journal.close()
    assert names(tmp_path) == ["journal-1", "lock", "snapshot-1", "state"]


@needs_fork
def test_without_room_for_a_child_it_is_written_at_once(tmp_path, monkeypatch):
    def full(work):
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(journal_module, "Child", full)
    journal, _ = opened(tmp_path)
    journal.append("set", 1)
    journal.begin_snapshot([("set", 1)])
    assert not journal.writes_snapshot and journal.size == 0
    journal.close()
    assert names(tmp_path) == ["journal-1", "lock", "snapshot-1", "state"]
    assert reread(tmp_path) == ([("set", 1)], [])


@needs_fork
def test_a_journal_that_ends_lets_its_child_go(tmp_path):
    journal, _ = opened(tmp_path)
    journal.append("set", 1)
    journal.begin_snapshot(waiting_for(tmp_path / "never"))
    number = journal._writing.child._number
    journal.close()
    assert not psutil.pid_exists(number)
    assert reread(tmp_path) == ([("set", 1)], [])


def test_much_state_is_not_written_again_for_a_little(tmp_path):
    journal, _ = opened(tmp_path)
    journal.snapshot([("state", bytes(8 << 20))])
    journal.append("write", bytes(3 << 19))
    journal.flush()
    assert not journal.wants_snapshot(idle=True)
    journal.close()
    journal, _ = opened(tmp_path)
    assert not journal.wants_snapshot(idle=True)
    journal.append("write", bytes(1 << 20))
    journal.flush()
    assert journal.wants_snapshot(idle=True)
    journal.close()


# ---------------------------------------------------------------- a disk that refuses


def test_a_full_disk_refuses_writes_and_loses_nothing(tmp_path, monkeypatch):
    journal, _ = opened(tmp_path)
    journal.append("clock", 1)
    journal.flush()
    real_write = os.write

    def full(file, data):
        real_write(file, bytes(data)[:7])  # as much as there was room for
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(journal_module.os, "write", full)
    journal.append("clock", 2)
    with pytest.raises(JournalError, match=r"refused.*No space left on device.*acknowledged before is safe"):
        journal.flush()
    monkeypatch.undo()

    # There is room again: the file is whole, and what was refused is nowhere in it.
    journal.append("clock", 3)
    journal.close()
    assert reread(tmp_path) == ([("clock", 1), ("clock", 3)], [])


def test_a_disk_that_fails_to_sync_takes_no_more(tmp_path, monkeypatch):
    def failing(file):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    journal, _ = opened(tmp_path)
    monkeypatch.setattr(disk, "full_sync", failing)
    deadline = time.monotonic() + SECONDS
    with pytest.raises(JournalError, match=r"Input/output error\).*may not be on it") as refused:
        while time.monotonic() < deadline:  # until the thread has tried
            journal.append("clock", 1)
            journal.flush()
    assert "safe" not in refused.value.message
    journal.close()


def test_a_journal_with_no_payload_for_marshal_takes_nothing(tmp_path):
    journal, _ = opened(tmp_path)
    journal.append("clock", 1)
    with pytest.raises(ValueError, match="unmarshallable"):
        journal.append("clock", object())
    journal.flush()
    journal.close()
    assert reread(tmp_path) == ([], [])


def test_macos_is_asked_for_a_full_sync(tmp_path, monkeypatch):
    """fsync leaves the bytes in the drive's own memory there."""
    asked = []

    class Fcntl:
        F_FULLFSYNC = 51

        @staticmethod
        def fcntl(file, command):
            asked.append(command)
            if trouble:
                raise OSError(trouble, os.strerror(trouble))

    monkeypatch.setattr(disk, "fcntl", Fcntl)
    with (tmp_path / "file").open("wb") as file:
        trouble = 0
        disk.full_sync(file.fileno())
        trouble = errno.ENOTSUP  # a file system that knows only fsync
        disk.full_sync(file.fileno())
        trouble = errno.EIO
        with pytest.raises(OSError, match="Input/output error"):
            disk.full_sync(file.fileno())
    assert asked == [51, 51, 51]


def test_a_new_journal_has_its_name_on_the_disk(tmp_path, monkeypatch):
    synced = []
    real = disk.sync_directory
    monkeypatch.setattr(journal_module, "sync_directory", lambda path: (synced.append(names(path)), real(path)))
    opened(tmp_path)[0].close()
    assert len(synced) == 1 and "journal-0" in synced[0]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes: a folder's owner decides")
def test_files_are_their_owners_alone(tmp_path):
    directory = tmp_path / "data"
    journal, _ = opened(directory)
    journal.snapshot([("state", 1)])
    journal.close()
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()} == dict.fromkeys(
        ["journal-1", "lock", "snapshot-1", "state"], 0o600
    )


def test_a_directory_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match=r"data directory .*file.* cannot be used"):
        Journal(tmp_path / "file")


# ---------------------------------------------------------------- the lock


def test_a_directory_in_use_is_refused_with_its_process(tmp_path):
    journal, _ = opened(tmp_path)
    program = f"""
        from embedded_scylla.storage.journal import DirectoryInUse, Journal
        try:
            Journal({str(tmp_path)!r})
        except DirectoryInUse as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.stdout.strip() == (
        f"The data directory {tmp_path} is in use by another embedded node (process {os.getpid()}). "
        "Stop it, or choose another with --data-dir."
    )
    with pytest.raises(DirectoryInUse):
        Journal(tmp_path)
    journal.close()
    opened(tmp_path)[0].close()


def _hold(directory, ready):
    journal = Journal(directory)
    ready.set()
    multiprocessing.Event().wait()
    journal.close()


def test_the_lock_dies_with_its_process(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    holder = spawn.Process(target=_hold, args=(tmp_path, ready))
    holder.start()
    assert ready.wait(SECONDS)
    with pytest.raises(DirectoryInUse):
        Journal(tmp_path)
    holder.kill()
    holder.join(SECONDS)
    opened(tmp_path)[0].close()


def _remove_lock(directory):
    (directory / "lock").unlink()


def _exchange_lock(directory):
    (directory / "lock").unlink()
    (directory / "lock").write_text("4711\n")


def _remove_all(directory):
    shutil.rmtree(directory)


def _begin_anew(directory):
    """What `make clean` and the next node do."""
    shutil.rmtree(directory)
    written(directory, ("clock", "the other's"))


@pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody remove a file that is open")
@pytest.mark.parametrize("lose", [_remove_lock, _exchange_lock, _remove_all, _begin_anew])
def test_a_directory_that_was_lost_takes_no_more(tmp_path, lose):
    directory = tmp_path / "data"
    journal, _ = opened(directory)
    journal.append("clock", 1)
    journal.flush()
    assert journal.still_ours(at_once=True)
    lose(directory)
    deadline = time.monotonic() + SECONDS
    with pytest.raises(JournalError, match=r"data directory .* was deleted or taken over while the node worked in it"):
        while time.monotonic() < deadline:  # the first write after a pause; some 10 ms later if there is none
            journal.append("clock", 2)
            journal.flush()
    assert not journal.still_ours()
    with pytest.raises(JournalError, match="deleted or taken over"):
        journal.snapshot([("clock", 2)])
    journal.close()
    if lose is _begin_anew:
        assert reread(directory) == ([("clock", "the other's")], [])


@pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody rename a folder with open files")
def test_upkeep_hears_of_a_lost_directory_without_a_write(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "LOOK_AGAIN", 0.0)
    directory = tmp_path / "data"
    journal, _ = opened(directory)
    assert journal.still_ours()
    directory.rename(tmp_path / "elsewhere")
    assert not journal.still_ours()
    journal.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody remove a file that is open, nor lock a directory")
def test_without_its_lock_file_a_directory_in_use_is_still_refused(tmp_path):
    journal, _ = opened(tmp_path)
    (tmp_path / "lock").unlink()
    with pytest.raises(DirectoryInUse):
        Journal(tmp_path)
    journal.close()


def test_a_lock_file_removed_as_it_is_taken_is_taken_again(tmp_path, monkeypatch):
    real = directory_lock.DirectoryLock._take
    removed = []

    def take(self, directory):
        real(self, directory)
        if not removed:
            (directory / "lock").unlink()
            removed.append(True)

    monkeypatch.setattr(directory_lock.DirectoryLock, "_take", take)
    journal, _ = opened(tmp_path)
    assert removed and (tmp_path / "lock").exists() and journal.still_ours(at_once=True)
    journal.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody remove a file that is open")
def test_a_journal_removed_under_the_node_is_made_good_by_a_snapshot(tmp_path):
    journal, _ = opened(tmp_path)
    journal.append("clock", 1)
    journal.flush()
    (tmp_path / "journal-0").unlink()
    assert not journal.wants_snapshot(idle=True)
    assert journal.still_ours(at_once=True) and journal.wants_snapshot(idle=True)
    journal.snapshot([("clock", 1)])
    journal.close()
    assert reread(tmp_path) == ([("clock", 1)], [])


# ---------------------------------------------------------------- mutations


def test_mutations_come_back_as_they_were(tmp_path):
    table = make_table(static="s int", regular="a int, m set<int>")
    rich = write(
        table,
        deletion=(1, 100),
        static=Row((), cells={"s": (10, number(1), 0, 0)}),
        ranges=[between(1, None, 5)],
        rows=[
            insert(1, 10, a=1),
            deletion(2, 10),
            Row((number(3),), (10, 2000, 60), None, {"m": Collection((9, 100), {number(4): (10, b"", 2000, 60)})}),
        ],
    )
    plain = write(table, (number(2),), rows=[insert(1, 10, a=1)])
    written(tmp_path, ("write", [encode_mutation(rich), encode_mutation(plain)]))

    ((_, encoded),), _ = reread(tmp_path)
    assert [parts[TABLE_ID] for parts in encoded] == [table.id.bytes] * 2
    direct, replayed = TableStore(table), TableStore(table)
    for mutation, parts in zip((rich, plain), encoded, strict=True):
        replayed.apply(decode_mutation(parts, table), 1000)
        direct.apply(mutation, 1000)
    assert replayed.dump() == direct.dump()
    assert set(replayed.row(ONE, (number(3),)).cells["m"].elements) == {number(4)}
