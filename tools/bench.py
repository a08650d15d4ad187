"""Measures the course's own figures: ``python -m tools.bench [--seats N]``; prints them, writes ``out/bench.json``.

On an embedded node of its own, in a temporary folder, or on the server that SCYLLA_HOSTS names (then without the
figures of the node's start and memory).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psutil

from helpers.lab.clock import server_now
from helpers.lab.connection import connect, disconnect
from helpers.lab.errors import LabError
from helpers.lab.latency import Latencies
from helpers.lab.node import PROJECT, running_node, stop_node
from helpers.lab.quiet_gc import quiet_gc
from helpers.lab.statements import apply_cql, prepared
from helpers.shop import fan_out
from helpers.shop.box_office import hold_seat
from helpers.shop.event import Event
from helpers.shop.opening import open_chapter
from helpers.shop.venue import FULL_HOUSE
from tools import bench_checkout
from tools.arguments import Arguments, seats
from tools.bench_checkout import Figure
from tools.private_node import private_node
from tools.results import Results, ResultsError

if TYPE_CHECKING:
    from cassandra.cluster import Session

KEYSPACE = "seats_bench"
STARTS = 5
LEAST_SEATS = 20  # fewer give no round of contested seats, and no hold that lapses
SAMPLE = 2_000
HOLDS = 1_000


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    embedded = not os.environ.get("SCYLLA_HOSTS")
    try:
        if options.seats < LEAST_SEATS:
            raise LabError(f"{options.seats} seats are too few to measure with: give at least {LEAST_SEATS}.")
        output = _writable(options.output.resolve())
        with private_node(or_server=True):
            try:
                figures = measure(options.seats, embedded)
            finally:
                disconnect()
    except (LabError, ResultsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted: nothing was written.", file=sys.stderr)
        return 130
    print(table(figures))
    output.write_text(json.dumps(_document(options.seats, figures), indent=2) + "\n", encoding="utf-8")
    return 0


def _writable(output: Path) -> Path:
    """The same file, known to be writable before a minute of measuring begins."""
    results = PROJECT / "out"
    if output.parent == results:
        return Results(results).open().claim(output.name, known=_has_figures)[0]
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output.parent):
            return output
    except OSError as error:
        raise LabError(f"{output} cannot be written ({error.strerror}): name another file with --output.") from None


def _has_figures(path: Path) -> bool:
    try:
        return '"figures": [' in path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = Arguments(prog="python -m tools.bench", description="Measure the course's figures.")
    parser.add_argument("--seats", type=seats, default=FULL_HOUSE, help="size of the venue (50000)")
    parser.add_argument("--output", type=Path, default=PROJECT / "out" / "bench.json", help="file (out/bench.json)")
    return parser.parse_args(arguments)


def measure(seats: int, embedded: bool) -> list[Figure]:
    """All figures, in the order in which they are printed."""
    figures = [_start("start, empty")] if embedded else []
    session = connect()
    event = open_chapter(session, KEYSPACE, 1)
    apply_cql(session, "checkout.cql")
    session.execute("TRUNCATE tickets")
    event = Event(seats=seats)
    event.tickets  # noqa: B018  made before the clock runs
    slow = fan_out.one_by_one(session, event.tickets[:SAMPLE])
    middle = fan_out.concurrent(session, event.tickets[:SAMPLE])
    fast = fan_out.batches(session, event.tickets)
    names = [f"fan-out {result.strategy}" for result in (slow, middle, fast)]
    figures.append(Figure(names[0], slow.rows_per_second, "rows/s"))
    figures += [
        Figure(name, run.rows_per_second, "rows/s", None, names[0], run.rows_per_second / slow.rows_per_second)
        for name, run in zip(names[1:], (middle, fast), strict=True)
    ]
    figures.append(Figure(f"{seats:,} tickets with their view", fast.seconds, "s", 3.0))
    figures.append(_read_view(session, event))
    if embedded:
        figures.append(_memory(f"memory, {seats:,} tickets and view", 150))
    figures += _holds(session, event)
    figures += bench_checkout.measure(session, KEYSPACE, seats, embedded)
    if embedded:
        figures.append(_memory("memory after all of the above"))
        disconnect()
        figures.append(_start(f"start, {seats:,} tickets", figures[0]))
    return figures


def table(figures: list[Figure]) -> str:
    """The figures as a table for a terminal."""
    lines = [f"{'figure':<34} {'value':>12} {'':<7} {'target':>8}  ratio"]
    for each in figures:
        target = "" if each.target is None else f"{each.target:g}"
        ratio = "" if each.ratio is None else f"{each.ratio:.2f} × {each.against}"
        lines.append(f"{each.name:<34} {each.value:>12,.2f} {each.unit:<7} {target:>8}  {ratio}".rstrip())
    return "\n".join(lines)


def _start(name: str, empty: Figure | None = None) -> Figure:
    """Seconds from starting the process until it says that it accepts connections, the median of several starts."""
    seconds = []
    for _ in range(STARTS):
        stop_node()
        begin = time.perf_counter()
        running_node()
        seconds.append(time.perf_counter() - begin)
    value = statistics.median(seconds)
    return Figure(name, value, "s", 0.5, empty.name if empty else None, empty.value / value if empty else None)


def _memory(name: str, target: float | None = None) -> Figure:
    """Megabytes that the node's process holds."""
    return Figure(name, psutil.Process(running_node().pid).memory_info().rss / 1e6, "MB", target)


def _read_view(session: Session, event: Event) -> Figure:
    query = prepared(session, "select_available_tickets")
    with quiet_gc():
        begin = time.perf_counter()
        rows = sum(1 for _ in session.execute(query, (event.id,)))
        seconds = time.perf_counter() - begin
    if rows != event.seats:
        raise RuntimeError(f"The view has {rows:,} rows, not {event.seats:,}.")
    return Figure(f"{rows:,} rows read through the view", seconds, "s")


def _holds(session: Session, event: Event) -> list[Figure]:
    """A bare conditional update against a whole hold, which also writes the queue and the order."""
    bare, whole = Latencies("bare"), Latencies("hold")
    tickets = event.tickets[: 2 * HOLDS]
    half = len(tickets) // 2
    update, until = prepared(session, "hold_seat"), server_now(session)
    with quiet_gc():
        for ticket in tickets[:half]:
            with bare.measure():
                values = ("Ada", uuid4(), until, ticket.event_id, ticket.ticket_id)
                session.execute(update, values)
        for ticket in tickets[half:]:
            with whole.measure():
                hold_seat(session, ticket, "Ada")
    name = "conditional updates, one by one"
    return [
        Figure(name, 1000 / bare.mean, "/s"),
        Figure("holds, one by one", 1000 / whole.mean, "/s", None, name, bare.mean / whole.mean),
        Figure("hold p50", whole.p50, "ms", None, "an update's", bare.p50 / whole.p50),
        Figure("hold p99", whole.p99, "ms", None, "an update's", bare.p99 / whole.p99),
    ]


def _document(seats: int, figures: list[Figure]) -> dict[str, object]:
    return {
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "engine": os.environ.get("SCYLLA_HOSTS") or "embedded",
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "seats": seats,
        "figures": [asdict(each) for each in figures],
    }


if __name__ == "__main__":
    sys.exit(main())
