"""What embedding functions ask of vendors' packages and services, on whatever `chromadb` this
interpreter imports.

    python trials.py OUTCOMES.json

Writes a JSON object: for each trial the requests, and the result or the error.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import chromadb.api.shared_system_client  # noqa: F401  (what is imported later is forgotten again)
from chromadb.utils import embedding_functions
from chromadb.utils.embedding_functions import chroma_cloud_qwen_embedding_function as qwen

if __package__:
    from .fakes import DOWN, SERVER, standing_in
else:
    from fakes import DOWN, SERVER, standing_in  # type: ignore[import-not-found,no-redef]

TEXTS = ["Bees dance.", "Ants do not.", ""]
IMAGES = [np.full((2, 3, 3), 7, dtype=np.uint8), np.zeros((4, 4, 3), dtype=np.uint8)]


@dataclass(frozen=True)
class Setup:
    """One way to make a function. `key` is the variable that a key is in, None without."""

    label: str
    cls: str
    arguments: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    takes_images: bool = False

    @property
    def variables(self) -> dict[str, str]:
        return {**({self.key: "the-key"} if self.key else {}), **self.environment}


def session() -> Any:
    return sys.modules["boto3"].Session(region_name="eu-west-1", profile_name="reader")


# An argument that is made when the stand-ins are in place.
SESSION: Any = session

QWEN = "ChromaCloudQwenEmbeddingFunction"
GEMINI = "GoogleGeminiEmbeddingFunction"

SETUPS = [
    Setup("openai", "OpenAIEmbeddingFunction", key="CHROMA_OPENAI_API_KEY"),
    Setup(
        "openai, all of it",
        "OpenAIEmbeddingFunction",
        {
            "model_name": "text-embedding-3-small",
            "organization_id": "org",
            "api_base": "http://openai.test/v1",
            "default_headers": {"x-team": "bees"},
            "dimensions": 256,
            "api_key_env_var": "MINE",
        },
        "MINE",
    ),
    Setup(
        "openai, an old model cannot be shortened",
        "OpenAIEmbeddingFunction",
        {"dimensions": 256},
        "OPENAI_API_KEY",
    ),
    Setup(
        "openai, azure",
        "OpenAIEmbeddingFunction",
        {
            "api_type": "azure",
            "api_base": "http://azure.test",
            "api_version": "2024-02-01",
            "deployment_id": "bees",
        },
        "CHROMA_OPENAI_API_KEY",
    ),
    *(
        Setup(
            f"openai, azure without {missing}",
            "OpenAIEmbeddingFunction",
            {
                "api_type": "azure",
                **{
                    name: "given"
                    for name in ("api_version", "deployment_id", "api_base")
                    if name != missing
                },
            },
            "CHROMA_OPENAI_API_KEY",
        )
        for missing in ("api_version", "deployment_id", "api_base")
    ),
    Setup(
        "openai, both variables",
        "OpenAIEmbeddingFunction",
        key="OPENAI_API_KEY",
        environment={"CHROMA_OPENAI_API_KEY": "other"},
    ),
    Setup("openai, a key as argument", "OpenAIEmbeddingFunction", {"api_key": "direct"}),
    Setup(
        "baseten",
        "BasetenEmbeddingFunction",
        {"api_key": None, "api_base": "http://baseten.test/v1"},
        "CHROMA_BASETEN_API_KEY",
    ),
    Setup(
        "baseten, a key as argument",
        "BasetenEmbeddingFunction",
        {"api_key": "direct", "api_base": "http://baseten.test/v1"},
    ),
    Setup(
        "baseten, its own variable, no address",
        "BasetenEmbeddingFunction",
        {"api_key": None, "api_base": ""},
        "BASETEN_API_KEY",
    ),
    Setup("morph", "MorphEmbeddingFunction", key="MORPH_API_KEY"),
    Setup(
        "morph, all of it",
        "MorphEmbeddingFunction",
        {
            "model_name": "morph-embedding-v3",
            "api_base": "http://morph.test/v1",
            "encoding_format": "base64",
            "api_key_env_var": "MINE",
        },
        "MINE",
    ),
    Setup("cohere", "CohereEmbeddingFunction", key="CHROMA_COHERE_API_KEY", takes_images=True),
    *(
        Setup(
            f"cohere, {model}",
            "CohereEmbeddingFunction",
            {"model_name": model},
            "COHERE_API_KEY",
            takes_images=True,
        )
        for model in (
            "embed-english-v2.0",
            "embed-english-light-v2.0",
            "embed-multilingual-v2.0",
            "embed-v4.0",
        )
    ),
    Setup("huggingface", "HuggingFaceEmbeddingFunction", key="CHROMA_HUGGINGFACE_API_KEY"),
    Setup(
        "huggingface, another model",
        "HuggingFaceEmbeddingFunction",
        {"model_name": "intfloat/e5-small"},
        "HUGGINGFACE_API_KEY",
    ),
    Setup("huggingface_server", "HuggingFaceEmbeddingServer", {"url": SERVER}),
    Setup(
        "huggingface_server, with a key",
        "HuggingFaceEmbeddingServer",
        {"url": SERVER, "api_key_env_var": "MINE"},
        "MINE",
    ),
    Setup(
        "huggingface_server, with a variable that is not set",
        "HuggingFaceEmbeddingServer",
        {"url": SERVER, "api_key_env_var": "MINE"},
    ),
    Setup(
        "huggingface_server, the vendor's variable",
        "HuggingFaceEmbeddingServer",
        {"url": SERVER},
        "HUGGINGFACE_API_KEY",
    ),
    Setup(
        "huggingface_server, a key as argument",
        "HuggingFaceEmbeddingServer",
        {"url": SERVER, "api_key": "direct"},
    ),
    Setup("huggingface_server, down", "HuggingFaceEmbeddingServer", {"url": DOWN}),
    Setup("google_palm", "GooglePalmEmbeddingFunction", key="CHROMA_GOOGLE_PALM_API_KEY"),
    Setup(
        "google_palm, the vendor's variable", "GooglePalmEmbeddingFunction", key="GOOGLE_API_KEY"
    ),
    Setup("google_generative_ai", "GoogleGenerativeAiEmbeddingFunction", key="GEMINI_API_KEY"),
    Setup(
        "google_generative_ai, all of it",
        "GoogleGenerativeAiEmbeddingFunction",
        {"model_name": "text-embedding-004", "task_type": "RETRIEVAL_QUERY", "dimension": 256},
        "GOOGLE_API_KEY",
    ),
    Setup("google_vertex", "GoogleVertexEmbeddingFunction", key="CHROMA_GOOGLE_VERTEX_API_KEY"),
    Setup(
        "google_vertex, all of it",
        "GoogleVertexEmbeddingFunction",
        {"model_name": "text-embedding-005", "project_id": "bees", "region": "europe-west1"},
        "GOOGLE_API_KEY",
    ),
    Setup("google_gemini", GEMINI, key="GEMINI_API_KEY"),
    Setup(
        "google_gemini, all of it",
        GEMINI,
        {
            "model_name": "text-embedding-004",
            "task_type": "RETRIEVAL_DOCUMENT",
            "dimension": 256,
            "api_key_env_var": "MINE",
        },
        "MINE",
    ),
    Setup(
        "google_gemini, vertex",
        GEMINI,
        {"vertexai": True, "project": "bees", "location": "europe-west1"},
    ),
    Setup(
        "google_gemini, vertex without a variable",
        GEMINI,
        {"api_key_env_var": None, "vertexai": True, "project": "bees", "location": "europe-west1"},
        environment={"GEMINI_API_KEY": "not for this"},
    ),
    Setup("google_gemini, vertex and a key", GEMINI, {"vertexai": True}, "GEMINI_API_KEY"),
    Setup("google_genai, the former name", "GoogleGenaiEmbeddingFunction", key="GEMINI_API_KEY"),
    Setup("ollama", "OllamaEmbeddingFunction"),
    Setup(
        "ollama, the API's former path",
        "OllamaEmbeddingFunction",
        {"url": "http://ollama.test:1234/api/embeddings", "model_name": "nomic", "timeout": 5},
    ),
    Setup("jina", "JinaEmbeddingFunction", key="CHROMA_JINA_API_KEY", takes_images=True),
    Setup(
        "jina, all of it",
        "JinaEmbeddingFunction",
        {
            "model_name": "jina-embeddings-v3",
            "task": "retrieval.passage",
            "late_chunking": True,
            "truncate": False,
            "dimensions": 256,
            "embedding_type": "float",
            "normalized": True,
            "query_config": {"task": "retrieval.query", "late_chunking": False},
        },
        "JINA_API_KEY",
        takes_images=True,
    ),
    Setup("mistral", "MistralEmbeddingFunction", {"model": "mistral-embed"}, "MISTRAL_API_KEY"),
    Setup(
        "mistral, another variable",
        "MistralEmbeddingFunction",
        {"model": "codestral-embed", "api_key_env_var": "MINE"},
        "MINE",
    ),
    Setup(
        "nomic",
        "NomicEmbeddingFunction",
        {
            "model": "nomic-embed-text-v1.5",
            "task_type": "search_document",
            "query_config": {"task_type": "search_query"},
        },
        "NOMIC_API_KEY",
    ),
    Setup(
        "nomic, queries like documents",
        "NomicEmbeddingFunction",
        {"model": "nomic-embed-text-v1", "task_type": "clustering", "query_config": None},
        "NOMIC_API_KEY",
    ),
    Setup("voyageai", "VoyageAIEmbeddingFunction", key="CHROMA_VOYAGE_API_KEY"),
    Setup(
        "voyageai, all of it",
        "VoyageAIEmbeddingFunction",
        {"model_name": "voyage-3", "input_type": "document", "truncation": False},
        "VOYAGE_API_KEY",
    ),
    Setup(
        "roboflow", "RoboflowEmbeddingFunction", key="CHROMA_ROBOFLOW_API_KEY", takes_images=True
    ),
    Setup(
        "roboflow, down",
        "RoboflowEmbeddingFunction",
        {"api_url": DOWN},
        "ROBOFLOW_API_KEY",
        takes_images=True,
    ),
    Setup("amazon_bedrock", "AmazonBedrockEmbeddingFunction", {"session": SESSION}),
    Setup(
        "amazon_bedrock, all of it",
        "AmazonBedrockEmbeddingFunction",
        {
            "session": SESSION,
            "model_name": "amazon.titan-embed-text-v2:0",
            "endpoint_url": "http://bedrock.test",
            "use_ssl": False,
        },
    ),
    Setup(
        "amazon_bedrock, what cannot be stored",
        "AmazonBedrockEmbeddingFunction",
        {"session": SESSION, "config": object()},
    ),
    Setup(
        "cloudflare_workers_ai",
        "CloudflareWorkersAIEmbeddingFunction",
        {"model_name": "@cf/baai/bge-base-en-v1.5", "account_id": "bees"},
        "CHROMA_CLOUDFLARE_API_KEY",
    ),
    Setup(
        "cloudflare_workers_ai, a gateway",
        "CloudflareWorkersAIEmbeddingFunction",
        {"model_name": "@cf/baai/bge-m3", "account_id": "bees", "gateway_id": "hive"},
        "CLOUDFLARE_API_KEY",
    ),
    Setup(
        "together_ai",
        "TogetherAIEmbeddingFunction",
        {"model_name": "togethercomputer/m2-bert-80M-8k-retrieval"},
        "CHROMA_TOGETHER_AI_API_KEY",
    ),
    Setup(
        "together_ai, the vendor's variable",
        "TogetherAIEmbeddingFunction",
        {"model_name": "BAAI/bge-base-en-v1.5"},
        "TOGETHER_API_KEY",
    ),
    Setup("perplexity", "PerplexityEmbeddingFunction", key="PERPLEXITY_API_KEY"),
    Setup(
        "perplexity, all of it",
        "PerplexityEmbeddingFunction",
        {"model_name": "pplx-embed-v1-4b", "dimensions": 256, "api_key_env_var": "MINE"},
        "MINE",
    ),
    Setup("chroma-cloud-qwen", QWEN, {"task": "nl_to_code"}, "CHROMA_API_KEY"),
    Setup("chroma-cloud-qwen, no task", QWEN, {"task": None}, "CHROMA_API_KEY"),
    Setup("chroma-cloud-qwen, a task without instructions", QWEN, {"task": "x"}, "CHROMA_API_KEY"),
    Setup(
        "chroma-cloud-qwen, instructions",
        QWEN,
        {
            "task": "find",
            "instructions": {"find": {"documents": "Read.", "query": "Look."}},
            "api_key_env_var": "MINE",
        },
        "MINE",
        {"CHROMA_EMBED_URL": "http://embed.test/"},
    ),
    Setup(
        "chroma-cloud-qwen, down",
        QWEN,
        {"task": "nl_to_code"},
        "CHROMA_API_KEY",
        {"CHROMA_EMBED_URL": DOWN},
    ),
]

# The packages that each function asks for, in its order.
NEEDED = {
    "AmazonBedrockEmbeddingFunction": ("boto3",),
    "BasetenEmbeddingFunction": ("openai",),
    QWEN: ("httpx",),
    "CloudflareWorkersAIEmbeddingFunction": ("httpx",),
    "CohereEmbeddingFunction": ("cohere", "PIL.Image"),
    GEMINI: ("google.genai",),
    "GoogleGenaiEmbeddingFunction": ("google.genai",),
    "GoogleGenerativeAiEmbeddingFunction": ("google.generativeai",),
    "GooglePalmEmbeddingFunction": ("google.generativeai",),
    "GoogleVertexEmbeddingFunction": ("vertexai", "vertexai.language_models"),
    "HuggingFaceEmbeddingFunction": ("httpx",),
    "HuggingFaceEmbeddingServer": ("httpx",),
    "JinaEmbeddingFunction": ("httpx", "PIL.Image"),
    "MistralEmbeddingFunction": ("mistralai",),
    "MorphEmbeddingFunction": ("openai",),
    "NomicEmbeddingFunction": ("nomic",),
    "OllamaEmbeddingFunction": ("ollama",),
    "OpenAIEmbeddingFunction": ("openai",),
    "PerplexityEmbeddingFunction": ("perplexity",),
    "RoboflowEmbeddingFunction": ("PIL.Image",),
    "TogetherAIEmbeddingFunction": ("httpx",),
    "VoyageAIEmbeddingFunction": ("voyageai",),
}


CLASSES = {setup.cls: getattr(embedding_functions, setup.cls) for setup in SETUPS}


def made(setup: Setup) -> Any:
    arguments = {
        name: value() if value is SESSION else value for name, value in setup.arguments.items()
    }
    if setup.cls == QWEN:
        arguments["model"] = qwen.ChromaCloudQwenEmbeddingModel.QWEN3_EMBEDDING_0p6B
        if "instructions" in arguments:
            arguments["instructions"] = {
                task: {
                    qwen.ChromaCloudQwenEmbeddingTarget(target): text
                    for target, text in targets.items()
                }
                for task, targets in arguments["instructions"].items()
            }
    return CLASSES[setup.cls](**arguments)


def shown(value: Any) -> Any:
    """A result as JSON: vectors as lists, an embedding function as its class."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [shown(item) for item in value]
    return value


