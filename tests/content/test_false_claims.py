"""Sentences that stood in this project and do not hold on a ScyllaDB: none of them comes back, in any wording we know.

One false idea is often said in four places: prose, a prediction's why, an exercise, the glossary, a docstring. So each
is a pattern that runs over all of them, beside the sentence in which it was last said and what holds instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
FOLDERS = ("notebooks", "helpers", "cql", "docs", "scylla_cdc", "embedded_scylla")
KINDS = {".ipynb", ".md", ".py", ".toml", ".cql"}


@dataclass(frozen=True)
class Claim:
    """``pattern``: the idea, as a regular expression. ``said``: a sentence that had it. ``holds``: what is true."""

    pattern: str
    said: tuple[str, ...]
    holds: str


CLAIMS = [
    Claim(
        r"(conditional (write|update)|lightweight transaction)\S* is refused at (any|every) level|"
        r"needs a quorum to compare",
        ("A conditional write is refused at any level: it needs a quorum to compare.",),
        "The replicas that exist vote, one of one on one node. What was decided is then written at the ordinary level.",
    ),
    Claim(
        r"tablets[^.]{0,60}, are off: with them",
        ("Tablets, the newer way to spread data, are off: with them, change data capture needs ScyllaDB 2025.4.",),
        "Tablets are the shipped default, and the course goes along with it.",
    ),
    Claim(
        r"both creates ran, and nothing warned",
        ("Both CREATEs ran, and nothing warned you.",),
        "On tablets the table is refused, or the keyspace already.",
    ),
    Claim(
        r"everything that the chapters say holds",
        ("Everything that the chapters say holds on ScyllaDB.",),
        "Nobody has run them on one. Say what was verified, and how.",
    ),
    Claim(
        r"mostly (that takes )?(a few|of some) milliseconds|views follow in their own time",
        (
            "The view follows in its own time. Mostly that takes a few milliseconds.",
            "A real cluster is left alone: its views have a lag of their own, mostly of some milliseconds.",
            "What you wrote yourself is there. Views follow in their own time, and an index is one.",
        ),
        "With as many copies as nodes there is no lag. There may be one in larger clusters, of any length.",
    ),
    Claim(
        r"nothing was read first",
        ("The key says which row is meant, so the server goes straight to it; nothing was read first.",),
        "A write to a table with a view reads the old row.",
    ),
    Claim(
        r"more copies than nodes, a quorum cannot",
        ("With more copies than nodes, a quorum cannot be reached.",),
        "Three copies on two nodes have a quorum: two of three.",
    ),
    Claim(
        r"the cluster's layout changes|nodes? joins? or leaves?",
        ("When the cluster's layout changes, a new generation begins.", "New streams begin when nodes join or leave."),
        "Vnodes: when a node joins, or on command. Tablets: when one is split or merged. Not when a node leaves.",
    ),
    Claim(
        r"the server remembers nothing",
        ("Between two pages the server remembers nothing: all it needs is in the bookmark.",),
        "Replicas keep the reader of the page before, and can do without.",
    ),
    Claim(
        r"kept in step by the server|(server|then) keeps (what it made itself |it )?in step",
        (
            "A second copy of a table's rows under another key, kept in step by the server.",
            "The server fills a new view in the background, and then keeps it in step.",
            "The server keeps what it made itself in step. Your second table needs every writer.",
            "A view reads what is wanted, under a second key that the server keeps in step.",
        ),
        "A view may lag, and a lost update leaves it different for good: ghost rows, PRUNE, repair.",
    ),
    Claim(
        r"built_views` (says when|lists it when)",
        ("First it is filled; `system.built_views` says when.", "`system.built_views` lists it when it is done."),
        "It tells of the node that answers, and of no other.",
    ),
    Claim(
        r"every node must agree before the next",
        ("Run schema changes from one place, one after the other. Every node must agree before the next.",),
        "Schema changes go through Raft: concurrent ones are safe, and more than half of the voters must be up.",
    ),
    Claim(
        r"nothing in a notebook changes",
        ("Any other cluster is named by variables. Nothing in a notebook changes.",),
        "Holds are shorter where the clock cannot be pushed.",
    ),
    Claim(
        r"met every ticket of the house to return",
        ("It met every ticket of the house to return one section.",),
        "ScyllaDB's trace of a filtered read tells of one page.",
    ),
    Claim(
        r"first page rises until it meets",
        ("The time for the first page rises until it meets the one for all.",),
        "A page ends at about 1 MB, so the first page of a large house never is the whole.",
    ),
    Claim(
        r"and LOCAL_SERIAL, waits|one step for the whole cluster: of two buyers one is applied\.(?! That is so)",
        (
            "The session reads and writes at LOCAL_QUORUM and LOCAL_SERIAL, waits 15 seconds at most.",
            "Condition and change are one step for the whole cluster: of two buyers one is applied.",
        ),
        "So it is at SERIAL. LOCAL_SERIAL decides within one data centre, and with two both sell the seat.",
    ),
    Claim(
        r"nodes (join or leave|added, tablets split)",
        (
            "The random part tells generations apart: when nodes join or leave, streams are made anew.",
            "None is missed across restarts and new generations (nodes added, tablets split).",
        ),
        "Vnodes: when a node joins, or on command. Tablets: when they are split or merged. Not when a node leaves.",
    ),
    Claim(
        r"quiet round costs next to nothing|scan of \d+ held seats takes several times as long",
        (
            "The log pays for every change, once, and a quiet round costs next to nothing.",
            "Two bars: a scan of 300 held seats takes several times as long as a look at the log.",
        ),
        "Every round asks for every stream. On vnodes a cluster has hundreds or thousands, and a scan may be cheaper.",
    ),
    Claim(
        r"The price is a read before every write, and three rows instead of one\.(?! And it is a read before)",
        ("It has it in one place. The price is a read before every write, and three rows instead of one.",),
        "The read is not one step with the write: beside other writes the images may be wrong.",
    ),
    Claim(
        r"outlives its table",
        ("A log that was switched off outlives its table, and would stand in the way of the next one.",),
        "The log goes with its table.",
    ),
    Claim(
        r"nobody to agree with",
        ("The first two lie close together on the embedded node: it is alone and has nobody to agree with.",),
        "On one node too a decision takes its rounds, and each waits for the disk.",
    ),
    Claim(
        r"hardly further than 16|one process decides about everything",
        (
            "Four bars: 4 buyers at once get further than one, and 64 hardly further than 16.",
            "On the embedded node one process decides about everything. On ScyllaDB it is the partition.",
        ),
        "Plain updates, and many partitions, level off there too: compare them before you name a reason.",
    ),
    Claim(
        r"more than half of the nodes must be up",
        ("Two changes at a time do each other no harm, and more than half of the nodes must be up.",),
        "More than half of those that vote: in a large cluster only some nodes do.",
    ),
    Claim(
        r"with a ready-made id is idempotent",
        ("An INSERT with a ready-made id is idempotent: a second one changes nothing.",),
        "With a timestamp of its own. Where the server stamps it, a late copy is a newer write.",
    ),
    Claim(
        r"every partition on every node",
        ("It reads every partition on every node: fine for three events, not for three million.",),
        "Every partition of the table, each from as many replicas as the level asks for, not from every node.",
    ),
    Claim(
        r"(repeat|lists? at) the server's defaults",
        (
            "The same without the options that only repeat the server's defaults.",
            "Options that the source lists at the server's defaults are left out here.",
        ),
        "They were its defaults once: 2026.1 has another compaction and another compression.",
    ),
    Claim(
        r"a row there for every change",
        ("The server adds a log table, and writes a row there for every change.",),
        "A write may log several rows, and what ends by TTL, or by TRUNCATE, logs none.",
    ),
    Claim(
        r"From then on it writes the view",
        ("It fills a new view in the background. From then on it writes the view whenever the table is written.",),
        "It does so from the creation on, while the old rows are still being filled in.",
    ),
    Claim(
        r"A plain `BEGIN BATCH` is logged",
        ("A plain `BEGIN BATCH` is *logged*: the server writes the whole of it down before it begins.",),
        "Within one partition nothing is written down first: the batch is one write there.",
    ),
    Claim(
        r"hides such a row for good",
        ("But a DELETE that came since hides such a row for good.",),
        "As long as its tombstone is there: a write with an old stamp that comes later is seen.",
    ),
    Claim(
        r"timestamp is that of this machine's clock",
        ("The INSERT's timestamp is that of this machine's clock, and so an hour older than the delete.",),
        "In this course the server stamps what the driver sends.",
    ),
    Claim(
        r"repair (of table and view|of both)? ?(mends|fixes) |mends the rest",
        ("`PRUNE MATERIALIZED VIEW` takes ghosts out, repair of table and view mends the rest.",),
        "Repair compares a view's replicas with one another. A gap closes when the table's row is written anew.",
    ),
    Claim(
        r"goes when the table goes, or its cdc option|(log (goes|ends)|log is dropped) with (its|the) cdc option",
        ("The log belongs to its table: it goes when the table goes, or its cdc option.",),
        "Without the option the log stays, and can be read. It may then be dropped by itself, or goes with its table.",
    ),
    Claim(
        r"(writes|is) a row for every change|by a column that is in no key",
        (
            "A table beside a table, into which the server writes a row for every change.",
            "Lets you ask by a column that is in no key.",
        ),
        "A range delete is two rows, a TRUNCATE and the end of a TTL none. An index may be on a clustering column too.",
    ),
    Claim(
        r"(each|every) round( of a decision)? waits for the other",
        (
            "Between two, each round waits for the other, and while one of them is lost, no seat is sold.",
            "Four of six must answer, so every round of a decision waits for the other data centre.",
        ),
        "Promise and accept do, at the serial level. The write after them waits as the ordinary level says.",
    ),
    Claim(
        r"ahead, or before the generation in force|whose clock is wrong, if its",
        (
            "A write that is stamped more than 5 s ahead, or before the generation in force, is refused.",
            "So is every write of a machine whose clock is wrong, if its driver sets the timestamps.",
        ),
        "That is so on vnodes. On tablets a write from the past goes to the streams of its time, if they are known.",
    ),
    Claim(
        r"(CDC|log)[^.]{0,60} makes? sure that (no one|nobody)",
        ("CDC makes sure that no one else can buy the seat.",),
        "A log is read after the change has happened. Only a condition in the write itself stops a second buyer.",
    ),
    Claim(
        r"after a node has joined, the newest",
        ("After a node has joined, the newest generation is published about a minute before it begins.",),
        "On tablets generations come by splits and merges, and are published ahead as well.",
    ),
    Claim(
        r"defaults (of .{0,60})?are (the libraries'|those of ScyllaDB's own libraries)",
        (
            "The first three defaults are the libraries', made for clusters.",
            "The defaults of window, safety and pause are those of ScyllaDB's own libraries, made for clusters.",
        ),
        "They are scylla-cdc-rust's. The others have windows of 30 seconds, and other pauses.",
    ),
    Claim(
        r"neighbours on the ring share a stream(?! \(with vnodes, those of one core\))",
        ("Enlarged, stairs: neighbours on the ring share a stream.",),
        "With vnodes there is a stream for each core, and the cores take turns along the ring.",
    ),
    Claim(
        r"The queue is such a table|themselves\W* want .?TimeWindowCompactionStrategy",
        ("Rows that end by themselves want `TimeWindowCompactionStrategy`. The queue is such a table.",),
        "Its rows are deleted early, and the documentation advises against that with TimeWindowCompactionStrategy.",
    ),
    Claim(
        r"such a ticket is in no view",
        ("A status that expires leaves a ticket with none, and such a ticket is in no [view](glossary.md).",),
        "It is missing from views with the status in their key.",
    ),
    Claim(
        r"a decision takes no time",
        ("Where a server is alone and quick, a decision takes no time, and there is nothing to see.",),
        "On one node of ScyllaDB too each round waits for the disk. It is the embedded node that is quick.",
    ),
    Claim(
        r"plain UPDATE does not look at what is there|plain updates of the same one wait for nothing",
        (
            "A plain UPDATE does not look at what is there, and answers nothing.",
            "It is not the partition as such: plain updates of the same one wait for nothing.",
        ),
        "On a table with a view the old row is read, and no condition is judged. Updates do not wait for each other.",
    ),
    Claim(
        r"which on a cluster follows a moment later|which is the view and a little behind",
        ("The look goes through the view, which on a cluster follows a moment later.",),
        "A view may follow later; with as many copies as nodes there is no lag to see.",
    ),
    Claim(
        r"transactions on the same partition wait for each other(?! where one node takes them)",
        ("Lightweight transactions on the same partition wait for each other.",),
        "Those that one node takes do. Those of several nodes run at once, and some of them begin again.",
    ),
    Claim(
        r"You can ask for more: the row before",
        ("You can ask for more: the row before the change, its preimage, and the row after it.",),
        "With `true` a preimage has the columns that the write touches; the whole row takes `'full'`.",
    ),
]


def texts() -> Iterator[tuple[str, str]]:
    """Every text that says how a ScyllaDB behaves: where it stands, and its words with the line ends taken out."""
    paths = [path for folder in FOLDERS for path in (PROJECT / folder).rglob("*") if path.suffix in KINDS]
    for path in [PROJECT / "README.md", *sorted(paths)]:
        name, text = path.relative_to(PROJECT).as_posix(), path.read_text(encoding="utf-8")
        if path.suffix != ".ipynb":
            yield name, plain(text)
            continue
        for cell in json.loads(text)["cells"]:
            yield f"{name}, {cell['id']}", plain("".join(cell["source"]))


def plain(text: str) -> str:
    """The words of a text: comment signs, emphasis, links' targets and line ends taken out."""
    text = re.sub(r"\n\s*(#|--|\|)? ?", " ", text)
    return re.sub(r"\s+", " ", re.sub(r"\]\([^)]*\)|[*\[]", "", text))


@pytest.fixture(scope="module")
def everything() -> list[tuple[str, str]]:
    return list(texts())


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.said[0][:40])
def test_a_false_claim_does_not_come_back(claim: Claim, everything: list[tuple[str, str]]):
    found = [name for name, text in everything if re.search(claim.pattern, text, re.IGNORECASE)]
    assert not found, f"{', '.join(found)}: {claim.said[0]!r} is not so. {claim.holds}"


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.said[0][:40])
def test_each_pattern_knows_its_sentences(claim: Claim):
    """A pattern that finds nothing would be content for ever."""
    for said in claim.said:
        assert re.search(claim.pattern, plain(said), re.IGNORECASE), said


def test_the_words_are_found_in_every_kind_of_text(everything: list[tuple[str, str]]):
    """One text of each kind, and words that are known to stand in it, across the ends of lines."""
    kinds = {Path(name.partition(",")[0]).suffix for name, _ in everything}
    assert kinds == KINDS
    assert plain("of a\n    # *larger*\n-- [cluster](glossary.md#cluster)") == "of a larger cluster"
