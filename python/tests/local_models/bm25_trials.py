"""What `chroma_bm25` makes of texts, on whatever `chromadb` this interpreter imports.

    python bm25_trials.py VECTORS.json [TEXTS.json]

Writes a JSON list: for each function and text, the vector or the error. The texts are those of a
file, or made here: English words in many forms, and characters of many scripts.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

from chromadb.utils.embedding_functions import ChromaBm25EmbeddingFunction

SEED = 20260101
TEXT_COUNT = 600

FUNCTIONS: list[dict[str, Any]] = [
    {},
    {"include_tokens": True},
    {"k": 1.5, "b": 0.3, "avg_doc_length": 7, "token_max_length": 9, "stopwords": ["Bee", "the"]},
    {"k": 0, "b": 1, "avg_doc_length": 0.5, "stopwords": []},
]

_STEMS = """
generate dance fly owl turn search engine nation happy beauty cry organ commune arsenal skate hope
hop dive try lie die news inning proceed exceed succeed idle gentle ugly early only single sky hero
analyst relation condition operate electric feud control consign knack kneel kick consist adjust
effect replace defense depend adopt angular bowdler rate cease roll
"""
_SUFFIXES = "- s es ed ing ly ment ness ful ization ational able ous ive er est ies ied 's s' ’s"
STEMS, SUFFIXES = _STEMS.split(), _SUFFIXES.split()
MIXED = [
    "don't", "U.S.A.", "e-mail", "snake_case", "100%", "3.14", "C++", "naïve", "Straße", "ǅungla",
    "İstanbul", "ΣΊΣΥΦΟΣ", "ﬁsh", "x²", "№5", "東京タワー", "한국어", "русский", "עברית", "हिन्दी",
    "ไทย", "🐝🐝", "the", "THE", "It's", "yourselves", "a" * 40, "a" * 41, "__init__", "\u00a0",
    "\u2028",
]  # fmt: skip
# First and last character of each: those that Unicode has had for long.
RANGES = [(0x20, 0x7E), (0xA0, 0x17F), (0x391, 0x3C9), (0x410, 0x44F), (0x5D0, 0x5EA)]
RANGES += [(0x905, 0x939), (0x2000, 0x206F), (0x3041, 0x3096), (0x4E00, 0x4FFF), (0x1F600, 0x1F640)]


def texts() -> list[str]:
    rng = random.Random(SEED)

    def word() -> str:
        choice = rng.random()
        if choice < 0.7:
            made = rng.choice(STEMS) + rng.choice(SUFFIXES).lstrip("-")
            return rng.choice([made, made.title(), made.upper(), made + rng.choice(".,;!?)")])
        if choice < 0.85:
            return rng.choice(MIXED)
        first, last = rng.choice(RANGES)
        return "".join(chr(rng.randint(first, last)) for _ in range(rng.randint(1, 8)))

    made = [
        rng.choice([" ", "  ", "\n", "\t"]).join(word() for _ in range(rng.randint(1, 40)))
        for _ in range(TEXT_COUNT)
    ]
    return [*made, "", "   ", "the and of", "bee " * 300, "\ud800 is half a character"]


def vectors(inputs: list[str]) -> list[Any]:
    found: list[Any] = []
    for arguments in FUNCTIONS:
        function = ChromaBm25EmbeddingFunction(**arguments)
        for text in inputs:
            try:
                (vector,) = function([text])
            except Exception as error:
                found.append(f"{type(error).__name__}: {error}")
            else:
                found.append([vector.indices, vector.values, vector.labels])
    return found


def main(path: str, texts_path: str | None = None) -> None:
    inputs = texts() if texts_path is None else json.loads(Path(texts_path).read_text())
    Path(path).write_text(json.dumps(vectors(inputs)))


if __name__ == "__main__":
    main(*sys.argv[1:])
