"""Promise: `chroma_bm25` gives the vectors that official Chroma gives, bit for bit.

The vectors that one client stores are searched with those of another. Recorded: official's for
texts made by `bm25_trials.py`; live: for the glosses of WordNet, too.
"""

from __future__ import annotations

import json
import lzma
import os
import random
import shutil
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import snowballstemmer

from chromadb.utils.embedding_functions import ChromaBm25EmbeddingFunction
from chromadb.utils.embedding_functions._murmur3 import murmur3_32
from chromadb.utils.embedding_functions.schemas.bm25_tokenizer import Murmur3AbsHasher

from . import bm25_trials

RECORDED = Path(__file__).with_name("bm25.json.xz")
GLOSSES = Path("/usr/share/wordnet/data.noun")


def test_vectors_are_officials_bit_for_bit() -> None:
    recorded = json.loads(lzma.decompress(RECORDED.read_bytes()))
    inputs = bm25_trials.texts()
    found = json.loads(json.dumps(bm25_trials.vectors(inputs)))
    assert len(found) == len(recorded) == len(inputs) * len(bm25_trials.FUNCTIONS)
    for number, (ours, theirs) in enumerate(zip(found, recorded, strict=True)):
        assert ours == theirs, (number, inputs[number % len(inputs)])


@pytest.mark.official
@pytest.mark.skipif(not GLOSSES.exists(), reason="needs WordNet")
def test_vectors_of_real_texts_are_officials(official_python: str, tmp_path: Path) -> None:
    lines = GLOSSES.read_text(errors="replace").splitlines()
    glosses = [line.partition("|")[2] for line in lines if "|" in line]
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    (tmp_path / "texts.json").write_text(json.dumps(random.Random(seed).sample(glosses, 3000)))
    # Official's environment may lack the stemmer, which is pure Python.
    stemmer = tmp_path / "stemmer" / "snowballstemmer"
    shutil.copytree(Path(snowballstemmer.__file__).parent, stemmer)
    officials = {**os.environ, "PYTHONPATH": str(stemmer.parent)}
    results = []
    for python, environment in ((official_python, officials), (sys.executable, dict(os.environ))):
        path = tmp_path / "vectors.json"
        command = [python, bm25_trials.__file__, str(path), str(tmp_path / "texts.json")]
        subprocess.run(command, check=True, cwd=tmp_path, env=environment)
        results.append(json.loads(path.read_text()))
    assert results[0] == results[1]


# ---- The hash -----------------------------------------------------------------------------------

# MurmurHash3_x86_32 of these bytes and seeds, as the reference implementation has them.
KNOWN_HASHES = [
    (b"", 0, 0),
    (b"", 1, 0x514E28B7),
    (b"", 0xFFFFFFFF, 0x81F16F39),
    (b"\x00\x00\x00\x00", 0, 0x2362F9DE),
    (b"\xff\xff\xff\xff", 0, 0x76293B50),
    (b"\x21\x43\x65\x87", 0, 0xF55B516B),
    (b"\x21\x43\x65\x87", 0x5082EDEE, 0x2362F9DE),
    (b"\x21\x43\x65", 0, 0x7E4A8634),
    (b"\x21\x43", 0, 0xA0F7B07A),
    (b"\x21", 0, 0x72661CF4),
    (b"Hello, world!", 0x9747B28C, 0x24884CBA),
]


@pytest.mark.parametrize(("data", "seed", "expected"), KNOWN_HASHES)
def test_the_hash_is_murmur3(data: bytes, seed: int, expected: int) -> None:
    assert murmur3_32(data, seed) == expected


def test_numbers_of_terms_have_no_sign() -> None:
    hasher = Murmur3AbsHasher()
    assert hasher.hash("hello") == 613153351
    for term in ("bee", "owl", "", "ü", "東京"):
        (signed,) = struct.unpack("<i", struct.pack("<I", murmur3_32(term.encode())))
        assert hasher.hash(term) == abs(signed)


# ---- The function -------------------------------------------------------------------------------


def test_labels_are_the_stems() -> None:
    (vector,) = ChromaBm25EmbeddingFunction(include_tokens=True)(["The bees danced; a bee dances."])
    assert vector.labels is not None
    assert sorted(vector.labels) == ["bee", "danc"]
    assert vector.indices == sorted(vector.indices)


def test_queries_are_embedded_as_documents_are() -> None:
    function = ChromaBm25EmbeddingFunction()
    texts = ["bees dance", "owls turn"]
    assert function.embed_query(texts) == function(texts)


def test_no_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="^Expected sparse vectors to be a non-empty list, got 0"):
        ChromaBm25EmbeddingFunction()([])


def test_a_missing_stemmer_is_missed_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    function = ChromaBm25EmbeddingFunction()
    monkeypatch.setitem(sys.modules, "snowballstemmer", None)
    caught: list[Any] = []

    def embed() -> None:
        with pytest.raises(ValueError) as error:
            function(["bees"])
        caught.append(str(error.value))

    # In a new thread, as this one may have its stemmer already.
    thread = threading.Thread(target=embed)
    thread.start()
    thread.join()
    assert caught == [
        "The snowballstemmer python package is not installed. Please install it with "
        "`pip install snowballstemmer`"
    ]


def test_threads_get_the_same_vectors() -> None:
    texts = bm25_trials.texts()[:100]
    expected = ChromaBm25EmbeddingFunction()(texts)
    function = ChromaBm25EmbeddingFunction(token_max_length=41)  # Others share its words.
    expected_wide = function(texts)
    found: list[Any] = []
    threads = [
        threading.Thread(
            target=lambda: found.append((ChromaBm25EmbeddingFunction()(texts), function(texts)))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(expected, expected_wide)] * 4


def test_a_function_is_stored_and_built_again() -> None:
    for function in (
        ChromaBm25EmbeddingFunction(),
        ChromaBm25EmbeddingFunction(k=2, b=0, stopwords=iter(["a", "b"]), include_tokens=True),
    ):
        config = function.get_config()
        function.validate_config(config)
        again = ChromaBm25EmbeddingFunction.build_from_config(config)
        assert again.get_config() == config
        assert again(["a bee and b"]) == function(["a bee and b"])
        again.validate_config_update(config, {"k": 1.0, "stopwords": []})
        with pytest.raises(ValueError, match="^Updating 'x' is not supported for chroma_bm25$"):
            again.validate_config_update(config, {"x": 1})
    assert "stopwords" not in ChromaBm25EmbeddingFunction().get_config()
    with pytest.raises(ValueError, match="'x' was unexpected"):
        ChromaBm25EmbeddingFunction.validate_config({"x": 1})
