"""What becomes of a data directory whose files were damaged, shortened, removed, exchanged or added to."""

import marshal
import os
import random
import shutil
import struct
import zlib
from pathlib import Path

import pytest

from embedded_scylla.storage import disk
from embedded_scylla.storage import journal as journal_module
from embedded_scylla.storage import recovery as recovery_module
from embedded_scylla.storage.journal import Journal, JournalError, kept_aside
from embedded_scylla.storage.record_file import END, Label, RecordReader, frame


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch):
    """Nothing here is about power cuts."""
    for module in (disk, journal_module):
        monkeypatch.setattr(module, "full_sync", lambda file: None)


def opened(directory) -> tuple[Journal, list]:
    journal = Journal(directory)
    return journal, list(journal.replay())


def reread(directory) -> tuple[list, list[str]]:
    journal, records = opened(directory)
    journal.close()
    return records, journal.notices


def written(directory, *records) -> None:
    journal, _ = opened(directory)
    for record in records:
        journal.append(*record)
    journal.close()


def snapshot(directory, *records) -> None:
    journal, _ = opened(directory)
    journal.snapshot(records)
    journal.close()


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def names(directory: Path) -> list[str]:
    return sorted(set(contents(directory)) - {"lock", "state"})


def spans(data: bytes) -> list[tuple[int, int]]:
    """From where to where each record of a sound file goes."""
    found, position = [], data.index(b"\n") + 1
    while position < len(data):
        end = position + 20 + struct.unpack_from(">I", data, position + 8)[0]
        found.append((position, end))
        position = end
    return found


def damage(path: Path, position: int, bit: int = 0x10) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= bit
    path.write_bytes(data)


def version_1(path: Path, *records) -> None:
    """A file as the first version wrote it."""
    data = b"fifty-thousand-seats 1\n"
    for record in records:
        body = marshal.dumps(record, 4)
        data += struct.pack(">III", len(body), len(body) ^ 0xFFFFFFFF, zlib.crc32(body)) + body
    path.write_bytes(data)


TEN = [("write", f"row {number}") for number in range(10)]
KEPT = "Check whether what you need is there, and write again what is missing."


# ---------------------------------------------------------------- one record damaged


@pytest.mark.parametrize("place", [0, 5, 8, 11, 12, 15, 16, 19, 20, 25])
def test_one_flipped_bit_costs_one_record(tmp_path, place):
    """In the mark, the number, the length and its copy, the checksum, the body."""
    written(tmp_path, *TEN)
    start, end = spans((tmp_path / "journal-0").read_bytes())[4]
    damage(tmp_path / "journal-0", start + place)
    before = (tmp_path / "journal-0").read_bytes()

    journal, records = opened(tmp_path)
    assert records == TEN[:4] + TEN[5:]
    assert journal.notices == [
        f"In the data directory {tmp_path}: journal-0 is damaged ({end - start} bytes, the first at byte {start}): "
        f"1 record is lost. All that is sound was read; the file as it was is kept as journal-0.corrupt. {KEPT}"
    ]
    assert (tmp_path / "journal-0.corrupt").read_bytes() == before
    assert journal.wants_snapshot(idle=True), "until then each start has to say it again"
    journal.append("write", "after")
    journal.close()

    records, (notice,) = reread(tmp_path)
    assert records == [*TEN[:4], *TEN[5:], ("write", "after")] and "1 record is lost" in notice
    snapshot(tmp_path, ("state", "all"))
    assert reread(tmp_path) == ([("state", "all")], [])
    assert kept_aside(tmp_path) == ["journal-0.corrupt", "journal-1.aside"], "nothing that was read is deleted"


def test_a_second_damaged_file_gets_a_name_of_its_own(tmp_path):
    (tmp_path / "journal-0.corrupt").write_bytes(b"an earlier one")
    written(tmp_path, *TEN)
    damage(tmp_path / "journal-0", 200)
    _, (notice,) = reread(tmp_path)
    assert "journal-0.corrupt-2" in notice
    assert (tmp_path / "journal-0.corrupt").read_bytes() == b"an earlier one"
    reread(tmp_path)
    assert kept_aside(tmp_path).count("journal-0.corrupt-3") == 0, "the same bytes are kept once"


