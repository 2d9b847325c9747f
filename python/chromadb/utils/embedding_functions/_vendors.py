"""What the embedding functions that talk to services share.

Invariants:
  * A vendor's package is imported when a function is made, never when its module is: a program
    that uses one service needs the package of that one.
  * A key is looked up once, when the function is made. Configurations hold the name of the
    environment variable that it came from, and never the key.
  * A function that is built from its own configuration sends the requests of the first one.
"""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from chromadb.api.types import EmbeddingFunction

if TYPE_CHECKING:
    from chromadb.api.types import Space, Vector

D = TypeVar("D", contravariant=True)

# Of one request. Services that load a model at first use keep the first caller waiting.
TIMEOUT_SECONDS = 60


class VendorFunction(EmbeddingFunction[D]):
    """An embedding function whose configuration is some of its constructor's arguments.

    Each argument that is configuration is kept in an attribute of the same name.
    """

    _required_keys: ClassVar[Sequence[str]] = ("api_key_env_var", "model_name")
    _optional_keys: ClassVar[Sequence[str]] = ()

    # Constructor arguments without a default, which configurations need not hold.
    _unconfigured: ClassVar[Mapping[str, Any]] = {}

    # The keys that no update may name, and what messages call them.
    _fixed_keys: ClassVar[Mapping[str, str]] = {"model_name": "model name"}

    # What is said of a configuration that lacks a required key; None for a sentence that names it.
    _incomplete_config: ClassVar[str | None] = None

    def default_space(self) -> Space:
        return "cosine"

    def supported_spaces(self) -> list[Space]:
        return ["cosine", "l2", "ip"]

    def get_config(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in (*self._required_keys, *self._optional_keys)}

    @classmethod
    def build_from_config(cls, config: dict[str, Any]) -> VendorFunction[D]:
        return cls(**cls._arguments(config))

    @classmethod
    def _arguments(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """The constructor's arguments that `config` stands for."""
        for key in cls._required_keys:
            if config.get(key) is None:
                raise ValueError(
                    cls._incomplete_config
                    or f"The configuration of the embedding function {cls.name()!r} lacks {key!r}."
                )
        keys = (*cls._required_keys, *cls._optional_keys)
        given = {key: config[key] for key in keys if config.get(key) is not None}
        return {**cls._unconfigured, **given}

    def validate_config_update(
        self, old_config: dict[str, Any], new_config: dict[str, Any]
    ) -> None:
        """Raises `ValueError` where the new configuration names what stays as it was made."""
        for key, what in self._fixed_keys.items():
            if key in new_config:
                raise ValueError(
                    f"The {what} cannot be changed after the embedding function has been "
                    "initialized."
                )

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Raises where `config` does not fit the schema of the function's name."""
        from chromadb.utils.embedding_functions.schemas import validate_config_schema

        validate_config_schema(config, cls.name())


# ---- Packages and keys ---------------------------------------------------------------------------


def import_vendor(module: str, install: str, shown_name: str | None = None, note: str = "") -> Any:
    """Imports the module of a package that only its users have.

    `install` is what pip calls the package, and `shown_name` what the message does if not that.
    Raises `ValueError` where it is missing.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ValueError(
            f"The {shown_name or install} python package is not installed. "
            f"Please install it with `pip install {install}`{note}"
        ) from error


def find_api_key(
    api_key: str | None,
    api_key_env_var: str,
    vendors_env_var: str | None = None,
    missing: str = "The {} environment variable is not set.",
) -> tuple[str, str]:
    """Returns the name of the environment variable that counts, and the key.

    The vendor's own variable, where it is set, counts before the one asked for. A key given as an
    argument counts before both; it is not remembered, and that is warned of.

    Raises `ValueError` where there is no key.
    """
    warn_of_direct_key(api_key)
    if vendors_env_var is not None and os.getenv(vendors_env_var) is not None:
        api_key_env_var = vendors_env_var
    key = api_key or os.getenv(api_key_env_var)
    if not key:
        raise ValueError(missing.format(api_key_env_var))
    return api_key_env_var, key


def warn_of_direct_key(api_key: str | None) -> None:
    """Warns where a key was given as an argument."""
    if api_key is not None:
        warnings.warn(
            "Direct api_key configuration will not be persisted. "
            "Please use environment variables via api_key_env_var for persistent storage.",
            DeprecationWarning,
            stacklevel=4,  # The line that makes the embedding function.
        )


# ---- Requests and answers ------------------------------------------------------------------------


def http_session(headers: Mapping[str, str]) -> Any:
    """An `httpx.Client` that sends these headers with each request."""
    session = import_vendor("httpx", "httpx").Client()
    session.headers.update(headers)
    return session


def post_json(session: Any, url: str, payload: Mapping[str, Any]) -> Any:
    """Sends a JSON body and returns what the JSON of the answer says, whatever the status."""
    response = session.post(url, json=payload, timeout=TIMEOUT_SECONDS)
    try:
        return response.json()
    except ValueError as error:
        raise RuntimeError(
            f"The service answered with status {response.status_code} and no JSON: "
            f"{response.text[:200]!r}"
        ) from error


def no_embeddings(answer: Any) -> RuntimeError:
    """The error for an answer without embeddings: what the service says, where it says it."""
    if not isinstance(answer, dict):
        return RuntimeError(f"The service answered with no embeddings, but {answer!r}")
    reasons = (answer[key] for key in ("detail", "error", "errors") if answer.get(key))
    return RuntimeError(next(reasons, "Unknown error"))


def as_vectors(rows: Iterable[Any]) -> list[Vector]:
    """One float32 array for each row of numbers."""
    return [np.array(row, dtype=np.float32) for row in rows]


# ---- Texts and images ----------------------------------------------------------------------------


def refuse_non_texts(items: Iterable[Any], service: str, what: str = "documents") -> None:
    """Raises `ValueError` where one of the items is no text."""
    if not all(isinstance(item, str) for item in items):
        raise ValueError(f"{service} only supports text {what}, not images")


def import_pillow() -> Any:
    """The module `PIL.Image`."""
    return import_vendor("PIL.Image", "pillow", shown_name="PIL")


def encode_image(pillow: Any, image: Any, file_format: str) -> str:
    """The base64 text of an image file that shows the array."""
    import base64
    import io

    file = io.BytesIO()
    pillow.fromarray(image).save(file, format=file_format)
    return base64.b64encode(file.getvalue()).decode("ascii")
