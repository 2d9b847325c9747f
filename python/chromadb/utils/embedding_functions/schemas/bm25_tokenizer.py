"""From texts to the terms that BM25 counts, and their numbers.

Every client of Chroma has the same rules, for the vectors that one stores are searched with those
of another: what is neither a word character nor a space separates; letters become small; words on
the stop list and long ones are left out; the others are cut to their stems.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, Protocol

from chromadb.utils.embedding_functions._murmur3 import murmur3_32

__all__ = [
    "DEFAULT_CHROMA_BM25_STOPWORDS",
    "DEFAULT_ENGLISH_STOPWORDS",
    "Bm25Tokenizer",
    "Murmur3AbsHasher",
    "SnowballStemmer",
    "get_english_stemmer",
]

# The English stop list of NLTK. Those with an apostrophe never match: it separates.
_ENGLISH_STOPWORDS: Final = """
a about above after again against ain all am an and any are aren aren't as at
be because been before being below between both but by
can couldn couldn't
d did didn didn't do does doesn doesn't doing don don't down during
each
few for from further
had hadn hadn't has hasn hasn't have haven haven't having he her here hers herself him himself his
how
i if in into is isn isn't it it's its itself
just
ll
m ma me mightn mightn't more most mustn mustn't my myself
needn needn't no nor not now
o of off on once only or other our ours ourselves out over own
re
s same shan shan't she she's should should've shouldn shouldn't so some such
t than that that'll the their theirs them themselves then there these they this those through to too
under until up
ve very
was wasn wasn't we were weren weren't what when where which while who whom why will with won won't
wouldn wouldn't
y you you'd you'll you're you've your yours yourself yourselves
"""

DEFAULT_ENGLISH_STOPWORDS: list[str] = _ENGLISH_STOPWORDS.split()

DEFAULT_CHROMA_BM25_STOPWORDS: list[str] = list(DEFAULT_ENGLISH_STOPWORDS)

# Texts repeat their words, and a stem takes some twenty times as long as a look-up.
_REMEMBERED_WORDS_MAX: Final = 1 << 16

_SEPARATORS: Final = re.compile(r"[^\w\s]+")

# A stemmer of the package works on state of its own: a thread needs one for itself.
_stemmers = threading.local()


class SnowballStemmer(Protocol):
    """Cuts words to their stems."""

    def stem(self, token: str) -> str:
        """The stem of a word in small letters."""
        ...


class _EnglishStemmer:
    def __init__(self) -> None:
        _thread_stemmer()  # Here, so that a missing package is missed now.

    def stem(self, token: str) -> str:
        return _english_stem(token)


@lru_cache(_REMEMBERED_WORDS_MAX)
def _english_stem(token: str) -> str:
    stem: str = _thread_stemmer().stemWord(token)
    return stem


def _thread_stemmer() -> Any:
    stemmer = getattr(_stemmers, "english", None)
    if stemmer is None:
        try:
            import snowballstemmer
        except ImportError:
            raise ValueError(
                "The snowballstemmer python package is not installed. Please install it with "
                "`pip install snowballstemmer`"
            ) from None
        stemmer = _stemmers.english = snowballstemmer.stemmer("english")
    return stemmer


def get_english_stemmer() -> SnowballStemmer:
    """The Snowball stemmer of English. Any thread may use it.

    Raises ValueError where the package `snowballstemmer` is missing.
    """
    return _EnglishStemmer()


class Bm25Tokenizer:
    """Splits texts into the terms that BM25 counts."""

    def __init__(
        self, stemmer: SnowballStemmer, stopwords: Iterable[str], token_max_length: int
    ) -> None:
        self._stemmer = stemmer
        self._stopwords = frozenset(word.lower() for word in stopwords)
        self._token_max_length = token_max_length

    def tokenize(self, text: str) -> list[str]:
        """The terms of a text, in order, each as often as it is there."""
        stems = (
            self._stemmer.stem(word).strip()
            for word in _SEPARATORS.sub(" ", text).lower().split()
            if word not in self._stopwords and len(word) <= self._token_max_length
        )
        return [stem for stem in stems if stem]


class Murmur3AbsHasher:
    """Numbers terms by their MurmurHash3, read as a signed number, without its sign."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def hash(self, token: str) -> int:
        """The number of a term, from 0 to 2^31."""
        return _term_number(token, self.seed)


@lru_cache(_REMEMBERED_WORDS_MAX)
def _term_number(token: str, seed: int) -> int:
    number = murmur3_32(token.encode("utf-8"), seed)
    return min(number, (1 << 32) - number)
