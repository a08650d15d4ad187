"""``open_night``: the five parts of the rehearsal, and then a whole night, always the same one."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from ..lab.connection import connect, latest_session
from ..lab.errors import LabError
from .books import Fault, Hold
from .crowd import Clerk, Crowd, Sweeper
from .design import Design, DesignError, latest_design
from .house import SEATS_IN_A_BLOCK, STAGES, House, Party, Seat
from .scenes import NEEDED, check_report, check_seats_left, open_doors, play
from .shop import Job
from .verdict import Verdict

if TYPE_CHECKING:
    from cassandra.cluster import Session

SEATS = 240
# Smaller, there is no room for families; larger, the night only takes longer.
LEAST_SEATS, MOST_SEATS = 48, 480
MINUTES = 12
_PARTS = {1: "the house", 2: "one seat, one buyer", 3: "families", 4: "what comes back", 5: "the report"}
_FAMILIES = (("child", "adult"), ("adult", "child", "child"), ("child", "adult", "child", "adult"))
_NAMES = ("Ada", "Bo", "Cy", "Dee", "Eve", "Fay", "Gil", "Hal", "Ida", "Jo", "Kit", "Lou", "Mia", "Ned", "Ola", "Pia")
_SURNAMES = ("Larks", "Wrens", "Finches", "Swifts", "Robins", "Jays", "Herons", "Terns")
# Of a hundred parties so many pay at once, pay later, cancel, and let their time go by; one in twenty dies on the way.
_FATES = ("pay",) * 60 + ("later",) * 15 + ("cancel",) * 13 + ("nothing",) * 12
_DIES = 0.05


def open_night(design: Design | None = None, *, seats: int = SEATS, session: Session | None = None) -> Verdict:
    """Play the second night against a design, and return what went wrong, seat by seat, or that the books balance.

    The design is the one that was made last unless another is given. Its tables are made anew, or emptied. The
    rehearsal comes first; where it finds something, the doors stay shut. ``seats`` is the size of the house, in whole
    blocks of 12 at two stages; of more than 480 it plays 480.

    >>> open_night(design)
    ✓ The books balance. …
    """
    design = design or latest_design()
    if design is None:
        raise LabError("There is no design yet: design = Design() makes an empty one.")
    if not isinstance(seats, int) or isinstance(seats, bool) or seats < LEAST_SEATS:
        raise LabError(f"seats must be a whole number from {LEAST_SEATS} on, not {seats!r}.")
    session = session or latest_session() or connect()
    if not session.keyspace:
        raise LabError("No keyspace is in use: run the notebook's first cells, then this one again.")
    global _latest
    progress = _Progress()
    try:
        verdict = _played(session, design, seats, progress.say)
    except DesignError as error:
        verdict = Verdict([Fault("your design", str(error))], "before the doors opened")
    finally:
        progress.end()
    _latest = design.text(), verdict
    return verdict


def latest_verdict(design: Design) -> Verdict | None:
    """The verdict of the night that was played last, if it was this design's as it is now."""
    return _latest[1] if _latest is not None and _latest[0] == design.text() else None


def forget_verdict() -> None:
    """As before any night was played."""
    global _latest
    _latest = None


_latest: tuple[str, Verdict] | None = None


def _played(session: Session, design: Design, seats: int, say: Callable[[str], None]) -> Verdict:
    design.check(*dict.fromkeys(name for names in NEEDED.values() for name in names))
    for part, title in _PARTS.items():
        say(f"Rehearsal, {title} …")
        books = play(session, design, part)
        if books.faults:
            return Verdict(books.faults, f"in the rehearsal of {title}")
    blocks = round(min(seats, MOST_SEATS) / SEATS_IN_A_BLOCK / len(STAGES))
    crowd = open_doors(session, design, House(blocks))
    night = _Night(crowd, say)
    night.run()
    return Verdict(crowd.books.faults, "on the night", night.summary())


