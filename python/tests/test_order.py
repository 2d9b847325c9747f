"""Counting by filters, records in the order of a key, pages, and the values under a key.

Method: what a plain Python sort of the same records says, over values of every type, written in one
call or many, with records changed and deleted since, before and after they became segments. Seeded
by Hypothesis, which prints what failed.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chromadb
from chromadb.errors import InvalidArgumentError, NotFoundError

MISSING = object()

# Few of each, so that many are equal; and those at the edges of what numbers can say.
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from([2**53, 2**53 + 1, -(2**63), 2**63 - 1]),
    st.sampled_from([0.0, -0.0, 1.0, -1.5, 0.5, 2.0**53, 2.0**63, -(2.0**63), 1e300, -1e-300]),
    st.sampled_from(["", "a", "b", "é", "e\u0301", "\U0001f600", "a\0", "Z"]),
)
LISTS = st.one_of(
    st.lists(st.booleans(), min_size=1, max_size=3),
    st.lists(st.integers(-2, 2), min_size=1, max_size=3),
    st.lists(st.sampled_from([0.0, -0.0, 1.0, 0.5]), min_size=1, max_size=3),
    st.lists(st.sampled_from(["a", "b", "é"]), min_size=1, max_size=3),
)
VALUES = st.one_of(SCALARS, SCALARS, SCALARS, LISTS, st.just(MISSING))


def comparable(value: Any) -> tuple[int, Any] | None:
    """What values are ordered by; None where a value has no place among them."""
    if isinstance(value, bool):
        return (0, value)
    if isinstance(value, (int, float)):
        return (1, value)
    return (2, value.encode()) if isinstance(value, str) else None


def ordered(records: dict[str, Any], *, descending: bool = False) -> list[str]:
    """The ids of records, given as values by id in the order of insertion, as `get` orders them."""
    with_value = [id_ for id_, value in records.items() if comparable(value) is not None]
    without = [id_ for id_ in records if id_ not in set(with_value)]
    # Also with reverse=True, equal ones stay in their order.
    with_value.sort(key=lambda id_: comparable(records[id_]), reverse=descending)
    return with_value + without


def distinct_of(records: dict[str, Any]) -> list[tuple[Any, int]]:
    counts: Counter[tuple[int, Any]] = Counter()
    shown: dict[tuple[int, Any], Any] = {}
    for value in records.values():
        if value is MISSING:
            continue
        elements = value if isinstance(value, list) else [value]
        counts.update({comparable(element) for element in elements})
        for element in elements:
            if not isinstance(shown.get(comparable(element)), int):
                shown[comparable(element)] = element
    return [(shown[key], counts[key]) for key in sorted(counts)]


def fill(collection: Any, values: list[Any], start: int = 0) -> dict[str, Any]:
    records = {f"id-{start + number}": value for number, value in enumerate(values)}
    collection.add(
        ids=list(records),
        embeddings=[[float(number), 1.0] for number in range(len(records))],
        # Something else, so that there is metadata where the key is missing.
        metadatas=[
            {"other": 7} if value is MISSING else {"key": value} for value in records.values()
        ],
    )
    return records


def exactly(values: list[Any]) -> list[tuple[type, Any]]:
    """Python's 1, 1.0 and True are equal."""
    return [(type(value), value) for value in values]


def check(collection: Any, records: dict[str, Any]) -> None:
    for descending in (False, True):
        found = collection.get(order_by="key", descending=descending, include=[])["ids"]
        assert found == ordered(records, descending=descending)
    wanted = distinct_of(records)
    found = collection.distinct("key")
    assert exactly(found["values"]) == exactly([value for value, _ in wanted])
    assert found["counts"] == [count for _, count in wanted]
    few = collection.distinct("key", limit=3)
    assert few == {"values": found["values"][:3], "counts": found["counts"][:3]}


