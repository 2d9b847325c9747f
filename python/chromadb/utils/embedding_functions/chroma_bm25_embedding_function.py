"""BM25 as sparse vectors: the weight of each term of a text, by the term's number.

Which numbers and weights come out is part of what Chroma's clients agree on: the vectors of one
are searched with those of another. So nothing here may change but for its speed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict

from chromadb.api.types import Documents, SparseEmbeddingFunction, SparseVector, SparseVectors
from chromadb.utils.embedding_functions.schemas import validate_config_schema
from chromadb.utils.embedding_functions.schemas.bm25_tokenizer import (
    DEFAULT_CHROMA_BM25_STOPWORDS,
    Bm25Tokenizer,
    Murmur3AbsHasher,
    get_english_stemmer,
)

NAME = "chroma_bm25"

DEFAULT_K = 1.2
DEFAULT_B = 0.75
DEFAULT_AVG_DOC_LENGTH = 256.0
DEFAULT_TOKEN_MAX_LENGTH = 40


class ChromaBm25Config(TypedDict, total=False):
    """What is stored of the function."""

    k: float
    b: float
    avg_doc_length: float
    token_max_length: int
    stopwords: list[str]
    include_tokens: bool


class ChromaBm25EmbeddingFunction(SparseEmbeddingFunction[Documents]):
    """Embeds English texts by BM25. Needs the package `snowballstemmer`, and no model."""

    def __init__(
        self,
        k: float = DEFAULT_K,
        b: float = DEFAULT_B,
        avg_doc_length: float = DEFAULT_AVG_DOC_LENGTH,
        token_max_length: int = DEFAULT_TOKEN_MAX_LENGTH,
        stopwords: Iterable[str] | None = None,
        include_tokens: bool = False,
    ) -> None:
        """`k` says how soon more of a term adds little, `b` how much the length of a text counts,
        and `avg_doc_length` which length is usual, in terms. `stopwords` stand in for the English
        ones. With `include_tokens` the vectors are labelled with their terms.
        """
        self.k = float(k)
        self.b = float(b)
        self.avg_doc_length = float(avg_doc_length)
        self.token_max_length = int(token_max_length)
        self.include_tokens = bool(include_tokens)
        self.stopwords = None if stopwords is None else [str(word) for word in stopwords]
        self._hasher = Murmur3AbsHasher()

    def __call__(self, input: Documents) -> SparseVectors:
        if not input:
            return []
        stopwords = DEFAULT_CHROMA_BM25_STOPWORDS if self.stopwords is None else self.stopwords
        tokenizer = Bm25Tokenizer(get_english_stemmer(), stopwords, self.token_max_length)
        return [self._encode(tokenizer.tokenize(document)) for document in input]

    def _encode(self, terms: list[str]) -> SparseVector:
        frequencies: dict[int, int] = {}
        labels: dict[int, str] = {}
        for term in terms:
            number = self._hasher.hash(term)
            frequencies[number] = frequencies.get(number, 0) + 1
            labels.setdefault(number, term)  # Of terms with the same number, the first.

        length_share = 1 - self.b + self.b * float(len(terms)) / self.avg_doc_length
        numbers = sorted(frequencies)
        weights = []
        for number in numbers:
            frequency = float(frequencies[number])
            weights.append(frequency * (self.k + 1) / (frequency + self.k * length_share))
        has_labels = self.include_tokens and bool(numbers)
        return SparseVector(
            indices=numbers,
            values=weights,
            labels=[labels[number] for number in numbers] if has_labels else None,
        )

    @staticmethod
    def name() -> str:
        return NAME

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> ChromaBm25EmbeddingFunction:
        return ChromaBm25EmbeddingFunction(
            k=config.get("k", DEFAULT_K),
            b=config.get("b", DEFAULT_B),
            avg_doc_length=config.get("avg_doc_length", DEFAULT_AVG_DOC_LENGTH),
            token_max_length=config.get("token_max_length", DEFAULT_TOKEN_MAX_LENGTH),
            stopwords=config.get("stopwords"),
            include_tokens=config.get("include_tokens", False),
        )

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "k": self.k,
            "b": self.b,
            "avg_doc_length": self.avg_doc_length,
            "token_max_length": self.token_max_length,
            "include_tokens": self.include_tokens,
        }
        if self.stopwords is not None:
            config["stopwords"] = list(self.stopwords)
        return config

    def validate_config_update(
        self, old_config: dict[str, Any], new_config: dict[str, Any]
    ) -> None:
        """Raises ValueError where the new configuration has what no such function has."""
        for key in new_config:
            if key not in ChromaBm25Config.__annotations__:
                raise ValueError(f"Updating '{key}' is not supported for {NAME}")

    @staticmethod
    def validate_config(config: dict[str, Any]) -> None:
        validate_config_schema(config, NAME)