class Trials:
    def __init__(self) -> None:
        self.outcomes: dict[str, Any] = {}

    def attempt(self, label: str, asked: list[Any], action: Callable[[], Any]) -> Any:
        asked.clear()
        outcome: dict[str, Any] = {}
        result = None
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                result = action()
            except Exception as error:
                outcome["error"] = f"{type(error).__name__}: {error}"
        if asked:
            # As JSON has it: later calls may change what these were given.
            outcome["asked"] = json.loads(json.dumps(asked))
        messages = [str(entry.message) for entry in warned]
        if messages:
            outcome["warned"] = messages
        if isinstance(result, (str, list, dict)):
            outcome["result"] = shown(result)
        self.outcomes[label] = outcome
        return result

    def run(self, setup: Setup) -> None:
        label = setup.label
        with standing_in(setup.variables) as asked:
            function = self.attempt(f"{label}: made", asked, lambda: made(setup))
            if function is None:
                return
            for name in ("name", "default_space", "supported_spaces", "get_config"):
                self.attempt(f"{label}: {name}", asked, getattr(function, name))
            self.validate(label, asked, function)
            self.embed(label, asked, function, setup.takes_images)
            self.update(label, asked, function)
            self.rebuild(label, asked, function)

    def validate(self, label: str, asked: list[Any], function: Any) -> None:
        config = function.get_config()
        configs = {
            "itself": config,
            "more": {**config, "surprise": 1},
            "nothing": {},
            **{f"{key} a list": {**config, key: ["x"]} for key in config},
        }
        for what, changed in configs.items():
            self.attempt(
                f"{label}: validated: {what}",
                asked,
                lambda changed=changed: function.validate_config(changed),
            )

    def embed(self, label: str, asked: list[Any], function: Any, takes_images: bool) -> None:
        inputs: dict[str, Any] = {"texts": TEXTS, "nothing": []}
        if takes_images:
            inputs.update(images=IMAGES, mixed=[TEXTS[0], IMAGES[0]], numbers=[1, 2])
        else:
            inputs.update(images=IMAGES)
        for what, items in inputs.items():
            if what == "images" and not takes_images and not refuses_images(function):
                continue
            self.attempt(f"{label}: {what}", asked, lambda items=items: function(items))
        self.attempt(f"{label}: queries", asked, lambda: function.embed_query(TEXTS))

    def update(self, label: str, asked: list[Any], function: Any) -> None:
        config = function.get_config()
        for key in (*config, "task_type", "dimension"):
            changed = {key: "another"}
            self.attempt(
                f"{label}: update of {key}",
                asked,
                lambda changed=changed: function.validate_config_update(config, changed),
            )
        self.attempt(
            f"{label}: no update", asked, lambda: function.validate_config_update(config, {})
        )

    def rebuild(self, label: str, asked: list[Any], function: Any) -> None:
        stored = json.loads(json.dumps(function.get_config()))
        build = type(function).build_from_config
        again = self.attempt(f"{label}: rebuilt", asked, lambda: build(stored))
        if again is not None:
            self.attempt(f"{label}: rebuilt: get_config", asked, again.get_config)
            self.attempt(f"{label}: rebuilt: texts", asked, lambda: again(TEXTS))
            self.attempt(f"{label}: rebuilt: queries", asked, lambda: again.embed_query(TEXTS))
        for key in stored:
            less = {name: value for name, value in stored.items() if name != key}
            self.attempt(f"{label}: rebuilt without {key}", asked, lambda less=less: build(less))

    def refuse(self, setup: Setup) -> None:
        """Without the key, and without each package."""
        with standing_in(setup.environment) as asked:
            self.attempt(f"{setup.cls}: without a key", asked, lambda: made(setup))
        for package in NEEDED[setup.cls]:
            if package == "boto3":
                continue  # Made of a session, so it is there.
            with standing_in(setup.variables, missing=(package,)) as asked:
                self.attempt(f"{setup.cls}: without {package}", asked, lambda: made(setup))


def refuses_images(function: Any) -> bool:
    """Whether the function itself says no to images; others hand them on to the package."""
    return function.name() in (
        "cloudflare_workers_ai",
        "google_generative_ai",
        "google_palm",
        "google_vertex",
        "google_gemini",
        "mistral",
        "nomic",
        "together_ai",
    )


def outcomes() -> dict[str, Any]:
    trials = Trials()
    seen = set()
    for setup in SETUPS:
        trials.run(setup)
        if setup.cls not in seen:
            seen.add(setup.cls)
            trials.refuse(setup)
    return trials.outcomes


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(outcomes(), indent=1, sort_keys=True) + "\n")
