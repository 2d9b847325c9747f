"""The schemas: what the configuration of each embedding function holds.

They are the same in every language that Chroma speaks, for a collection that one client made is
opened by another. A line below is a property and the types that it may have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final


def _schema(
    title: str,
    properties: Mapping[str, str | dict[str, Any]],
    required: list[str] | None = None,
    is_closed: bool = True,
) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"{title} Schema",
        "description": f"The configuration of the {title}",
        "version": "1.0.0",
        "type": "object",
        "properties": {name: _property(kind) for name, kind in properties.items()},
    }
    if required is not None:
        schema["required"] = required
    if is_closed:
        schema["additionalProperties"] = False
    return schema


def _property(kind: str | dict[str, Any]) -> dict[str, Any]:
    if not isinstance(kind, str):
        return kind
    types = kind.split("|")
    return {"type": types[0] if len(types) == 1 else types}


def _function(
    title: str, properties: Mapping[str, str | dict[str, Any]], required: str | None = ""
) -> dict[str, Any]:
    return _schema(
        f"{title} Embedding Function",
        properties,
        None if required is None else required.split(),
    )


_TASK: Final = {"type": "string", "enum": ["document", "query"]}
_QUERY_CONFIG: Final = {
    "type": "object",
    "properties": {"task": _TASK},
    "additionalProperties": False,
}
_KEYWORD_ARGUMENTS: Final = {
    "type": "object",
    "additionalProperties": {"type": ["string", "integer", "number", "boolean", "array", "object"]},
}
_MODEL_AND_KEY: Final = {"model_name": "string", "api_key_env_var": "string"}
_GEMINI: Final = {
    "model_name": "string",
    "task_type": "string",
    "dimension": "integer",
    "api_key_env_var": "string|null",
    "vertexai": "boolean|null",
    "project": "string|null",
    "location": "string|null",
}
_INSTRUCTIONS: Final = {
    "type": "object",
    "properties": {
        "nl_to_code": {
            "type": "object",
            "properties": {"documents": {"type": "string"}, "query": {"type": "string"}},
            "required": ["documents", "query"],
            "additionalProperties": False,
        }
    },
    "required": ["nl_to_code"],
    "additionalProperties": False,
}

SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "base_schema": _schema(
        "Embedding Function Base",
        {"version": "string", "name": "string", "config": "object"},
        ["version", "name", "config"],
    ),
    "amazon_bedrock": _function(
        "Amazon Bedrock",
        {"session_args": "object", "model_name": "string", "kwargs": "object"},
        "session_args model_name kwargs",
    ),
    "baseten": _function(
        "Baseten",
        {"api_base": "string", "api_key_env_var": "string"},
        "api_base api_key_env_var",
    ),
    "bm25": _function(
        "BM25",
        {
            "task": _TASK,
            "query_config": _QUERY_CONFIG,
            "cache_dir": "string|null",
            "k": "number|null",
            "b": "number|null",
            "avg_len": "number|null",
            "language": "string|null",
            "token_max_length": "integer|null",
            "disable_stemmer": "boolean|null",
            "specific_model_path": "string|null",
            "kwargs": _KEYWORD_ARGUMENTS,
        },
        None,
    ),
    "chroma-cloud-qwen": _function(
        "Chroma Cloud Qwen",
        {
            "model": {"type": "string", "enum": ["Qwen/Qwen3-Embedding-0.6B"]},
            "task": "string|null",
            "instructions": _INSTRUCTIONS,
            "api_key_env_var": {"type": "string", "default": "CHROMA_API_KEY"},
        },
        "model task",
    ),
    "chroma-cloud-splade": _function(
        "Chroma Cloud Splade",
        {
            "model": {"type": "string", "enum": ["prithivida/Splade_PP_en_v1"]},
            "api_key_env_var": {"type": "string", "default": "CHROMA_API_KEY"},
            "include_tokens": {"type": "boolean", "default": False},
        },
        "api_key_env_var model",
    ),
    "chroma_bm25": _function(
        "Chroma BM25",
        {
            "k": "number",
            "b": "number",
            "avg_doc_length": "number",
            "token_max_length": "number",
            "stopwords": {"type": "array", "items": {"type": "string"}},
            "include_tokens": "boolean",
        },
        None,
    ),
    "chroma_langchain": _function(
        "Langchain", {"embedding_function": "string"}, "embedding_function"
    ),
    "cloudflare_workers_ai": _function(
        "Cloudflare Workers AI",
        {
            "model_name": "string",
            "account_id": "string",
            "api_key_env_var": "string",
            "gateway_id": "string|null",
        },
        "api_key_env_var model_name account_id",
    ),
    "cohere": _function("Cohere", _MODEL_AND_KEY, "api_key_env_var model_name"),
    "default": _function("Default", {}),
    "fastembed_sparse": _function(
        "Fastembed Sparse",
        {
            "model_name": "string",
            "task": _TASK,
            "query_config": _QUERY_CONFIG,
            "cache_dir": "string|null",
            "threads": "integer|null",
            "cuda": "boolean|null",
            "device_ids": {"type": ["array", "null"], "items": {"type": "integer"}},
            "lazy_load": "boolean|null",
            "kwargs": _KEYWORD_ARGUMENTS,
        },
        "model_name",
    ),
    "google_gemini": _function("Google Gemini", _GEMINI, "model_name"),
    "google_genai": _function(
        "Google GenAI", {**_GEMINI, "api_key_env_var": "string"}, "model_name"
    ),
    "google_generative_ai": _function(
        "Google Generative AI",
        {
            "model_name": "string",
            "task_type": "string",
            "api_key_env_var": "string",
            "dimension": "integer",
        },
        "api_key_env_var model_name task_type",
    ),
    "google_palm": _function("Google PaLM", _MODEL_AND_KEY, "api_key_env_var model_name"),
    "google_vertex": _function(
        "Google Vertex",
        {
            "model_name": "string",
            "project_id": "string",
            "region": "string",
            "api_key_env_var": "string",
        },
        "api_key_env_var model_name project_id region",
    ),
    "huggingface": _function("HuggingFace", _MODEL_AND_KEY, "api_key_env_var model_name"),
    "huggingface_server": _schema(
        "HuggingFace Embedding Server",
        {"url": "string", "api_key_env_var": "string|null"},
        ["url"],
    ),
    "huggingface_sparse": _function(
        "HuggingFace Sparse",
        {
            "model_name": "string",
            "device": "string",
            "task": _TASK,
            "query_config": _QUERY_CONFIG,
            "kwargs": _KEYWORD_ARGUMENTS,
        },
        "model_name device",
    ),
    "instructor": _function(
        "Instructor",
        {"model_name": "string", "device": "string", "instruction": "string|null"},
        "model_name device",
    ),
    "jina": _function(
        "Jina",
        {
            "model_name": "string",
            "api_key_env_var": "string",
            "task": "string|null",
            "late_chunking": "boolean|null",
            "truncate": "boolean|null",
            "dimensions": "integer|null",
            "embedding_type": "string|null",
            "normalized": "boolean|null",
            "query_config": "object|null",
        },
        "api_key_env_var model_name",
    ),
    "mistral": _function(
        "Mistral", {"model": "string", "api_key_env_var": "string"}, "api_key_env_var model"
    ),
    "morph": _function(
        "Morph",
        {**_MODEL_AND_KEY, "api_base": "string|null", "encoding_format": "string|null"},
        "api_key_env_var model_name",
    ),
    # The one that neither requires nor refuses a property.
    "nomic": _schema(
        "Nomic Embedding Function",
        {"model": "string", "api_key_env_var": "string", "task_type": "string"},
        is_closed=False,
    ),
    "ollama": _function(
        "Ollama",
        {"url": "string", "model_name": "string", "timeout": "integer"},
        "url model_name",
    ),
    "onnx_mini_lm_l6_v2": _function(
        "Onnx_mini_lm_l6_v2",
        {"preferred_providers": {"type": ["array", "null"], "items": {"type": "string"}}},
    ),
    "open_clip": _function(
        "Open_clip",
        {"model_name": "string", "checkpoint": "string", "device": "string|null"},
        "model_name checkpoint device",
    ),
    "openai": _function(
        "OpenAI",
        {
            "model_name": "string",
            "organization_id": "string|null",
            "api_base": "string|null",
            "api_type": "string|null",
            "api_version": "string|null",
            "deployment_id": "string|null",
            "default_headers": "object|null",
            "dimensions": "integer|null",
            "api_key_env_var": "string",
        },
        "api_key_env_var model_name",
    ),
    "perplexity": _function(
        "Perplexity", {**_MODEL_AND_KEY, "dimensions": "number"}, "api_key_env_var model_name"
    ),
    "roboflow": _function(
        "Roboflow",
        {"api_url": "string", "api_key_env_var": "string"},
        "api_key_env_var api_url",
    ),
    "sentence_transformer": _function(
        "SentenceTransformer",
        {
            "model_name": "string",
            "device": "string",
            "normalize_embeddings": "boolean",
            "kwargs": _KEYWORD_ARGUMENTS,
        },
        "model_name device normalize_embeddings",
    ),
    "text2vec": _function("Text2vec", {"model_name": "string"}, "model_name"),
    "together_ai": _function("Together AI", _MODEL_AND_KEY, "api_key_env_var model_name"),
    # Written by other languages' clients only.
    "transformers": _function(
        "Transformers",
        {"model": "string", "revision": "string", "quantized": "boolean"},
        "model revision quantized",
    ),
    "voyageai": _function(
        "Voyageai",
        {**_MODEL_AND_KEY, "input_type": "string|null", "truncation": "boolean"},
        "api_key_env_var model_name",
    ),
}
