"""The default embedding function: all-MiniLM-L6-v2, 384 dimensions, on ONNX Runtime.

It needs `onnxruntime` and `tokenizers`, which `pip install 'chromadb[embeddings]'` brings,
and the model, which is prepared at first use: see `_minilm_files` for where it comes from. The
environment variable `CHROMA_MODEL_DIR` names another place than `~/.cache/chroma/onnx_models`
for models to be kept in.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chromadb.api.types import EmbeddingFunction

from . import _minilm_encoder

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings, Space

    from ._minilm_files import ModelCache, ModelFiles

_MAX_TOKENS = 256

_ARCHIVE_SHA256 = "913d7300ceae3b2dbc2c50d1de4baacab4be7b9380491c27fab7418616a16ec3"


class _DefaultDownloadPath:
    """The class attribute `DOWNLOAD_PATH` as long as nobody assigns another.

    Computed when it is read, so that `CHROMA_MODEL_DIR` may be set after the import, and a
    process without a home directory can import the module.
    """

    def __get__(self, instance: Any, owner: type[ONNXMiniLM_L6_V2]) -> Path:
        root = os.environ.get("CHROMA_MODEL_DIR")
        folder = Path(root) if root else Path.home() / ".cache" / "chroma" / "onnx_models"
        return folder / owner.MODEL_NAME


class ONNXMiniLM_L6_V2(EmbeddingFunction["Documents"]):
    """Embeds texts of up to 256 tokens; what is longer is cut off. Any thread, any number at once.

    Instances share one loaded model per process, so they cost nothing to make.
    """

    MODEL_NAME = "all-MiniLM-L6-v2"
    DOWNLOAD_PATH: Any = _DefaultDownloadPath()
    EXTRACTED_FOLDER_NAME = "onnx"
    ARCHIVE_FILENAME = "onnx.tar.gz"
    MODEL_DOWNLOAD_URL = "https://chroma-onnx-models.s3.amazonaws.com/all-MiniLM-L6-v2/onnx.tar.gz"
    _MODEL_SHA256 = _ARCHIVE_SHA256

    def __init__(self, preferred_providers: list[str] | None = None) -> None:
        """`preferred_providers` are ONNX Runtime execution providers, best first; all that are
        available when None.

        Raises `ValueError` when they are not distinct strings, or a package is missing.
        """
        if preferred_providers and not all(isinstance(name, str) for name in preferred_providers):
            raise ValueError("Preferred providers must be a list of strings")
        if preferred_providers and len(set(preferred_providers)) != len(preferred_providers):
            raise ValueError("Preferred providers must be unique")
        self._preferred_providers = preferred_providers
        for package in ("onnxruntime", "tokenizers"):
            # Only looked for: importing them takes longer than importing all of chromadb.
            if not _is_installed(package):
                raise _missing(package)

    def __call__(self, input: Documents) -> Embeddings:
        texts = list(input)
        if not texts:
            return []
        return list(_minilm_encoder.encode(self.model, self.tokenizer, texts))

    # ---- The model ---------------------------------------------------------------------------

    def _download_model_if_not_exists(self) -> None:
        """Prepares the model's files now instead of at first use: for building images."""
        self._cache().obtain()

    def _cache(self) -> ModelCache:
        # Imported here because it brings the HTTP client, a third of chromadb's import time.
        from ._minilm_files import ALL_MINILM_L6_V2_WEIGHTS, ModelCache

        # Weights from a package stand in for upstream's archive, not for a subclass's own.
        is_upstreams = self._MODEL_SHA256 == _ARCHIVE_SHA256
        return ModelCache(
            folder=Path(self.DOWNLOAD_PATH),
            archive_filename=self.ARCHIVE_FILENAME,
            extracted_folder_name=self.EXTRACTED_FOLDER_NAME,
            url=self.MODEL_DOWNLOAD_URL,
            sha256=self._MODEL_SHA256,
            weights=ALL_MINILM_L6_V2_WEIGHTS if is_upstreams else None,
        )

    def _files(self) -> ModelFiles:
        cache = self._cache()
        files: ModelFiles = _loaded(type(cache).obtain, cache)
        return files

    @property
    def tokenizer(self) -> Any:
        """The model's tokenizer: truncates at 256 tokens, does not pad."""
        return _loaded(_load_tokenizer, self._files().tokenizer)

    @property
    def model(self) -> Any:
        """The `onnxruntime.InferenceSession`."""
        providers = tuple(self._preferred_providers or ())
        return _loaded(_load_session, self._files().model, providers)

    # ---- As a collection stores it -----------------------------------------------------------

    @staticmethod
    def name() -> str:
        return "onnx_mini_lm_l6_v2"

    def default_space(self) -> Space:
        return "cosine"

    def supported_spaces(self) -> list[Space]:
        return ["cosine", "l2", "ip"]

    def max_tokens(self) -> int:
        return _MAX_TOKENS

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> EmbeddingFunction[Documents]:
        return ONNXMiniLM_L6_V2(preferred_providers=config.get("preferred_providers"))

    def get_config(self) -> dict[str, Any]:
        return {"preferred_providers": self._preferred_providers}

    def validate_config_update(
        self, old_config: dict[str, Any], new_config: dict[str, Any]
    ) -> None:
        """Any change is allowed: the providers do not change the vectors."""

    @staticmethod
    def validate_config(config: Mapping[str, Any]) -> None:
        """Raises `ValueError` unless `config` is one that `get_config` can return."""
        providers = config.get("preferred_providers")
        is_valid = providers is None or (
            isinstance(providers, list) and all(isinstance(name, str) for name in providers)
        )
        if not is_valid or set(config) - {"preferred_providers"}:
            raise ValueError(
                f"Config validation failed for schema 'onnx_mini_lm_l6_v2': {dict(config)!r}"
            )


