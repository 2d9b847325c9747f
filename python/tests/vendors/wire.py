"""What reaches a server from the embedding functions of whatever `chromadb` this interpreter
imports, through httpx and those of the vendors' packages that are installed.

    python wire.py OUTCOMES.json

A server on a free port of this machine answers in the form of each service. Writes a JSON object:
for each function the requests, or why it is left out, and the vectors.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

TEXTS = ["Bees dance.", "Ants do not.", "x"]

# What the services ask for; the rest is the business of httpx and of the packages.
HEADERS = (
    "api-key",
    "authorization",
    "x-chroma-embedding-model",
    "x-chroma-token",
    "x-goog-api-key",
)


def vectors(items: Sequence[Any]) -> list[Any]:
    return [[float(len(item)), 0.5, float(place)] for place, item in enumerate(items)]


def answer(path: str, body: Any) -> Any:
    """The vectors of the request's texts, as the service at `path` would send them."""
    if path.endswith("/clip/embed_text"):
        return {"embeddings": vectors([body["text"]])}
    if path == "/qwen":
        return {"embeddings": vectors(body["texts"])}
    if path == "/tei":
        return vectors(body["inputs"])
    if path == "/v1/embed":
        rows = vectors(body["texts"])
        return {"response_type": "embeddings_floats", "id": "1", "texts": [], "embeddings": rows}
    if path == "/api/embed":
        return {"model": body["model"], "embeddings": vectors(body["input"])}
    if path.endswith("batchEmbedContents"):
        texts = [request["content"]["parts"][0]["text"] for request in body["requests"]]
        return {"embeddings": [{"values": row} for row in vectors(texts)]}
    if path.endswith("/invoke"):
        return {"embedding": vectors([body["inputText"]])[0]}
    rows = vectors(body["input"])
    if body.get("encoding_format") == "base64":
        rows = [base64.b64encode(np.array(row, dtype="<f4").tobytes()).decode() for row in rows]
    if str(body["model"]).startswith("pplx"):
        rows = [base64.b64encode(np.array(row, dtype=np.int8).tobytes()).decode() for row in rows]
    entries = [
        {"object": "embedding", "index": place, "embedding": row} for place, row in enumerate(rows)
    ]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return {"id": "1", "object": "list", "model": body["model"], "data": entries, "usage": usage}