def test_a_file_system_without_links_gets_copies(tmp_path, monkeypatch):
    written(tmp_path, *TEN)
    damage(tmp_path / "journal-0", 200)
    before = (tmp_path / "journal-0").read_bytes()

    def impossible(*paths):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", impossible)
    _, (notice,) = reread(tmp_path)
    assert "kept as journal-0.corrupt" in notice
    assert (tmp_path / "journal-0.corrupt").read_bytes() == before


def test_what_cannot_be_kept_aside_is_not_removed(tmp_path, monkeypatch):
    written(tmp_path, *TEN)
    damage(tmp_path / "journal-0", 200)

    def full(path, aside):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recovery_module, "_link", full)
    journal, _ = opened(tmp_path)
    (notice,) = journal.notices
    assert "could not be given another name (No space left on device) and stays where it is" in notice
    journal.snapshot([("state", 1)])
    journal.close()
    assert names(tmp_path) == ["journal-0", "journal-2", "snapshot-2"]
    assert reread(tmp_path) == ([("state", 1)], [])


def test_half_a_copy_is_none(tmp_path, monkeypatch):
    written(tmp_path, *TEN)
    damage(tmp_path / "journal-0", 200)

    def impossible(*paths):
        raise OSError(1, "Operation not permitted")

    def full(source, target):
        target.write(b"as much as there was room for")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", impossible)
    monkeypatch.setattr(shutil, "copyfileobj", full)
    _, (notice,) = reread(tmp_path)
    assert "No space left on device" in notice and "stays where it is" in notice
    assert kept_aside(tmp_path) == []


def test_a_damaged_directory_on_a_full_disk_can_be_read(tmp_path, monkeypatch):
    written(tmp_path, *TEN)
    damage(tmp_path / "journal-0", 200)

    def full(self, label, records):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_write_new", full)
        journal, records = opened(tmp_path)
        assert len(records) == 9
        assert "No space left on device): what is there can be read, writes are refused" in journal.notices[-1]
        journal.append("write", "refused")
        with pytest.raises(JournalError, match="No space left on device"):
            journal.flush()
        with pytest.raises(JournalError, match="No space left on device"):
            journal.snapshot(records)
    journal.append("write", "there is room again")
    journal.flush()
    journal.close()
    assert reread(tmp_path)[0] == [*records, ("write", "there is room again")]


def test_a_garbled_file_does_not_hide_its_copy(tmp_path):
    written(tmp_path, *TEN)
    data = (tmp_path / "journal-0").read_bytes()
    (tmp_path / "journal-7").write_bytes(data)
    (tmp_path / "journal-0").write_bytes(b"garbled")
    records, (notice,) = reread(tmp_path)
    assert records == TEN and "journal-0 is damaged from beginning to end" in notice


def test_a_record_within_a_blob_is_no_record(tmp_path):
    """Somebody stores a journal's bytes in a cell, and the record's header is damaged, both copies of the length."""
    other = tmp_path / "other"
    written(other, ("truncate", "everything"), ("truncate", "everything"))
    written(tmp_path, TEN[0], ("write", (other / "journal-0").read_bytes()), TEN[1])
    start, _ = spans((tmp_path / "journal-0").read_bytes())[1]
    damage(tmp_path / "journal-0", start + 11)
    damage(tmp_path / "journal-0", start + 14)
    records, (notice,) = reread(tmp_path)
    assert records == TEN[:2] and "1 record is lost" in notice


def test_a_block_that_the_disk_cannot_read_costs_what_is_in_it(tmp_path, monkeypatch):
    many = [("write", f"row {number} " + "x" * 100) for number in range(200)]
    written(tmp_path, *many)
    places = spans((tmp_path / "journal-0").read_bytes())
    real = recovery_module._read

    def failing(path, size=-1, position=0):
        end = path.stat().st_size if size < 0 else position + size
        if path.name == "journal-0" and position < 12288 and end > 8192:
            raise OSError(5, "Input/output error")
        return real(path, size, position)

    monkeypatch.setattr(recovery_module, "_read", failing)
    records, (notice,) = reread(tmp_path)
    sound = [record for record, (start, end) in zip(many, places, strict=True) if end <= 8192 or start >= 12288]
    assert records == sound and 160 < len(sound) < 200
    assert f"{200 - len(sound)} records are lost" in notice


