"""Describes what whatever `chromadb` this interpreter imports lets its users name.

    python describe.py official.json.xz      (records: with official Chroma 1.5.9, and pandas)

Per module: `__all__` and its names. Per name: its kind; of functions the parameters with kinds and
defaults; of classes the members, constructor, enum values, typed or dataclass fields; of errors
their code and name; of constants the value. Facts only: no documentation, no annotations.
What a module merely imports is no part of it, unless it is there to export again.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import hashlib
import importlib
import inspect
import json
import logging
import lzma
import os
import sys
import typing
import uuid
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy.typing

import chromadb.api.types
import chromadb.config
import chromadb.utils.embedding_functions

FUNCTIONS = "chromadb.utils.embedding_functions"
MODULES = [
    "chromadb",
    "chromadb.api",
    "chromadb.api.async_api",
    "chromadb.api.async_client",
    "chromadb.api.async_fastapi",
    "chromadb.api.base_http_client",
    "chromadb.api.client",
    "chromadb.api.collection_configuration",
    "chromadb.api.configuration",
    "chromadb.api.fastapi",
    "chromadb.api.functions",
    "chromadb.api.models.AsyncCollection",
    "chromadb.api.models.AttachedFunction",
    "chromadb.api.models.Collection",
    "chromadb.api.models.CollectionCommon",
    "chromadb.api.rust",
    "chromadb.api.segment",
    "chromadb.api.shared_system_client",
    "chromadb.api.types",
    "chromadb.auth",
    "chromadb.auth.basic_authn",
    "chromadb.auth.token_authn",
    "chromadb.auth.utils",
    "chromadb.base_types",
    "chromadb.config",
    "chromadb.errors",
    "chromadb.execution.expression",
    "chromadb.execution.expression.operator",
    "chromadb.execution.expression.plan",
    "chromadb.serde",
    "chromadb.telemetry.opentelemetry",
    "chromadb.telemetry.product",
    "chromadb.telemetry.product.posthog",
    "chromadb.types",
    "chromadb.utils",
    "chromadb.utils.async_to_sync",
    "chromadb.utils.batch_utils",
    "chromadb.utils.data_loaders",
    "chromadb.utils.delete_file",
    "chromadb.utils.directory",
    "chromadb.utils.distance_functions",
    "chromadb.utils.lru_cache",
    "chromadb.utils.messageid",
    "chromadb.utils.read_write_lock",
    "chromadb.utils.rendezvous_hash",
    "chromadb.utils.results",
    "chromadb.utils.sparse_embedding_utils",
    "chromadb.utils.statistics",
    FUNCTIONS,
    f"{FUNCTIONS}.amazon_bedrock_embedding_function",
    f"{FUNCTIONS}.baseten_embedding_function",
    f"{FUNCTIONS}.bm25_embedding_function",
    f"{FUNCTIONS}.chroma_bm25_embedding_function",
    f"{FUNCTIONS}.chroma_cloud_qwen_embedding_function",
    f"{FUNCTIONS}.chroma_cloud_splade_embedding_function",
    f"{FUNCTIONS}.chroma_langchain_embedding_function",
    f"{FUNCTIONS}.cloudflare_workers_ai_embedding_function",
    f"{FUNCTIONS}.cohere_embedding_function",
    f"{FUNCTIONS}.fastembed_sparse_embedding_function",
    f"{FUNCTIONS}.google_embedding_function",
    f"{FUNCTIONS}.huggingface_embedding_function",
    f"{FUNCTIONS}.huggingface_sparse_embedding_function",
    f"{FUNCTIONS}.instructor_embedding_function",
    f"{FUNCTIONS}.jina_embedding_function",
    f"{FUNCTIONS}.mistral_embedding_function",
    f"{FUNCTIONS}.morph_embedding_function",
    f"{FUNCTIONS}.nomic_embedding_function",
    f"{FUNCTIONS}.ollama_embedding_function",
    f"{FUNCTIONS}.onnx_mini_lm_l6_v2",
    f"{FUNCTIONS}.open_clip_embedding_function",
    f"{FUNCTIONS}.openai_embedding_function",
    f"{FUNCTIONS}.perplexity_embedding_function",
    f"{FUNCTIONS}.roboflow_embedding_function",
    f"{FUNCTIONS}.schemas",
    f"{FUNCTIONS}.schemas.bm25_tokenizer",
    f"{FUNCTIONS}.schemas.registry",
    f"{FUNCTIONS}.schemas.schema_utils",
    f"{FUNCTIONS}.sentence_transformer_embedding_function",
    f"{FUNCTIONS}.text2vec_embedding_function",
    f"{FUNCTIONS}.together_ai_embedding_function",
    f"{FUNCTIONS}.utils",
    f"{FUNCTIONS}.voyageai_embedding_function",
]
# Modules that users import names from which are defined in others.
EXPORTING = {
    "chromadb",
    "chromadb.api",
    "chromadb.api.types",
    "chromadb.auth",
    "chromadb.base_types",
    "chromadb.config",
    "chromadb.execution.expression",
    FUNCTIONS,
    f"{FUNCTIONS}.schemas",
}
# Where constants and aliases come from that modules import.
LIBRARIES: tuple[ModuleType, ...] = (
    typing,
    collections.abc,
    numpy.typing,
    chromadb.config,
    chromadb.api.types,
    chromadb.utils.embedding_functions,
)
# Parameters whose default is how many cores this machine has.
CORES = {"max_workers", "num_threads"}
BASES = {"ChromaError", "Exception"}
# Special methods that calls spell without naming them.
SPECIAL = {"__call__", "__getitem__", "__enter__", "__exit__", "__and__", "__or__", "__add__"}


def value(thing: Any) -> Any:
    """A default or a constant as JSON: itself where it is plain, else what it is one of."""
    if isinstance(thing, enum.Enum):
        return thing.value
    if thing is None or isinstance(thing, bool | int | float):
        return thing
    if isinstance(thing, str):
        return thing if len(thing) <= 100 else "<str>"
    if isinstance(thing, list | tuple):
        return [value(item) for item in thing] if len(thing) <= 50 else digest(thing)
    if isinstance(thing, set | frozenset):
        return sorted(value(item) for item in thing) if len(thing) <= 50 else digest(thing)
    if isinstance(thing, dict):
        return {str(value(key)): value(item) for key, item in thing.items()}
    if isinstance(thing, type):
        return f"<class {thing.__name__}>"
    if isinstance(thing, uuid.UUID):
        return str(thing)
    return f"<{type(thing).__name__}>"


def digest(items: Any) -> str:
    text = json.dumps(sorted(items))
    return f"{len(items)} items, SHA-256 {hashlib.sha256(text.encode()).hexdigest()}"


def parameters(function: Any) -> list[list[Any]] | None:
    """Name, kind, and the default if there is one, of each parameter; None if Python cannot say."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    described = []
    for parameter in signature.parameters.values():
        entry = [parameter.name, parameter.kind.name]
        if parameter.default is not parameter.empty:
            entry.append("<cores>" if parameter.name in CORES else value(parameter.default))
        described.append(entry)
    return described


