"""``show_error`` prints the server's own sentence, without what the driver puts around it."""

from __future__ import annotations

import pytest
from cassandra import InvalidRequest, Unavailable

from helpers.display.refusals import error_text

SENTENCE = 'Cannot achieve consistency level for cl LOCAL_QUORUM. Requires 2, alive 1 ("seats")'


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequest(f'Error from server: code=2200 [Invalid query] message="{SENTENCE}"'),
        InvalidRequest(f'<Error from server: code=2200 [Invalid query] message="{SENTENCE}">'),
        Unavailable(f'Error from server: code=1000 [Unavailable exception] message="{SENTENCE}"', required_replicas=2),
        ValueError(SENTENCE),
    ],
    ids=["plain", "in brackets", "with figures", "not the server's"],
)
def test_only_the_sentence_is_left(error: Exception):
    assert error_text(error) == SENTENCE
