"""Collections are created, found, changed and deleted under upstream's rules and messages."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
import pytest

import chromadb
from chromadb import FtsIndexConfig, IntInvertedIndexConfig, Schema, StringInvertedIndexConfig
from chromadb.errors import InternalError, InvalidArgumentError, NotFoundError

BAD_NAME = (
    "Expected a name containing 3-512 characters from [a-zA-Z0-9._-], starting and ending with a "
    "character in [a-zA-Z0-9]. Got: {}"
)
DEFAULT_HNSW = {
    "space": "l2",
    "ef_construction": 100,
    "ef_search": 100,
    "max_neighbors": 16,
    "resize_factor": 1.2,
    "sync_threshold": 1000,
}
NAMES = ["123", "1.2.3", "256.1.1.1", "A-b_c.D9", "abc+def", "a" * 512]
REFUSED_NAMES = [
    ("ab", BAD_NAME.format("ab")),
    ("", BAD_NAME.format("")),
    ("a" * 513, BAD_NAME.format("a" * 513)),
    ("_abc", BAD_NAME.format("_abc")),
    ("abc-", BAD_NAME.format("abc-")),
    ("a bc", BAD_NAME.format("a bc")),
    ("abé", BAD_NAME.format("abé")),
    ("a..b", "Expected a name that does not contains two consecutive periods (..). Got a..b"),
    ("1.2.3.4", "Expected a name that is not a valid ip address. Got 1.2.3.4"),
    ("a+bcd", BAD_NAME.format("a")),
    (
        "abc+def+ghi",
        "Expected a name to contain at most one topology:  Got two `+` characters.",
    ),
]
METADATA_TYPE = "argument 'metadata': Cannot convert Python object to MetadataValue"


def create(client: Any, name: str = "notes", **arguments: Any) -> Any:
    return client.create_collection(name, **({"embedding_function": None} | arguments))


# ---- Names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:20])
def test_a_name_is_accepted(client: Any, name: str) -> None:
    assert create(client, name).name == name
    assert client.get_collection(name, embedding_function=None).name == name


@pytest.mark.parametrize(("name", "message"), REFUSED_NAMES, ids=lambda text: text[:20])
def test_a_name_is_refused(client: Any, name: str, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        create(client, name)
    assert str(caught.value) == f"Validation error: name: {message}"
    assert client.count_collections() == 0


@pytest.mark.parametrize(("name", "message"), REFUSED_NAMES, ids=lambda text: text[:20])
def test_a_new_name_is_refused(client: Any, name: str, message: str) -> None:
    collection = create(client)
    with pytest.raises(InvalidArgumentError) as caught:
        collection.modify(name=name)
    assert str(caught.value) == f"Validation error: new_name: {message}"
    assert collection.name == "notes"


@pytest.mark.parametrize("method", ["create_collection", "get_collection", "delete_collection"])
def test_a_name_is_a_str(client: Any, method: str) -> None:
    with pytest.raises(TypeError) as caught:
        getattr(client, method)(5)
    assert str(caught.value) == "argument 'name': 'int' object cannot be converted to 'PyString'"


def test_a_name_is_taken_once(client: Any) -> None:
    create(client)
    with pytest.raises(InternalError) as caught:
        create(client)
    assert str(caught.value) == "Collection [notes] already exists"


# ---- Finding and deleting -----------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get_collection", "delete_collection"])
def test_a_name_that_is_not_there_is_not_found(client: Any, method: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        getattr(client, method)("nothing")
    assert str(caught.value) == "Collection [nothing] does not exist"


def test_a_collection_is_found_by_its_id(client: Any) -> None:
    created = create(client, metadata={"k": 1})
    found = client.get_collection_by_id(created.id)
    assert (found.id, found.name, found.metadata) == (created.id, "notes", {"k": 1})
    missing = uuid.uuid4()
    with pytest.raises(NotFoundError) as caught:
        client.get_collection_by_id(missing)
    assert str(caught.value) == f"Collection [{missing}] does not exist"
    with pytest.raises(InvalidArgumentError) as caught:
        client.get_collection_by_id("no uuid")
    assert (
        str(caught.value)
        == "Validation error: collection_id: Invalid collection ID format, expected UUID"
    )


def test_get_or_create_leaves_what_is_there(client: Any) -> None:
    first = client.get_or_create_collection("notes", embedding_function=None, metadata={"k": 1})
    second = client.get_or_create_collection(
        "notes",
        embedding_function=None,
        metadata={"k": 2},
        configuration={"hnsw": {"space": "cosine"}},
    )
    assert second.id == first.id
    assert second.metadata == {"k": 1}
    assert second.configuration_json["hnsw"]["space"] == "l2"


def test_collections_are_listed_by_id(client: Any) -> None:
    created = sorted((create(client, f"notes{i}") for i in range(5)), key=lambda c: c.id.bytes)
    assert client.count_collections() == 5
    assert [c.id for c in client.list_collections()] == [c.id for c in created]
    assert [c.id for c in client.list_collections(2, 1)] == [c.id for c in created[1:3]]
    assert client.list_collections(limit=0) == []
    with pytest.raises(OverflowError, match="^out of range integral type conversion attempted$"):
        client.list_collections(limit=-1)


def test_a_deleted_collection_is_gone_with_its_records(client: Any) -> None:
    collection = create(client)
    collection.add(ids="a", embeddings=[1, 2])
    client.delete_collection("notes")
    assert client.list_collections() == []
    for operation in (
        collection.count,
        collection.get,
        lambda: collection.add(ids="b", embeddings=[1, 2]),
        lambda: collection.update(ids="b", embeddings=[1, 2]),
        lambda: collection.upsert(ids="b", embeddings=[1, 2]),
        lambda: collection.delete(ids="a"),
        lambda: collection.query(query_embeddings=[1, 2]),
        lambda: collection.modify(name="other"),
    ):
        with pytest.raises(NotFoundError, match=rf"Collection \[{collection.id}\] does not exist"):
            operation()
    again = create(client)
    assert again.id != collection.id
    assert again.count() == 0


# ---- Metadata -----------------------------------------------------------------------------------


def test_metadata_keep_their_values_and_types(client: Any) -> None:
    metadata = {"s": "text", "i": -(2**63), "f": 0.1, "b": True, "é": ""}
    created = create(client, metadata=metadata)
    for found in (created, client.get_collection("notes", embedding_function=None)):
        assert found.metadata == metadata
        assert {k: type(v) for k, v in found.metadata.items()} == {
            k: type(v) for k, v in metadata.items()
        }


def test_metadata_take_numpy_scalars(client: Any) -> None:
    found = create(
        client, metadata={"i": np.int64(3), "f": np.float32(1.5), "b": np.bool_(True)}
    ).metadata
    assert found == {"i": 3, "f": 1.5, "b": True}
    assert [type(found[key]) for key in "ifb"] == [int, float, bool]


def test_metadata_of_none_alone_takes_all_of_them_away(client: Any) -> None:
    collection = create(client, metadata={"a": 1, "b": 2})
    collection.modify(metadata={"a": None, "b": 3})
    assert client.get_collection(collection.name, None).metadata == {"b": 3}
    collection.modify(metadata={"b": None})
    assert client.get_collection(collection.name, None).metadata is None
    with pytest.raises(ValueError, match="non-empty dict, got 0"):
        collection.modify(metadata={})
    collection.modify(metadata={"c": 1})
    assert client.get_collection(collection.name, None).metadata == {"c": 1}


@pytest.mark.parametrize(
    ("metadata", "error", "message"),
    [
        ({}, InvalidArgumentError, "Validation error: metadata: Metadata cannot be empty"),
        (
            {"": 1},
            InvalidArgumentError,
            "Validation error: metadata: Metadata key cannot be empty",
        ),
        (
            {"$k": 1},
            InvalidArgumentError,
            "Validation error: metadata: Metadata key cannot start with '#' or '$': $k",
        ),
        (
            {"#k": 1},
            InvalidArgumentError,
            "Validation error: metadata: Metadata key cannot start with '#' or '$': #k",
        ),
        ({"k": None}, TypeError, METADATA_TYPE),
        ({"k": {}}, TypeError, METADATA_TYPE),
        ({"k": b"x"}, TypeError, METADATA_TYPE),
        (
            {1: 2},
            TypeError,
            "argument 'metadata': 'int' object cannot be converted to 'PyString'",
        ),
        ("x", TypeError, "argument 'metadata': 'str' object cannot be converted to 'PyDict'"),
        (
            {"hnsw:unknown": 1},
            InvalidArgumentError,
            "Failed to parse hnsw parameters from segment metadata",
        ),
        (
            {"hnsw:M": 8.0},
            InvalidArgumentError,
            "Failed to parse hnsw parameters from segment metadata",
        ),
    ],
    ids=repr,
)
def test_metadata_are_refused(client: Any, metadata: Any, error: type, message: str) -> None:
    with pytest.raises(error) as caught:
        create(client, metadata=metadata)
    assert type(caught.value) is error
    assert str(caught.value) == message
    assert client.count_collections() == 0


@pytest.mark.parametrize(
    "value", [[1], ["x"], 2**63, float("nan"), float("inf"), float("-inf")], ids=repr
)
def test_a_metadata_value_that_cannot_be_stored_is_refused_by_its_key(
    client: Any, value: object
) -> None:
    with pytest.raises(InvalidArgumentError, match="culprit"):
        create(client, metadata={"culprit": value})
    collection = create(client, metadata={"k": 1})
    with pytest.raises(InvalidArgumentError, match="culprit"):
        collection.modify(metadata={"culprit": value})
    assert collection.metadata == {"k": 1}


# ---- Modify -------------------------------------------------------------------------------------


def reread(client: Any, name: str = "notes") -> Any:
    return client.get_collection(name, embedding_function=None)


def test_a_collection_is_renamed(client: Any) -> None:
    collection = create(client, metadata={"k": 1})
    collection.add(ids="a", embeddings=[1, 2])
    collection.modify(name="renamed")
    assert collection.name == "renamed"
    assert collection.metadata == {"k": 1}
    found = reread(client, "renamed")
    assert (found.id, found.count()) == (collection.id, 1)
    with pytest.raises(NotFoundError):
        reread(client)


def test_a_name_that_is_taken_is_refused(client: Any) -> None:
    create(client, "other")
    collection = create(client)
    with pytest.raises(InternalError) as caught:
        collection.modify(name="other")
    assert str(caught.value) == (
        "Database error: error returned from database: (code: 2067) UNIQUE constraint failed: "
        "collections.name, collections.database_id"
    )
    assert collection.name == "notes"


def test_metadata_are_replaced_as_a_whole(client: Any) -> None:
    collection = create(client, metadata={"a": 1, "b": 2})
    collection.modify(metadata={"b": 3, "c": None})
    assert reread(client).metadata == {"b": 3}
    collection.modify(metadata={"hnsw:M": 5})
    assert reread(client).metadata == {"hnsw:M": 5}
    assert reread(client).configuration_json["hnsw"] == DEFAULT_HNSW


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"metadata": {}},
            ValueError,
            "Expected metadata to be a non-empty dict, got 0 metadata attributes",
        ),
        (
            {"metadata": "x"},
            ValueError,
            "Expected metadata to be a dict or None, got str as metadata",
        ),
        (
            {"metadata": {1: 2}},
            TypeError,
            "Expected metadata key to be a str, got 1 which is a int",
        ),
        (
            {"metadata": {"hnsw:space": "ip"}},
            ValueError,
            "Changing the distance function of a collection once it is created is not supported "
            "currently.",
        ),
        (
            {"name": 5},
            TypeError,
            "argument 'new_name': 'int' object cannot be converted to 'PyString'",
        ),
        (
            {"configuration": {"spann": {"search_nprobe": 3}}},
            ValueError,
            "Trying to update SPANN config but schema has HNSW",
        ),
        (
            {"configuration": {"hnsw": {}, "spann": {}}},
            InvalidArgumentError,
            "Multiple vector index configurations provided",
        ),
        (
            {"configuration": {"hnsw": {"space": "ip"}}},
            InvalidArgumentError,
            "unknown field `space`, expected one of `ef_search`, `max_neighbors`, `num_threads`, "
            "`resize_factor`, `sync_threshold`, `batch_size` at line 1 column 17",
        ),
        (
            {"configuration": {"hnsw": {"ef_search": -1}}},
            InvalidArgumentError,
            "invalid value: integer `-1`, expected usize at line 1 column 25",
        ),
        ({"configuration": 5}, ValueError, "Expected configuration to be a dict, got 5"),
    ],
    ids=repr,
)
def test_a_change_is_refused(client: Any, arguments: dict, error: type, message: str) -> None:
    collection = create(client, metadata={"k": 1})
    with pytest.raises(error) as caught:
        collection.modify(**arguments)
    assert type(caught.value) is error
    assert str(caught.value) == message
    for found in (collection, reread(client)):
        assert (found.name, found.metadata) == ("notes", {"k": 1})
        assert found.configuration_json["hnsw"] == DEFAULT_HNSW


def test_a_change_of_nothing_changes_nothing(client: Any) -> None:
    collection = create(client, metadata={"k": 1})
    collection.modify()
    collection.modify(configuration={})
    collection.modify(configuration={"unknown": 1})
    collection.modify(configuration={"embedding_function": None})
    found = reread(client)
    assert (found.name, found.metadata) == ("notes", {"k": 1})
    assert found.configuration_json["hnsw"] == DEFAULT_HNSW


def test_settings_of_the_index_change(client: Any) -> None:
    collection = create(client)
    collection.modify(
        configuration={
            "hnsw": {
                "ef_search": 50,
                "num_threads": 2,
                "batch_size": 10,
                "sync_threshold": 20,
                "resize_factor": 2.0,
            }
        }
    )
    expected = DEFAULT_HNSW | {"ef_search": 50, "sync_threshold": 20, "resize_factor": 2.0}
    assert collection.configuration_json["hnsw"] == expected
    assert reread(client).configuration_json["hnsw"] == expected


# ---- Configuration ------------------------------------------------------------------------------


def test_a_configuration_is_read_back(client: Any) -> None:
    given = {
        "space": "cosine",
        "ef_construction": 101,
        "max_neighbors": 17,
        "ef_search": 102,
        "num_threads": 3,
        "batch_size": 50,
        "sync_threshold": 500,
        "resize_factor": 1.5,
    }
    found = create(client, configuration={"hnsw": given}).configuration_json
    expected = {key: given[key] for key in given if key not in ("num_threads", "batch_size")}
    assert found["hnsw"] == expected
    assert found["spann"] is None


@pytest.mark.parametrize(
    "configuration", [None, {}, {"hnsw": None}, {"hnsw": {}}, {"unknown": 1}], ids=repr
)
def test_settings_that_are_not_given_have_defaults(client: Any, configuration: Any) -> None:
    assert create(client, configuration=configuration).configuration_json["hnsw"] == DEFAULT_HNSW


def test_legacy_metadata_configure_the_index(client: Any) -> None:
    metadata = {
        "hnsw:space": "ip",
        "hnsw:construction_ef": 101,
        "hnsw:search_ef": 102,
        "hnsw:M": 17,
        "hnsw:num_threads": 3,
        "hnsw:batch_size": 50,
        "hnsw:sync_threshold": 500,
        "hnsw:resize_factor": 1.5,
    }
    found = create(client, metadata=metadata)
    assert found.metadata == metadata
    assert found.configuration_json["hnsw"] == {
        "space": "ip",
        "ef_construction": 101,
        "ef_search": 102,
        "max_neighbors": 17,
        "resize_factor": 1.5,
        "sync_threshold": 500,
    }


def test_a_spann_configuration_keeps_its_space_alone(client: Any) -> None:
    found = create(client, configuration={"spann": {"space": "cosine", "search_nprobe": 10}})
    assert found.configuration_json["hnsw"] == DEFAULT_HNSW | {"space": "cosine"}
    assert found.configuration_json["spann"] is None


@pytest.mark.parametrize(
    ("configuration", "error", "message"),
    [
        (
            {"hnsw": {"space": "foo"}},
            InvalidArgumentError,
            "unknown variant `foo`, expected one of `l2`, `cosine`, `ip` at line 1 column 24",
        ),
        (
            {"hnsw": {"foo": 1}},
            InvalidArgumentError,
            "unknown field `foo`, expected one of `space`, `ef_construction`, `ef_search`, "
            "`max_neighbors`, `num_threads`, `resize_factor`, `sync_threshold`, `batch_size` at "
            "line 1 column 15",
        ),
        (
            {"hnsw": {"ef_search": -1}},
            InvalidArgumentError,
            "invalid value: integer `-1`, expected usize at line 1 column 25",
        ),
        (
            {"hnsw": {}, "spann": {}},
            ValueError,
            "hnsw and spann cannot both be provided",
        ),
        (5, ValueError, "Expected configuration to be a dict, got 5"),
    ],
    ids=repr,
)
def test_a_configuration_is_refused(
    client: Any, configuration: Any, error: type, message: str
) -> None:
    with pytest.raises(error) as caught:
        create(client, configuration=configuration)
    assert type(caught.value) is error
    assert str(caught.value) == message
    assert client.count_collections() == 0


def test_what_the_caller_passed_stays_as_it_is(client: Any) -> None:
    from conftest import LengthFunction

    hnsw: dict[str, Any] = {"ef_search": 50}
    configuration = {"hnsw": hnsw}
    create(client, configuration=configuration, embedding_function=LengthFunction())
    assert configuration == {"hnsw": {"ef_search": 50}}
    assert configuration["hnsw"] is hnsw


def test_a_schema_is_a_schema(client: Any) -> None:
    for wrong in [object(), {"defaults": {}, "keys": {}}]:
        with pytest.raises(ValueError, match="Expected schema to be a Schema, got"):
            client.create_collection("notes", wrong)


def test_a_schema_is_not_changed_by_changing_what_a_collection_shows(client: Any) -> None:
    made = client.create_collection("notes", Schema())
    made.schema.delete_index(IntInvertedIndexConfig())
    assert made.schema.defaults.int_value.int_inverted_index.enabled
    assert client.get_collection("notes").get(where={"n": 1})["ids"] == []


def test_filters_that_a_schema_rules_out_are_refused_wherever_records_stand(client: Any) -> None:
    schema = Schema().delete_index(StringInvertedIndexConfig(), key="body")
    schema.delete_index(FtsIndexConfig(), key="#document")
    made = client.create_collection("notes", schema, embedding_function=None)
    numbers = range(600)
    made.add(
        ids=[str(number) for number in numbers],
        embeddings=[[number, 1] for number in numbers],
        documents=[f"document {number}" for number in numbers],
        metadatas=[{"body": f"text {number}", "n": number % 7} for number in numbers],
    )
    for _ in range(2):
        assert len(made.get(where={"n": 3})["ids"]) == 86
        for filters in [{"where": {"body": "text 5"}}, {"where_document": {"$contains": "5"}}]:
            for read in [made.get, made.count, made.delete]:
                with pytest.raises(InvalidArgumentError, match="indexing is disabled"):
                    read(**filters)
        assert made.count() == 600
        client.compact()


# ---- The object ---------------------------------------------------------------------------------


def test_a_collection_describes_itself(client: Any) -> None:
    collection = create(client, metadata={"k": 1})
    assert isinstance(collection, chromadb.Collection)
    assert repr(collection) == "Collection(name=notes)"
    assert isinstance(collection.id, uuid.UUID)
    assert (collection.tenant, collection.database) == ("default_tenant", "default_database")
    model = collection.get_model()
    assert model["name"] == model.name == "notes"
    assert model.dimension is None
    collection.add(ids="a", embeddings=[1, 2])
    assert reread(client).get_model().dimension == 2


def test_collections_are_equal_by_what_they_are_and_have_no_hash(client: Any) -> None:
    collection = create(client)
    assert collection == reread(client)
    assert collection != client.get_collection("notes")
    assert collection != "notes"
    with pytest.raises(TypeError, match="unhashable"):
        hash(collection)


# ---- The parts of a schema ----------------------------------------------------------------------


def test_index_settings_are_told_as_upstream_s_models_tell_them() -> None:
    settings = chromadb.VectorIndexConfig(
        space="ip", embedding_function=None, hnsw=chromadb.HnswIndexConfig(ef_search=7)
    )
    assert settings.model_dump(exclude_none=True) == {"space": "ip", "hnsw": {"ef_search": 7}}
    told = settings.model_dump()
    assert told["source_key"] is None and told["hnsw"]["max_neighbors"] is None