def test_a_damaged_label_costs_nothing(tmp_path):
    written(tmp_path, *TEN)
    damage(tmp_path / "journal-0", 21, 0x01)  # the version: 2 becomes 3
    records, (notice,) = reread(tmp_path)
    assert records == TEN and "no record of it is lost" in notice


# ---------------------------------------------------------------- the end of a journal


@pytest.mark.parametrize("left", [1, 11, 20, 21, 30])
def test_a_write_that_a_kill_cut_short_is_cut_off(tmp_path, left):
    written(tmp_path, *TEN)
    data = (tmp_path / "journal-0").read_bytes()
    mark = RecordReader(data).mark
    (tmp_path / "journal-0").write_bytes(data + frame(mark, 10, "write", "x" * 50)[:left])
    records, (notice,) = reread(tmp_path)
    assert records == TEN
    assert f"incomplete ({left} bytes) and was cut off: the process was killed as it wrote" in notice
    assert names(tmp_path) == ["journal-0"]
    assert reread(tmp_path) == (TEN, [])


def test_zeros_at_the_end_are_a_write_cut_short(tmp_path):
    written(tmp_path, *TEN)
    with (tmp_path / "journal-0").open("ab") as file:
        file.write(bytes(5000))
    records, (notice,) = reread(tmp_path)
    assert records == TEN and "incomplete" in notice


@pytest.mark.parametrize("within", [0, 7])
def test_a_shortened_journal_is_missed(tmp_path, within):
    """At the end of a record, or in the middle of one: it had been on the disk, and was acknowledged."""
    written(tmp_path, *TEN)
    data = (tmp_path / "journal-0").read_bytes()
    cut = data[: spans(data)[6][0] + within]
    (tmp_path / "journal-0").write_bytes(cut)
    records, (notice,) = reread(tmp_path)
    assert records == TEN[:6]
    assert "journal-0 is damaged: at least 4 records are lost" in notice and "acknowledged" not in notice
    assert (tmp_path / "journal-0.corrupt").read_bytes() == cut


def test_without_the_state_a_torn_journal_says_what_is_known(tmp_path):
    written(tmp_path, *TEN)
    (tmp_path / "state").unlink()
    data = (tmp_path / "journal-0").read_bytes()
    (tmp_path / "journal-0").write_bytes(data[: spans(data)[6][0] + 7])
    records, (notice,) = reread(tmp_path)
    assert records == TEN[:6]
    assert "in the middle of a record (7 bytes)" in notice and "if the file was shortened" in notice
    assert "journal-0.corrupt" in names(tmp_path)


# ---------------------------------------------------------------- files that are missing


def test_a_missing_journal_is_missed_with_its_records(tmp_path):
    snapshot(tmp_path, ("state", 1))
    written(tmp_path, *TEN)
    (tmp_path / "journal-1").unlink()
    records, (notice,) = reread(tmp_path)
    assert records == [("state", 1)]
    assert "journal-1 is missing, and with it 10 records." in notice
    assert "snapshot-1.aside" in names(tmp_path)


@pytest.mark.parametrize("left", [0, 5, 22])
def test_a_journal_of_a_few_bytes_is_missed(tmp_path, left):
    snapshot(tmp_path, ("state", 1))
    written(tmp_path, *TEN)
    data = (tmp_path / "journal-1").read_bytes()[:left]
    (tmp_path / "journal-1").write_bytes(data)
    records, notices = reread(tmp_path)
    assert records == [("state", 1)]
    assert any("and with it 10 records" in notice for notice in notices)
    assert data in contents(tmp_path).values()


def test_a_missing_journal_in_which_nothing_was_is_not_missed(tmp_path):
    snapshot(tmp_path, ("state", 1))
    (tmp_path / "journal-1").unlink()
    assert reread(tmp_path) == ([("state", 1)], [])


def test_all_files_gone_is_said(tmp_path):
    snapshot(tmp_path, ("state", 1))
    for name in names(tmp_path):
        (tmp_path / name).unlink()
    records, (notice,) = reread(tmp_path)
    assert records == [] and "All that was kept has been removed" in notice


