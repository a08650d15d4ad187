"""A shop with a few seats, its buyers and two sweepers, to which anything may happen, and what must be true of it."""

from __future__ import annotations

from collections import Counter
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

from cassandra import OperationTimedOut
from cassandra.query import dict_factory

from embedded_scylla.assembly import assemble
from helpers import Event, apply_cql
from helpers.lab.clock import ask_again, server_now
from helpers.lab.statements import prepared
from helpers.shop import on_sale
from helpers.shop.box_office import Hold, release_expired
from helpers.shop.deadlines import QueueKey
from helpers.shop.parties import Party
from helpers.shop.sweeper import Sweeper, close_books
from scylla_cdc.rows import Change, ChangeAssembler, RowDecoder
from tests.protocol.faults import Died, Fault, FaultySession
from tests.protocol.inprocess import InProcessSession
from tests.protocol.offices import Office

KEYSPACE = "proof"
SEATS = 3
EPOCH = datetime(1970, 1, 1)
LONGEST_HOLD = 900


class DoubleSale(AssertionError):
    """The one thing that must never happen."""


class SweeperProcess:
    """A sweeper that reads the log in pieces, and begins again at its checkpoint when it dies."""

    def __init__(self, world: World):
        self.world = world
        self.checkpoint = 0  # µs: everything before was consumed, and settled or learnt again
        self.restart()

    def restart(self) -> None:
        self.sweeper = Sweeper(self.world.session, audit_seconds=None, at_once=1)
        self.position = self.checkpoint

    def reread(self, micros: int) -> None:
        """Consume some changes once more."""
        self.position = max(0, self.position - micros)

    def sweep(self, most: int) -> None:
        """Read at most so many changes, settle what is due now, and save the checkpoint."""
        for change in self.world.changes(self.position)[:most]:
            self.sweeper.consume(change)
            self.position = change.micros + 1
        self.sweeper.settle_due(server_now(self.world.session))
        since = self.sweeper.deadlines.needed_since()
        needed = self.position if since is None else (since - EPOCH) // timedelta(microseconds=1)
        self.checkpoint = min(self.position, needed)


@dataclass
class Books:
    """Everything the database says, read at once."""

    tickets: dict[UUID, Any]
    orders: dict[UUID, Any]
    offered: bool


