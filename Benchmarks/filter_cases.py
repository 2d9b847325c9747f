"""What `filters.py` asks: filters and texts, different in every call, and the right answers.

Filters are written as Chroma writes them. Three fields are filtered by:

bucket              0 to 999, each as often as any other and wherever: what a window of it keeps has
                    nothing to do with the vectors
synset_offset       a record's place in WordNet's own files, nearly unique: neighbours there are of
                    one subject, so what a window of it keeps lies together among the vectors
lexicographer_file  45 names of subjects, from "noun.plant" to "verb.weather"

A window is drawn at a random place and holds the same share of the records wherever it lies. Of the
windows of one subject, every other one is drawn around the record nearest to the query, the others
anywhere, as a rule far from it.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dataset import Dataset, nearest

QUERY = "query"
GET = "get"
COUNT = "count"
CONTAINS = "contains"
REGEX = "regex"
# The title of the query that the filtered ones are held against.
PLAIN_QUERY = "query"
# The share of the documents that have a common word, and a rare one.
COMMON_SHARE = (0.002, 0.05)
RARE_SHARE = (0.0001, 0.001)
LITERAL_PATTERNS = [
    r"\b{word}[a-z]*\b",
    r"{word}(s|es|ed|ing)?( |;|,|$)",
    r"^(an?|the) .*{word}",
    r"(of|in|by|with) (the |an? )?{word}",
]
CLASS_PATTERNS = [
    r"\b[{a}{b}][a-z]{{{n}}}[{c}{d}] [{b}{c}]",
    r"^[{a}{b}][a-z]{{{n}}} [{c}{d}]",
    r"[{a}{b}][a-z]{{{n}}}-[{c}{d}]",
    r"[{a}{b}][a-z]+ [{c}{d}][a-z]{{{n}}}$",
]


@dataclass(frozen=True)
class Case:
    """One row of the tables: what is asked, and how one call of it is drawn."""

    title: str
    kind: str
    draw: Callable[[Operands, random.Random, int], dict[str, Any]]


class Operands:
    """The records as columns: draws operands from them and says what they keep."""

    def __init__(self, data: Dataset) -> None:
        records = data.records()
        self.ids = [record[0] for record in records]
        self.documents = [record[1] for record in records]
        self.columns = {
            key: np.array([record[2][key] for record in records])
            for key in ("bucket", "synset_offset", "lexicographer_file")
        }
        self.sorted = {key: np.sort(column) for key, column in self.columns.items()}
        self.vectors = np.asarray(data.vectors)
        self.queries = data.queries
        counts: Counter[str] = Counter()
        for document in self.documents:
            counts.update(set(re.findall(r"\b[a-z]{5,12}\b", document)))
        self.words = sorted(counts.items())

    def bucket(self, chance: random.Random, kept: int) -> dict[str, Any]:
        """A window of so many of the 1,000 buckets."""
        first = chance.randint(0, 1000 - kept)
        if kept == 1:
            return {"bucket": first}
        return between("bucket", first, first + kept)

    def subject(self, chance: random.Random, kept: int, row: int | None) -> dict[str, Any]:
        """A window of so many thousandths of the synset offsets, around what is nearest to a query
        or anywhere."""
        offsets = self.sorted["synset_offset"]
        width = max(1, len(offsets) * kept // 1000)
        first = chance.randint(0, len(offsets) - 1 - width)
        if row is not None:
            best = nearest(self.queries[row : row + 1], self.vectors)[0][0]
            place = int(np.searchsorted(offsets, self.columns["synset_offset"][best]))
            first = min(max(place - chance.randint(0, width - 1), 0), len(offsets) - 1 - width)
        return between("synset_offset", int(offsets[first]), int(offsets[first + width]))

    def file(self, chance: random.Random) -> dict[str, Any]:
        """The subject of some record: large ones are drawn more often."""
        return {"lexicographer_file": str(chance.choice(self.columns["lexicographer_file"]))}

    def word(self, chance: random.Random, share: tuple[float, float]) -> str:
        """A word that so many of the documents have."""
        low, high = (part * len(self.documents) for part in share)
        return chance.choice([word for word, count in self.words if low <= count <= high])

    def kept(self, where: dict[str, Any] | None) -> np.ndarray:
        """The rows that a filter keeps, as a mask."""
        if where is None:
            return np.ones(len(self.ids), bool)
        [(key, operand)] = where.items()
        if key in ("$and", "$or"):
            masks = [self.kept(part) for part in operand]
            return np.logical_and.reduce(masks) if key == "$and" else np.logical_or.reduce(masks)
        if not isinstance(operand, dict):
            return np.asarray(self.columns[key] == operand)
        [(operator, value)] = operand.items()
        column = self.columns[key]
        return np.asarray(column >= value if operator == "$gte" else column < value)

    def truth(self, kind: str, call: dict[str, Any]) -> list[int]:
        """The rows that a call ought to find; of a limited one, all that it may choose from."""
        if kind == CONTAINS:
            return [row for row, text in enumerate(self.documents) if call["text"] in text]
        if kind == REGEX:
            pattern = re.compile(call["text"])
            return [row for row, text in enumerate(self.documents) if pattern.search(text)]
        rows = np.flatnonzero(self.kept(call.get("where")))
        if kind == QUERY:
            query = self.queries[call["row"] : call["row"] + 1]
            rows = rows[nearest(query, self.vectors[rows])[0]]
        return [int(row) for row in rows]

    def score(self, kind: str, call: dict[str, Any], answer: Any, rows: list[int]) -> float:
        """The share of the true neighbours that a query found; of any other call 1 if it is right.

        A limited call is right if it found as many as it could, each of them once."""
        if kind == COUNT:
            return float(answer == len(rows))
        true_ids = {self.ids[row] for row in rows}
        if kind == QUERY:
            return len(true_ids & set(answer)) / len(true_ids)
        wanted = min(call["limit"], len(true_ids))
        return float(len(answer) == len(set(answer)) == wanted and true_ids >= set(answer))


def between(key: str, first: int, end: int) -> dict[str, Any]:
    return {"$and": [{key: {"$gte": first}}, {key: {"$lt": end}}]}


def both(operands: Operands, chance: random.Random) -> dict[str, Any]:
    """About one record of a hundred: a window of a fifth, and a subject."""
    window = operands.bucket(chance, 200)
    return {"$and": [*window["$and"], operands.file(chance)]}


def either(operands: Operands, chance: random.Random) -> dict[str, Any]:
    """A window of a fiftieth, and all of a subject."""
    return {"$or": [operands.bucket(chance, 20), operands.file(chance)]}


def class_pattern(chance: random.Random) -> str:
    """A pattern without any text that all matches share: classes of characters only."""
    a, b, c, d = chance.sample("abcdefghiklmnoprstuw", 4)
    return chance.choice(CLASS_PATTERNS).format(a=a, b=b, c=c, d=d, n=chance.randint(3, 7))


def literal_pattern(operands: Operands, chance: random.Random) -> str:
    return chance.choice(LITERAL_PATTERNS).format(word=operands.word(chance, RARE_SHARE))


def cases(count: int) -> Sequence[Case]:
    """All that is measured, of a collection of so many records."""
    result = [Case(PLAIN_QUERY, QUERY, lambda _, __, row: {"row": row})]
    shares = {"50 %": 500, "10 %": 100, "1 %": 10, "0.1 %": 1}
    for name, kept in shares.items():
        result.append(
            Case(
                f"query, where keeps {name}",
                QUERY,
                lambda a, chance, row, kept=kept: {"row": row, "where": a.bucket(chance, kept)},
            )
        )
    for name, kept in shares.items():
        result.append(
            Case(
                f"query, where keeps {name}, one subject",
                QUERY,
                lambda a, chance, row, kept=kept: {
                    "row": row,
                    "where": a.subject(chance, kept, row if row % 2 else None),
                },
            )
        )
    return [
        *result,
        Case(
            "query, and of two keys, 1 %",
            QUERY,
            lambda a, chance, row: {"row": row, "where": both(a, chance)},
        ),
        Case(
            "query, or of two keys, 10 %",
            QUERY,
            lambda a, chance, row: {"row": row, "where": either(a, chance)},
        ),
        Case(
            "get where, 0.1 %",
            GET,
            lambda a, chance, _: {"where": a.bucket(chance, 1), "limit": count},
        ),
        Case(
            "get where, 10 %, first 100",
            GET,
            lambda a, chance, _: {"where": a.bucket(chance, 100), "limit": 100},
        ),
        Case(
            "get where, and of two keys, first 100",
            GET,
            lambda a, chance, _: {"where": both(a, chance), "limit": 100},
        ),
        Case(
            "get where, or of two keys, first 100",
            GET,
            lambda a, chance, _: {"where": either(a, chance), "limit": 100},
        ),
        Case("count where, 10 %", COUNT, lambda a, chance, _: {"where": a.bucket(chance, 100)}),
        Case(
            "count where, or of two keys", COUNT, lambda a, chance, _: {"where": either(a, chance)}
        ),
        Case(
            "contains, a common word, first 20",
            CONTAINS,
            lambda a, chance, _: {"text": a.word(chance, COMMON_SHARE), "limit": 20},
        ),
        Case(
            "contains, a rare word, all",
            CONTAINS,
            lambda a, chance, _: {"text": a.word(chance, RARE_SHARE), "limit": count},
        ),
        Case(
            "regex with a rare word, all",
            REGEX,
            lambda a, chance, _: {"text": literal_pattern(a, chance), "limit": count},
        ),
        Case(
            "regex of classes alone, all",
            REGEX,
            lambda _, chance, __: {"text": class_pattern(chance), "limit": count},
        ),
    ]
