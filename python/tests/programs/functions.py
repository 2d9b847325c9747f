"""Embedding functions of users, and those that come with the package."""

from __future__ import annotations

from typing import Any

import numpy as np

import chromadb
from chromadb import Documents, EmbeddingFunction, Embeddings, SparseEmbeddingFunction
from chromadb.api.types import (
    DataLoader,
    Embeddable,
    Image,
    Images,
    Loadable,
    Space,
    SparseVectors,
    is_document,
)
from chromadb.base_types import SparseVector
from chromadb.utils import embedding_functions
from chromadb.utils.data_loaders import ImageLoader
from chromadb.utils.embedding_functions import (
    DefaultEmbeddingFunction,
    OpenAIEmbeddingFunction,
    SentenceTransformerEmbeddingFunction,
    known_embedding_functions,
    register_embedding_function,
)
from chromadb.utils.embedding_functions.chroma_bm25_embedding_function import (
    ChromaBm25EmbeddingFunction,
)
from chromadb.utils.embedding_functions.openai_embedding_function import (
    OpenAIEmbeddingFunction as SameFunction,
)


@register_embedding_function
class Mine(EmbeddingFunction[Documents]):
    def __init__(self, dimension: int = 3) -> None:
        self.dimension = dimension

    def __call__(self, input: Documents) -> Embeddings:
        return [np.array([float(len(text))] * self.dimension, dtype=np.float32) for text in input]

    @staticmethod
    def name() -> str:
        return "mine"

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> EmbeddingFunction[Documents]:
        return Mine(config["dimension"])

    def get_config(self) -> dict[str, Any]:
        return {"dimension": self.dimension}

    def default_space(self) -> Space:
        return "cosine"

    def supported_spaces(self) -> list[Space]:
        return ["cosine", "l2", "ip"]

    def validate_config_update(
        self, old_config: dict[str, Any], new_config: dict[str, Any]
    ) -> None:
        if old_config != new_config:
            raise ValueError("The dimension cannot change.")

    @staticmethod
    def validate_config(config: dict[str, Any]) -> None:
        int(config["dimension"])


class Plain(EmbeddingFunction[Documents]):
    """As most programs write it: nothing but the call."""

    def __init__(self) -> None:
        pass

    def __call__(self, input: Documents) -> Embeddings:
        return [np.zeros(3, dtype=np.float32) for _ in input]


class Multimodal(EmbeddingFunction[Embeddable]):
    def __init__(self) -> None:
        pass

    def __call__(self, input: Embeddable) -> Embeddings:
        return [np.ones(2, dtype=np.float32) for item in input if is_document(item)]


class Words(SparseEmbeddingFunction[Documents]):
    def __init__(self) -> None:
        pass

    def __call__(self, input: Documents) -> SparseVectors:
        return [SparseVector(indices=[len(text)], values=[1.0]) for text in input]

    @staticmethod
    def name() -> str:
        return "words"

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> SparseEmbeddingFunction[Documents]:
        return Words()

    def get_config(self) -> dict[str, Any]:
        return {}


class Loader(DataLoader[Loadable]):
    def __call__(self, uris: Any) -> Any:
        image: Image = np.zeros((1, 1), dtype=np.uint8)
        images: Images = [image]
        return images


def use(client: chromadb.ClientAPI) -> None:
    client.create_collection("default")
    client.create_collection("none", embedding_function=None)
    client.create_collection("mine", embedding_function=Mine(3))
    client.get_or_create_collection("plain", embedding_function=Plain())
    client.get_collection("plain", embedding_function=Plain())
    client.get_collection("default", embedding_function=DefaultEmbeddingFunction())
    client.get_collection("named", embedding_function=OpenAIEmbeddingFunction(api_key="k"))
    client.create_collection(
        "images", embedding_function=Multimodal(), data_loader=ImageLoader(max_workers=4)
    )
    print(known_embedding_functions.keys(), embedding_functions.DefaultEmbeddingFunction)
    vectors: Embeddings = Mine().embed_query(["text"])
    sparse: SparseVectors = ChromaBm25EmbeddingFunction()(["text"])
    print(vectors[0].dtype, sparse[0].indices, Mine().is_legacy(), SameFunction.name())
    print(SentenceTransformerEmbeddingFunction(model_name="m").get_config()["model_name"])