class _Night:
    """A seeded night: parties come, pay, cancel, die; sweepers and clerks go round between them."""

    def __init__(self, crowd: Crowd, say: Callable[[str], None]) -> None:
        self.crowd, self.books, self.say = crowd, crowd.books, say
        self.random = Random(2031)
        self.asked: list[Job] = []
        self.later: dict[int, list[Hold]] = {}
        self.slow: list[tuple[int, Job]] = []
        self.cancelling: set[int] = set()
        self.parties = 0

    def run(self) -> None:
        for name, stage in zip(_NAMES, STAGES * len(_NAMES), strict=False):
            self.crowd.join_line(f"{name} in line", stage)
        for minute in range(1, MINUTES + 1):
            self.crowd.minute = minute
            taken = len(self.books.sold) + len(self.books.held)
            self.say(f"Minute {minute} of {MINUTES}: {taken} of {len(self.crowd.house.all)} seats taken …")
            self._minute(minute)
            self.crowd.shop.let_pass(self.crowd.shop.hold_seconds / 4)
        self._close()

    def _minute(self, minute: int) -> None:
        wanted = max(8, len(self.crowd.house.all) * 3 // 2 // MINUTES)
        coming = [job for _ in range(wanted) if (job := self._party())]
        acts = [self._act(hold) for hold in self.later.pop(minute, ())]
        again = [job for due, job in self.slow if due == minute]
        for job in again:
            job.repeat_last()
        helpers: list[Sweeper | Clerk] = [Sweeper(self.crowd), Sweeper(self.crowd), Clerk(self.crowd)]
        self._mix([*coming, *acts, *(job for job in again if not job.done), *helpers], minute)
        for job in coming:
            if job.said and not job.dead:
                self._decide(self.crowd.hold_of(job), minute)
        paid = [each for each in self.books.sold.values() if each.party.name[-7:] != "in line"]
        if minute % 3 == 0 and paid:
            hold = self.random.choice(paid)
            self.crowd.give_back(hold).finish()

    def _party(self) -> Job | None:
        """A party that asks for seats side by side; some ask for what others have."""
        guests = self.random.choice(_FAMILIES) if self.random.random() < 0.35 else ("adult",)
        self.parties += 1
        names = _SURNAMES if len(guests) > 1 else _NAMES
        name = f"{'The ' if len(guests) > 1 else ''}{self.random.choice(names)} {self.parties}"
        for _ in range(4):
            block = self.crowd.house.block(self.random.choice(STAGES), self.random.choice(self.crowd.house.names))
            start = self.random.randrange(len(block) - len(guests) + 1)
            seats = block[start : start + len(guests)]
            if self.random.random() < 0.25 or not any(self._is_taken(seat) for seat in seats):
                return self.crowd.hold(Party(name, guests), seats)
        return None

    def _is_taken(self, seat: Seat) -> bool:
        return seat in self.books.held or seat in self.books.sold or seat in self.books.returned

    def _decide(self, hold: Hold, minute: int) -> None:
        fate = self.random.choice(_FATES)
        if fate != "nothing":
            # Four quarters of a hold later it may be over or not; five later it is.
            due = minute + (1 if fate in ("pay", "cancel") else self.random.choice((2, 3, 5)))
            self.later.setdefault(due, []).append(hold)
            if fate == "cancel":
                self.cancelling.add(id(hold))

    def _act(self, hold: Hold) -> Job:
        return self.crowd.cancel(hold) if id(hold) in self.cancelling else self.crowd.pay(hold)

    def _mix(self, workers: list[Job | Sweeper | Clerk], minute: int) -> None:
        """All take turns. Now and then a buyer's process dies, or a till stops and goes on two minutes later."""
        busy = [each for each in workers if not each.done]
        while busy:
            worker = self.random.choice(busy)
            worker.step()
            if isinstance(worker, Job) and not worker.done and self.random.random() < _DIES:
                if worker.name == "hold":
                    worker.dead = True
                    busy.remove(worker)
                elif worker.name == "pay":
                    self.slow.append((minute + 2, worker))
                    busy.remove(worker)
            busy = [each for each in busy if not each.done]

    def _close(self) -> None:
        """The night ends: what stood still goes on, all holds end, sweepers and clerks go round, the auditor comes."""
        self.say("The doors are shut; the auditor is coming …")
        for _, job in self.slow:
            if not job.done:
                job.repeat_last()
                job.finish()
        self.crowd.let_holds_end()
        self.crowd.sweep()
        self.crowd.serve_line()
        self.crowd.let_holds_end()
        self.books.check_line()
        self.books.audit(self.crowd.shop)
        check_report(self.crowd, MINUTES)
        check_seats_left(self.crowd)

    def summary(self) -> str:
        """What the night was, in a sentence."""
        sold = len(self.books.sold)
        taken = {stage: sum(paid for (where, _), paid in self.books.paid.items() if where == stage) for stage in STAGES}
        money = ", ".join(f"{stage} {paid:,}" for stage, paid in taken.items())
        served = sum(map(len, self.books.served.values()))
        return (
            f"{self.parties} parties came for {len(self.crowd.house.all)} seats; {sold} are sold, each to one buyer, "
            f"{served} of them to the line. Tills and report agree: {money}."
        )


class _Progress:
    """One line that says how far the night is, where somebody looks on."""

    def __init__(self) -> None:
        from ..display.frontend import somebody_watches

        self._display = None
        if somebody_watches():
            from IPython.display import display

            self._display = display("", display_id=True)

    def say(self, text: str) -> None:
        if self._display is not None:
            from IPython.display import Markdown

            self._display.update(Markdown(f"*{text}*"))

    def end(self) -> None:
        self.say("The night is over.")
