"""What the functions that run models here do with them, on whatever `chromadb` this interpreter
imports.

    python trials.py OUTCOMES.json

Writes a JSON object: for each trial the calls of the library, and the result or the error.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from chromadb.utils import embedding_functions as functions

if __package__:
    from .fakes import standing_in
else:
    from fakes import standing_in  # type: ignore[import-not-found,no-redef]

TEXTS = ["a bee", "an owl that turns its head"]
IMAGE = np.zeros((2, 3, 3), dtype=np.uint8)

# Class, library, constructors' arguments, inputs.
SUBJECTS: list[tuple[str, str, list[dict[str, Any]], list[Any]]] = [
    (
        "SentenceTransformerEmbeddingFunction",
        "sentence_transformers",
        [
            {},
            {"model_name": "m", "device": "cuda", "normalize_embeddings": True},
            {"model_name": "k", "revision": "main", "model_kwargs": {"dtype": "f16"}},
            {"model_name": "bad", "odd": object()},
        ],
        [TEXTS],
    ),
    (
        "InstructorEmbeddingFunction",
        "InstructorEmbedding",
        [{}, {"model_name": "m", "device": "cuda", "instruction": "Represent the note: "}],
        [TEXTS, [IMAGE], ["a", IMAGE]],
    ),
    ("Text2VecEmbeddingFunction", "text2vec", [{}, {"model_name": "m"}], [TEXTS, [IMAGE]]),
    (
        "OpenCLIPEmbeddingFunction",
        "open_clip",
        [{}, {"model_name": "m", "checkpoint": "c", "device": "cuda"}],
        [TEXTS, [IMAGE], ["a", IMAGE]],
    ),
    (
        "HuggingFaceSparseEmbeddingFunction",
        "sentence_transformers",
        [
            {"model_name": "sparse", "device": "cpu"},
            {"model_name": "query", "device": "cpu", "task": "query", "revision": "main"},
            {"model_name": "both", "device": "cpu", "query_config": {"task": "query"}},
            {
                "model_name": "same",
                "device": "cpu",
                "task": "query",
                "query_config": {"task": "document"},
            },
            {"model_name": "odd", "device": "cpu", "task": "odd", "query_config": {"task": "x"}},
            {"model_name": "bad", "device": "cpu", "odd": object()},
        ],
        [TEXTS],
    ),
    (
        "FastembedSparseEmbeddingFunction",
        "fastembed",
        [
            {"model_name": "m"},
            {"model_name": "m", "cache_dir": "/models", "threads": 2, "extra": [1]},
            {"model_name": "m", "query_config": {"task": "query"}},
            {"model_name": "m", "task": "query", "query_config": {}},
            {"model_name": "m", "task": None},
            {"model_name": "m", "cuda": True, "device_ids": [0], "lazy_load": True},
            {"model_name": "bad", "odd": object()},
        ],
        [TEXTS],
    ),
    (
        "Bm25EmbeddingFunction",
        "fastembed",
        [
            {},
            {"avg_len": 7.5, "k": 1.0, "b": 0.5, "language": "english", "cache_dir": "/models"},
            {"token_max_length": 9, "disable_stemmer": True, "specific_model_path": "/m"},
            {"task": "query", "stopwords": ["a"], "nothing": []},
            {"query_config": {"task": "query"}},
            {"task": "odd", "query_config": {"task": "odd"}},
            {"odd": object()},
        ],
        [TEXTS],
    ),
]

MISSING = [
    *((name, library) for name, library, _, _ in SUBJECTS),
    ("OpenCLIPEmbeddingFunction", "torch"),
    ("OpenCLIPEmbeddingFunction", "PIL"),
    ("ChromaLangchainEmbeddingFunction", "langchain_core"),
]


def value(found: Any) -> Any:
    """A result as JSON."""
    if isinstance(found, np.ndarray):
        return [str(found.dtype), found.tolist()]
    if hasattr(found, "to_dict"):
        return found.to_dict()
    if isinstance(found, (list, tuple)):
        return [value(item) for item in found]
    return found


def outcome(calls: list[Any], action: Callable[[], Any]) -> dict[str, Any]:
    """What an action returns or raises, what it asks of the library, and what it warns of."""
    calls.clear()
    result: dict[str, Any] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result["returns"] = value(action())
        except Exception as error:
            result["raises"] = f"{type(error).__name__}: {error}"
    result["calls"] = list(calls)
    result["warns"] = [f"{item.category.__name__}: {item.message}" for item in caught]
    return result


def uses(name: str, function: Any, inputs: list[Any], calls: list[Any]) -> Iterator[Any]:
    """Everything that a function can be asked."""
    for position, given in enumerate(inputs):
        yield f"embeds input {position}", outcome(calls, lambda given=given: function(given))
        yield (
            f"embeds query {position}",
            outcome(calls, lambda given=given: function.embed_query(given)),
        )
    yield "name", {"returns": function.name()}
    if hasattr(function, "default_space"):
        yield "spaces", {"returns": [function.default_space(), function.supported_spaces()]}
    config = function.get_config()
    yield "configuration", {"returns": config}
    yield (
        "configuration validated",
        outcome(calls, lambda: function.validate_config(config)),
    )
    yield (
        "given configuration validated",
        outcome(
            calls,
            lambda: function.validate_config(
                {key: value for key, value in config.items() if value is not None}
            ),
        ),
    )
    for new in (config, {"model_name": "other"}, {"checkpoint": "other"}, {"device": "x"}, {}):
        yield (
            f"changed to {sorted(new)}",
            outcome(calls, lambda new=new: function.validate_config_update(config, new)),
        )
    rebuilt = type(function).build_from_config(config)
    yield "configuration of the rebuilt", {"returns": rebuilt.get_config()}
    yield "rebuilt embeds", outcome(calls, lambda: rebuilt(inputs[0]))


def langchain(calls: list[Any]) -> Iterator[Any]:
    interface = sys.modules["langchain_core.embeddings"].Embeddings

    class Own(interface):  # type: ignore[misc,valid-type]
        def embed_documents(self, texts: Any) -> Any:
            return [[float(len(text)), 1.0] for text in texts]

        def embed_query(self, text: Any) -> Any:
            return [float(len(text)), 2.0]

    class Images(Own):
        def embed_image(self, uris: Any) -> Any:
            return [[float(len(uri)), 3.0] for uri in uris]

    make = functions.ChromaLangchainEmbeddingFunction
    yield "of no function of LangChain's", outcome(calls, lambda: make(object()))
    for function in (make(Own()), make(embedding_function=Images())):
        kind = type(function.embedding_function).__name__
        yield f"{kind} documents", outcome(calls, lambda f=function: f.embed_documents(TEXTS))
        yield f"{kind} query", outcome(calls, lambda f=function: f.embed_query("bee"))
        yield f"{kind} images", outcome(calls, lambda f=function: f.embed_image(["a", "bb"]))
        yield f"{kind} called", outcome(calls, lambda f=function: f(TEXTS))
        yield f"{kind} loaded images", outcome(calls, lambda f=function: f(("images", ["a"])))
        config = function.get_config()
        yield f"{kind} configuration", {"returns": config}
        for method in ("build_from_config", "validate_config"):
            yield (
                f"{kind} {method}",
                outcome(calls, lambda f=function, m=method, c=config: getattr(f, m)(c)),
            )
        yield (
            f"{kind} change",
            outcome(calls, lambda f=function, c=config: f.validate_config_update(c, c)),
        )
        yield f"{kind} name", {"returns": [function.name(), function.default_space()]}


def trials() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each trial and its outcome."""
    for name, _, constructors, inputs in SUBJECTS:
        cls = getattr(functions, name)
        for number, arguments in enumerate(constructors):
            with standing_in() as calls:
                made: list[Any] = []
                yield (
                    f"{name} {number}",
                    outcome(calls, lambda c=cls, a=arguments, m=made: m.append(c(**a))),
                )
                for function in made:
                    for label, found in uses(name, function, inputs, calls):
                        yield f"{name} {number} {label}", found
    with standing_in() as calls:
        for label, found in langchain(calls):
            yield f"langchain: {label}", found
    for name, library in MISSING:
        cls = getattr(functions, name)
        arguments = next((made[0] for subject, _, made, _ in SUBJECTS if subject == name), None)
        with standing_in(missing=library) as calls:
            yield (
                f"{name} without {library}",
                outcome(
                    calls,
                    lambda c=cls, a=arguments: c(object()) if a is None else c(**a),
                ),
            )


def main(path: str) -> None:
    Path(path).write_text(json.dumps(dict(trials()), indent=1))


if __name__ == "__main__":
    main(sys.argv[1])
