"""Reading the synsets of WordNet as Debian's package wordnet-base installs them.

A line of a data file describes one set of synonyms (wndb(5WN)):

    offset lex_filenum ss_type w_cnt {word lex_id}... p_cnt {pointer}... [frames] | gloss

All is decimal but `w_cnt`, which is hexadecimal. The licence's lines at the top begin with a space.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path("/usr/share/wordnet")

PARTS_OF_SPEECH = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}

# By number, from lexnames(5WN).
LEXICOGRAPHER_FILES = """
    adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body
    noun.cognition noun.communication noun.event noun.feeling noun.food noun.group noun.location
    noun.motive noun.object noun.person noun.phenomenon noun.plant noun.possession noun.process
    noun.quantity noun.relation noun.shape noun.state noun.substance noun.time verb.body verb.change
    verb.cognition verb.communication verb.competition verb.consumption verb.contact verb.creation
    verb.emotion verb.motion verb.perception verb.possession verb.social verb.stative verb.weather
    adj.ppl
""".split()  # noqa: SIM905


@dataclass(frozen=True)
class Record:
    """One synset as a record of a collection."""

    id: str
    document: str
    metadata: dict[str, Any]


def read_records(folder: Path = FOLDER) -> Iterator[Record]:
    """Yields every synset of WordNet, in the order of its files."""
    for part_of_speech in PARTS_OF_SPEECH:
        with open(folder / f"data.{part_of_speech}", encoding="utf-8") as lines:
            for line in lines:
                if not line.startswith(" "):
                    yield _parse(part_of_speech, line)


def choose_records(count: int) -> list[Record]:
    """Returns `count` synsets from all over WordNet, always the same; all if there are fewer."""
    records = list(read_records())
    random.Random(3).shuffle(records)
    return records[:count]


def _parse(part_of_speech: str, line: str) -> Record:
    data, _, gloss = line.partition("|")
    offset, file_number, kind, word_count_text, *fields = data.split()
    word_count = int(word_count_text, 16)
    # An adjective may carry where it stands: "galore(ip)".
    lemmas = [word.replace("_", " ").partition("(")[0] for word in fields[: 2 * word_count : 2]]
    return Record(
        id=f"{PARTS_OF_SPEECH[part_of_speech]}{offset}",
        document=gloss.strip(),
        metadata={
            "lemma": lemmas[0],
            "part_of_speech": part_of_speech,
            "is_satellite": kind == "s",
            "lexicographer_file": LEXICOGRAPHER_FILES[int(file_number)],
            "lexicographer_file_number": int(file_number),
            "synset_offset": int(offset),
            "word_count": word_count,
            "words": ", ".join(lemmas),
            "pointer_count": int(fields[2 * word_count]),
            "example_count": gloss.count('; "'),
        },
    )
