"""A function that a server runs over a collection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from chromadb.api import ServerAPI


class AttachedFunction:
    """A function as it was attached: what it reads, and where it writes. Equal by value."""

    def __init__(
        self,
        client: ServerAPI,
        id: UUID,
        name: str,
        function_name: str,
        input_collection_id: UUID,
        output_collection: str,
        params: dict[str, Any] | None,
        tenant: str,
        database: str,
    ) -> None:
        self._client = client
        self._id = id
        self._name = name
        self._function_name = function_name
        self._input_collection_id = input_collection_id
        self._output_collection = output_collection
        self._params = params
        self._tenant = tenant
        self._database = database

    @property
    def id(self) -> UUID:
        return self._id

    @property
    def name(self) -> str:
        """What it was called when it was attached."""
        return self._name

    @property
    def function_name(self) -> str:
        """What the server calls the function."""
        return self._function_name

    @property
    def input_collection_id(self) -> UUID:
        """The collection that it reads."""
        return self._input_collection_id

    @property
    def output_collection(self) -> str:
        """The name of the collection that it writes."""
        return self._output_collection

    @property
    def params(self) -> dict[str, Any] | None:
        """What the function was given."""
        return self._params

    def _identity(self) -> tuple[object, ...]:
        return (
            self._id,
            self._name,
            self._function_name,
            self._input_collection_id,
            self._output_collection,
            self._tenant,
            self._database,
            json.dumps(_as_object(self._params), sort_keys=True, default=str),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AttachedFunction) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return (
            f"AttachedFunction(id={self._id}, name='{self._name}', "
            f"function_name='{self._function_name}', "
            f"input_collection_id={self._input_collection_id}, "
            f"output_collection='{self._output_collection}')"
        )


def _as_object(params: Any) -> dict[str, Any]:
    """The parameters as an object: servers send JSON text as well, and nothing for none."""
    if isinstance(params, str):
        try:
            params = json.loads(params)
        except json.JSONDecodeError:
            return {}
    return params if isinstance(params, dict) else {}