# ---- Random records, in every state -------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    batches=st.lists(st.lists(VALUES, min_size=1, max_size=12), min_size=1, max_size=4),
    changes=st.lists(st.tuples(st.integers(0, 40), VALUES), max_size=6),
    deletions=st.lists(st.integers(0, 40), max_size=6),
    flushes=st.sets(st.integers(0, 5)),
    page=st.integers(1, 7),
)
def test_any_records_stand_as_a_plain_sort_puts_them(
    batches: list[list[Any]],
    changes: list[tuple[int, Any]],
    deletions: list[int],
    flushes: set[int],
    page: int,
) -> None:
    with chromadb.EphemeralClient() as client:
        collection = client.create_collection("records", embedding_function=None)
        records: dict[str, Any] = {}
        for number, batch in enumerate(batches):
            records |= fill(collection, batch, start=len(records))
            if number in flushes:
                collection.flush()
        for number, value in changes:
            if (id_ := f"id-{number}") in records:
                records[id_] = value
                new = None if value is MISSING else value
                collection.update(ids=[id_], metadatas=[{"key": new, "other": 7}])
        for number in deletions:
            if records.pop(f"id-{number}", None) is not None:
                collection.delete(ids=[f"id-{number}"])
        check(collection, records)
        if 4 in flushes:
            collection.flush()
        if 5 in flushes:
            collection.compact()
        check(collection, records)
        for descending in (False, True):
            arguments = {"order_by": "key", "descending": descending}
            assert pages(collection, page, **arguments) == ordered(records, descending=descending)
        assert pages(collection, page) == list(records)
        for value, count in distinct_of({i: v for i, v in records.items() if is_scalar(v)}):
            assert collection.count(where={"key": value}) == count


def is_scalar(value: Any) -> bool:
    return comparable(value) is not None


def pages(collection: Any, size: int, **arguments: Any) -> list[str]:
    """The ids of all records, asked for page by page."""
    ids: list[str] = []
    while True:
        after = ids[-1] if ids else None
        found = collection.get(limit=size, after=after, include=[], **arguments)["ids"]
        assert len(found) <= size
        if not found:
            return ids
        ids += found


# ---- Many records, many segments ----------------------------------------------------------------


@pytest.fixture(scope="module")
def many() -> Any:
    """Records of 20 writes in several segments and the log, and their values by id."""
    with chromadb.EphemeralClient() as client:
        collection = client.create_collection("records", embedding_function=None)
        records: dict[str, Any] = {}
        kinds = [
            lambda n: n % 50,
            lambda n: n % 50 + 0.5,
            lambda n: float(n % 50),
            lambda n: f"word {n * 7919 % 400}",
            lambda n: n % 2 == 0,
            lambda n: MISSING,
            lambda n: [n % 5, n % 7],
        ]
        for batch in range(20):
            start = len(records)
            values = [kinds[n % len(kinds)](n) for n in range(start, start + 500)]
            records |= fill(collection, values, start)
            if batch in (4, 9, 14, 18):
                collection.flush()
        for number in range(0, 10_000, 13):
            if f"id-{number}" in records:
                del records[f"id-{number}"]
        collection.delete(ids=[f"id-{number}" for number in range(0, 10_000, 13)])
        changed = [id_ for id_ in records if int(id_[3:]) % 17 == 3]
        for id_ in changed:
            records[id_] = -int(id_[3:])
        collection.update(ids=changed, metadatas=[{"key": records[id_]} for id_ in changed])
        yield collection, records


def with_other_key(records: dict[str, Any]) -> dict[str, Any]:
    """Those that had no value at first."""
    return {id_: value for id_, value in records.items() if int(id_[3:]) % 7 == 5}


def test_many_records_stand_as_a_plain_sort_puts_them(many: Any) -> None:
    check(*many)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 10, 700])
@pytest.mark.parametrize("offset", [0, 3, 4000])
def test_a_window_is_cut_from_all_of_them(
    many: Any, offset: int, limit: int, descending: bool
) -> None:
    collection, records = many
    wanted = ordered(records, descending=descending)
    arguments: dict[str, Any] = {"order_by": "key", "descending": descending, "include": []}
    found = collection.get(limit=limit, offset=offset, **arguments)["ids"]
    assert found == wanted[offset : offset + limit]
    for place in (0, 1, 777, 5000, len(wanted) - 1):
        behind = wanted[place + 1 :]
        found = collection.get(limit=limit, offset=offset, after=wanted[place], **arguments)["ids"]
        assert found == behind[offset : offset + limit]


