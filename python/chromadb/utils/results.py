"""Results as data frames of pandas, a row for each record, under its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chromadb.api.types import GetResult, QueryResult

if TYPE_CHECKING:
    import pandas as pd


def get_result_to_df(get_result: GetResult) -> pd.DataFrame:
    """What `get` returned, with a column for each thing that was included."""
    data: dict[str, Any] = {"id": get_result["ids"]}
    _add_get_fields(data, get_result)
    return _frame(data)


def query_result_to_dfs(query_result: QueryResult) -> list[pd.DataFrame]:
    """What `query` returned, a data frame for each query."""
    frames = []
    for number, ids in enumerate(query_result["ids"]):
        data: dict[str, Any] = {"id": ids}
        _add_query_fields(data, query_result, number)
        frames.append(_frame(data))
    return frames


def _add_get_fields(data_dict: dict[str, Any], get_result: GetResult) -> None:
    """Adds the columns that were included."""
    for name in get_result["included"]:
        column: Any = get_result.get(name)
        if name == "embeddings":
            column = _transform_embeddings(column)
        if column is not None:
            data_dict[_column_name(name)] = column


def _add_query_fields(data_dict: dict[str, Any], query_result: QueryResult, query_idx: int) -> None:
    """Adds the columns of one query that were included."""
    for name in query_result["included"]:
        columns: Any = query_result.get(name)
        if name == "embeddings":
            columns = _transform_embeddings(columns)
        if columns is not None:
            data_dict[_column_name(name)] = columns[query_idx] if columns else columns


def _transform_embeddings(embeddings: Any) -> Any:
    """Arrays as lists of numbers: a cell holds one vector."""
    if embeddings is None or len(embeddings) == 0:
        return None if embeddings is None else []
    if not isinstance(embeddings[0], np.ndarray):
        return embeddings
    return [embedding.tolist() for embedding in embeddings]


def _column_name(name: str) -> str:
    # A row has one of each, so its columns are not in the plural.
    return name.rstrip("s")


def _frame(data: dict[str, Any]) -> pd.DataFrame:
    try:
        import pandas as pd
    except ImportError:
        raise ImportError("pandas is required to convert results to a DataFrame.") from None
    return pd.DataFrame(data).set_index("id")
