"""The second night judges designs: different right ones pass, each plausible wrong one is told what it does to whom.

Nothing here depends on who is faster: the crowd's turns come from seeds, and the time is pushed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cassandra.cluster import Session

from helpers.festival.cells import keep
from helpers.festival.design import Design, DesignError
from helpers.festival.night import open_night
from helpers.festival.scenes import play
from helpers.lab.errors import LabError
from helpers.shop.opening import use_keyspace
from tests.full import only_in_full

DESIGNS = Path(__file__).parent / "festival"
# One that writes a seat's state and one that writes only what is taken: what the others do besides, these do too.
EVERY_DAY = ("blocks.cql", "locks.cql")
KEYSPACE = "second_night"


@pytest.fixture
def session(lab: Session) -> Session:
    use_keyspace(lab, KEYSPACE)
    return lab


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, marks=() if file in EVERY_DAY else only_in_full("two kinds of designs play every day"))
        for file in ("blocks.cql", *sorted(path.name for path in DESIGNS.glob("*.cql")))
    ],
)
def test_designs_of_very_different_kinds_pass(session: Session, file: str) -> None:
    path = DESIGNS / file
    verdict = open_night(Design.read(path if path.is_file() else file), seats=60, session=session)
    assert verdict, str(verdict)
    assert "The books balance" in str(verdict)


@dataclass
class Bad:
    """A right design with one thing wrong, the part of the rehearsal that finds it, and what that says first."""

    what: str
    part: int
    says: str
    changed: dict[str, str]
    base: str = "blocks.cql"
    tables: dict[str, str] = field(default_factory=dict)


WHERE = "WHERE stage = :stage AND block = :block AND seat = :seat"
FREE = f"UPDATE seats SET status = 'free', buyer = null, hold_id = null, held_until = null {WHERE}"
HOLD = "UPDATE seats SET status = 'held', buyer = :buyer, hold_id = :hold_id, held_until = :held_until"
PAYMENT = "INSERT INTO payments (stage, minute, hold_id, seat, price) VALUES (:stage, :minute, :hold_id, :seat, :price)"
SOLD = f"BEGIN BATCH UPDATE seats SET status = 'sold' {WHERE}"

BAD = [
    Bad("no IF", 2, "Lake A-1: it was promised to Bo, and to Cy as well.", {"hold": f"{HOLD} {WHERE}"}),
    Bad(
        "it looks first, and then writes",
        2,
        "promised to",
        {"hold": f"SELECT seat FROM seats_by_status WHERE stage = :stage AND status = 'free' AND block = :block "
                 f"AND seat = :seat; {HOLD} {WHERE}"},
    ),
    Bad(
        "a key without the stage",
        1,
        "Lake A-1: it was put on sale and is not free, but Hill A-1 is: one seat of the two has taken the other's "
        "place. 12 of 24 are.",
        {"free_seats": "SELECT stage, block, seat FROM seats", "owners": "SELECT stage, block, seat, buyer FROM seats "
                       "WHERE status = 'sold' ALLOW FILTERING"},
        tables={"PRIMARY KEY ((stage, block), seat)": "PRIMARY KEY (block, seat)",
                "PRIMARY KEY ((stage, status), block, seat)": "PRIMARY KEY (status, block, seat)",
                "WHERE stage IS NOT NULL AND ": "WHERE "},
    ),
    Bad(
        "the buyer in the key",
        2,
        "Lake A-1: it was promised to",
        {
            "hold": "INSERT INTO taken (stage, block, seat, state, buyer, hold_id) "
                    "VALUES (:stage, :block, :seat, 'held', :buyer, :hold_id) IF NOT EXISTS USING TTL :hold_seconds",
            "pay": f"UPDATE taken USING TTL 0 SET state = 'sold', hold_id = :hold_id {WHERE} AND buyer = :buyer "
                   "IF state = 'held'; INSERT INTO takings (stage, minute, block, seat, hold_id, price) "
                   "VALUES (:stage, :minute, :block, :seat, :hold_id, :price)",
            "cancel": f"DELETE FROM taken {WHERE} AND buyer = :buyer IF EXISTS",
            "give_back": "", "resell": "", "undo_resell": "", "returned_seats": "",
        },
        base="locks.cql",
        tables={"PRIMARY KEY ((stage, block), seat)": "PRIMARY KEY ((stage, block), seat, buyer)"},
    ),
    Bad(
        "the hold in another table, without a condition",
        2,
        "Lake A-1: it was promised to",
        {
            "hold": "INSERT INTO holds (stage, block, seat, buyer) VALUES (:stage, :block, :seat, :buyer) "
                    "USING TTL :hold_seconds",
            "pay": f"UPDATE seats SET status = 'sold', buyer = :buyer, hold_id = :hold_id {WHERE} IF status = 'free'; "
                   f"{PAYMENT}",
            "cancel": f"DELETE FROM holds {WHERE}",
            "expire": "", "overdue": "",
        },
        tables={"CREATE TABLE line (": "CREATE TABLE holds (stage text, block text, seat int, buyer text, "
                "PRIMARY KEY ((stage, block), seat)); CREATE TABLE line ("},
    ),
    Bad(
        "a TTL on the ticket's status",
        2,
        "has the receipt, and your books know no owner.",
        {
            "hold": "UPDATE seats USING TTL :hold_seconds SET status = 'held', buyer = :buyer, hold_id = :hold_id, "
                    f"held_until = :held_until {WHERE} IF status = 'free'",
            "pay": f"UPDATE seats USING TTL :hold_seconds SET status = 'sold' {WHERE} "
                   f"IF status = 'held' AND hold_id = :hold_id AND held_until > :now; {PAYMENT}",
        },
    ),
    Bad(
        "a TTL on the ticket's status while it is held",
        2,
        "it is still not on sale: nobody has it, and nobody can buy it.",
        {
            "hold": "UPDATE seats USING TTL :hold_seconds SET status = 'held', buyer = :buyer, hold_id = :hold_id, "
                    f"held_until = :held_until {WHERE} IF status = 'free'",
            "pay": f"UPDATE seats USING TTL 0 SET status = 'sold', buyer = :buyer, hold_id = :hold_id {WHERE} "
                   f"IF status = 'held' AND hold_id = :hold_id AND held_until > :now; {PAYMENT}",
            "expire": "", "overdue": "",
        },
    ),
    Bad(
        "a row that ends by itself, also when it is paid",
        2,
        "has the receipt, and your books know no owner.",
        {"pay": f"UPDATE taken USING TTL :hold_seconds SET state = 'sold', buyer = :buyer, hold_id = :hold_id {WHERE} "
                "IF state = 'held' AND hold_id = :hold_id"},
        base="locks.cql",
    ),
    Bad(
        "expire without the hold's id",
        2,
        "Bo had it for a quarter of an hour; a sweeper came late, for Ada's old hold, and Bo lost it.",
        {"expire": f"{FREE} IF status = 'held'",
         "overdue": "SELECT block, seat, held_until FROM seats WHERE stage = :stage AND block = :block "
                    "AND held_until <= :now ALLOW FILTERING"},
    ),
    Bad(
        "expire without the deadline",
        2,
        "Lake B-1: Ada had it for a quarter of an hour; the sweepers came at once, and it was gone.",
        {"expire": f"{FREE} IF status = 'held' AND hold_id = :hold_id"},
    ),
    Bad(
        "no way back for what nobody pays",
        2,
        "it is still not on sale: nobody has it, and nobody can buy it.",
        {"expire": "", "overdue": ""},
    ),
    Bad(
        "pay without the deadline",
        2,
        "Lake B-3: Ada paid when the hold was over, and the shop said yes: whoever was told to come back at that "
        "moment comes in vain.",
        {"pay": f"{SOLD} IF status = 'held' AND hold_id = :hold_id; APPLY BATCH; {PAYMENT}"},
    ),
    Bad(
        "pay without the hold's id",
        2,
        "Ada's hold was over and Bo had it by then; Ada paid, and the shop said yes.",
        {"pay": f"{SOLD} IF status = 'held' AND held_until > :now; APPLY BATCH; {PAYMENT}"},
    ),
    Bad(
        "cancel without the hold's id",
        2,
        "Bo had it; Ada, whose hold was long over, cancelled, and it was taken from Bo.",
        {"cancel": f"{FREE} IF status = 'held'"},
    ),
    Bad(
        "pay without any condition",
        2,
        "Lake B-3: Ada paid when the hold was over, and the shop said yes",
        {"pay": f"UPDATE seats SET status = 'sold' {WHERE}; {PAYMENT}"},
    ),
    Bad(
        "a family seat by seat, and no way back",
        3,
        "The Larks asked for Lake B-1 to B-4 and were refused, because Bo had the third of them; "
        "and it stays taken for them.",
        {"hold": f"{HOLD} {WHERE} IF status = 'free'"},
    ),
    Bad(
        "a family seat by seat, and a way back that takes others' seats, too",
        3,
        "Lake B-3: Bo paid in time, and was refused.",
        {"hold": f"{HOLD} {WHERE} IF status = 'free'", "undo_hold": f"{FREE} IF status = 'held'"},
    ),
    Bad(
        "a family that is paid seat by seat",
        3,
        "your books give it to The Larks.",
        {"pay": f"UPDATE seats SET status = 'sold' {WHERE} "
                f"IF status = 'held' AND hold_id = :hold_id AND held_until > :now; {PAYMENT}"},
    ),
    Bad(
        "what comes back is on sale to everybody",
        4,
        "Lake A-1: Ada gave it back, 5 wait in line for it, and it is offered to everybody.",
        {"give_back": f"{FREE} IF status = 'sold' AND hold_id = :hold_id",
         "returned_seats": "SELECT block, seat FROM seats_by_status WHERE stage = :stage AND status = 'free'"},
    ),
    Bad(
        "a line in the order of names",
        4,
        "Lake A-1: Zoe was before Ana in the line for Lake, and Ana was given it.",
        {"resell": f"UPDATE seats SET status = 'sold', buyer = :buyer, hold_id = :hold_id {WHERE} IF status = 'back'; "
                   "DELETE FROM line WHERE stage = :stage AND buyer = :buyer IF EXISTS",
         "next_in_line": "SELECT buyer FROM line WHERE stage = :stage LIMIT 1"},
        tables={"PRIMARY KEY (stage, place)": "PRIMARY KEY (stage, buyer)"},
    ),
    Bad(
        "one line for both stages",
        4,
        "Hill A-1: Ben was given it, who stands in line for Lake, not for Hill.",
        {"join_line": "INSERT INTO line (stage, place, buyer) VALUES ('all', :place, :buyer)",
         "next_in_line": "SELECT place, buyer FROM line WHERE stage = 'all' LIMIT 1",
         "resell": f"UPDATE seats SET status = 'sold', buyer = :buyer, hold_id = :hold_id {WHERE} IF status = 'back'; "
                   "DELETE FROM line WHERE stage = 'all' AND place = :place IF EXISTS"},
    ),
    Bad(
        "nobody is taken off the line",
        4,
        "Zoe was given it and had Lake A-1 already, while Tom waits.",
        {"resell": f"UPDATE seats SET status = 'sold', buyer = :buyer, hold_id = :hold_id {WHERE} IF status = 'back'",
         "undo_resell": ""},
    ),
    Bad(
        "the line is not asked whether the person still stands there",
        4,
        "had Lake A-",
        {"resell": f"UPDATE seats SET status = 'sold', buyer = :buyer, hold_id = :hold_id {WHERE} IF status = 'back'; "
                   "DELETE FROM line WHERE stage = :stage AND place = :place"},
    ),
    Bad(
        "a seat from the line without IF",
        4,
        "was given it",
        {"resell": f"DELETE FROM line WHERE stage = :stage AND place = :place IF EXISTS; "
                   f"UPDATE seats SET status = 'sold', buyer = :buyer, hold_id = :hold_id {WHERE}"},
    ),
    Bad(
        "give_back without the hold's id",
        4,
        "Lake A-1: Zoe has it from the line; Ada's message came again, and took it away.",
        {"give_back": f"UPDATE seats SET status = 'back', buyer = null {WHERE} IF status = 'sold'"},
    ),
    Bad(
        "a report that reads the whole house",
        5,
        "Lake, minute 1: one ticket was sold in it, and to say so the server looks at",
        {"pay": f"BEGIN BATCH UPDATE seats SET status = 'sold', minute = :minute {WHERE} "
                "IF status = 'held' AND hold_id = :hold_id AND held_until > :now; APPLY BATCH",
         "give_back": "",
         "report": "SELECT sum(price) AS revenue FROM seats WHERE stage = :stage AND minute = :minute ALLOW FILTERING"},
        tables={"held_until timestamp,": "held_until timestamp, minute int,"},
    ),
    Bad(
        "a report from the tickets as they are now",
        5,
        "Lake, minute 2: the receipts of this minute come to 140, and your report says 70.",
        {"pay": f"BEGIN BATCH UPDATE seats SET status = 'sold', minute = :minute {WHERE} "
                "IF status = 'held' AND hold_id = :hold_id AND held_until > :now; APPLY BATCH",
         "give_back": f"UPDATE seats SET status = 'back', buyer = null, minute = null {WHERE} "
                      "IF status = 'sold' AND hold_id = :hold_id",
         "report": "SELECT sum(price) AS revenue FROM seats WHERE stage = :stage AND minute = :minute ALLOW FILTERING"},
        tables={"held_until timestamp,": "held_until timestamp, minute int,"},
    ),
    Bad(
        "a payment with a new id each time it is written",
        5,
        "Lake, minute 3: the receipts of this minute come to",
        {"pay": f"{SOLD} IF status = 'held' AND hold_id = :hold_id AND held_until > :now; APPLY BATCH; "
                "INSERT INTO tally (stage, minute, id, price) VALUES (:stage, :minute, now(), :price)",
         "report": "SELECT sum(price) AS revenue FROM tally WHERE stage = :stage AND minute = :minute"},
        tables={"CREATE TABLE line (": "CREATE TABLE tally (stage text, minute int, id timeuuid, price int, "
                "PRIMARY KEY ((stage, minute), id)); CREATE TABLE line ("},
    ),
    Bad(
        "a payment that is booked before it is decided",
        5,
        "the receipts of this minute come to",
        {"pay": f"{PAYMENT}; {SOLD} IF status = 'held' AND hold_id = :hold_id AND held_until > :now; APPLY BATCH"},
    ),
    Bad(
        "a number of seats left that is kept by hand",
        5,
        "seats are free, and your front page says",
        {"put_on_sale": "INSERT INTO seats (stage, block, seat, price, status) "
                        "VALUES (:stage, :block, :seat, :price, 'free'); "
                        "INSERT INTO still_left (stage, block, seat) VALUES (:stage, :block, :seat)",
         "hold": f"BEGIN BATCH {HOLD} {WHERE} IF status = 'free'; APPLY BATCH; DELETE FROM still_left {WHERE}",
         "cancel": f"{FREE} IF status = 'held' AND hold_id = :hold_id; "
                   "INSERT INTO still_left (stage, block, seat) VALUES (:stage, :block, :seat)",
         "seats_left": "SELECT count(*) AS seats_left FROM still_left WHERE stage = :stage"},
        tables={"CREATE TABLE line (": "CREATE TABLE still_left (stage text, block text, seat int, "
                "PRIMARY KEY (stage, block, seat)); CREATE TABLE line ("},
    ),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.what)
def test_a_wrong_design_is_told_what_it_does_to_whom(session: Session, bad: Bad) -> None:
    path = DESIGNS / bad.base
    design = Design.read(path if path.is_file() else bad.base)
    for old, new in bad.tables.items():
        assert old in design.tables
        design.tables = design.tables.replace(old, new)
    for name, text in bad.changed.items():
        setattr(design, name, text)
    found = [str(fault) for fault in play(session, design, bad.part).faults]
    assert found and bad.says in found[0], "\n".join(found[:5]) or "nothing was found"


def test_each_part_before_the_one_that_finds_it_is_content(session: Session) -> None:
    """What a part says is about that part: a design with a bad line sells its seats rightly."""
    design = Design.read("blocks.cql")
    design.next_in_line = "SELECT place, buyer FROM line WHERE stage = :stage ORDER BY place DESC LIMIT 1"
    assert [bool(play(session, design, part).faults) for part in (1, 2, 3, 4)] == [False, False, False, True]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"hold": ""}, "Your design has no hold yet: a party asks for its seats."),
        ({"free_seats": ""}, "Your design has neither free_seats nor taken_seats"),
        ({"overdue": ""}, "Your design has expire and no overdue"),
        ({"hold": "UPDATE seats SET status = 'held' WHERE stage = :stage"}, "hold never names :seat or :seats"),
        ({"pay": "SELECT seat FROM seats"}, "pay only reads"),
        ({"owners": f"DELETE FROM seats {WHERE}"}, "owners is a question, so it is made of SELECT"),
        ({"pay": "DROP TABLE seats"}, "pay has DROP in it"),
        ({"hold": f"BEGIN BATCH {HOLD} {WHERE} IF status = 'free';"}, "hold begins a batch and never ends it"),
        ({"hold": f"UPDATE seats SET buyer = :bayer {WHERE} IF status = 'free'"}, "nothing is called :bayer"),
        ({"hold": f"UPDATE seats SET price = :minute {WHERE} IF status = 'free'"}, "here it has no :minute"),
        ({"hold": f"UPDATE seats SET price = :buyer {WHERE} IF status = 'free'"}, "does not fit price, which is int"),
        ({"hold": f"UPDATE seats SET colour = :buyer {WHERE}"}, "The server refuses hold"),
        ({"hold": f"UPDATE seats SET SET buyer = :buyer {WHERE}"}, "The server refuses hold"),
        ({"hold": f"UPDATE seat SET buyer = :buyer {WHERE}"}, "The server refuses hold"),
        ({"free_seats": "SELECT block FROM seats_by_status WHERE stage = :stage AND status = 'free'"},
         "free_seats gives no column called seat"),
        ({"free_seats": "SELECT seat FROM seats_by_status WHERE stage = :stage AND status = 'free'"},
         "free_seats gives no column called block"),
        ({"tables": "CREATE TABLE seats (a int)"}, "The server refuses tables"),
        ({"tables": "DROP TABLE seats"}, "`tables` has DROP in it"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_said_in_a_sentence(session: Session, changed: dict[str, str], says: str) -> None:
    design = Design.read("blocks.cql")
    for name, text in changed.items():
        setattr(design, name, text)
    with pytest.raises(DesignError) as told:
        play(session, design, 2)
    assert says in str(told.value)


def test_a_name_that_no_design_has_is_told_at_once() -> None:
    with pytest.raises(LabError, match=r"no statement called holds\. Did you mean hold"):
        Design(holds="SELECT")
    with pytest.raises(LabError, match="hold is CQL, so it is a text, not int"):
        Design().hold = 7
    with pytest.raises(LabError, match=r"There is no file nowhere\.cql"):
        Design.read("nowhere.cql")


def test_a_design_is_read_as_it_was_written(tmp_path: Path) -> None:
    design = Design.read("blocks.cql")
    (tmp_path / "mine.cql").write_text(design.text(), encoding="utf-8")
    again = Design.read(tmp_path / "mine.cql")
    assert again.scripts.keys() == design.scripts.keys()
    assert again.text() == design.text()


def test_tables_that_cells_have_made_are_emptied_and_no_other(session: Session) -> None:
    design = Design.read("blocks.cql")
    play(session, design, 1)
    session.execute("CREATE TABLE IF NOT EXISTS mine (id int PRIMARY KEY)")
    session.execute("INSERT INTO mine (id) VALUES (1)")
    design.tables = ""
    for _ in range(2):
        assert not play(session, design, 1).faults
    assert session.execute("SELECT * FROM mine").one()
    session.execute("DROP TABLE mine")


@only_in_full(
    "two whole nights more; every day the sentences about wrong designs, seats and names in them, hang on the same"
)
def test_two_nights_are_the_same(session: Session) -> None:
    first, second = (str(open_night(Design.read("blocks.cql"), seats=48, session=session)) for _ in range(2))
    assert first == second


def test_a_cell_of_a_design_is_noted_and_what_the_server_refuses_is_said(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    Design()
    capsys.readouterr()
    keep("-- nothing yet\n-- name: hold\n", session)
    made = "CREATE TABLE noted (id int PRIMARY KEY, buyer text);"
    keep(f"{made}\n-- name: cancel\nDELETE FROM noted WHERE id = :seat", session)
    keep("-- name: hold\nUPDATE noted SET buyer = :buyer WHERE id = :seat IF buyer = null", session)
    keep("-- name: pay\nUPDATE noted SET colour = 1 WHERE id = :seat", session)
    told = capsys.readouterr().out.splitlines()
    assert told[:4] == [
        "There is no statement in this cell yet.",
        "noted: made.",
        "cancel: noted, 1 statement.",
        "hold: noted, 1 statement, decided by IF.",
    ]
    assert told[4].startswith("The server refuses pay")
    session.execute("DROP TABLE noted")


@pytest.mark.parametrize("seats", [47, "240", True, 0])
def test_a_house_that_makes_no_sense_is_a_sentence(session: Session, seats: object) -> None:
    with pytest.raises(LabError, match="seats must be a whole number from 48 on"):
        open_night(Design.read("blocks.cql"), seats=seats, session=session)