@pytest.mark.parametrize("kept", [5, 300, 9000])
def test_a_filter_keeps_the_order(many: Any, kept: int) -> None:
    collection, records = many
    chosen = [id_ for id_, value in records.items() if comparable(value) is not None][:kept]
    some = {id_: records[id_] for id_ in chosen}
    for descending in (False, True):
        found = collection.get(
            ids=chosen, order_by="key", descending=descending, limit=20, include=[]
        )
        assert found["ids"] == ordered(some, descending=descending)[:20]
    low = {id_: v for id_, v in records.items() if type(v) in (int, float) and v < 9}
    where = {"key": {"$lt": 9}}
    assert collection.get(where=where, order_by="key", include=[])["ids"] == ordered(low)
    assert collection.count(where=where) == len(low)
    found = collection.distinct("key", where=where)
    assert list(zip(found["values"], found["counts"], strict=True)) == distinct_of(low)
    # The order of one key, filtered by another.
    others = with_other_key(records)
    assert collection.get(where={"other": 7}, order_by="key", include=[])["ids"] == ordered(others)


def test_what_nobody_has_orders_nothing(many: Any) -> None:
    collection, records = many
    assert collection.get(order_by="absent", descending=True, include=[])["ids"] == list(records)
    assert collection.distinct("absent") == {"values": [], "counts": []}
    for key in ("chroma:document", "chroma:uri", "#document", "$key", ""):
        with pytest.raises(InvalidArgumentError, match="is none of metadata"):
            collection.distinct(key)
        with pytest.raises(InvalidArgumentError, match="is none of metadata"):
            collection.get(order_by=key)
    assert collection.get(where={"key": "absent"}, order_by="key")["ids"] == []


# ---- Pages --------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [{}, {"order_by": "key"}], ids=["insertion", "key"])
def test_pages_show_each_record_once_while_others_come_and_go(
    client: Any, arguments: dict[str, Any]
) -> None:
    collection = client.create_collection("records", embedding_function=None)
    stay = {id_: (int(id_[3:]) * 37) % 100 for id_ in fill(collection, [1] * 100)}
    collection.update(ids=list(stay), metadatas=[{"key": value} for value in stay.values()])
    seen: list[str] = []
    guests: list[str] = []
    last = None
    for step in range(400):
        found = collection.get(limit=3, after=last, include=[], **arguments)["ids"]
        if not found:
            break
        seen += found
        last = found[-1]
        # Others, in front of the page, in it and behind it.
        guests += fill(collection, [step % 100, 50], start=1000 + 2 * step)
        if step % 5 == 4:
            collection.delete(ids=[id_ for id_ in guests if id_ != last])
            guests = [last] if last in guests else []
        if step % 20 == 7:
            collection.flush()
    assert not found
    assert len(set(seen)) == len(seen)
    seen = [id_ for id_ in seen if id_ in stay]
    assert seen == (ordered(stay) if arguments else list(stay))


def test_a_page_begins_behind_a_record_that_the_filter_leaves_out(client: Any) -> None:
    collection = client.create_collection("records", embedding_function=None)
    fill(collection, [3, 1, 2, 3, MISSING])
    where = {"key": {"$gte": 3}}
    assert collection.get(where=where, after="id-1")["ids"] == ["id-3"]
    assert collection.get(where=where, after="id-2", order_by="key")["ids"] == ["id-0", "id-3"]
    assert collection.get(where=where, after="id-4", order_by="key")["ids"] == []
    assert collection.get(ids=["id-0", "id-3"], after="id-0")["ids"] == ["id-3"]
    assert collection.get(after="id-2", offset=1)["ids"] == ["id-4"]


def test_a_record_that_is_gone_is_named(client: Any) -> None:
    collection = client.create_collection("records", embedding_function=None)
    fill(collection, [1, 2, 3])
    collection.delete(ids=["id-1"])
    for arguments in ({}, {"order_by": "key"}):
        with pytest.raises(NotFoundError, match="The record 'id-1', after which to go on"):
            collection.get(after="id-1", **arguments)
    # Added again it stands at the end.
    fill(collection, [1], start=1)
    assert collection.get(after="id-1")["ids"] == []
    assert collection.get(after="id-1", order_by="key")["ids"] == ["id-2"]


