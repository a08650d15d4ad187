"""ChangeReader against a list of what was written: once each without faults, at least once with them, none missed.

Time is pushed, so that a safety of 30 s costs no waiting; the tests use a node of their own for that. With FULL=1 there
are three times as many changes and failures as every day.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cassandra import ConsistencyLevel, OperationTimedOut
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import ConstantReconnectionPolicy

from scylla_cdc import (
    Change,
    ChangeReader,
    ChangeReaderError,
    ChangesLostError,
    MemoryCheckpoints,
    NoLogError,
    StreamId,
    TableCheckpoints,
    stream_ids,
)
from tests.conformance.change_source import EMBEDDED, SAFETY, Lab, Source, assert_in_order, values_of
from tests.conformance.conftest import eventually, open_cluster
from tests.engines.embedded import EmbeddedNode, start_embedded
from tests.full import in_full
from tests.patience import HOUR, PATIENT_CLUSTER, SECONDS

pytestmark = pytest.mark.differs("cassandra", "its change log is a file, not a table")

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest) -> Iterator[Any]:
    if not EMBEDDED:
        yield request.getfixturevalue("engine")
        return
    with start_embedded() as node:
        yield node


@pytest.fixture(scope="module")
def lab(node: Any) -> Iterator[Lab]:
    cluster = open_cluster(node)
    yield Lab(node, cluster.connect())
    cluster.shutdown()


@pytest.fixture(scope="module")
def vnodes(lab: Lab) -> Iterator[str]:
    yield from lab.make_keyspace(tablets=False)


@pytest.fixture(scope="module")
def tablets(lab: Lab) -> Iterator[str]:
    yield from lab.make_keyspace(tablets=True)


@pytest.fixture(params=["vnodes", "tablets"])
def source(request: pytest.FixtureRequest, lab: Lab) -> Source:
    return Source(lab, request.getfixturevalue(request.param), tablets=request.param == "tablets")


@pytest.fixture
def table(lab: Lab, vnodes: str) -> Source:
    """Where the kind of keyspace makes no difference."""
    return Source(lab, vnodes)


# ---------------------------------------------------------------- without faults: each once


@pytest.mark.parametrize("group_by", ["stream", "range", 3, 1000])
def test_every_change_comes_once(source: Source, group_by: Any) -> None:
    source.write(150)
    changes = source.rest_of(source.reader(group_by=group_by, page_size=7))
    assert Counter(values_of(changes)) == Counter(source.written)
    assert_in_order(changes)


def test_a_round_asks_for_64_streams_at_once(source: Source) -> None:
    """Each round asks for every stream, also where nothing happens: one by one, 256 streams would be 256 queries."""
    reader = ChangeReader(source.lab.session, source.keyspace, source.table, now=source.lab.now)
    list(reader.poll())
    groups = [len(group.streams) for group in reader.progress().groups]
    assert sum(groups) == len(stream_ids(source.lab.session, source.keyspace, source.table))
    assert len(groups) == -(-sum(groups) // 64)


def test_every_change_comes_once_while_writers_go_on(source: Source) -> None:
    reader, changes = source.reader(checkpoints=source.checkpoints()), []
    with source.being_written(most=in_full(3_000, 1_000)):
        while len(changes) < in_full(1_000, 300):
            source.lab.settle()
            changes += reader.poll()
    changes += source.rest_of(reader)
    assert Counter(values_of(changes)) == Counter(source.written)
    assert_in_order(changes)
    progress = reader.progress()
    assert progress.changes == progress.rows == len(changes)


def test_a_clean_stop_repeats_nothing(table: Source) -> None:
    """Each loop stops its reader, and the next reader goes on from the checkpoints."""
    table.write(100)
    table.lab.settle()
    delivered: list[Change] = []
    memory = MemoryCheckpoints()
    # Some ten times: there are 8 groups, and a stop ends the reading with the group and the window at hand.
    while len(delivered) < len(table.written):
        reader = table.reader(checkpoints=memory, page_size=5, group_by=32, stop="now")
        for change in reader:
            delivered.append(change)
            reader.stop()
    assert Counter(values_of(delivered)) == Counter(table.written)


# ---------------------------------------------------------------- with faults: at least once, none missed


class Faulty(Exception):
    """What a consumer may do."""


def test_none_is_missed_by_a_consumer_that_fails(source: Source) -> None:
    """It raises at random points, Ctrl-C among them; each time a new reader goes on from the table."""
    chance, delivered, failures = random.Random(4), [], 0

    def consume(change: Change) -> None:
        if chance.random() < 0.01:
            raise chance.choice([Faulty, KeyboardInterrupt])
        delivered.append(change)

    with source.being_written(most=in_full(1_500, 500)):
        # Where time has to be waited for, each reader stays behind the clock for its whole safety interval.
        for _ in range(in_full(30, 10) if EMBEDDED else 5):
            source.lab.settle()
            reader = source.reader(checkpoints=source.checkpoints(), window=chance.choice([5, 60]), page_size=20)
            reader.stop(at=source.lab.now())
            try:
                source.lab.settle()
                reader.run(consume)
            except (Faulty, KeyboardInterrupt):
                failures += 1
            source.write()
    delivered += source.rest_of(source.reader(checkpoints=source.checkpoints()))
    assert failures and set(values_of(delivered)) == set(source.written)
    assert_in_order(delivered)


def test_none_is_missed_by_a_reader_left_in_the_middle_of_a_window(source: Source) -> None:
    chance, left, delivered = random.Random(5), [], []
    with source.being_written(most=in_full(1_500, 500)):
        for _ in range(in_full(10, 4)):
            source.lab.settle()
            changes = source.reader(checkpoints=source.checkpoints(), page_size=10).poll()
            for _ in range(chance.randrange(60)):
                delivered += filter(None, [next(changes, None)])
            left.append(changes)  # not even closed: as if its process was gone
    delivered += source.rest_of(source.reader(checkpoints=source.checkpoints()))
    assert set(values_of(delivered)) == set(source.written)
    assert_in_order(delivered)


READER = """
import sys
from types import SimpleNamespace
from scylla_cdc import ChangeReader, TableCheckpoints
from tests.conformance.conftest import open_cluster
host, port, keyspace, table, safety = sys.argv[1:]
session = open_cluster(SimpleNamespace(host=host, port=int(port))).connect()
now = lambda: session.execute("SELECT toTimestamp(now()) FROM system.local WHERE key = 'local'").one()[0]
memory = TableCheckpoints(session, keyspace, table + "_checkpoints")
for change in ChangeReader(session, keyspace, table, start="beginning", safety=float(safety), pause=0.05, group_by=16,
                           window=2, page_size=10, checkpoints=memory, now=now):
    for row in change.delta:
        sys.stdin.readline()  # it is let run only so far
        print(row["v"], flush=True)
