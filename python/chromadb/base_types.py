"""The types of values: documents, images, vectors, metadata and filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

MetadataListValue: TypeAlias = list[str] | list[int] | list[float] | list[bool]
MetadataValue: TypeAlias = str | int | float | bool | MetadataListValue
Metadata: TypeAlias = Mapping[str, MetadataValue | None]
UpdateMetadata: TypeAlias = Mapping[str, MetadataValue | None]

PyVector: TypeAlias = Sequence[float] | Sequence[int]
Vector: TypeAlias = np.ndarray[Any, np.dtype[np.floating[Any] | np.integer[Any]]]

Document: TypeAlias = str
Documents: TypeAlias = list[Document]
URI: TypeAlias = str
URIs: TypeAlias = list[URI]
Image: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Images: TypeAlias = list[Image]
Embeddable: TypeAlias = Documents | Images
Loadable: TypeAlias = list[Image | None]

Space: TypeAlias = Literal["cosine", "l2", "ip"]

LiteralValue: TypeAlias = str | int | float | bool
LogicalOperator: TypeAlias = Literal["$and", "$or"]
WhereOperator: TypeAlias = Literal["$gt", "$gte", "$lt", "$lte", "$ne", "$eq"]
InclusionExclusionOperator: TypeAlias = Literal["$in", "$nin"]
ContainsOperator: TypeAlias = Literal["$contains", "$not_contains"]
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