# ---- Counts -------------------------------------------------------------------------------------


def test_a_count_is_of_what_get_returns(collection: Any) -> None:
    collection.add(
        ids=["a", "b", "c", "d"],
        documents=["one fish", "two fish", "red", "blue"],
        metadatas=[{"n": 1}, {"n": 2}, {"m": 1}, None],
    )
    filters: list[dict[str, Any]] = [
        {},
        {"where": {"n": {"$gt": 0}}},
        {"where": {"n": {"$ne": 1}}},
        {"where_document": {"$contains": "fish"}},
        {"where": {"n": 2}, "where_document": {"$contains": "fish"}},
        {"where": {"n": 7}},
    ]
    for _ in range(2):
        counts = [collection.count(**arguments) for arguments in filters]
        assert counts == [len(collection.get(**arguments)["ids"]) for arguments in filters]
        assert counts == [4, 2, 3, 2, 1, 0]
        collection.compact()


# ---- Explanations -------------------------------------------------------------------------------


def test_a_selection_is_explained_without_a_query(many: Any) -> None:
    collection, records = many
    state = collection.explain(where={"other": 7})
    other_count = len(with_other_key(records))
    assert (state["record_count"], state["candidate_count"]) == (len(records), other_count)
    assert state["searches"] == []
    assert isinstance(state["filter"], dict)
    plain = collection.explain()
    assert (plain["candidate_count"], plain["filter"]) == (len(records), None)
    with_query = collection.explain(query_embeddings=[[1.0, 2.0]], where={"other": 7})
    assert with_query["candidate_count"] == other_count
    assert len(with_query["searches"]) == 1
    assert isinstance(with_query["filter"], dict)
    assert collection.explain(query_embeddings=[[1.0, 2.0]])["filter"] is None


# ---- What is refused ----------------------------------------------------------------------------


def test_arguments_of_the_wrong_type_are_named(collection: Any) -> None:
    get, distinct, count = collection.get, collection.distinct, collection.count
    refusals: list[tuple[Any, dict[str, Any], str]] = [
        (get, {"after": 5}, "Expected after to be a str, got 5 in get."),
        (get, {"order_by": ["a"]}, "Expected order_by to be a str, got ['a'] in get."),
        (
            get,
            {"order_by": "a", "descending": 1},
            "Expected descending to be a bool, got 1 in get.",
        ),
        (
            get,
            {"descending": True},
            "descending can only be specified when order_by is provided in get.",
        ),
        (distinct, {"key": None}, "Expected key to be a str, got None in distinct."),
        (
            distinct,
            {"key": "a", "limit": -1},
            "Expected limit to be a non-negative integer, got -1 in distinct.",
        ),
        (
            distinct,
            {"key": "a", "limit": True},
            "Expected limit to be a non-negative integer, got True in distinct.",
        ),
        (
            distinct,
            {"key": "a", "where": {}},
            "Expected where to have exactly one operator, got {} in distinct.",
        ),
        (count, {"where": 5}, "Expected where to be a dict, got 5 in count."),
        (
            count,
            {"where_document": {"$contains": ""}},
            "Expected where document operand value for operator $contains to be a non-empty str "
            "in count.",
        ),
    ]
    for method, arguments, sentence in refusals:
        with pytest.raises(ValueError) as raised:
            method(**arguments)
        assert str(raised.value) == sentence
    with pytest.raises(InvalidArgumentError, match="Invalid where clause"):
        count(where={"a": 2**63})
    with pytest.raises(TypeError):
        distinct("a", {"a": 1})
    assert distinct("a", limit=0) == {"values": [], "counts": []}


def test_a_deleted_collection_is_not_found(client: Any) -> None:
    collection = client.create_collection("records", embedding_function=None)
    client.delete_collection("records")
    for call in (
        lambda: collection.count(where={"a": 1}),
        lambda: collection.distinct("a"),
        lambda: collection.get(order_by="a"),
        lambda: collection.explain(),
    ):
        with pytest.raises(NotFoundError, match="Collection .* does not exist"):
            call()
