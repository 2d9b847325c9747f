"""Results as data frames of pandas, a row for each record, under its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chromadb.api.types import GetResult, QueryResult

if TYPE_CHECKING:
    import pandas as pd


def get_result_to_df(get_result: GetResult) -> pd.DataFrame:
    """What `get` returned, with a column for each thing that was included."""
    return _frame(get_result["ids"], get_result["included"], get_result)


def query_result_to_dfs(query_result: QueryResult) -> list[pd.DataFrame]:
    """What `query` returned, a data frame for each query."""
    frames = []
    for number, ids in enumerate(query_result["ids"]):
        columns = {
            name: column[number]
            for name in query_result["included"]
            if isinstance(column := query_result.get(name), list) and column
        }
        frames.append(_frame(ids, query_result["included"], columns))
    return frames


def _frame(ids: list[str], included: Any, columns: Any) -> pd.DataFrame:
    try:
        import pandas as pd
    except ImportError:
        raise ImportError("pandas is required to convert results to a DataFrame.") from None
    data: dict[str, Any] = {"id": ids}
    for name in included:
        column = columns.get(name)
        if column is None:
            continue
        # A row has one of each, so its columns are not in the plural.
        data[name.rstrip("s")] = (
            [vector.tolist() for vector in column] if name == "embeddings" else column
        )
    return pd.DataFrame(data).set_index("id")
