"""What several chapters' checks ask: can this table be read by what a question names?"""

from __future__ import annotations

from typing import Any

from ..course.look import Look, NotYet


def rows_by_key(look: Look, table: str, what: str, query: str, values: tuple[Any, ...]) -> list[Any]:
    """The rows of ``query``, which the key of ``table`` must be able to answer without a filter.

    ``NotYet`` says that the table cannot be asked for ``what``, and which key it has.
    """
    partition, clustering = look.key(table)
    try:
        return look.rows(query, values)
    except NotYet:
        first = f"({', '.join(partition)})" if len(partition) > 1 else partition[0]
        key = ", ".join([first, *clustering])
        raise NotYet(f"{table} cannot be asked for {what}: its key is ({key}).") from None
