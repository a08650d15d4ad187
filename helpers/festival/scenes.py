"""Small stories, each about one promise of the shop. What breaks it is said in the crowd's books.

Every part begins with a house of its own, and goes from the plain to the odd, so that the first fault is the one to
begin with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .books import free_seats, seats_of
from .crowd import Clerk, Crowd, Sweeper
from .design import Design
from .house import House, Party, Seat, in_words
from .shop import Job, Shop
from .tables import prepare_tables

if TYPE_CHECKING:
    from cassandra.cluster import Session

    from .books import Books, Hold

NEEDED = {
    1: ("owners",),
    2: ("hold", "pay", "cancel"),
    3: ("hold", "pay", "cancel"),
    4: ("hold", "pay", "give_back", "join_line", "returned_seats", "next_in_line", "resell"),
    5: ("hold", "pay", "report"),
}
# A script of more statements than this is tried at its first gaps only.
_MOST_GAPS = 6
_LARKS = Party("The Larks", ("child", "adult", "child", "adult"))
_WRENS = Party("The Wrens", ("child", "child", "adult", "adult"))


def open_doors(session: Session, design: Design, house: House) -> Crowd:
    """An empty house with all seats on sale, and a crowd that knows nothing yet."""
    prepare_tables(session, design)
    shop = Shop(session, design, house)
    crowd = Crowd(shop, house)
    if design.has("put_on_sale"):
        for seat in house.all:
            Job(shop, "put_on_sale", (seat,), {"total": house.price(seat)}).finish()
    return crowd


def play(session: Session, design: Design, part: int) -> Books:
    """One part of the rehearsal, 1 to 5; its books have the faults. A ``DesignError`` where it cannot be played."""
    design.check(*NEEDED[1], *NEEDED[part])
    parts = {1: _doors, 2: _hold, 3: _families, 4: _resale, 5: _report}
    houses = {1: House(3, 4), 2: House(9, 6), 3: House(16, 6), 4: House(4, 6), 5: House(4, 6)}
    crowd = open_doors(session, design, houses[part])
    if part > 1:
        crowd.books.check_house(crowd.shop)
    if not crowd.books.faults:
        parts[part](crowd)
    return crowd.books


# 1: the house as it is before the doors open.


def _doors(crowd: Crowd) -> None:
    crowd.books.check_house(crowd.shop)


# 2: one seat, one buyer.


def _hold(crowd: Crowd) -> None:
    most = _rush(crowd)
    _paid_in_time(crowd)
    _paid_too_late(crowd)
    _old_hold_and_new(crowd)
    _late_sweeper(crowd)
    _cancelled(crowd)
    _buyer_dies(crowd, most)
    _till_stands_still(crowd)
    _sweeper_dies(crowd)
    crowd.let_holds_end()
    crowd.sweep()
    crowd.books.audit(crowd.shop)


def _rush(crowd: Crowd) -> int:
    """Three ask for one seat at once; how many statements a hold has."""
    most = 1
    for seed, seat in enumerate(crowd.house.block("Lake", "A")):
        jobs = [crowd.hold(name, [seat]) for name in ("Ada", "Bo", "Cy")]
        crowd.by_turns(jobs, seed)
        winners = [job for job in jobs if job.said]
        if not winners:
            crowd.books.fault(seat, "Ada, Bo and Cy asked for it at the same time, and nobody got it.")
            continue
        most = max(most, winners[0].steps)
        if seat.number <= 4:
            crowd.pay(crowd.hold_of(winners[-1])).finish()
        crowd.hold("Dee", [seat]).finish()
    crowd.books.audit(crowd.shop, crowd.house.block("Lake", "A"))
    return most


def _paid_in_time(crowd: Crowd) -> None:
    """Sweepers go round while a hold is good, and it stays good."""
    for seat in crowd.house.block("Lake", "B")[:2]:
        hold = _must_hold(crowd, "Ada", seat)
        if hold is None:
            continue
        crowd.sweep()
        if _is_lost(crowd, hold):
            crowd.books.fault(seat, "Ada had it for a quarter of an hour; the sweepers came at once, and it was gone.")
            continue
        crowd.pay(hold).finish()
    crowd.books.audit(crowd.shop, crowd.house.block("Lake", "B"))


def _paid_too_late(crowd: Crowd) -> None:
    hold = _must_hold(crowd, "Ada", crowd.house.block("Lake", "B")[2])
    crowd.let_holds_end()
    if hold is not None:
        crowd.pay(hold).finish()
    crowd.sweep()
    crowd.books.audit(crowd.shop, crowd.house.block("Lake", "B"))


def _old_hold_and_new(crowd: Crowd) -> None:
    """Ada's hold is over, and Bo has the seat. Then Ada comes and pays, or cancels."""
    seats = crowd.house.block("Lake", "C")[:2]
    old = [_must_hold(crowd, "Ada", seat) for seat in seats]
    crowd.let_holds_end()
    crowd.sweep()
    crowd.books.audit(crowd.shop, crowd.house.block("Lake", "C"))
    new = [_must_hold(crowd, "Bo", seat, "Ada's hold of it is over") for seat in seats]
    acts = (crowd.pay, "paid"), (crowd.cancel, "cancelled")
    for hold, others, (act, what) in zip(old, new, acts, strict=True):
        if hold is not None:
            act(hold).finish()
            if _is_lost(crowd, others):
                crowd.books.fault(
                    hold.seats[0], f"Bo had it; Ada, whose hold was long over, {what}, and it was taken from Bo."
                )
    for hold in new:
        if hold is not None and hold.seats[0] not in crowd.books.sold:
            crowd.pay(hold).finish()
    crowd.books.audit(crowd.shop, seats)


