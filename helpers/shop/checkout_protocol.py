"""The checkout as a table: the states of a seat, what leads from one to the next, and what a crash leaves behind.

``box_office`` carries out this table. ``python -m helpers.shop.checkout_protocol`` writes ``docs/checkout.md``.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "checkout.md"

# How far an order came. The number is the timestamp of the write, and of two writes the higher one stays.
ORDER_RANKS = {"pending": 1, "expired": 2, "cancelled": 3, "paid": 4}
STATES = {
    "available": "anybody may hold it",
    "held": "for one buyer, by one hold, until one moment",
    "sold": "for good; its hold's id is that of its one paid order",
}


@dataclass(frozen=True)
class Step:
    """Statements of a transition that are sent together, by their names in ``cql/checkout.cql``.

    ``crash`` says what is there if the process dies when these are done and nothing after them, and ``healed`` by whom
    and how it is put right. ``maybe`` marks statements that are sent only where they are needed.
    """

    statements: tuple[str, ...]
    crash: str
    healed: str
    maybe: bool = False


@dataclass(frozen=True)
class Transition:
    """An arrow from ``source`` to ``target``: ``decision`` is the conditional update that makes it, ``order`` what the
    order says afterwards, ``who`` may make it, ``repeated`` what happens when it is asked for once more."""

    name: str
    source: str
    target: str
    decision: str
    condition: str
    order: str
    who: str
    repeated: str
    steps: tuple[Step, ...]


_LOST_LEAVE = "the queue's row runs out; the sweeper finds nothing left to do"

HOLD = Transition(
    "hold",
    "available",
    "held",
    "hold_seat",
    "the seat is available",
    "pending",
    "any buyer, with an id that nobody used before",
    "with the same id it is the same hold, what follows it is written again; not applied once it has ended",
    (
        Step(
            ("hold_seat",),
            "a held seat that neither queue nor orders know of",
            "the sweeper's audit finds it among the held seats, writes the order (expired) and frees it",
        ),
        Step(
            ("join_queue_for_hold", "write_order"),
            "nothing is missing; with one of the two lost, the queue row or the order",
            "the sweeper, at the deadline from the log, or its audit: both write the whole order",
        ),
    ),
)
PAY = Transition(
    "pay",
    "held",
    "sold",
    "pay_seat",
    "held by this hold, and its time is not over",
    "paid",
    "the holder, who has the id",
    "sold to this hold: applied, and what was left undone is done",
    (
        Step(
            ("pay_seat",),
            "a sold seat whose order is still pending",
            "the sweeper, at the hold's deadline: sold to this hold, so the order is paid",
        ),
        Step(
            ("write_order",),
            "a sold seat and its paid order; if it was the last seat, the event is still offered",
            "the sweeper, at the hold's deadline, looks whether anything is left",
        ),
        Step(("set_has_tickets",), "a row too many in the queue", _LOST_LEAVE, maybe=True),
        Step(("leave_queue",), "nothing is missing", "nobody needs to"),
    ),
)
CANCEL = Transition(
    "cancel",
    "held",
    "available",
    "release_seat",
    "held by this hold",
    "cancelled",
    "the holder, who has the id",
    "not applied; before the deadline, what was left undone is done",
    (
        Step(
            ("release_seat",),
            "an available seat whose order is still pending",
            "a second cancel, or the sweeper at the hold's deadline (then the order says expired)",
        ),
        Step(
            ("write_order",),
            "nothing is missing, unless the event was sold out: then it is still not offered",
            "the sweeper, at the hold's deadline, looks whether anything is left",
        ),
        Step(("set_has_tickets",), "a row too many in the queue", _LOST_LEAVE, maybe=True),
        Step(("leave_queue",), "nothing is missing", "nobody needs to"),
    ),
)
EXPIRE = Transition(
    "expire",
    "held",
    "available",
    "expire_seat",
    "held by this hold, and its time is over",
    "expired",
    "anybody, usually a sweeper; two at once do no harm",
    "not applied, nothing changes",
    (
        Step(
            ("write_order",),
            "an expired order of a seat that is still held; should a late payment win, paid outranks expired",
            "the next sweeper, or this one after its restart: its checkpoint stays behind what is not settled",
        ),
        Step(
            ("expire_seat",),
            "nothing is missing, unless the event was sold out: then it is still not offered",
            "the next sweeper, or this one after its restart; the audit",
        ),
        Step(("set_has_tickets",), "nothing is missing", "nobody needs to", maybe=True),
    ),
)
TRANSITIONS = (HOLD, PAY, CANCEL, EXPIRE)


def page() -> str:
    """The table as a page of Markdown."""
    return "\n".join([*_opening(), *_arrows(), *_deciding(), *_crashes(), *_rules()]) + "\n"


def _opening() -> list[str]:
    return [
        "# The checkout, state by state",
        "",
        "Written by `python -m helpers.shop.checkout_protocol` from the table in that module, which",
        "[`box_office.py`](../helpers/shop/box_office.py) carries out. The statements are in `cql/checkout.cql`.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> available",
        *(f"    {each.source} --> {each.target}: {each.name}, if {each.condition}" for each in TRANSITIONS),
        "    sold --> [*]",
        "```",
        "",
        "The ticket's row is the only truth, and only conditional updates change it. A hold has an **id** that was",
        "never used before. Every later message of that hold names it, so it can touch no other hold. `order_queue`,",
        "`orders` and `has_tickets` follow what the ticket says.",
        "",
        "| a seat is | |",
        "|---|---|",
        *(f"| {state} | {meaning} |" for state, meaning in STATES.items()),
    ]


def _arrows() -> list[str]:
    return [
        "",
        "## The arrows",
        "",
        "| transition | from → to | decided by | if | the order says | who | once more |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| **{each.name}** | {each.source} → {each.target} | `{each.decision}` | {each.condition} "
            f"| {each.order} | {each.who} | {each.repeated} |"
            for each in TRANSITIONS
        ),
        "",
        "A timeout leaves the outcome unknown. The box office reads the seat at SERIAL and compares the ids: the",
        "answer is the seat's state now. A message that is still on its way may change it afterwards, so whoever heard",
        '"not applied" after a timeout asks once more, or cancels.',
        "",
        "That read may time out as well, and so may every statement that follows a decision. All of them may be",
        "repeated, and are: seven times within some seconds. Only then the caller hears of it. A fan goes home, and a",
        "sweeper comes again; what they left undone is healed as after a crash.",
    ]


def _deciding() -> list[str]:
    return [
        "",
        "## Who decides: SERIAL",
        "",
        "A conditional update is decided by a majority of replicas, and its serial level says of which. `connect()`",
        "chooses **SERIAL**: of the replicas in all data centres. Any two of those majorities share a replica, so of",
        "two buyers, wherever they ask, one is applied. **LOCAL_SERIAL** counts the replicas of one data centre",
        "alone. Where there is one, both are the same and cost the same. Where there are two, each decides for",
        "itself: both sell the seat, both buyers hear that it is theirs, and one of them has the row in the end.",
        "",
        "What SERIAL costs between data centres: with three replicas in each of two, four of six must answer, so",
        "two of the three rounds of a decision, promise and accept, wait for the other data centre; and while one of",
        "the two is lost, no seat is sold (of three data centres one may be lost). Whoever cannot pay that gives each",
        "event a home: one data centre, to which all its decisions go, at LOCAL_SERIAL, and the reads after a timeout",
        "too. The two levels are never mixed on one partition. The seat is read at SERIAL for the same reason: a read",
        "at LOCAL_SERIAL does not see what the other data centre is deciding.",
        "",
        "A driver may send a statement twice. Speculative execution does so only where `is_idempotent` is set, and no",
        "statement of the checkout sets it. But where a connection breaks before the answer, the Python driver asks",
        "the next node by itself. The second message of a hold then finds the seat held, by its own id:",
        "`hold_seat` and the others look at that before they say that somebody else was faster.",
    ]


def _crashes() -> list[str]:
    lines = [
        "",
        "## A crash at each arrow",
        "",
        "The statements of each transition in their order, and what a process leaves that dies after them.",
        "Before the first one nothing has happened.",
    ]
    for each in TRANSITIONS:
        lines += ["", f"### {each.name}", "", "| done so far | it leaves | healed by |", "|---|---|---|"]
        for step in each.steps:
            names = " and ".join(f"`{name}`" for name in step.statements)
            lines.append(f"| {names}{' (where needed)' * step.maybe} | {step.crash} | {step.healed} |")
    return lines


def _rules() -> list[str]:
    climb = ", ".join(f"{name} {rank}" for name, rank in ORDER_RANKS.items())
    return [
        "",
        "## Five rules that carry it",
        "",
        "1. **Orders climb.** An order's writes have a rank for their timestamp",
        f"   ({climb}), so the furthest one stays, in whatever order they",
        "   arrive. A seat has at most one paid order: `paid` is written only for the hold that its sold row names,",
        "   and a sold row never changes. The price: nothing else may write to `orders`. An ordinary write or DELETE",
        "   is stamped with the present and hides every rank, those that come later too. And with CDC on `orders` the",
        "   server refuses ranks, as writes from the past. Then each step is a decision: `UPDATE … IF status IN",
        "   (…)`.",
        "2. **The queue is left last.** As long as something is undone, the queue's row stays and runs out. The",
        "   sweeper knows its end from the log and comes to look. Whoever is done deletes it, and the sweeper forgets.",
        "3. **The sweeper is a guest.** It decides nothing: it sends the same conditional updates as everybody. Two of",
        "   them, an old deadline, a change that is read twice: each finds that there is nothing to do.",
        "4. **An audit for what no log tells.** A process that dies between `hold_seat` and its queue row leaves no",
        "   deadline, and a `hold_seat` that was delayed may arrive after everybody has gone. So the sweeper now and",
        "   then reads which seats are held, and frees those whose time is over. A late `hold_seat` may even bring",
        "   back a hold that was cancelled. If that is paid, and the payer dies before the order, no deadline tells of",
        "   it: `python -m helpers.shop.sweeper KEYSPACE --books`, at closing time, looks at every sold seat. It",
        "   also ends the orders that nobody ended: whoever tidies up by scanning the held seats, without the log,",
        "   sees no order of a seat that is free again.",
        "5. **Look again after writing `has_tickets`.** It is true as long as a seat is available. Whoever pays looks",
        "   whether one is left; whoever frees a seat looks whether the event is offered; both write by condition, and",
        "   then look again until what is there agrees with what they wrote. Of two who race, the one who writes last",
        "   also looks last, and sees what the other has done to the seats. The look goes through the view, which on a",
        "   cluster may follow later: where fewer than twenty seats are left, the tickets themselves are asked,",
        "   and the audit looks once more.",
        "",
        "## Several seats at once",
        "",
        "A family wants four seats or none. All tickets of an event are in one partition, so one conditional batch can",
        "decide about all four. `hold_together` sends four times `hold_seat` in the order of the tickets' ids, and all",
        "are applied or none. The order within the batch decides nothing; a fixed one gives answers that compare. Each",
        "seat gets a hold and an order of its own, whose id is made from the family's; from then on it is a hold like",
        "any other: the batch first, then the queue's rows and the orders. `pay_together` and `cancel_together` are",
        "batches of the same kind. The seats share one deadline; after it, sweepers free them one by one, and a",
        "payment that finds one of them gone, or late, buys none.",
        "",
        "`hold_in_turn` is the way without batches, and the only one across partitions: one seat after the other, in",
        "the order of their ids, so that of two families with the same wish one gets through. On the first refusal the",
        "seats taken so far are given back. In between others see seats as held that come back a moment later, and a",
        "crash in the middle leaves them held until their deadline. `make bench` measures both.",
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.shop.checkout_protocol",
        description="Write docs/checkout.md from the table of the code.",
    )
    parser.parse_args(arguments)
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    print(f"Written: {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
