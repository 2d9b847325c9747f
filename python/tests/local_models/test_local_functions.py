"""Promise: the embedding functions that run models here use them as official Chroma's do.

Method: one list of trials, `trials.py`, on both, with stand-ins for the libraries that write down
every call. Official's outcomes are recorded, and live where it is. Where ours differ, it is said
here how, and why.
"""

from __future__ import annotations

import json
import lzma
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chromadb.utils import embedding_functions

from .fakes import Tensor, standing_in
from .trials import trials

pytestmark = pytest.mark.filterwarnings("ignore:Bm25EmbeddingFunction is deprecated")

RECORDED = Path(__file__).with_name("official.json.xz")

# They hand `cuda`, `device_ids` and `lazy_load` over in the places of the arguments before.
FASTEMBEDS_ARGUMENTS = "FastembedSparseEmbeddingFunction 5"


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(lzma.decompress(RECORDED.read_bytes()))
    return loaded


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json.dumps(dict(trials())))
    return loaded


def test_ours_use_models_as_officials_do(ours: dict[str, Any], recorded: dict[str, Any]) -> None:
    assert list(ours) == list(recorded)
    for trial, expected in recorded.items():
        found = ours[trial]
        if "raises" in found:
            # Theirs is jsonschema's, and so is ours where that package is in use.
            found["raises"] = found["raises"].replace("ConfigValidationError", "ValidationError")
        if trial != FASTEMBEDS_ARGUMENTS:
            assert found == expected, trial


def test_fastembed_gets_each_argument_by_its_name(ours: dict[str, Any]) -> None:
    assert ours[FASTEMBEDS_ARGUMENTS]["calls"] == [
        [
            "SparseTextEmbedding",
            {"model_name": "m", "cuda": True, "device_ids": [0], "lazy_load": True},
        ]
    ]


@pytest.mark.parametrize(
    "name", ["SentenceTransformerEmbeddingFunction", "HuggingFaceSparseEmbeddingFunction"]
)
def test_models_are_shared_by_functions_of_the_same_arguments(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    make = getattr(embedding_functions, name)
    monkeypatch.setattr(make, "models", {})
    with standing_in() as calls:
        for _ in range(2):
            make(model_name="m", device="cpu")
        assert len(calls) == 1
        make(model_name="m", device="cuda")
        make(model_name="m", device="cpu", truncate_dim=64)
        assert len(calls) == 3


def test_vectors_on_a_graphics_card_are_fetched() -> None:
    class OnCard(Tensor):
        def cpu(self) -> Tensor:
            return Tensor(self.array)

        def to_dense(self) -> Tensor:
            return self

        def numpy(self) -> Any:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")

    with standing_in():
        function = embedding_functions.HuggingFaceSparseEmbeddingFunction("m", "cuda")
        assert function._vector(OnCard([0, 0, 7])).to_dict()["indices"] == [2]


def test_a_function_of_langchain_embeds_documents_and_queries_of_a_collection(client: Any) -> None:
    with standing_in():
        interface = sys.modules["langchain_core.embeddings"].Embeddings

        class Own(interface):  # type: ignore[misc,valid-type]
            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                return [[float(len(text)), 0.0] for text in texts]

            def embed_query(self, text: str) -> list[float]:
                return [float(text), 0.0]

        function = embedding_functions.ChromaLangchainEmbeddingFunction(Own())
    with pytest.warns(DeprecationWarning, match="cannot remember its embedding function"):
        collection = client.create_collection("notes", embedding_function=function)
    assert collection.configuration_json["embedding_function"] == {"type": "legacy"}
    collection.add(ids=["a", "b"], documents=["a", "bbbbb"])
    assert collection.query(query_texts=["5"], n_results=1)["ids"] == [["b"]]
    vectors = function.embed_query(["1", "2"])
    np.testing.assert_array_equal(vectors, np.array([[1, 0], [2, 0]], dtype=np.float32))


@pytest.mark.official
def test_the_record_is_what_official_chroma_does(
    official_python: str, recorded: dict[str, Any], tmp_path: Path
) -> None:
    script = Path(__file__).with_name("trials.py")
    outcomes = tmp_path / "outcomes.json"
    subprocess.run([official_python, "-E", str(script), str(outcomes)], check=True, cwd=tmp_path)
    assert json.loads(outcomes.read_text()) == recorded