def _late_sweeper(crowd: Crowd) -> None:
    """A sweeper has found Ada's hold, and stands still: before its first statement, or between two."""
    if not crowd.shop.design.has("expire"):
        return
    for gap, seat in enumerate(crowd.house.block("Lake", "D")[: _gaps(crowd, "expire")]):
        _must_hold(crowd, "Ada", seat)
        crowd.let_holds_end()
        late = Sweeper(crowd)
        late.read()
        late.found = [row for row in late.found or () if row.get("seat", seat.number) == seat.number]
        for _ in range(gap):
            if not late.done:
                late.step()
        crowd.sweep()
        hold = _must_hold(crowd, "Bo", seat, "Ada's hold of it is over")
        late.finish()
        if _is_lost(crowd, hold):
            crowd.books.fault(
                seat, "Bo had it for a quarter of an hour; a sweeper came late, for Ada's old hold, and Bo lost it."
            )
        elif hold is not None:
            crowd.pay(hold).finish()
    crowd.books.audit(crowd.shop, crowd.house.block("Lake", "D"))


def _cancelled(crowd: Crowd) -> None:
    for gap, seat in enumerate(crowd.house.block("Lake", "E")[: _gaps(crowd, "cancel")]):
        hold = _must_hold(crowd, "Cy", seat)
        if hold is None:
            continue
        job = crowd.cancel(hold)
        if gap == 0:
            job.finish()
            crowd.books.audit(crowd.shop, [seat])
        else:
            _stop_after(job, gap)
            crowd.books.why_free[seat] = "Cy cancelled, the process died between two statements, the time is over"
    crowd.let_holds_end()
    crowd.sweep()
    crowd.books.audit(crowd.shop, crowd.house.block("Lake", "E"))


def _buyer_dies(crowd: Crowd, steps: int) -> None:
    """The process that holds a seat for Cy dies between two statements."""
    seats = crowd.house.block("Lake", "F")[: min(steps - 1, _MOST_GAPS)]
    for gap, seat in enumerate(seats, start=1):
        _stop_after(crowd.hold("Cy", [seat]), gap)
        crowd.books.why_free[seat] = f"the process that held it for Cy died after statement {gap}, the time is over"
    crowd.let_holds_end()
    crowd.sweep()
    crowd.books.audit(crowd.shop, crowd.house.block("Lake", "F"))