def test_a_missing_snapshot_is_said_and_its_journal_read(tmp_path):
    snapshot(tmp_path, ("state", 1))
    written(tmp_path, *TEN)
    (tmp_path / "snapshot-1").unlink()
    records, (notice,) = reread(tmp_path)
    assert records == TEN and "snapshot-1 is missing" in notice


# ---------------------------------------------------------------- snapshots


@pytest.mark.parametrize("spoil", ["halve", "flip"])
def test_a_damaged_snapshot_deletes_no_sound_journal(tmp_path, spoil):
    snapshot(tmp_path, *TEN)
    written(tmp_path, ("write", "in the journal"))
    path = tmp_path / "snapshot-1"
    data = path.read_bytes()
    start, end = spans(data)[5]
    if spoil == "halve":
        path.write_bytes(data[: start + 3])
    else:
        damage(path, end - 1)
    before = contents(tmp_path)

    journal, records = opened(tmp_path)
    (notice,) = journal.notices
    if spoil == "halve":
        assert records == [*TEN[:5], ("write", "in the journal")]
        assert "snapshot-1 is damaged: it ends before its time, and what stood behind is lost" in notice
    else:
        assert records == [*TEN[:5], *TEN[6:], ("write", "in the journal")]
        assert "1 record is lost" in notice
    journal.snapshot([("state", "what was left")])
    journal.close()
    assert reread(tmp_path) == ([("state", "what was left")], [])
    after = contents(tmp_path)
    assert after["snapshot-1.corrupt"] == before["snapshot-1"]
    assert after["journal-1.aside"] == before["journal-1"]


@pytest.mark.parametrize("spoil", ["halve", "flip", "empty", "remove"])
def test_where_the_older_pair_is_still_there_a_damaged_snapshot_costs_nothing(tmp_path, spoil):
    """The old files could not be removed yet. They and the new journal have everything."""
    snapshot(tmp_path, ("state", 1))
    written(tmp_path, *TEN[:5])
    old = {name: data for name, data in contents(tmp_path).items() if name in ("snapshot-1", "journal-1")}
    snapshot(tmp_path, ("state", "of both"))
    written(tmp_path, *TEN[5:])
    for name, data in old.items():
        (tmp_path / name).write_bytes(data)
    path = tmp_path / "snapshot-2"
    match spoil:
        case "halve":
            path.write_bytes(path.read_bytes()[:90])
        case "flip":
            damage(path, 90)
        case "empty":
            path.write_bytes(b"")
        case "remove":
            path.unlink()
    before = contents(tmp_path)
    records, _ = reread(tmp_path)
    assert records == [("state", 1), *TEN]
    kept = contents(tmp_path).values()
    assert all(any(data.startswith(lost) for data in kept) for name, lost in before.items() if name != "state")


# ---------------------------------------------------------------- files that do not belong


@pytest.mark.parametrize(
    "stray",
    [
        ("journal-99", b"fifty-thousand-seats 1\n"),
        ("snapshot-99", b"fifty-thousand-seats 1\n"),
        ("journal-99", b""),
        ("snapshot-99", b""),
        ("journal-99", b"a shopping list"),
        ("snapshot-99", b"a shopping list"),
        ("journal-99", Label("journal", 99, 98, 4711).line() + frame(4711, 0, "write", "foreign")),
        (
            "snapshot-99",
            Label("snapshot", 99, 98, 4711).line() + frame(4711, 0, "state", 1) + frame(4711, 1, END, None),
        ),
        ("snapshot-99", Label("snapshot", 99, 98, 4711).line() + frame(4711, 0, "state", 1)),
        ("snapshot-99.new", b"half of a"),
    ],
)
@pytest.mark.parametrize("state", ["with", "without"])
def test_a_stray_file_harms_nothing(tmp_path, stray, state):
    snapshot(tmp_path, ("state", 1))
    written(tmp_path, *TEN)
    name, data = stray
    (tmp_path / name).write_bytes(data)
    if state == "without":
        (tmp_path / "state").unlink()
    records, notices = reread(tmp_path)
    assert records == [("state", 1), *TEN]
    assert data in contents(tmp_path).values(), "nothing is deleted"
    assert bool(notices) == (len(data) > 0 and not name.endswith(".new"))
    snapshot(tmp_path, ("state", 2))
    assert reread(tmp_path) == ([("state", 2)], [])
    if not name.endswith(".new"):
        assert data in contents(tmp_path).values(), "nor by the next snapshot"