class World:
    """``office`` is how it is run. ``told`` remembers to whom each seat was promised for good, ``hurt`` whether
    something was left undone that a sweeper has to heal, ``returned`` whether a late message has arrived; ``sent`` has
    the texts of what the last operation asked."""

    def __init__(self, office: Office):
        self.office = office
        self.node = assemble()
        self.plain = InProcessSession(self.node)
        self.session = FaultySession(self.plain)
        self.event = Event(seats=SEATS)
        self.steps = 0
        with redirect_stdout(StringIO()):
            apply_cql(self.plain, "keyspace.cql", keyspace=KEYSPACE, replicas=1)
            self.plain.set_keyspace(KEYSPACE)
            for file in ("tables.cql", "views.cql", "checkout.cql"):
                apply_cql(self.plain, file)
        self._log_after = self.plain.prepare(
            'SELECT * FROM order_queue_scylla_cdc_log WHERE "cdc$stream_id" = ? AND "cdc$time" >= minTimeuuid(?)'
        )
        self._tickets = self.plain.prepare(
            "SELECT ticket_id, status, held_by, hold_id, held_until FROM tickets WHERE event_id = ?"
        )
        self._orders = self.plain.prepare("SELECT order_id, ticket_id, status FROM orders")
        self._decode = RowDecoder(QueueKey._fields)
        self.begin()

    def begin(self) -> None:
        """Everything as it was before the shop opened."""
        self.node.dials.delay_views(0)
        self.node.upkeep.run_due()
        for table in ("orders", "order_queue", "order_queue_scylla_cdc_log", "tickets"):
            self.plain.execute(f"TRUNCATE {table}")
        event = self.event
        for ticket in event.tickets:
            values = ticket.event_id, ticket.ticket_id, ticket.price, ticket.section_id, ticket.type_id
            self.plain.execute(prepared(self.plain, "reset_ticket"), values)
        row = event.id, event.date, event.event_type, True, event.name, event.slug, event.venue_id
        self.plain.execute(prepared(self.plain, "insert_event"), row)
        ask_again(self.plain), ask_again(self.session)
        self.session.late.clear()
        self.sent: list[str] = []
        self._stream: bytes | None = None
        self.hold_ids: list[tuple[UUID, Any, str, int]] = []
        self.holds: list[Hold] = []
        self.parties: list[Party] = []
        self.told: dict[UUID, UUID] = {}
        self.seen: dict[UUID, UUID] = {}
        self.sold: dict[UUID, UUID] = {}
        self.hurt = self.returned = False
        self.sweepers = [SweeperProcess(self), SweeperProcess(self)]

    # ---------------------------------------------------------------- what may happen

    def do(self, operation: tuple[Any, ...], fault: Fault | None = None, meanwhile: tuple[Any, ...] = ()) -> None:
        """One operation of one process, to which ``fault`` happens; ``meanwhile`` is what interrupts it."""
        name, *arguments = operation
        self.session.arm(fault, lambda: self._undisturbed(meanwhile))
        sweeper = self.sweepers[arguments[0]] if name in ("sweep", "audit") else None
        try:
            getattr(self, f"_{name}")(*arguments)
        except (Died, OperationTimedOut):
            if sweeper is not None:
                sweeper.restart()
        # Who was only interrupted has finished: nothing is left undone.
        self.hurt |= self.session.struck and fault.kind != "interrupted"
        self.sent = self.session.sent
        self.session.arm(None)

    def push(self, seconds: int) -> None:
        self.node.dials.push_clock(seconds)
        ask_again(self.session), ask_again(self.plain)

    def deliver(self, which: int) -> None:
        """A late message arrives."""
        self.hurt |= bool(self.session.late)
        self.returned |= bool(self.session.late)
        self.session.deliver(which)

    def delay_views(self) -> None:
        """From now on views stay behind their tables, until the next rest."""
        self.hurt = True
        self.node.dials.delay_views(1e-6)

    def _undisturbed(self, operation: tuple[Any, ...]) -> None:
        """What another process does, to which nothing happens."""
        armed, self.session = self.session, FaultySession(self.plain)
        try:
            if operation:
                getattr(self, f"_{operation[0]}")(*operation[1:])
        finally:
            self.session = armed

    def _hold(self, seat: int, buyer: str, seconds: int) -> None:
        self._hold_as(uuid4(), self.event.tickets[seat], buyer, seconds)

    def _hold_again(self, which: int) -> None:
        if self.hold_ids:
            self._hold_as(*self.hold_ids[-1 - which % len(self.hold_ids)])

    def _hold_as(self, hold_id: UUID, ticket: Any, buyer: str, seconds: int) -> None:
        self.hold_ids.append((hold_id, ticket, buyer, seconds))
        self.holds.append(self.office.hold(self.session, ticket, buyer, seconds=seconds, hold_id=hold_id))

    def _pay(self, which: int) -> None:
        if self.holds:
            hold = self.holds[-1 - which % len(self.holds)]
            if self.office.pay(self.session, hold).applied:
                self._promised(hold)

    def _cancel(self, which: int) -> None:
        if self.holds:
            self.office.cancel(self.session, self.holds[-1 - which % len(self.holds)])

    def _hold_party(self, seats: tuple[int, ...], buyer: str, how: str) -> None:
        hold = self.office.hold_together if how == "together" else self.office.hold_in_turn
        party = hold(self.session, [self.event.tickets[seat] for seat in seats], buyer, seconds=LONGEST_HOLD)
        self.parties.append(party)
        self.holds.extend(party.holds)

    def _pay_party(self, which: int) -> None:
        if self.parties:
            party = self.parties[-1 - which % len(self.parties)]
            if self.office.pay_together(self.session, party).applied:
                for hold in party.holds:
                    self._promised(hold)

    def _cancel_party(self, which: int) -> None:
        if self.parties:
            self.office.cancel_together(self.session, self.parties[-1 - which % len(self.parties)])

    def _sweep(self, which: int, most: int) -> None:
        self.sweepers[which].sweep(most)

    def _reread(self, which: int, seconds: int) -> None:
        self.sweepers[which].reread(seconds * 1_000_000)

    def _audit(self, which: int) -> None:
        Sweeper(self.session, audit_seconds=None, at_once=1).audit()

    def _scan(self) -> None:
        release_expired(self.session, self.event)

    def _close_books(self) -> None:
        close_books(self.session)

    def _promised(self, hold: Hold) -> None:
        ticket = hold.ticket.ticket_id
        if self.told.setdefault(ticket, hold.hold_id) != hold.hold_id:
            raise DoubleSale(f"{hold.ticket.label} was promised to two buyers.")

    # ---------------------------------------------------------------- what must be true

    def check(self) -> Books:
        """What holds at every moment; and, as long as nothing is left undone, all that ``hurt`` excuses."""
        books = self.books()
        paid = Counter(order.ticket_id for order in books.orders.values() if order.status == "paid")
        for ticket_id, number in paid.items():
            if number > 1:
                raise DoubleSale(f"{self.event.by_id[ticket_id].label} has {number} paid orders.")
        if not self.office.keeps_books:
            return books
        statuses = Counter(ticket.status for ticket in books.tickets.values())
        assert statuses["available"] + statuses["held"] + statuses["sold"] == SEATS, statuses
        for ticket_id, ticket in books.tickets.items():
            self._check_seat(ticket_id, ticket, books)
        for ticket_id, hold_id in self.told.items():
            assert books.tickets[ticket_id].hold_id == hold_id, "a promise was broken"
        if not self.hurt:
            assert not statuses["available"] or books.offered, "a seat is available and the event is not offered"
            assert statuses["sold"] < SEATS or not books.offered, "all is sold and the event is still offered"
        return books

    def _check_seat(self, ticket_id: UUID, ticket: Any, books: Books) -> None:
        order = books.orders.get(ticket.hold_id)
        if ticket.status == "available":
            assert (ticket.held_by, ticket.hold_id, ticket.held_until) == (None, None, None)
            assert ticket_id not in self.sold, "a sold seat came back"
            return
        self.seen[ticket.hold_id] = ticket_id
        if ticket.status == "held":
            assert ticket_id not in self.sold, "a sold seat is held"
            assert None not in (ticket.held_by, ticket.hold_id, ticket.held_until)
            assert self.hurt or order is not None, "a hold without an order"
        else:
            if self.sold.setdefault(ticket_id, ticket.hold_id) != ticket.hold_id:
                raise DoubleSale(f"{self.event.by_id[ticket_id].label} was sold again.")
            assert self.hurt or order.status == "paid", "a sold seat without a paid order"

    def restart(self, which: int) -> None:
        """A sweeper dies between two rounds, and another takes its place."""
        self.sweepers[which].restart()

    def rest(self, deliver: bool, which: int = 0, by_log: bool = True) -> None:
        """Everybody goes home, the late messages arrive or are lost, and one sweeper catches up: now all must agree.

        Not ``by_log``: nobody reads the log; the held seats are scanned, and then the books are closed.
        """
        self.session.arm(None)
        while self.session.late:
            self.deliver(0) if deliver else self.session.late.clear()
        self.node.dials.delay_views(0)
        self.node.upkeep.run_due()
        self.push(LONGEST_HOLD + 1)
        if by_log:
            self.sweepers[which].sweep(most=1_000_000)
        self.sweepers[which].sweeper.audit()
        if self.returned or not by_log:
            # Only closing the books finds a hold that came back by a late message and was paid by one who died.
            close_books(self.session)
        on_sale.refresh(self.session, self.event.id)
        self.hurt = False
        books = self.check()
        self._check_at_rest(books)

    def _check_at_rest(self, books: Books) -> None:
        for ticket_id, ticket in books.tickets.items():
            assert ticket.status in ("available", "sold"), "a lapsed hold that nobody frees"
            if ticket.status == "sold":
                assert books.orders[ticket.hold_id].ticket_id == ticket_id
        sold = {ticket.hold_id for ticket in books.tickets.values() if ticket.status == "sold"}
        assert {hold_id for hold_id, order in books.orders.items() if order.status == "paid"} == sold
        unended = [hold_id for hold_id, order in books.orders.items() if order.status == "pending"]
        assert not unended, "an order without an end"
        assert self.seen.keys() <= books.orders.keys(), "a hold that no order remembers"
        assert not self.plain.execute("SELECT * FROM order_queue"), "somebody is still in the queue"
        view = self.plain.execute("SELECT ticket_id, status FROM available_tickets")
        assert {row.ticket_id: row.status for row in view} == {
            ticket_id: ticket.status for ticket_id, ticket in books.tickets.items()
        }, "the view differs from its table"
        offered = self.plain.execute("SELECT has_tickets FROM available_events")
        assert [row.has_tickets for row in offered] == [len(sold) < SEATS]

    # ---------------------------------------------------------------- looking

    def books(self) -> Books:
        tickets = self.plain.execute(self._tickets, (self.event.id,))
        orders = self.plain.execute(self._orders)
        return Books(
            {row.ticket_id: row for row in tickets},
            {row.order_id: row for row in orders},
            bool(on_sale.is_offered(self.plain, self.event.id)),
        )

    def changes(self, micros: int) -> list[Change]:
        """The changes of the queue from ``micros`` on, as a ChangeReader gives them."""
        if self._stream is None:
            first = self.plain.execute('SELECT "cdc$stream_id" FROM order_queue_scylla_cdc_log LIMIT 1').one()
            if first is None:
                return []
            self._stream = first[0]
        begin = EPOCH + timedelta(milliseconds=micros // 1000)
        rows = self.plain.execute(self._log_after, (self._stream, begin), execution_profile=dict_factory)
        assembler = ChangeAssembler()
        found = [*assembler.feed(map(self._decode, rows)), *assembler.finish()]
        return [change for change in found if change.micros >= micros]
