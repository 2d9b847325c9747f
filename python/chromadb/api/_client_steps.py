"""What the methods of a client do, once for the synchronous and the asynchronous class.

See `chromadb.api._steps`.
"""

from __future__ import annotations

from typing import Any

from chromadb.api._reaching_server import reaching_server
from chromadb.api._steps import Call, Steps
from chromadb.api.collection_configuration import (
    CreateCollectionConfiguration,
    validate_embedding_function_conflict_on_create,
    validate_embedding_function_conflict_on_get,
)
from chromadb.api.types import (
    CollectionMetadata,
    EmbeddingFunction,
    Schema,
    validate_embedding_function,
)
from chromadb.auth import UserIdentity
from chromadb.types import Collection as CollectionModel


class ClientSteps:
    """The operations of a client. Arguments are those of its public methods."""

    tenant: str
    database: str

    # ---- Where it is ----------------------------------------------------------------------------

    def _identity_steps(self) -> Steps[UserIdentity]:
        with reaching_server(otherwise=str):
            identity: UserIdentity = yield lambda server: server.get_user_identity()
        return identity

    def _validate_steps(self, tenant: str, database: str) -> Steps[None]:
        """Makes sure that a database of a tenant exists."""
        with reaching_server(
            lambda _: f"Could not connect to tenant {tenant}. Are you sure it exists?"
        ):
            yield lambda server: server.get_tenant(tenant)
        with reaching_server():
            yield lambda server: server.get_database(database, tenant)

    # ---- Collections ----------------------------------------------------------------------------

    def _create_collection_steps(
        self,
        name: str,
        schema: Schema | None,
        configuration: CreateCollectionConfiguration | None,
        metadata: CollectionMetadata | None,
        embedding_function: EmbeddingFunction[Any] | None,
        get_or_create: bool,
    ) -> Steps[CollectionModel]:
        completed = _completed_configuration(schema, configuration, embedding_function)
        return (
            yield from self._get_collection_steps(
                lambda server: server.create_collection(
                    name, schema, completed, metadata, get_or_create, self.tenant, self.database
                ),
                embedding_function,
            )
        )

    def _get_collection_steps(
        self, call: Call, embedding_function: EmbeddingFunction[Any] | None
    ) -> Steps[CollectionModel]:
        """What the call finds, if the embedding function is not another than the collection's."""
        model: CollectionModel = yield call
        stored = model.configuration_json.get("embedding_function")
        validate_embedding_function_conflict_on_get(embedding_function, stored)
        return model


def _completed_configuration(
    schema: Schema | None,
    configuration: CreateCollectionConfiguration | None,
    embedding_function: EmbeddingFunction[Any] | None,
) -> CreateCollectionConfiguration:
    """The configuration of a new collection, with the embedding function that was passed beside it.

    A copy: what the caller passed stays as it is. Raises ValueError where the arguments have the
    wrong types, or two functions are given.
    """
    if schema is not None and not isinstance(schema, Schema):
        raise ValueError(f"Expected schema to be a Schema, got {schema}")
    if configuration is not None and not isinstance(configuration, dict):
        raise ValueError(f"Expected configuration to be a dict, got {configuration}")
    completed = CreateCollectionConfiguration(**(configuration or {}))
    configured = completed.get("embedding_function")
    for function in (embedding_function, configured):
        if function is not None:
            validate_embedding_function(function)
    validate_embedding_function_conflict_on_create(embedding_function, configured)
    if configured is None and embedding_function is not None:
        completed["embedding_function"] = embedding_function
    return completed