def test_a_file_that_is_no_journal_is_kept_aside(tmp_path):
    (tmp_path / "journal-0").write_bytes(b"a shopping list, somehow left in this place")
    records, (notice,) = reread(tmp_path)
    assert records == [] and "kept as journal-0.corrupt" in notice
    assert (tmp_path / "journal-0.corrupt").read_bytes().startswith(b"a shopping list")
    written(tmp_path, *TEN)
    assert reread(tmp_path) == (TEN, [])


# ---------------------------------------------------------------- records that their owner cannot use


def test_rejected_records_are_set_aside_and_deleted_by_nothing(tmp_path):
    snapshot(tmp_path, ("state", 1), ("unheard of", 2))
    written(tmp_path, *TEN)
    (tmp_path / "rejected-0").write_bytes(b"of an earlier start")
    before = contents(tmp_path)

    journal = Journal(tmp_path)
    used = []
    for record in journal.replay():
        if record[0] == "unheard of" or record == TEN[3]:
            journal.reject(record, "nobody knows it")
        else:
            used.append(record)
    assert used == [("state", 1), *TEN[:3], *TEN[4:]]
    assert journal.notices == [
        f"In the data directory {tmp_path}: 2 records could not be used and were set aside in rejected-1; everything "
        f"else was. The first is unheard of: nobody knows it. {KEPT}"
    ]
    assert journal.wants_snapshot(idle=True)
    journal.snapshot(used)
    journal.close()
    assert reread(tmp_path) == (used, [])
    after = contents(tmp_path)
    assert after["rejected-0"] == b"of an earlier start"
    assert list(RecordReader(after["rejected-1"]).records()) == [
        ("rejected", ("nobody knows it", "unheard of", 2)),
        ("rejected", ("nobody knows it", *TEN[3])),
    ]
    assert after["snapshot-1.aside"] == before["snapshot-1"] and after["journal-1.aside"] == before["journal-1"]


def test_a_full_disk_keeps_no_rejected_record_from_being_passed_over(tmp_path, monkeypatch):
    written(tmp_path, *TEN)
    real = os.open

    def full(path, *arguments):
        if "rejected" in str(path):
            raise OSError(28, "No space left on device")
        return real(path, *arguments)

    monkeypatch.setattr(os, "open", full)
    journal = Journal(tmp_path)
    for record in journal.replay():
        journal.reject(record, "it is a test")
    journal.close()
    (notice,) = journal.notices
    assert "10 records could not be used" in notice and "No space left on device" in notice


# ---------------------------------------------------------------- versions


def test_files_of_version_1_are_read_and_gone_on_with(tmp_path):
    version_1(tmp_path / "snapshot-3", ("state", 1))
    version_1(tmp_path / "journal-3", *TEN)
    assert reread(tmp_path) == ([("state", 1), *TEN], [])
    written(tmp_path, ("write", "after"))
    assert reread(tmp_path) == ([("state", 1), *TEN, ("write", "after")], [])
    snapshot(tmp_path, ("state", 2))
    assert reread(tmp_path) == ([("state", 2)], [])
    assert len(names(tmp_path)) == 2


def test_a_first_journal_of_version_1_is_read(tmp_path):
    version_1(tmp_path / "journal-0", *TEN)
    assert reread(tmp_path) == (TEN, [])


@pytest.mark.parametrize("place", [21, 22, 60, 61, 66, 70, 74])
def test_damage_in_version_1_costs_one_record(tmp_path, place):
    version_1(tmp_path / "journal-0", *TEN)
    damage(tmp_path / "journal-0", place, 0x02)
    records, (notice,) = reread(tmp_path)
    if place < 23:
        assert records == TEN and "no record of it is lost" in notice
    else:
        assert len(records) == 9 and all(record in TEN for record in records)
        assert "one or more records are lost" in notice


def test_a_halved_snapshot_of_version_1_deletes_nothing(tmp_path):
    version_1(tmp_path / "snapshot-3", *TEN)
    version_1(tmp_path / "journal-3", ("write", "after"))
    before = (tmp_path / "snapshot-3").read_bytes()[:200]
    (tmp_path / "snapshot-3").write_bytes(before)
    records, (notice,) = reread(tmp_path)
    assert records[-1] == ("write", "after") and 1 < len(records) < 11
    assert "snapshot-3 is damaged: it ends before its time" in notice
    assert (tmp_path / "snapshot-3.corrupt").read_bytes() == before


