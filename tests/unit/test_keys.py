"""Keys: routing bytes, tokens, and bytes that sort as the clustering order does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded_scylla.storage import keys
from tests.unit.example_tables import make_table, number

ints = st.integers(-(2**31), 2**31 - 1)


def test_the_only_column_is_the_routing_key_and_several_have_lengths():
    assert keys.partition_key_bytes(make_table(), (b"abc",)) == b"abc"
    two = make_table(key="p text, q text")
    assert keys.partition_key_bytes(two, (b"abc", b"")) == b"\x00\x03abc\x00" + b"\x00\x00\x00"


# The values that ScyllaDB's and Cassandra's documentation and drivers give for these keys.
@pytest.mark.parametrize(
    ("key", "token"),
    [
        (b"", 0),
        (b"123", -7468325962851647638),
        (b"\x00\xff\x10\xfa\x99" * 10, 5837342703291459765),
        (number(1), -4069959284402364209),
    ],
)
def test_tokens_are_murmur3(key, token):
    assert keys.token(make_table(key="p blob"), (key,)) == token


def test_the_token_of_a_log_partition_is_in_its_stream_id():
    log = make_table("log", key="s blob", partitioner="com.scylladb.dht.CDCPartitioner")
    assert keys.token(log, ((-5).to_bytes(8, "big", signed=True) + bytes(8),)) == -5
    assert keys.token(log, (b"short",)) == keys.MIN_TOKEN


@given(st.lists(st.tuples(ints, st.text(max_size=4), ints), min_size=2, max_size=20))
def test_orders_sort_as_the_columns_say(values):
    table = make_table(clustering="x int, y text desc, z int")
    coded = [(number(x), y.encode(), number(z)) for x, y, z in values]
    by_order = sorted(coded, key=keys.clustering_encoder(table))
    # A stable sort by the last column first, each in its direction, is the definition.
    expected = sorted(coded, key=lambda key: int.from_bytes(key[2], "big", signed=True))
    expected.sort(key=lambda key: key[1], reverse=True)
    expected.sort(key=lambda key: int.from_bytes(key[0], "big", signed=True))
    assert by_order == expected


@given(st.text(max_size=3), st.text(max_size=3), ints)
def test_a_bound_takes_in_just_the_keys_with_its_prefix(prefix, other, rest):
    table = make_table(clustering="y text, z int")
    encode = keys.clustering_encoder(table)
    order = encode((other.encode(), number(rest)))
    low = keys.lower_bound(encode, (prefix.encode(),), True)
    high = keys.upper_bound(encode, (prefix.encode(),), True)
    assert (low <= order < high) == (other == prefix)
    assert (order >= keys.lower_bound(encode, (prefix.encode(),), False)) == (other.encode() > prefix.encode())
    assert (order < keys.upper_bound(encode, (prefix.encode(),), False)) == (other.encode() < prefix.encode())


def test_an_empty_prefix_is_an_open_bound():
    encode = keys.clustering_encoder(make_table())
    order = encode((number(-1),))
    assert keys.lower_bound(encode, (), False) <= order < keys.upper_bound(encode, (), False)


def test_a_table_without_clustering_columns_has_one_place():
    assert keys.clustering_order(make_table(clustering=""), ()) == b""
