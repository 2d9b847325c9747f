"""Promise: a collection embeds with the function that it embeds with in official Chroma.

Method: one list of trials, `trials.py`, on both. Official's outcomes are recorded, and live where
it is. Where ours differ, it is said here how, and COMPAT.md says why.
"""

from __future__ import annotations

import json
import lzma
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RECORDED = Path(__file__).with_name("official.json.xz")
TRIALS = Path(__file__).with_name("trials.py")

NO_FUNCTION = (
    "ValueError: You must provide an embedding function to compute embeddings."
    "https://docs.trychroma.com/guides/embeddings in add."
)
CONFLICT = (
    "ValueError: An embedding function already exists in the collection configuration, and a new "
    "one is provided. If this is intentional, please embed documents separately. Embedding "
    "function conflict: new: {} vs persisted: {}"
)

# Opened with None, and remembering none.
WITHOUT_FUNCTION = (
    "none: embeds",
    "none: get_collection with none",
    "none: get_or_create_collection with none",
)


def outcomes(python: str, *options: str, path: Path) -> dict[str, Any]:
    command = [python, *options, str(TRIALS), str(path)]
    subprocess.run(command, check=True, cwd=path.parent)
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(lzma.decompress(RECORDED.read_bytes()))
    return loaded


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return outcomes(sys.executable, path=tmp_path_factory.mktemp("remembered") / "ours.json")


def test_collections_embed_with_the_function_they_have_upstream(
    ours: dict[str, Any], recorded: dict[str, Any]
) -> None:
    assert list(ours) == list(recorded)
    for trial, theirs in recorded.items():
        if trial.startswith("lost"):
            continue  # The next test has them.
        found, expected = ours[trial], theirs
        if theirs == "AttributeError: 'Plain' object has no attribute 'name'":
            # A plain callable serves where nothing is remembered, and is in conflict elsewhere.
            creation = trial.partition(":")[0]
            stored = ours[f"{creation}: stored"]
            remembers = stored is not None and "name" in stored
            expected = CONFLICT.format("Plain", stored["name"]) if remembers else "plain"
        elif "new: NotImplemented" in str(theirs):
            expected = theirs.replace("new: NotImplemented", "new: Nameless")
        elif trial in WITHOUT_FUNCTION:
            assert theirs == "default"
            expected = NO_FUNCTION
        assert found == expected, trial


def test_a_function_that_cannot_be_built_again_is_remembered(ours: dict[str, Any]) -> None:
    """Upstream forgets it, and embeds with the default one when the collection is opened again."""
    missing = (
        "ValueError: Could not build embedding function lost from config {'dimension': 3}: "
        "The key is missing."
    )
    assert ours["lost: stored"] == {"type": "known", "name": "lost", "config": {"dimension": 3}}
    assert ours["lost: embeds"] == "own"  # With the function that it was created with.
    assert ours["lost: configuration"] == missing
    for method in ("get_collection", "get_or_create_collection"):
        for opening in ("nothing", "none", "default"):
            assert ours[f"lost: {method} with {opening}"] == f"{missing} in add."
        for opening, name in (("own", "own"), ("plain", "Plain"), ("nameless", "Nameless")):
            expected = CONFLICT.format(name, "lost")
            assert ours[f"lost: {method} with {opening}"] == expected


@pytest.mark.official
def test_the_record_is_what_official_chroma_does(
    official_python: str, recorded: dict[str, Any], tmp_path: Path
) -> None:
    assert outcomes(official_python, "-E", path=tmp_path / "official.json") == recorded
