"""Checks of chapter 07: each plays a part of the second night against the learner's design."""

from __future__ import annotations

from ..course.look import Look, NotYet
from ..festival.books import Books
from ..festival.design import Design, DesignError, latest_design
from ..festival.night import forget_verdict, latest_verdict
from ..festival.scenes import play


def check_1(look: Look) -> str:
    books = _played(look, 1)
    return f"each of {len(books.house.all)} seats is free, once, and nobody owns any."


def undo_1(look: Look) -> None:
    _forget("put_on_sale", "free_seats", "taken_seats", "owners")


def check_2(look: Look) -> str:
    books = _played(look, 2)
    return f"of {len(books.sold)} seats that were paid each has one owner, and what nobody paid is free again."


def undo_2(look: Look) -> None:
    _forget("hold", "undo_hold", "pay", "undo_pay", "cancel", "overdue", "expire")


def check_3(look: Look) -> str:
    books = _played(look, 3)
    families = {hold.id for hold in books.sold.values() if len(hold.seats) > 1}
    return f"{len(families)} families have all their seats side by side, and those who were refused keep none."


def undo_3(look: Look) -> None:
    _forget("hold", "undo_hold", "pay", "undo_pay")


def check_4(look: Look) -> str:
    books = _played(look, 4)
    served = sum(map(len, books.served.values()))
    return f"{served} seats came back, and each went to whoever was next in its line."


def undo_4(look: Look) -> None:
    _forget("give_back", "join_line", "returned_seats", "next_in_line", "resell", "undo_resell")


def check_5(look: Look) -> str:
    books = _played(look, 5)
    return f"the report agrees with the receipts of {len(books.paid)} minutes, and reads no more than it tells."


def undo_5(look: Look) -> None:
    _forget("report", "seats_left")


def check_6(look: Look) -> str:
    design = _design()
    verdict = latest_verdict(design)
    if verdict is None:
        raise NotYet("The night has not been played with your design as it is now.")
    if verdict.faults:
        raise NotYet(str(verdict.faults[0]))
    return f"the books balance. {verdict.summary}"


def undo_6(look: Look) -> None:
    forget_verdict()


def _design() -> Design:
    design = latest_design()
    if design is None:
        raise NotYet("There is no design yet: design = Design() makes an empty one.")
    return design


def _played(look: Look, part: int) -> Books:
    """The books of a part of the night in which nothing went wrong; otherwise the first thing that did."""
    try:
        books = play(look.session, _design(), part)
    except DesignError as error:
        raise NotYet(str(error)) from error
    if books.faults:
        raise NotYet(str(books.faults[0]))
    return books


def _forget(*names: str) -> None:
    design = latest_design()
    if design is not None:
        design.forget(*names)
