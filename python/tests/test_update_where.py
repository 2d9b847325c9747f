"""Updates of the records that filters match: the same as an update of each of them by its id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chromadb
from chromadb.errors import InvalidArgumentError


@pytest.fixture
def ten(tmp_path: Path) -> Any:
    client = chromadb.PersistentClient(tmp_path)
    collection = client.create_collection("updated", embedding_function=None)
    collection.add(
        ids=[str(number) for number in range(10)],
        embeddings=np.eye(10, dtype=np.float32),
        documents=[f"document {number}" for number in range(10)],
        metadatas=[{"number": number, "isEven": number % 2 == 0} for number in range(10)],
    )
    return collection


def metadatas(collection: chromadb.Collection) -> dict[str, Any]:
    found = collection.get()
    assert found["metadatas"] is not None
    return dict(zip(found["ids"], found["metadatas"], strict=True))


@pytest.mark.parametrize("is_compacted", [False, True])
def test_metadata_is_merged_into_that_of_the_matches_alone(ten: Any, is_compacted: bool) -> None:
    if is_compacted:
        ten.compact()
    before = metadatas(ten)
    answer = ten.update_where(
        {"number": None, "seen": ["a", "b"]},
        where={"isEven": True},
        where_document={"$regex": "[0-4]"},
    )
    assert answer == {"updated": 3}
    expected = {
        id: {"isEven": True, "seen": ["a", "b"]} if id in {"0", "2", "4"} else metadata
        for id, metadata in before.items()
    }
    assert metadatas(ten) == expected
    assert ten.get(where={"seen": {"$contains": "b"}}, include=[])["ids"] == ["0", "2", "4"]
    assert ten.get("4", include=["documents"])["documents"] == ["document 4"]


def test_of_the_ids_only_those_that_match_are_changed(ten: Any) -> None:
    answer = ten.update_where({"seen": True}, where={"isEven": True}, ids=["1", "2", "3", "no"])
    assert answer == {"updated": 1}
    assert ten.get(where={"seen": True})["ids"] == ["2"]
    assert ten.update_where({"seen": False}, ids="3") == {"updated": 1}


def test_an_update_of_everything_must_be_asked_for_by_a_filter(ten: Any) -> None:
    before = metadatas(ten)
    with pytest.raises(ValueError, match="At least one of ids, where, or where_document"):
        ten.update_where({"seen": True})
    assert metadatas(ten) == before
    assert ten.update_where({"seen": True}, where={"number": {"$gte": 0}}) == {"updated": 10}


@pytest.mark.parametrize("metadata", [None, {}, "seen", {"seen": object()}])
def test_what_is_no_metadata_is_refused_naming_the_call_once(ten: Any, metadata: Any) -> None:
    with pytest.raises(ValueError, match=r"^Expected metadata .* in update_where\.$") as refusal:
        ten.update_where(metadata, where={"isEven": True})
    assert str(refusal.value).count("update_where") == 1


def test_a_number_that_cannot_be_stored_is_refused_even_if_nothing_matches(ten: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="not a finite"):
        ten.update_where({"seen": float("nan")}, where={"isEven": "neither"})
