"""Where others rightly answer otherwise than ScyllaDB, and so than the embedded node: all of it, and why.

A difference that can be seen in a statement is a field of ``Dialect``: sequences for that engine do without. One that
is seen only in the answers is excused by ``is_rightful``.
"""

from __future__ import annotations

from dataclasses import dataclass

from .operations import Operation
from .outcomes import Outcome
from .shapes import Table


@dataclass(frozen=True)
class Dialect:
    """What may be asked of an engine beside the embedded node."""

    # Casts and tokens in what is selected. The model knows columns, their times and aggregates.
    functions: bool
    # The clock can be pushed, for both alike.
    clock: bool
    # An element's place in a list follows its timestamp. For Cassandra it follows the time of its writing: there,
    # sequences with lists have no timestamps of their own.
    lists_by_timestamp: bool
    # Rows with views are written with timestamps in any order. Cassandra's views keep rows that their base has no more.
    views_in_disorder: bool
    # A conditional batch may ask for the static row in one statement and for another row in the next, or mix EXISTS
    # with columns. Cassandra refuses: "Cannot mix IF conditions and IF NOT EXISTS for the same row".
    mixed_conditions: bool
    # A view may be of one value of a column that is no key of the base. Cassandra refuses: "Non-primary key columns can
    # only be restricted with 'IS NOT NULL'".
    views_of_one_value: bool

    def views(self, table: Table) -> list:
        """Those of a table's views that there can be."""
        keys = table.partition + table.clustering
        return [v for v in table.views if v.only is None or v.only[0] in keys or self.views_of_one_value]


MODEL = Dialect(
    functions=False,
    clock=True,
    lists_by_timestamp=True,
    views_in_disorder=True,
    mixed_conditions=True,
    views_of_one_value=True,
)
CASSANDRA = Dialect(
    functions=True,
    clock=False,
    lists_by_timestamp=False,
    views_in_disorder=False,
    mixed_conditions=False,
    views_of_one_value=False,
)


def is_rightful(operation: Operation, mine: Outcome, theirs: Outcome, dialect: Dialect) -> bool:
    """Whether two unlike answers are both right."""
    return False