@contextmanager
def server() -> Iterator[tuple[str, list[Any]]]:
    """A server, by its address, and the list that requests are written to."""
    requests: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            headers = {
                name: value
                for name in HEADERS
                # What signs a request holds its time.
                if (value := self.headers[name]) and not value.startswith("AWS4")
            }
            requests.append([self.path, headers, body])
            path = self.path.partition("?")[0]
            content = json.dumps(answer(path, body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}", requests
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


@dataclass(frozen=True)
class Trial:
    """`package` is what must be installed, `make` makes the function from the server's address."""

    package: str
    make: Callable[[Any, str], Any]
    # Environment variables; the values are formats of the server's address.
    environment: dict[str, str]


def bedrock(functions: Any, url: str) -> Any:
    import boto3

    session = boto3.Session(region_name="eu-west-1")
    return functions.AmazonBedrockEmbeddingFunction(session, endpoint_url=url)


def qwen(functions: Any, url: str) -> Any:
    from chromadb.utils.embedding_functions import chroma_cloud_qwen_embedding_function as module

    model = module.ChromaCloudQwenEmbeddingModel.QWEN3_EMBEDDING_0p6B
    return functions.ChromaCloudQwenEmbeddingFunction(model, "nl_to_code")


def voyage(functions: Any, url: str) -> Any:
    function = functions.VoyageAIEmbeddingFunction()
    # The package takes an address, which the function has no argument for. So does the next one.
    function._client._params["base_url"] = f"{url}/v1"
    return function


def mistral(functions: Any, url: str) -> Any:
    function = functions.MistralEmbeddingFunction("mistral-embed")
    function.client.sdk_configuration.server_url = url
    return function


TRIALS = {
    "openai": Trial(
        "openai",
        lambda functions, url: functions.OpenAIEmbeddingFunction(
            model_name="text-embedding-3-small", dimensions=3, api_base=f"{url}/v1"
        ),
        {"OPENAI_API_KEY": "the-key"},
    ),
    "openai, azure": Trial(
        "openai",
        lambda functions, url: functions.OpenAIEmbeddingFunction(
            api_type="azure", api_base=url, api_version="2024-02-01", deployment_id="bees"
        ),
        {"OPENAI_API_KEY": "the-key"},
    ),
    "baseten": Trial(
        "openai",
        lambda functions, url: functions.BasetenEmbeddingFunction(None, f"{url}/v1"),
        {"BASETEN_API_KEY": "the-key"},
    ),
    "morph": Trial(
        "openai",
        lambda functions, url: functions.MorphEmbeddingFunction(api_base=f"{url}/v1"),
        {"MORPH_API_KEY": "the-key"},
    ),
    "cohere": Trial(
        "cohere",
        lambda functions, url: functions.CohereEmbeddingFunction(),
        {"COHERE_API_KEY": "the-key", "CO_API_URL": "{}"},
    ),
    "ollama": Trial("ollama", lambda functions, url: functions.OllamaEmbeddingFunction(url), {}),
    "perplexity": Trial(
        "perplexity",
        lambda functions, url: functions.PerplexityEmbeddingFunction(),
        {"PERPLEXITY_API_KEY": "the-key", "PERPLEXITY_BASE_URL": "{}"},
    ),
    "google_gemini": Trial(
        "google.genai",
        lambda functions, url: functions.GoogleGeminiEmbeddingFunction(
            task_type="RETRIEVAL_DOCUMENT", dimension=3
        ),
        {"GEMINI_API_KEY": "the-key", "GOOGLE_GEMINI_BASE_URL": "{}"},
    ),
    "amazon_bedrock": Trial(
        "boto3", bedrock, {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "the-key"}
    ),
    "voyageai": Trial("voyageai", voyage, {"VOYAGE_API_KEY": "the-key"}),
    "mistral": Trial("mistralai", mistral, {"MISTRAL_API_KEY": "the-key"}),
    "huggingface_server": Trial(
        "httpx",
        lambda functions, url: functions.HuggingFaceEmbeddingServer(f"{url}/tei"),
        {"HUGGINGFACE_API_KEY": "the-key"},
    ),
    "roboflow": Trial(
        "httpx",
        lambda functions, url: functions.RoboflowEmbeddingFunction(api_url=url),
        {"ROBOFLOW_API_KEY": "the-key"},
    ),
    "chroma-cloud-qwen": Trial(
        "httpx", qwen, {"CHROMA_API_KEY": "the-key", "CHROMA_EMBED_URL": "{}/qwen"}
    ),
}


def is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def outcomes() -> dict[str, Any]:
    from chromadb.utils import embedding_functions

    found: dict[str, Any] = {}
    for name, trial in TRIALS.items():
        needed = [trial.package, *(["PIL"] if name in ("cohere", "roboflow") else [])]
        missing = [package for package in needed if not is_installed(package)]
        if missing:
            found[name] = f"needs the package {missing[0]}"
            continue
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        with server() as (url, requests), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            variables = {key: value.format(url) for key, value in trial.environment.items()}
            with patch.dict(os.environ, {**kept, **variables}, clear=True):
                try:
                    function = trial.make(embedding_functions, url)
                except ValueError as error:
                    found[name] = f"cannot be made: {error}"
                    continue
                rows = [np.asarray(row).tolist() for row in function(TEXTS)]
            found[name] = {"requests": requests, "vectors": rows}
    return found


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(outcomes(), indent=1, sort_keys=True) + "\n")