# ---- Loading, once per process ---------------------------------------------------------------

_load_lock = threading.Lock()
_loads: dict[tuple[Any, ...], Any] = {}


def _loaded(load: Any, *arguments: Any) -> Any:
    """Returns `load(*arguments)`, the same for equal arguments.

    A forked child loads its own: the threads of its parent's session are not there, and a lock that
    one of them held at the fork is held forever. The parent's entry stays in the child's table, for
    freeing it would wait for those threads.
    """
    key = (os.getpid(), load, *arguments)
    value = _loads.get(key)
    if value is None:
        with _load_lock:
            value = _loads.get(key)
            if value is None:
                value = _loads[key] = load(*arguments)
    return value


def _renew_lock() -> None:
    global _load_lock
    _load_lock = threading.Lock()


# Another thread may hold the lock at the moment of the fork, and is not there to give it back.
os.register_at_fork(after_in_child=_renew_lock)


def _load_tokenizer(path: Path) -> Any:
    tokenizer = _import("tokenizers").Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_length=_MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def _load_session(path: Path, preferred_providers: tuple[str, ...]) -> Any:
    runtime = _import("onnxruntime")
    available = runtime.get_available_providers()
    if not set(preferred_providers) <= set(available):
        raise ValueError(f"Preferred providers must be subset of available providers: {available}")
    # CoreML is slower than the CPU for this model.
    providers = [
        name for name in preferred_providers or available if name != "CoreMLExecutionProvider"
    ]
    options = runtime.SessionOptions()
    options.log_severity_level = 3  # Errors only.
    if hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) != os.cpu_count():
        # Left alone, ONNX Runtime starts a thread per core of the machine and pins each to a
        # core, though this process may be confined to fewer.
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
    try:
        return runtime.InferenceSession(str(path), sess_options=options, providers=providers)
    except Exception as error:
        raise ValueError(
            f"ONNX Runtime cannot load {path}: {error}. If the file is damaged, delete its folder; "
            "the model is then prepared anew."
        ) from error


def _is_installed(package: str) -> bool:
    if package in sys.modules:
        return sys.modules[package] is not None
    return importlib.util.find_spec(package) is not None


def _import(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise _missing(package) from error


def _missing(package: str) -> ValueError:
    return ValueError(
        f"The {package} python package is not installed. Please install it with "
        f"`pip install {package}`\nEverything that the default embedding function needs: "
        "pip install 'chromadb[embeddings]'"
    )
