"""Stand-ins for the vendors' packages and services, which write down what is asked of them.

    with standing_in(environment, missing=("openai",)) as asked:
        ...

`asked` is a list: of each call of a package its path, such as `openai.OpenAI().embeddings.create`,
and its arguments; of each request over httpx its method, address, the headers that matter, and
JSON. Answers have the shape of the real ones. A text's vector is its length, 0.5 and its place.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import httpx
import numpy as np

PACKAGES = (
    "boto3",
    "cohere",
    "google",
    "google.api_core",
    "google.api_core.gapic_v1",
    "google.api_core.gapic_v1.client_info",
    "google.genai",
    "google.genai.types",
    "google.generativeai",
    "mistralai",
    "nomic",
    "nomic.embed",
    "ollama",
    "openai",
    "perplexity",
    "vertexai",
    "vertexai.language_models",
    "voyageai",
)

# Where a trial asks a service that is not at its usual address.
SERVER = "http://embeddings.test/embed"
DOWN = "http://down.test/embed"


# ---- Answers -------------------------------------------------------------------------------------


def vectors(items: Iterable[Any]) -> list[list[float]]:
    return [
        [float(len(item)) if isinstance(item, str) else -1.0, 0.5, float(place)]
        for place, item in enumerate(items)
    ]


def entries(items: Iterable[Any]) -> Any:
    """The form of OpenAI's answers."""
    return SimpleNamespace(data=[SimpleNamespace(embedding=row) for row in vectors(items)])


class NomicAnswer(dict[str, Any]):
    """The package answers with a dict, and official Chroma reads the form of OpenAI's answers."""

    def __init__(self, texts: Iterable[Any]) -> None:
        super().__init__(embeddings=vectors(texts))
        self.data = entries(texts).data


def bytes_of(row: Sequence[float]) -> str:
    return base64.b64encode(np.array(row, dtype=np.int8).tobytes()).decode()


ANSWERS: dict[str, Any] = {
    "boto3.Session().client().invoke_model": lambda body, **_: {
        "body": io.BytesIO(
            json.dumps({"embedding": vectors([json.loads(body)["inputText"]])[0]}).encode()
        )
    },
    "cohere.Client().embed": lambda texts=None, images=None, **_: SimpleNamespace(
        embeddings=vectors(images if texts is None else texts)
    ),
    "google.genai.Client().models.embed_content": lambda contents, **_: SimpleNamespace(
        embeddings=[SimpleNamespace(values=row) for row in vectors(contents)]
    ),
    "google.generativeai.embed_content": lambda content, **_: {"embedding": vectors([content])[0]},
    "google.generativeai.generate_embeddings": lambda text, **_: {"embedding": vectors([text])[0]},
    "mistralai.Mistral().embeddings.create": lambda inputs, **_: entries(inputs),
    "nomic.embed.text": lambda texts, **_: NomicAnswer(texts),
    "ollama.Client().embed": lambda input, **_: {"embeddings": vectors(input)},
    "openai.AzureOpenAI().embeddings.create": lambda input, **_: entries(input),
    "openai.OpenAI().embeddings.create": lambda input, **_: entries(input),
    "perplexity.Perplexity().embeddings.create": lambda input, **_: SimpleNamespace(
        data=[SimpleNamespace(embedding=bytes_of(row)) for row in vectors(input)]
    ),
    "vertexai.language_models.TextEmbeddingModel.from_pretrained().get_embeddings": lambda texts: [
        SimpleNamespace(values=row) for row in vectors(texts)
    ],
    "voyageai.Client().embed": lambda texts, **_: SimpleNamespace(embeddings=vectors(texts)),
}


def answer(url: httpx.URL, body: Any) -> tuple[int, Any]:
    match url.host:
        case "api.jina.ai":
            rows = [{"index": i, "embedding": row} for i, row in enumerate(vectors(body["input"]))]
            # The order of the answer is not the order of the texts.
            return 200, {"data": rows[::-1]}
        case "api.together.xyz":
            return 200, {"data": [{"embedding": row} for row in vectors(body["input"])]}
        case "api.cloudflare.com" | "gateway.ai.cloudflare.com":
            return 200, {"result": {"data": vectors(body["text"])}}
        case "infer.roboflow.com":
            return 200, {"embeddings": vectors([body.get("text")])}
        case "embed.trychroma.com" | "embed.test":
            return 200, {"embeddings": vectors(body["texts"])}
        case "api-inference.huggingface.co" | "embeddings.test":
            return 200, vectors(body["inputs"])
    return 401, {"detail": "This key is refused.", "error": "This key is refused."}


# ---- Packages and services -----------------------------------------------------------------------


class Fake:
    """Anything of a package: each name in it is there, can be called, and returns anything."""

    def __init__(self, path: str, asked: list[Any]) -> None:
        self._path = path
        self._asked = asked

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Fake(f"{self._path}.{name}", self._asked)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        self._asked.append([self._path, *map(plain, arguments), plain(keywords)])
        if self._path in ANSWERS:
            return ANSWERS[self._path](*arguments, **keywords)
        made = Fake(f"{self._path}()", self._asked)
        if self._path == "boto3.Session":
            made.region_name = keywords.get("region_name")
            made.profile_name = keywords.get("profile_name")
        return made


def plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, Fake):
        return value._path
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


class FakeImage:
    """Writes no image, but what image was to be written."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def save(self, file: Any, format: str) -> None:
        file.write(f"{format} {self.array.shape} {self.array.sum()}".encode())


def shown_headers(request: httpx.Request) -> dict[str, str]:
    """The headers that an adapter sets, without those of httpx itself."""
    names = ("authorization", "content-type", "accept")
    headers = {
        name: value
        for name, value in request.headers.items()
        if name in names or name.startswith("x-")
    }
    if request.headers.get("accept-encoding") == "identity":
        headers["accept-encoding"] = "identity"
    return headers


@contextmanager
def standing_in(
    environment: dict[str, str] | None = None, missing: Sequence[str] = ()
) -> Iterator[list[Any]]:
    """Puts the stand-ins in place, but for the packages in `missing`, which cannot be imported."""
    asked: list[Any] = []

    def handle_request(transport: Any, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        asked.append([request.method, str(request.url), shown_headers(request), body])
        status, answered = answer(request.url, body)
        return httpx.Response(status, json=answered)

    modules: dict[str, Any] = {name: Fake(name, asked) for name in PACKAGES}
    modules["PIL"] = modules["PIL.Image"] = SimpleNamespace(fromarray=FakeImage)
    for package in missing:
        gone = [name for name in modules if f"{name}.".startswith(f"{package}.")]
        modules.update(dict.fromkeys((package, *gone)))
    # Keys of whoever runs this, and proxies, are not there.
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with ExitStack() as stack:
        stack.enter_context(patch.dict(sys.modules, modules))
        stack.enter_context(patch.dict(os.environ, {**kept, **(environment or {})}, clear=True))
        # Made without its pool of connections, and so without reading the machine's certificates.
        transport = {
            "__init__": lambda self, **_: None,
            "__enter__": lambda self: self,
            "__exit__": lambda self, *_: None,
            "handle_request": handle_request,
        }
        stack.enter_context(patch.multiple(httpx.HTTPTransport, **transport))
        yield asked
