"""Stand-ins for the libraries that run models, which write down how they are called.

    with standing_in() as calls:
        ...

`calls` is a list of [what was called, its arguments by name]. Arguments are bound to the real
signatures, so that one passed by its place and one passed by its name read alike; those that are
None, as they are by default, are left out.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

MODULES = (
    "InstructorEmbedding",
    "PIL",
    "PIL.Image",
    "fastembed",
    "fastembed.sparse",
    "fastembed.sparse.bm25",
    "langchain_core",
    "langchain_core.embeddings",
    "open_clip",
    "sentence_transformers",
    "text2vec",
    "torch",
)


class Tensor:
    """What models of PyTorch return: an array that has to be asked for."""

    def __init__(self, array: Any, is_sparse: bool = False) -> None:
        self.array = np.asarray(array, dtype=np.float32)
        self.is_sparse = is_sparse

    def to_dense(self) -> Tensor:
        return Tensor(self.array)

    def numpy(self) -> Any:
        assert not self.is_sparse, "a sparse tensor has no numpy()"
        return self.array

    def norm(self, dim: int, keepdim: bool) -> Tensor:
        return Tensor(np.linalg.norm(self.array, axis=dim, keepdims=keepdim))

    def __truediv__(self, other: Tensor) -> Tensor:
        return Tensor(self.array / other.array)

    def squeeze(self) -> Tensor:
        return Tensor(self.array.squeeze())

    def unsqueeze(self, axis: int) -> Tensor:
        return Tensor(np.expand_dims(self.array, axis))

    def cpu(self) -> Tensor:
        return self

    def to(self, device: Any) -> Tensor:
        return self


def dense(texts: Any) -> Any:
    """A vector for each text: its length, 0.5, and its place."""
    return np.array([[len(text), 0.5, place] for place, text in enumerate(texts)])


def sparse_rows(texts: Any) -> list[Any]:
    """Indices out of order, as FastEmbed returns them."""
    return [
        SimpleNamespace(indices=np.array([len(text), 2]), values=np.array([0.5, 0.25]))
        for text in texts
    ]


def _shown(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return ["array", list(value.shape)]
    if isinstance(value, Tensor):
        return ["tensor", list(value.array.shape)]
    if isinstance(value, (list, tuple)):
        return [_shown(item) for item in value]
    return value if isinstance(value, (str, int, float, dict)) else repr(value)


def _modules(write: Callable[[str, dict[str, Any]], None]) -> dict[str, ModuleType]:
    """The stand-ins. Each method has the signature of the real one, as far as it is used."""

    class SentenceTransformer:
        def __init__(self, model_name_or_path: Any = None, device: Any = None, **kwargs: Any):
            write("SentenceTransformer", locals())

        def encode(self, sentences: Any, convert_to_numpy: Any, normalize_embeddings: Any) -> Any:
            write("SentenceTransformer.encode", locals())
            return dense(sentences)

    class SparseEncoder:
        def __init__(self, model_name_or_path: Any = None, device: Any = None, **kwargs: Any):
            write("SparseEncoder", locals())

        def encode_document(self, inputs: Any) -> Any:
            write("SparseEncoder.encode_document", locals())
            return [Tensor([0, len(text), 0, 0.5], is_sparse=True) for text in inputs]

        def encode_query(self, inputs: Any) -> Any:
            write("SparseEncoder.encode_query", locals())
            return [np.array([0, 0, len(text)]) for text in inputs]

    class INSTRUCTOR:
        def __init__(self, model_name_or_path: Any, device: Any = None):
            write("INSTRUCTOR", locals())

        def encode(self, sentences: Any, convert_to_numpy: Any) -> Any:
            write("INSTRUCTOR.encode", locals())
            return dense(sentences)

    class SentenceModel:
        def __init__(self, model_name_or_path: Any):
            write("SentenceModel", locals())

        def encode(self, sentences: Any, convert_to_numpy: Any) -> Any:
            write("SentenceModel.encode", locals())
            return dense(sentences)

    class SparseTextEmbedding:
        def __init__(
            self,
            model_name: Any,
            cache_dir: Any = None,
            threads: Any = None,
            providers: Any = None,
            cuda: Any = None,
            device_ids: Any = None,
            lazy_load: Any = None,
            **kwargs: Any,
        ):
            write("SparseTextEmbedding", locals())

        def embed(self, documents: Any) -> Any:
            write("SparseTextEmbedding.embed", locals())
            return iter(sparse_rows(documents))

        def query_embed(self, query: Any) -> Any:
            write("SparseTextEmbedding.query_embed", locals())
            return iter(sparse_rows(query))

    class Bm25(SparseTextEmbedding):
        def __init__(self, model_name: Any, **kwargs: Any):
            write("Bm25", locals())

    class Clip:
        def to(self, device: Any) -> None:
            write("Clip.to", locals())

        def encode_image(self, image: Any) -> Tensor:
            write("Clip.encode_image", locals())
            return Tensor([[3.0, 4.0]])

        def encode_text(self, text: Any) -> Tensor:
            write("Clip.encode_text", locals())
            return Tensor([[5.0, 12.0]])

    def create_model_and_transforms(model_name: Any, pretrained: Any) -> Any:
        write("create_model_and_transforms", locals())
        return Clip(), None, lambda image: Tensor(image)

    def get_tokenizer(model_name: Any) -> Any:
        write("get_tokenizer", locals())

        def tokenize(text: Any) -> Tensor:
            write("tokenize", locals())
            return Tensor([1.0])

        return tokenize

    def fromarray(array: Any) -> Any:
        write("fromarray", {"array": array})
        return array

    class NoGrad:
        def __enter__(self) -> None:
            write("no_grad", {})

        def __exit__(self, *_: Any) -> None:
            write("no_grad ends", {})

    class Embeddings:
        """LangChain's interface."""

    contents: dict[str, dict[str, Any]] = {
        "InstructorEmbedding": {"INSTRUCTOR": INSTRUCTOR},
        "PIL.Image": {"fromarray": fromarray},
        "fastembed": {"SparseTextEmbedding": SparseTextEmbedding},
        "fastembed.sparse.bm25": {"Bm25": Bm25},
        "langchain_core.embeddings": {"Embeddings": Embeddings},
        "open_clip": {
            "create_model_and_transforms": create_model_and_transforms,
            "get_tokenizer": get_tokenizer,
        },
        "sentence_transformers": {
            "SentenceTransformer": SentenceTransformer,
            "SparseEncoder": SparseEncoder,
        },
        "text2vec": {"SentenceModel": SentenceModel},
        "torch": {"no_grad": NoGrad},
    }
    modules = {name: ModuleType(name) for name in MODULES}
    for name, module in modules.items():
        for attribute, value in contents.get(name, {}).items():
            setattr(module, attribute, value)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(modules[parent], child, module)
    return modules


@contextmanager
def standing_in(missing: str | None = None) -> Iterator[list[Any]]:
    """Stand-ins in the place of all libraries but the missing one. Their calls are written down."""
    calls: list[Any] = []

    def write(called: str, arguments: dict[str, Any]) -> None:
        flat = {**arguments, **arguments.get("kwargs", {})}
        given = {
            name: _shown(value)
            for name, value in sorted(flat.items())
            if name not in ("self", "kwargs", "write", "Clip", "__class__")
            and value is not None
            and not inspect.isroutine(value)
        }
        calls.append([called, given])

    modules: dict[str, Any] = _modules(write)
    for name in modules:
        if missing is not None and (name == missing or name.startswith(f"{missing}.")):
            modules[name] = None
    with patch.dict(sys.modules, modules):
        yield calls
