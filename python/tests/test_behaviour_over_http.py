"""What holds of local databases holds through a server: tests of them, with a client of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import test_collections
import test_records
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from v2_server import V2Server

import chromadb

# What does not hold through a server, by the name of the test.
DIFFERENT = {
    "test_a_batch_may_be_larger_than_upstream_allows": "a server has its own limit",
    "test_a_change_is_refused": "types are for the server to refuse, as an error of its own",
    "test_a_collection_is_found_by_its_id": "what is no id is refused in other words",
    "test_a_metadata_value_that_cannot_be_stored_is_refused_by_its_key": "JSON has no such numbers",
    "test_a_name_is_a_str": "types are for the server to refuse, as an error of its own",
    "test_a_name_is_taken_once": "a ChromaError, as of upstream's clients of servers",
    "test_any_history_reads_back_as_the_model_says": "see below",
    "test_collections_are_listed_by_id": "negative numbers are for the server to refuse",
    "test_filters_that_a_schema_rules_out_are_refused_wherever_records_stand": "it flushes",
    "test_metadata_are_refused": "types are for the server to refuse, as an error of its own",
}

for module in (test_collections, test_records):
    tests = {name: test for name, test in vars(module).items() if name.startswith("test_")}
    globals().update({name: test for name, test in tests.items() if name not in DIFFERENT})


@pytest.fixture(scope="module")
def server() -> Iterator[V2Server]:
    with V2Server() as server:
        yield server


@pytest.fixture
def client(server: V2Server) -> Iterator[Any]:
    """A client of a server that has nothing."""
    with chromadb.HttpClient("127.0.0.1", server.port) as client:
        client.reset()
        yield client


@settings(
    deadline=None,
    max_examples=25,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    space=st.sampled_from(["l2", "cosine", "ip"]),
    history=st.lists(
        st.one_of(*map(test_records.writes, ("add", "upsert", "update")), test_records.deletions()),
        max_size=12,
    ),
    questions=st.lists(test_records.reads(), min_size=1, max_size=4),
    query=test_records.vectors,
    n_results=st.integers(1, 12),
    limit=test_records.optional(st.integers(0, 5)),
    offset=test_records.optional(st.integers(0, 5)),
)
def test_any_history_reads_back_through_a_server_as_the_model_says(
    client: Any, **arguments: Any
) -> None:
    client.reset()
    test_records.replay(client, **arguments)


def test_every_difference_is_of_a_test() -> None:
    for name in DIFFERENT:
        assert hasattr(test_collections, name) or hasattr(test_records, name)