def _till_stands_still(crowd: Crowd) -> None:
    """The process that takes Dee's money stops between two statements; another one goes on, much later."""
    stopped = []
    for gap, seat in enumerate(crowd.house.block("Lake", "G"), start=1):
        hold = _must_hold(crowd, "Dee", seat)
        if hold is None:
            return
        job = crowd.pay(hold)
        _step(job, gap)
        stopped.append(job)
        if job.done:
            job.repeat_last()
            break
    crowd.let_holds_end()
    crowd.sweep()
    for job in stopped:
        if not job.done:
            job.repeat_last()
            job.finish()
    crowd.sweep()
    crowd.books.audit(crowd.shop, crowd.house.block("Lake", "G"))


def _sweeper_dies(crowd: Crowd) -> None:
    if not crowd.shop.design.has("expire"):
        return
    seats = crowd.house.block("Lake", "H")[: _gaps(crowd, "expire")]
    for seat in seats:
        _must_hold(crowd, "Ada", seat)
    crowd.let_holds_end()
    for gap in range(1, len(seats)):
        dying = Sweeper(crowd)
        for _ in range(gap + 1):
            if not dying.done:
                dying.step()
    crowd.sweep()
    crowd.books.audit(crowd.shop, crowd.house.block("Lake", "H"))


# 3: families.


def _families(crowd: Crowd) -> None:
    names = iter(crowd.house.names)
    steps = _family_alone(crowd, next(names))
    _one_seat_is_gone(crowd, next(names))
    for gap in range(1, min(steps, _MOST_GAPS)):
        _single_cuts_in(crowd, next(names), gap)
    _two_families(crowd, next(names))
    _family_dies(crowd, next(names), steps)
    _family_pays_slowly(crowd, next(names))
    crowd.let_holds_end()
    crowd.sweep()
    crowd.books.audit(crowd.shop)


def _family_alone(crowd: Crowd, block: str) -> int:
    """Parties of two, three and four, at both stages: they hold, pay, cancel, or let it pass."""
    steps = 1
    for stage in "Lake", "Hill":
        seats = crowd.house.block(stage, block)
        job = crowd.hold(_LARKS, seats[:4])
        if not job.finish():
            crowd.books.fault(in_words(seats[:4]), "The Larks asked for four free seats, and were refused.")
            return steps
        steps = job.steps
        crowd.pay(crowd.hold_of(job)).finish()
        pair = crowd.hold(Party("The Finches", ("child", "adult")), seats[4:6])
        if pair.finish() and stage == "Lake":
            crowd.cancel(crowd.hold_of(pair)).finish()
        crowd.books.audit(crowd.shop, seats)
    crowd.let_holds_end()
    crowd.sweep()
    for stage in "Lake", "Hill":
        crowd.books.audit(crowd.shop, crowd.house.block(stage, block))
    return steps


def _one_seat_is_gone(crowd: Crowd, block: str) -> None:
    seats = crowd.house.block("Lake", block)
    bo = _must_hold(crowd, "Bo", seats[2])
    _refused_whole(crowd, _LARKS, crowd.hold(_LARKS, seats[:4]), "Bo had the third of them")
    if bo is not None:
        crowd.pay(bo).finish()
    crowd.books.audit(crowd.shop, seats)


def _single_cuts_in(crowd: Crowd, block: str, gap: int) -> None:
    """The family is between two statements when Bo asks for its last seat."""
    seats = crowd.house.block("Lake", block)
    family, bo = crowd.hold(_LARKS, seats[:4]), crowd.hold("Bo", seats[3:4])
    _step(family, gap)
    bo.finish()
    _refused_whole(crowd, _LARKS, family, "Bo came in between and took the last of them")
    for job in family, bo:
        if job.said:
            crowd.pay(crowd.hold_of(job)).finish()
    crowd.books.audit(crowd.shop, seats)


