"""The types of values: documents, images, vectors, metadata and filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np

# How JSON tells a sparse vector from other objects.
TYPE_KEY: Final = "#type"
SPARSE_VECTOR_TYPE_VALUE: Final = "sparse_vector"


@dataclass
class SparseVector:
    """A vector that is zero but for a few dimensions. Raises ValueError unless it is well-formed.

    `indices` are those dimensions, ascending, each once; `values` has a number for each, and
    `labels`, where there are any, a text for each.
    """

    indices: list[int]
    values: list[float]
    labels: list[str] | None = None

    def __post_init__(self) -> None:
        self._check_is_list("indices")
        self._check_is_list("values")
        if len(self.indices) != len(self.values):
            raise ValueError(
                "SparseVector indices and values must have the same length, got "
                f"{len(self.indices)} indices and {len(self.values)} values"
            )
        if self.labels is not None:
            self._check_is_list("labels")
            if len(self.labels) != len(self.indices):
                raise ValueError(
                    "SparseVector labels must have the same length as indices and values, got "
                    f"{len(self.labels)} labels, {len(self.indices)} indices"
                )
        for position, index in enumerate(self.indices):
            if not isinstance(index, int):
                raise ValueError(
                    "SparseVector indices must be integers, got "
                    f"{type(index).__name__} at position {position}"
                )
            if index < 0:
                raise ValueError(
                    f"SparseVector indices must be non-negative, got {index} at position {position}"
                )
        for position, value in enumerate(self.values):
            if not isinstance(value, (int, float)):
                raise ValueError(
                    "SparseVector values must be numbers, got "
                    f"{type(value).__name__} at position {position}"
                )
        for position in range(1, len(self.indices)):
            before, index = self.indices[position - 1], self.indices[position]
            if index <= before:
                raise ValueError(
                    "SparseVector indices must be sorted in strictly ascending order, found "
                    f"indices[{position}]={index} <= indices[{position - 1}]={before}"
                )

    def _check_is_list(self, name: str) -> None:
        column = getattr(self, name)
        if not isinstance(column, list):
            raise ValueError(
                f"Expected SparseVector {name} to be a list, got {type(column).__name__}"
            )

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it. The labels are called `tokens` there."""
        members: dict[str, Any] = {
            TYPE_KEY: SPARSE_VECTOR_TYPE_VALUE,
            "indices": self.indices,
            "values": self.values,
        }
        if self.labels is not None:
            members["tokens"] = self.labels
        return members

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> SparseVector:
        """The vector that `to_dict` describes."""
        if d.get(TYPE_KEY) != SPARSE_VECTOR_TYPE_VALUE:
            raise ValueError(
                f"Expected {TYPE_KEY}='{SPARSE_VECTOR_TYPE_VALUE}', got {d.get(TYPE_KEY)}"
            )
        return cls(indices=d["indices"], values=d["values"], labels=d.get("tokens"))


SparseVectors: TypeAlias = list[SparseVector]

MetadataListValue: TypeAlias = list[str] | list[int] | list[float] | list[bool]
MetadataValue: TypeAlias = str | int | float | bool | SparseVector | MetadataListValue
Metadata: TypeAlias = Mapping[str, MetadataValue | None]
UpdateMetadata: TypeAlias = Mapping[str, MetadataValue | None]

PyVector: TypeAlias = Sequence[float] | Sequence[int]
Vector: TypeAlias = np.ndarray[Any, np.dtype[np.floating[Any] | np.integer[Any]]]

Document: TypeAlias = str
Documents: TypeAlias = list[Document]
URI: TypeAlias = str
URIs: TypeAlias = list[URI]
ImageDType: TypeAlias = np.uint | np.int64 | np.float64
Image: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Images: TypeAlias = list[Image]
Embeddable: TypeAlias = Documents | Images
Loadable: TypeAlias = list[Image | None]

Space: TypeAlias = Literal["cosine", "l2", "ip"]

LiteralValue: TypeAlias = str | int | float | bool
LogicalOperator: TypeAlias = Literal["$and", "$or"]
WhereOperator: TypeAlias = Literal["$gt", "$gte", "$lt", "$lte", "$ne", "$eq"]
InclusionExclusionOperator: TypeAlias = Literal["$in", "$nin"]
ArrayContainsOperator: TypeAlias = Literal["$contains", "$not_contains"]
ExistenceOperator: TypeAlias = Literal["$exists"]
LikeOperator: TypeAlias = Literal["$like", "$not_like", "$icontains", "$not_icontains"]
WhereDocumentOperator: TypeAlias = (
    Literal["$contains", "$not_contains", "$regex", "$not_regex", "$and", "$or"] | LikeOperator
)

# Type checkers cannot say "exactly one key" nor follow the recursion through dict literals, so the
# filters are typed as mappings; `validate_where` and `validate_where_document` have the grammar.
OperatorExpression: TypeAlias = Mapping[str, Any]
Where: TypeAlias = Mapping[str, Any]
WhereDocument: TypeAlias = Mapping[str, Any]