@pytest.mark.parametrize(
    "label",
    [
        b"fifty-thousand-seats 3\n",
        b"fifty-thousand-seats 12\n",
        Label("journal", 0, None, 7).line().replace(b" 2 ", b" 3 "),
    ],
)
def test_a_newer_version_is_refused_and_untouched(tmp_path, label):
    if b"mark" in label:
        label = label[:-9] + b"%08x\n" % zlib.crc32(label[:-9])
    written(tmp_path, *TEN)
    (tmp_path / "journal-0").write_bytes(label + b"whatever that version writes")
    before = contents(tmp_path)
    journal = Journal(tmp_path)
    with pytest.raises(
        JournalError, match=r"written by a newer version of this node \(format \d+; .* Nothing was chan"
    ):
        list(journal.replay())
    journal.close()
    assert {**contents(tmp_path), "lock": b""} == {**before, "lock": b""}


# ---------------------------------------------------------------- anything at all


def test_whatever_happens_to_the_files_what_is_sound_comes_back(tmp_path):
    """Several hundred accidents, each to a fresh copy of one directory: none may keep it from opening, cost a record
    that is still there, delete a byte, lose without a word, or cry wolf."""
    chance = random.Random(20260501)
    state = [
        ("state", {"number": number, "blob": bytes(chance.randrange(256) for _ in range(40))}) for number in range(8)
    ]
    rows = [("write", [number, "x" * chance.randrange(60), {b"k": (number, None)}]) for number in range(200)]
    first = tmp_path / "first"
    snapshot(first, *state)
    written(first, *rows)
    files = contents(first)
    names_of = {"snapshot-1": state, "journal-1": rows}
    places = {name: spans(files[name]) for name in names_of}
    assert len(places["journal-1"]) == 200 and len(places["snapshot-1"]) == 9

    def what_is_left(name, first_bad, last_bad):
        """All records but those of a file that have a byte from one place to another."""
        return [
            record
            for each, records in names_of.items()
            for record, (start, end) in zip(records, places[each], strict=False)
            if each != name or end <= first_bad or start > last_bad
        ]

    def accident(number):
        """Files as they are then, the records that are still in them, and whether something is amiss."""
        now = dict(files)
        name = chance.choice(["journal-1", "journal-1", "snapshot-1", "state", "lock"])
        place = chance.randrange(len(now[name]))
        everything = state + rows
        match number % 6:
            case 0 | 1:
                data = bytearray(now[name])
                data[place] ^= 1 << chance.randrange(8)
                now[name] = bytes(data)
                return now, what_is_left(name, place, place), name in names_of
            case 2:
                now[name] = now[name][:place]
                return now, what_is_left(name, place, len(files[name])), name in names_of
            case 3:
                del now[name]
                return now, what_is_left(name, -1, len(files[name])), name in names_of
            case 4:
                now[f"{chance.choice(['journal', 'snapshot'])}-{chance.randrange(2, 9)}"] = files[
                    chance.choice(list(names_of))
                ]
                return now, everything, False
            case 5:
                now["journal-1"], now["snapshot-1"] = now["snapshot-1"], now["journal-1"]
                return now, everything, False

    directory = tmp_path / "accident"
    directory.mkdir()
    for number in range(240):
        now, expected, amiss = accident(number)
        for path in directory.iterdir():
            path.unlink()
        for name, data in now.items():
            (directory / name).write_bytes(data)
        journal, records = opened(directory)
        assert records == expected, number
        assert bool(journal.notices) == amiss, (number, journal.notices)
        journal.append("write", "life goes on")
        journal.close()
        kept = list(contents(directory).values())
        for name, data in now.items():
            if name not in ("lock", "state"):
                assert any(other.startswith(data) for other in kept), (number, name)
        if number % 10 == 0:
            journal, records = opened(directory)
            assert records == [*expected, ("write", "life goes on")], number
            journal.snapshot(records)
            journal.close()
            assert reread(directory) == (records, []), number
            if amiss:
                kept = list(contents(directory).values())
                assert all(data in kept for name, data in now.items() if name in names_of), number