def _two_families(crowd: Crowd, block: str) -> None:
    seats = crowd.house.block("Lake", block)
    for seed, stage in enumerate(("Lake", "Hill")):
        seats = crowd.house.block(stage, block)
        jobs = [crowd.hold(_LARKS, seats[:4]), crowd.hold(_WRENS, seats[2:6])]
        crowd.by_turns(jobs, seed)
        for party, job in zip((_LARKS, _WRENS), jobs, strict=True):
            _refused_whole(crowd, party, job, "another family asked for two of them at the same time")
        crowd.books.audit(crowd.shop, seats)


def _family_dies(crowd: Crowd, block: str, steps: int) -> None:
    for gap in range(1, min(steps, _MOST_GAPS)):
        seats = crowd.house.block("Hill", block)[:4]
        _stop_after(crowd.hold(_WRENS, seats), gap)
        for seat in seats:
            crowd.books.why_free[seat] = (
                f"the process that held seats for The Wrens died after statement {gap}, the time is over"
            )
        crowd.let_holds_end()
        crowd.sweep()
        crowd.books.audit(crowd.shop, seats)


def _family_pays_slowly(crowd: Crowd, block: str) -> None:
    """The till stands still between two statements of a family's payment, until the hold is over and swept."""
    for gap in range(1, _MOST_GAPS):
        stage = "Lake" if gap % 2 else "Hill"
        name = crowd.house.names[crowd.house.names.index(block) + (gap - 1) // 2]
        seats = crowd.house.block(stage, name)[:4]
        asked = crowd.hold(_LARKS, seats)
        if not asked.finish():
            return
        job = crowd.pay(crowd.hold_of(asked))
        _step(job, gap)
        if job.done:
            break
        crowd.let_holds_end()
        crowd.sweep()
        bo = crowd.hold("Bo", seats[3:4])
        bo.finish()
        job.repeat_last()
        job.finish()
        if not job.said:
            for seat in seats:
                crowd.books.why_free[seat] = "The Larks paid too slowly and were refused, and their hold is over"
        crowd.sweep()
        crowd.books.audit(crowd.shop, seats)


def _refused_whole(crowd: Crowd, party: Party, job: Job, why: str) -> None:
    """Finish a hold; if it says no, none of its seats is kept from others."""
    if job.finish():
        return
    hold = crowd.hold_of(job)
    free = _free_of(crowd, hold.seats)
    others = crowd.books.held.keys() | crowd.books.sold.keys()
    kept = [seat for seat in hold.seats if seat not in free and seat not in others]
    guests = dict(zip(hold.seats, party.guests, strict=False))
    for seat in kept:
        alone = all(guests[each] == "child" for each in kept)
        what = " It is a child's, and no adult of the family has one." if alone else ""
        crowd.books.fault(
            seat,
            f"{party.name} asked for {in_words(hold.seats)} and {party.verb} refused, because {why}; "
            f"and it stays taken for them.{what}",
        )


# 4: what comes back.


def _resale(crowd: Crowd) -> None:
    lake, hill = crowd.house.block("Lake", "A"), crowd.house.block("Hill", "A")
    holds = [_must_buy(crowd, name, seat) for name, seat in zip(("Ada", "Bo", "Cy", "Dee"), lake, strict=False)]
    other = _must_buy(crowd, "Kit", hill[0])
    for name in "Zoe", "Tom", "Mia", "Ana", "Ben":
        crowd.join_line(name, "Lake")
    for name in "Gus", "Eli":
        crowd.join_line(name, "Hill")
    _one_comes_back(crowd, holds)
    _passer_by(crowd, lake[0])
    crowd.serve_line(clerks=1)
    crowd.books.check_line()
    crowd.books.audit(crowd.shop, lake + hill)
    _twice_given_back(crowd, holds[0])
    if not crowd.books.faults:
        _two_clerks(crowd, [hold for hold in holds[1:3] if hold])
        _clerk_stands_still(crowd, holds[3])
    if other is not None:
        crowd.give_back(other).finish()
        crowd.serve_line()
    _all_served(crowd)
    crowd.let_holds_end()
    crowd.sweep()
    crowd.books.check_line()
    crowd.books.audit(crowd.shop)


def _one_comes_back(crowd: Crowd, holds: Sequence[Hold | None]) -> None:
    hold = holds[0]
    if hold is not None:
        if not crowd.give_back(hold).finish():
            crowd.books.fault(hold.seats[0], "Ada has the receipt, wants to give it back, and is refused.")
        crowd.books.audit(crowd.shop, list(hold.seats))


def _passer_by(crowd: Crowd, seat: Seat) -> None:
    """Yan, who stands in no line, asks for a seat that was given back."""
    crowd.hold("Yan", [seat]).finish()


def _twice_given_back(crowd: Crowd, hold: Hold | None) -> None:
    """Ada's message comes a second time, when Zoe has the seat."""
    if hold is None or hold.seats[0] in crowd.books.returned:
        return
    owner = crowd.books.sold[hold.seats[0]].party.name
    Job(crowd.shop, "give_back", hold.seats, crowd._values(hold) | {"minute": 1}).finish()
    names = [row["buyer"] for row in crowd.shop.ask("owners") if hold.seats[0] in seats_of(row)]
    if owner not in names:
        crowd.books.fault(hold.seats[0], f"{owner} has it from the line; Ada's message came again, and took it away.")


def _two_clerks(crowd: Crowd, holds: Sequence[Hold]) -> None:
    for hold in holds:
        crowd.give_back(hold).finish()
    first, second = Clerk(crowd), Clerk(crowd)
    first.read()
    second.read()
    second.found = list(reversed(second.found or ()))
    # Both have asked who is next before either gives a seat away.
    for clerk in first, second:
        if not clerk.done:
            clerk.step()
    crowd.by_turns([first, second], 2)
    crowd.serve_line(seed=3)
    crowd.books.check_line()
    crowd.books.audit(crowd.shop, [seat for hold in holds for seat in hold.seats])


def _clerk_stands_still(crowd: Crowd, hold: Hold | None) -> None:
    """A clerk stops behind its first statement; when it goes on, another one has been round."""
    if hold is None:
        return
    crowd.give_back(hold).finish()
    slow = Clerk(crowd)
    slow.read()
    slow.step()
    if slow.job is not None and not slow.job.done:
        slow.job.step()
    crowd.serve_line(clerks=1)
    if slow.job is not None and not slow.job.done:
        slow.job.repeat_last()
    slow.finish()
    crowd.serve_line(clerks=1)
    crowd.books.check_line()
    crowd.books.audit(crowd.shop, list(hold.seats))


def _all_served(crowd: Crowd) -> None:
    books = crowd.books
    for seat, name in books.returned.items():
        waiting = books.waiting(seat.stage)
        if waiting:
            books.fault(seat, f"{name} gave it back, {waiting[0]} is first in line, and the clerks give it to nobody.")


# 5: what finance asks.


def _report(crowd: Crowd) -> None:
    lake, hill = crowd.house.block("Lake", "A"), crowd.house.block("Hill", "A")
    _must_buy(crowd, "Ada", lake[0])
    _must_buy(crowd, "Bo", hill[0])
    crowd.minute = 2
    _must_buy(crowd, "Cy", lake[1])
    gone = _must_buy(crowd, "Dee", lake[2])
    family = crowd.hold(Party("The Finches", ("child", "adult")), hill[1:3])
    if family.finish():
        crowd.pay(crowd.hold_of(family)).finish()
    crowd.minute = 3
    late = _must_hold(crowd, "Eve", hill[3])
    _till_pays_twice(crowd, lake[3:5])
    if gone is not None and crowd.shop.design.has("give_back"):
        crowd.give_back(gone).finish()
    crowd.let_holds_end()
    if late is not None:
        crowd.pay(late).finish()
    crowd.sweep()
    check_report(crowd, 4)
    if not crowd.books.faults:
        _report_is_short(crowd)
        check_seats_left(crowd)


def _till_pays_twice(crowd: Crowd, seats: Sequence[Seat]) -> None:
    """A till dies when a statement has been sent and no answer has come; another sends it again."""
    for gap, seat in enumerate(seats, start=1):
        hold = _must_hold(crowd, "Fay", seat)
        if hold is not None:
            job = crowd.pay(hold)
            _step(job, gap)
            job.repeat_last()
            job.finish()


def check_report(crowd: Crowd, minutes: int) -> None:
    """Does the report say what the receipts say, for each stage and minute?"""
    for stage in "Lake", "Hill":
        for minute in range(1, minutes + 1):
            wanted = crowd.books.paid.get((stage, minute), 0)
            rows = crowd.shop.ask("report", stage=stage, minute=minute)
            told = sum(row["revenue"] or 0 for row in rows)
            if told != wanted:
                crowd.books.fault(
                    f"{stage}, minute {minute}",
                    f"the receipts of this minute come to {wanted}, and your report says {told}.",
                )


def _report_is_short(crowd: Crowd) -> None:
    """Finance asks every minute, so the answer costs what was sold in that minute, not the whole house."""
    crowd.minute = 5
    for seat in crowd.house.block("Lake", "B"):
        _must_buy(crowd, "Gil", seat)
    few = crowd.shop.rows_met("report", stage="Lake", minute=1)
    many = crowd.shop.rows_met("report", stage="Lake", minute=5)
    # One row for a payment, and a few for what else a payment may leave; never more for what others bought later.
    if few > 3 and few >= many:
        crowd.books.fault(
            "Lake, minute 1",
            f"one ticket was sold in it, and to say so the server looks at {few} rows. The report is asked every "
            "minute, and each time it reads what all the others have bought.",
        )


def check_seats_left(crowd: Crowd) -> None:
    """Where the front page has a number of its own, is it the number of free seats?"""
    if not crowd.shop.design.has("seats_left"):
        return
    free = _free_of(crowd)
    for stage in "Lake", "Hill":
        wanted = sum(seat.stage == stage for seat in free)
        told = sum(row["seats_left"] or 0 for row in crowd.shop.ask("seats_left", stage=stage))
        if told != wanted:
            crowd.books.fault(stage, f"{wanted} seats are free, and your front page says {told}.")


# What several stories need.


def _must_hold(crowd: Crowd, name: str, seat: Seat, why: str = "it was free") -> Hold | None:
    job = crowd.hold(name, [seat])
    if job.finish():
        return crowd.hold_of(job)
    crowd.books.fault(seat, f"{why}, {name} asked for it, and was refused.")
    return None


def _must_buy(crowd: Crowd, name: str, seat: Seat) -> Hold | None:
    hold = _must_hold(crowd, name, seat)
    if hold is None:
        return None
    return hold if crowd.pay(hold).finish() else None


def _step(job: Job, times: int) -> None:
    for _ in range(times):
        if not job.done:
            job.step()


def _stop_after(job: Job, times: int) -> None:
    """The process dies after so many statements; nobody is told anything."""
    job.dead = True
    _step(job, times)


def _gaps(crowd: Crowd, name: str) -> int:
    """The places where a script can be interrupted, its beginning among them."""
    return min(len(crowd.shop.design.statements(name)), _MOST_GAPS)


def _free_of(crowd: Crowd, seats: Sequence[Seat] = ()) -> set[Seat]:
    return free_seats(crowd.shop, seats)


def _is_lost(crowd: Crowd, hold: Hold | None) -> bool:
    """Is a hold that is not over yet offered to everybody?"""
    if hold is None or hold.seats[0] not in _free_of(crowd, hold.seats):
        return False
    return hold.is_live(crowd.shop.now())
