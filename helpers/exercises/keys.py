"""What several chapters' checks ask: can this table be read by what a question names?"""

from __future__ import annotations

import re
from typing import Any

from ..course.look import Look, NotYet


def rows_by_key(look: Look, table: str, what: str, query: str, values: tuple[Any, ...]) -> list[Any]:
    """The rows of ``query``, which the key of ``table`` must be able to answer: its partition, and no filter.

    ``NotYet`` says that the table cannot be asked for ``what``, and which key it has.
    """
    partition, clustering = look.key(table)
    first = f"({', '.join(partition)})" if len(partition) > 1 else partition[0]
    refused = NotYet(f"{table} cannot be asked for {what}: its key is ({', '.join([first, *clustering])}).")
    # ScyllaDB scans a whole table for a clustering column without a word, so that running is not enough.
    if not set(partition) <= set(re.findall(r"(\w+) = ", query)):
        raise refused
    try:
        return look.rows(query, values)
    except NotYet:
        raise refused from None
