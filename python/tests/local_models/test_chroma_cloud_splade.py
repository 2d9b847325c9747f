"""`chroma-cloud-splade`: what it asks the service, and what it makes of the answers.

All of it was observed on official Chroma 1.5.9 with the same stand-in for the service.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chromadb.base_types import SparseVector
from chromadb.utils.embedding_functions import ChromaCloudSpladeEmbeddingFunction

MODEL = "prithivida/Splade_PP_en_v1"


class Service:
    """The service: what it was asked, and what it answers."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.status = 200
        self.answer: Any = {"embeddings": [{"indices": [5, 2], "values": [0.5, 0.25]}]}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            key, model = (
                self.headers[name] for name in ("x-chroma-token", "x-chroma-embedding-model")
            )
            service.asked.append((self.path, key, model, body))
            data = json.dumps(service.answer).encode()
            self.send_response(service.status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("CHROMA_EMBED_URL", f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setenv("CHROMA_API_KEY", "the key")
        yield service
        server.shutdown()
        thread.join()


@pytest.fixture
def function(service: Service) -> Iterator[ChromaCloudSpladeEmbeddingFunction]:
    function = ChromaCloudSpladeEmbeddingFunction()
    yield function
    function.close()


def test_texts_are_sent_with_the_key_and_vectors_come_sorted(
    service: Service, function: ChromaCloudSpladeEmbeddingFunction
) -> None:
    for embed in (function, function.embed_query):
        assert embed(["a bee"]) == [SparseVector(indices=[2, 5], values=[0.25, 0.5])]
        body = {"texts": ["a bee"], "task": "", "target": "", "fetch_tokens": "false"}
        assert service.asked.pop() == ("/embed_sparse", "the key", MODEL, body)


def test_tokens_come_where_they_are_asked_for(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_KEY", "another")
    service.answer["embeddings"][0]["labels"] = ["bee", "a"]
    function = ChromaCloudSpladeEmbeddingFunction("OTHER_KEY", include_tokens=True)
    (vector,) = function(["a bee"])
    assert (vector.indices, vector.labels) == ([2, 5], ["a", "bee"])
    (_, key, _, body) = service.asked.pop()
    assert (key, body["fetch_tokens"]) == ("another", "true")
    function.close()


def test_no_texts_are_not_sent(
    service: Service, function: ChromaCloudSpladeEmbeddingFunction
) -> None:
    with pytest.raises(ValueError, match="non-empty list, got 0 sparse vectors"):
        function([])
    assert service.asked == []


def test_an_error_of_the_service_says_what_it_said(
    service: Service, function: ChromaCloudSpladeEmbeddingFunction
) -> None:
    service.status, service.answer = 500, {"error": "x"}
    with pytest.raises(RuntimeError) as caught:
        function(["a"])
    assert str(caught.value) == (
        'Failed to get embeddings from Chroma Cloud API: HTTP 500 - {"error": "x"}'
    )
    service.status, service.answer = 200, {}
    with pytest.raises(RuntimeError) as caught:
        function(["a"])
    assert str(caught.value) == "Unexpected error calling Chroma Cloud API: 'embeddings'"


def test_a_key_is_needed(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHROMA_API_KEY")
    with pytest.raises(ValueError) as caught:
        ChromaCloudSpladeEmbeddingFunction()
    assert str(caught.value) == (
        "API key not found in environment variable CHROMA_API_KEY or in any existing client "
        "instances"
    )


def test_a_function_is_stored_and_built_again(
    function: ChromaCloudSpladeEmbeddingFunction,
) -> None:
    config = function.get_config()
    assert config == {
        "api_key_env_var": "CHROMA_API_KEY",
        "model": MODEL,
        "include_tokens": False,
    }
    function.validate_config(config)
    again = ChromaCloudSpladeEmbeddingFunction.build_from_config(config)
    assert again.get_config() == config
    again.close()
    for missing in ("model", "api_key_env_var"):
        with pytest.raises(ValueError, match=f"^{missing} must be provided in config$"):
            ChromaCloudSpladeEmbeddingFunction.build_from_config(
                {key: value for key, value in config.items() if key != missing}
            )


def test_model_and_tokens_stay_as_they_are(function: ChromaCloudSpladeEmbeddingFunction) -> None:
    config = function.get_config()
    function.validate_config_update(config, {"api_key_env_var": "OTHER", "model": MODEL})
    for key, value in (("model", "other"), ("include_tokens", True)):
        with pytest.raises(ValueError) as caught:
            function.validate_config_update(config, {key: value})
        assert str(caught.value) == f"Updating '{key}' is not supported for chroma-cloud-splade"
