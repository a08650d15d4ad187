"""The journal: what was flushed is there again, after whatever happened to the process and its files."""

import errno
import multiprocessing
import os
import subprocess
import sys
import textwrap
import time

import pytest

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
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], timeout=60)
    assert done.returncode == 9
    assert reread(tmp_path) == ([("clock", number) for number in range(1000)], [])


# ---------------------------------------------------------------- damaged files


@pytest.mark.parametrize("left", [1, 11, 12, 13, 20])
def test_a_torn_last_record_is_cut_off(tmp_path, left):
    written(tmp_path, *RECORDS)
    size = (tmp_path / "journal-0").stat().st_size
    written(tmp_path, ("clock", "x" * 50))
    with (tmp_path / "journal-0").open("r+b") as file:
        file.truncate(size + left)
    records, notices = reread(tmp_path)
    assert records == RECORDS
    assert len(notices) == 1 and f"incomplete ({left} bytes)" in notices[0]
    written(tmp_path, ("clock", "after"))
    assert reread(tmp_path) == ([*RECORDS, ("clock", "after")], [])
    assert not list(tmp_path.glob("*.corrupt"))


def test_zeros_at_the_end_are_a_torn_record(tmp_path):
    written(tmp_path, *RECORDS)
    with (tmp_path / "journal-0").open("ab") as file:
        file.write(bytes(5000))
    records, (notice,) = reread(tmp_path)
    assert records == RECORDS and "incomplete" in notice


@pytest.mark.parametrize("place", ["length", "body"])
def test_a_damaged_record_cuts_what_follows_and_the_file_is_kept(tmp_path, place):
    written(tmp_path, RECORDS[0])
    position = (tmp_path / "journal-0").stat().st_size + (2 if place == "length" else 15)
    written(tmp_path, *RECORDS[1:])
    data = bytearray((tmp_path / "journal-0").read_bytes())
    data[position] ^= 0x40
    (tmp_path / "journal-0").write_bytes(data)

    records, (notice,) = reread(tmp_path)
    assert records == RECORDS[:1]
    assert "is damaged at byte" in notice and "journal-0.corrupt" in notice
    assert (tmp_path / "journal-0.corrupt").read_bytes() == data
    written(tmp_path, ("clock", 7))
    assert reread(tmp_path) == ([RECORDS[0], ("clock", 7)], [])


def test_a_file_that_is_no_journal_is_kept_aside(tmp_path):
    (tmp_path / "journal-0").write_bytes(b"a shopping list, somehow left in this place")
    records, (notice,) = reread(tmp_path)
    assert records == [] and "kept as journal-0.corrupt" in notice
    assert (tmp_path / "journal-0.corrupt").read_bytes().startswith(b"a shopping list")


def test_a_process_that_died_at_once_left_an_empty_file(tmp_path):
    (tmp_path / "journal-0").write_bytes(b"fifty")
    assert reread(tmp_path) == ([], [])
    written(tmp_path, *RECORDS)
    assert reread(tmp_path) == (RECORDS, [])


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
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal-1", "lock", "snapshot-1"]


def test_a_snapshot_that_was_not_finished_does_not_count(tmp_path):
    written(tmp_path, *RECORDS)
    (tmp_path / "snapshot-1.new").write_bytes(b"half of")
    (tmp_path / "journal-1.new").write_bytes(b"")
    assert reread(tmp_path) == (RECORDS, [])
    assert not list(tmp_path.glob("*.new"))


def test_a_snapshot_counts_once_it_has_its_name(tmp_path):
    """The process dies between the renaming of the two new files."""
    written(tmp_path, *RECORDS)
    old = (tmp_path / "journal-0").read_bytes()
    journal, _ = opened(tmp_path)
    journal.snapshot([("state", "all of it")])
    journal.close()
    (tmp_path / "journal-1").unlink()
    (tmp_path / "journal-0").write_bytes(old)
    assert reread(tmp_path) == ([("state", "all of it")], [])
    assert not (tmp_path / "journal-0").exists()


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
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal-0", "lock"]


def test_a_snapshot_is_wanted_when_the_journal_has_grown(tmp_path):
    journal, _ = opened(tmp_path)
    assert not journal.wants_snapshot(idle=True)
    journal.append("write", bytes(2 << 20))
    journal.flush()
    assert journal.wants_snapshot(idle=True) and not journal.wants_snapshot()
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

    monkeypatch.setattr(journal_module, "_sync", failing)
    journal, _ = opened(tmp_path)
    deadline = time.monotonic() + 30
    with pytest.raises(JournalError, match="Input/output error"):
        while time.monotonic() < deadline:  # until the thread has tried
            journal.append("clock", 1)
            journal.flush()
    journal.close()


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
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
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
    assert ready.wait(60)
    with pytest.raises(DirectoryInUse):
        Journal(tmp_path)
    holder.kill()
    holder.join(60)
    opened(tmp_path)[0].close()


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