"""


def test_none_is_missed_when_the_process_is_killed(table: Source) -> None:
    node, delivered = table.lab.node, []
    command = [sys.executable, "-c", READER, node.host, str(node.port), table.keyspace, table.table, str(SAFETY)]
    with table.being_written(most=1_000):
        for enough in (40, 300):
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert eventually(lambda: len(table.written) >= 400)
            table.lab.settle()
            # It never has more than there is to read, and may be a few rows ahead of what is read here when it dies.
            process.stdin.write("\n" * (enough + 10))
            process.stdin.flush()
            delivered += [int(process.stdout.readline()) for _ in range(enough)]
            process.kill()
            # What it has said by then it may have saved as delivered.
            delivered += map(int, process.communicate()[0].split())
    before = set(delivered)
    delivered += values_of(table.rest_of(table.reader(checkpoints=table.checkpoints())))
    assert before < set(delivered) == set(table.written)


def test_a_reader_that_had_no_change_yet_knows_where_it_began(table: Source) -> None:
    assert list(table.reader(start=None, checkpoints=table.checkpoints()).poll()) == []
    table.write(20)
    table.lab.settle()
    later = table.reader(start=None, checkpoints=table.checkpoints())
    assert sorted(values_of(table.rest_of(later))) == table.written


def test_none_is_missed_when_streams_are_grouped_anew(table: Source) -> None:
    """Some streams of the new groups are read further than others: the least counts."""
    table.write(60)
    table.lab.settle()
    memory, delivered = MemoryCheckpoints(), []
    small = table.reader(checkpoints=memory, group_by=2)
    for change in small:
        delivered.append(change)
        if len(delivered) > 20:
            small.stop()
    delivered += table.rest_of(table.reader(checkpoints=memory, group_by=100))
    assert set(values_of(delivered)) == set(table.written)


# ---------------------------------------------------------------- generations


@pytest.mark.embedded
def test_generations_are_read_one_after_the_other(source: Source) -> None:
    reader, changes = source.reader(checkpoints=source.checkpoints()), []
    for _ in range(3):
        source.write(60)
        source.new_streams()
        changes += reader.poll()  # knows of the new streams, while there is more to come from the old ones
        source.lab.push(0.01)  # they begin a millisecond after they were made
    source.write(60)
    changes += source.rest_of(reader)
    assert Counter(values_of(changes)) == Counter(source.written)
    assert_in_order(changes)
    # All of one round of writes, then all of the next.
    assert [value // 60 for value in values_of(changes)] == [0] * 60 + [1] * 60 + [2] * 60 + [3] * 60
    progress = reader.progress()
    assert (progress.changes, progress.next_generation) == (240, None)


@pytest.mark.embedded
def test_none_is_missed_across_generations_with_writers_and_failures(source: Source) -> None:
    chance, delivered, failures = random.Random(6), [], 0

    def consume(change: Change) -> None:
        if chance.random() < 0.01:
            raise Faulty
        delivered.append(change)

    with source.being_written(most=in_full(2_000, 700)):
        for round_number in range(in_full(20, 10)):
            if round_number % 6 == 3:
                source.new_streams()
            reader = source.reader(checkpoints=source.checkpoints(), page_size=25)
            reader.stop(at=source.lab.now())
            source.lab.settle()
            try:
                reader.run(consume)
            except Faulty:
                failures += 1
            source.write()
    delivered += source.rest_of(source.reader(checkpoints=source.checkpoints()))
    assert failures and set(values_of(delivered)) == set(source.written)
    assert_in_order(delivered)


@pytest.mark.embedded
def test_a_reader_that_was_away_for_a_new_generation_reads_all_of_it(source: Source) -> None:
    assert list(source.reader(start=None, checkpoints=source.checkpoints()).poll()) == []
    for _ in range(2):
        source.write(20)
        source.new_streams()
    source.write(20)
    source.lab.settle()
    later = source.reader(start=None, checkpoints=source.checkpoints())
    assert Counter(values_of(source.rest_of(later))) == Counter(source.written)


@pytest.mark.embedded
def test_a_consumer_hears_of_streams_and_of_how_far_all_of_them_are(source: Source) -> None:
    told: list[tuple[str, Any]] = []

    class Consumer:
        def started(self, stream: StreamId) -> None:
            told.append(("started", stream))

        def ended(self, stream: StreamId) -> None:
            told.append(("ended", stream))

        def advanced(self, until: Any) -> None:
            told.append(("advanced", until))

        def consume(self, change: Change) -> None:
            told.append(("change", change))

    source.write(30)
    source.new_streams()
    source.write(30)
    reader = source.reader()
    end = source.lab.soon()
    reader.stop(at=end)
    source.lab.settle()
    assert reader.run(Consumer()) == 60
    live: set[StreamId] = set()
    until = None
    for what, about in told:
        if what == "started":
            live.add(about)
        elif what == "ended":
            live.remove(about)
        elif what == "advanced":
            assert until is None or about >= until
            until = about
        else:
            assert about.stream in live and (until is None or about.written_at >= until)
    ended = {about for what, about in told if what == "ended"}
    assert until == end and ended and live and not ended & live


# ---------------------------------------------------------------- where it begins and ends


def test_it_begins_now_or_when_it_is_told(table: Source) -> None:
    table.write(10)
    between = table.lab.soon()
    assert eventually(lambda: table.lab.now() > between)
    from_now = table.reader(start=None)
    table.write(10)
    for reader in (from_now, table.reader(start=between)):
        assert sorted(values_of(table.rest_of(reader))) == list(range(10, 20))


def test_it_reads_up_to_a_time_and_no_further(table: Source) -> None:
    table.write(10)
    between = table.lab.soon()
    assert eventually(lambda: table.lab.now() > between)
    table.write(10)
    table.lab.settle()
    reader = table.reader(stop=between)
    assert sorted(values_of(list(reader))) == list(range(10))
    assert reader.progress().position == between


def test_stop_ends_a_reader_that_waits(table: Source) -> None:
    reader = table.reader(pause=3600)
    reading = threading.Thread(target=reader.run, args=(lambda change: None,))
    reading.start()
    assert eventually(lambda: reader.progress().generation is not None)
    with pytest.raises(ChangeReaderError, match="read in another thread"):
        list(reader.poll())
    reader.stop()
    reading.join(SECONDS)
    assert not reading.is_alive()


def test_the_lag_is_seen(table: Source) -> None:
    table.write()
    reader = table.reader()
    assert (reader.progress().lag, str(reader.progress())) == (None, "reading has not begun")
    table.rest_of(reader)
    at_the_end = reader.progress()
    assert timedelta(seconds=SAFETY) <= at_the_end.lag < timedelta(seconds=SAFETY + 60)
    assert "1 changes read" in str(at_the_end) and "256 streams in 4 groups" in str(at_the_end)
    if EMBEDDED:
        table.lab.push(1000)
        assert reader.progress().lag >= at_the_end.lag + timedelta(seconds=1000)


def test_asynchronous_iteration(source: Source) -> None:
    source.write(200)
    reader = source.reader(page_size=9)
    reader.stop(at=source.lab.soon())
    source.lab.settle()

    async def read() -> list[Change]:
        return [change async for change in reader]

    changes = asyncio.run(read())
    assert Counter(values_of(changes)) == Counter(source.written)
    assert_in_order(changes)


def test_an_asynchronous_reader_can_be_cancelled_and_taken_up_again(table: Source) -> None:
    table.write(50)
    table.lab.settle()
    reader, delivered = table.reader(checkpoints=MemoryCheckpoints(), pause=3600), []

    async def read() -> None:
        async with aclosing(aiter(reader)) as changes:
            async for change in changes:
                delivered.append(change)

    async def cancel() -> None:
        task = asyncio.create_task(read())
        while len(delivered) < 50:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    table.write(10)
    delivered += table.rest_of(reader)
    assert set(values_of(delivered)) == set(table.written)


# ---------------------------------------------------------------- trouble


@pytest.mark.embedded
def test_what_the_log_has_forgotten_is_told(lab: Lab, vnodes: str) -> None:
    source = Source(lab, vnodes, cdc="'enabled': true, 'ttl': 600")
    source.write(3)
    assert len(source.rest_of(source.reader(checkpoints=source.checkpoints()))) == 3
    away = lab.now()
    source.write(3)
    lab.push(1000)
    source.write(3)
    with pytest.raises(ChangesLostError, match=r"between .* and .* UTC may have gone unread: .* 600 s") as lost:
        source.rest_of(source.reader(checkpoints=source.checkpoints()))
    assert lost.value.begin <= away + timedelta(seconds=1) and lost.value.end > away + timedelta(seconds=300)
    reader = source.reader(checkpoints=source.checkpoints(), accept_loss=True)
    assert sorted(values_of(source.rest_of(reader))) == [6, 7, 8]
    (gap,) = reader.progress().lost
    assert gap.begin == lost.value.begin and gap.end >= lost.value.end


@pytest.mark.embedded
def test_a_log_that_forgets_before_it_may_be_read(lab: Lab, vnodes: str) -> None:
    source = Source(lab, vnodes, cdc="'enabled': true, 'ttl': 20")
    with pytest.raises(ChangeReaderError, match="keeps changes for 20 s, and this reader looks at them after 30 s"):
        list(source.reader().poll())


def test_a_table_without_a_log(table: Source) -> None:
    plain = f"{table.table}_plain"
    table.lab.session.execute(f"CREATE TABLE {table.keyspace}.{plain} (p int PRIMARY KEY)")
    for name, sentence in (
        (plain, r"has no log of its changes: .* ALTER TABLE .* WITH cdc = \{'enabled': true\} begins one"),
        ("nowhere", r"There is no table \w+\.nowhere\."),
        (f"{table.table}_scylla_cdc_log", f"Name the table whose changes are to be read.*: {table.name}\\."),
    ):
        table.table = name
        with pytest.raises(NoLogError, match=sentence):
            list(table.reader().poll())


def test_a_log_that_is_dropped_while_it_is_read(table: Source) -> None:
    reader = table.reader()
    table.rest_of(reader)
    table.lab.session.execute(f"DROP TABLE {table.name}")
    with pytest.raises(ChangeReaderError, match=r"could not read the log of .*unconfigured table"):
        table.rest_of(reader)


def test_checkpoints_of_another_table_are_not_taken(table: Source, lab: Lab) -> None:
    other = Source(lab, table.keyspace)
    list(table.reader(checkpoints=table.checkpoints()).poll())
    with pytest.raises(ChangeReaderError, match=f"is taken: 'Checkpoints of a reader of {table.name}'"):
        list(other.reader(checkpoints=table.checkpoints()).poll())


@pytest.mark.embedded
def test_checkpoints_are_saved_when_writing_is_possible_again(table: Source) -> None:
    table.write(50)
    reader = table.reader(checkpoints=table.checkpoints())
    list(reader.poll())
    table.lab.settle()
    assert table.lab.node.control("refuse_writes", seconds=HOUR)["ok"]
    with ThreadPoolExecutor(1) as pool:
        try:
            reading = pool.submit(lambda: list(reader.poll()))
            assert eventually(lambda: reader.progress().retries > 0)
        finally:
            assert table.lab.node.control("refuse_writes", seconds=0)["ok"]
        assert len(reading.result(SECONDS)) == 50
    assert "Unavailable" in reader.progress().last_error
    assert list(table.reader(checkpoints=table.checkpoints()).poll()) == []


@pytest.mark.embedded
def test_impatience(table: Source) -> None:
    table.write(5)
    checkpoints = TableCheckpoints(table.lab.session, table.keyspace, "impatient", consistency=ConsistencyLevel.TWO)
    with pytest.raises(ChangeReaderError, match=r"could not open its checkpoints, for \d+ s: Unavailable"):
        list(table.reader(checkpoints=checkpoints, patience=0.5).poll())


@pytest.mark.embedded
def test_the_node_dies_and_comes_back(tmp_path: Path) -> None:
    node = EmbeddedNode(tmp_path)
    cluster = Cluster(
        [node.host],
        port=node.port,
        protocol_version=4,
        execution_profiles={EXEC_PROFILE_DEFAULT: ExecutionProfile(request_timeout=SECONDS)},
        reconnection_policy=ConstantReconnectionPolicy(0.2, max_attempts=None),
        **PATIENT_CLUSTER,
    )
    try:
        lab = Lab(node, cluster.connect())
        source, delivered = Source(lab, next(lab.make_keyspace(tablets=False))), []
        source.write(50)
        reader = source.reader(checkpoints=source.checkpoints())
        lab.settle()
        reading = threading.Thread(target=reader.run, args=(delivered.append,))
        reading.start()
        assert eventually(lambda: len(delivered) == 50)
        node.kill()
        node = lab.node = EmbeddedNode(tmp_path, port=node.port)
        assert eventually(lambda: answers(lab))
        source.write(50)
        reader.stop(at=lab.soon())
        lab.settle()
        reading.join(SECONDS)
        assert not reading.is_alive()
        assert Counter(values_of(delivered)) == Counter(source.written)
    finally:
        cluster.shutdown()
        node.stop()


def answers(lab: Lab) -> bool:
    """Has the session found its node again?"""
    try:
        return lab.now() is not None
    except (NoHostAvailable, OperationTimedOut):
        return False