def callable_facts(function: Any) -> dict[str, Any]:
    return {
        "parameters": parameters(function),
        "coroutine": inspect.iscoroutinefunction(inspect.unwrap(function)),
    }


def members(cls: type) -> dict[str, Any]:
    """The methods, properties and class attributes that a class has of chromadb's making."""
    found: dict[str, Any] = {}
    for owner in reversed(cls.__mro__):
        if not owner.__module__.startswith("chromadb"):
            continue
        for name, member in vars(owner).items():
            if name.startswith("_") and name not in SPECIAL:
                continue
            if isinstance(member, staticmethod | classmethod):
                kind = type(member).__name__
                found[name] = {"kind": kind} | callable_facts(getattr(cls, name))
            elif inspect.isfunction(member):
                found[name] = {"kind": "method"} | callable_facts(member)
            elif isinstance(member, property) or hasattr(type(member), "__get__"):
                found[name] = {"kind": "property"}
            elif not inspect.isclass(member) and not isinstance(member, typing.TypeVar):
                found[name] = {"kind": "attribute"}
    return found


def fields(cls: type) -> dict[str, Any] | None:
    """The fields of a pydantic model with their defaults, "required" for those without."""
    models = getattr(cls, "model_fields", None)
    if not isinstance(models, dict):
        return None
    return {
        name: "required"
        if field.is_required()
        else value(field.get_default(call_default_factory=True))
        for name, field in models.items()
    }


def class_facts(cls: type) -> dict[str, Any]:
    if issubclass(cls, enum.Enum):
        return {"kind": "enum", "members": {item.name: item.value for item in cls}}
    if issubclass(cls, dict) and hasattr(cls, "__total__"):
        return {"kind": "typed dict", "keys": sorted(typing.get_type_hints(cls))}
    if (model := fields(cls)) is not None:
        return {"kind": "class", "fields": model}
    facts: dict[str, Any] = {"kind": "class", "members": members(cls)}
    if dataclasses.is_dataclass(cls):
        facts["dataclass"] = [field.name for field in dataclasses.fields(cls)]
    if issubclass(cls, Exception):
        facts["bases"] = [base.__name__ for base in cls.__mro__[1:] if base.__name__ in BASES]
        if not inspect.isabstract(cls) and hasattr(cls, "code"):
            error: Any = cls("x")
            facts["error"] = [error.code(), error.message(), error.name()]
    elif getattr(cls.__init__, "__module__", "").startswith("chromadb"):
        # Of others' making are those of protocols, which change when they are first called.
        facts["constructor"] = parameters(cls)
    return facts


def facts_of(thing: Any) -> dict[str, Any]:
    """What is to be told of what a name stands for."""
    if inspect.isclass(thing) and (thing.__module__ or "").startswith("chromadb"):
        return class_facts(thing)
    if inspect.isclass(thing):
        return {"kind": "alias"}
    if inspect.isfunction(thing) or inspect.iscoroutinefunction(thing):
        return {"kind": "function"} | callable_facts(thing)
    if isinstance(thing, bool | int | float | str | list | tuple | set | frozenset | dict):
        return {"kind": "constant", "value": value(thing)}
    if thing is None or type(thing).__module__ in ("typing", "types", "numpy._typing"):
        return {"kind": "alias"}
    return {"kind": "object", "class": type(thing).__name__}


def brief(path: str, thing: Any, facts: dict[str, Any]) -> dict[str, Any]:
    """The facts, but of what another module defines, and describes, only the kind."""
    home = getattr(thing, "__module__", path)
    return {"kind": facts["kind"]} if home != path and home in MODULES else facts


def is_own(module: ModuleType, name: str, thing: Any) -> bool:
    """Whether a module means the name for its users, and did not merely need it itself."""
    if (
        name.startswith("_")
        or name in ("TypedDict", "Protocol")
        or isinstance(thing, ModuleType | logging.Logger)
    ):
        return False
    exports = module.__name__ in EXPORTING or name in getattr(module, "__all__", ())
    if inspect.isclass(thing) or inspect.isroutine(thing):
        home = thing.__module__ or ""
        if home.startswith("chromadb"):
            return exports or home == module.__name__
        return exports and thing.__name__ != name
    for library in LIBRARIES:
        known = getattr(library, name, None)
        if library is not module and known is not None and known is thing:
            return exports and library.__name__.startswith("chromadb")
    return not isinstance(thing, typing.TypeVar) or (exports and len(name) > 1) or name in "DL"


def describe() -> dict[str, Any]:
    warnings.simplefilter("ignore")
    for key in [key for key in os.environ if key.upper().startswith("CHROMA_")]:
        del os.environ[key]
    modules: dict[str, Any] = {}
    for path in MODULES:
        try:
            module = importlib.import_module(path)
        except ImportError as error:
            modules[path] = {"error": str(error)}
            continue
        names = {name: getattr(module, name) for name in dir(module)}
        modules[path] = {
            "all": sorted(getattr(module, "__all__", [])) or None,
            "names": {
                name: brief(path, thing, facts_of(thing))
                for name, thing in sorted(names.items())
                if is_own(module, name, thing)
            },
        }
    return modules


def main() -> None:
    text = json.dumps(describe(), sort_keys=True, separators=(",", ":"))
    Path(sys.argv[1]).write_bytes(lzma.compress(text.encode(), preset=9))


if __name__ == "__main__":
    main()
