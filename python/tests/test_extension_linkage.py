"""What the native files of the package need from the machine, and what they show it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from chromadb_swift_bindings import _chroma

EXTENSION = Path(_chroma.__file__)
LIBRARY = EXTENSION.with_name("libchroma.so.1")

pytestmark = pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed")


def dynamic(file: Path, tag: str) -> set[str]:
    """The values of a tag in the dynamic section."""
    shown = subprocess.run(
        ["readelf", "--dynamic", "--wide", str(file)], capture_output=True, text=True, check=True
    ).stdout
    return {line.rsplit("[", 1)[1].rstrip("]") for line in shown.splitlines() if f"({tag})" in line}


def symbols(file: Path, is_defined: bool) -> set[str]:
    shown = subprocess.run(
        ["readelf", "--dyn-syms", "--wide", str(file)], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split() for line in shown.splitlines() if " GLOBAL " in line]
    return {row[7].partition("@")[0] for row in rows if (row[6] != "UND") == is_defined}


def test_the_library_needs_nothing_but_libc() -> None:
    needed = {name.partition(".so")[0] for name in dynamic(LIBRARY, "NEEDED")}
    assert needed <= {"libc", "libm", "ld-linux-x86-64", "ld-linux-aarch64"}
    assert dynamic(LIBRARY, "SONAME") == {LIBRARY.name}


def test_glibc_from_2_34_on_is_enough() -> None:
    for file in (EXTENSION, LIBRARY):
        shown = subprocess.run(
            ["readelf", "--version-info", "--wide", str(file)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        asked = {tuple(map(int, part)) for part in re.findall(r"GLIBC_(\d+)\.(\d+)", shown)}
        assert (2, 0) < max(asked) <= (2, 34), file


def test_the_extension_finds_the_library_beside_it_and_nowhere_else() -> None:
    assert LIBRARY.name in dynamic(EXTENSION, "NEEDED")
    assert dynamic(EXTENSION, "RUNPATH") == {"$ORIGIN"}
    assert {name.partition(".so")[0] for name in dynamic(EXTENSION, "NEEDED")} <= {
        "libc",
        "libchroma",
    }


def test_the_extension_shows_its_initialisation_alone() -> None:
    assert symbols(EXTENSION, is_defined=True) == {"PyInit__chroma"}
    assert EXTENSION.name.endswith(".abi3.so")


def test_neither_file_holds_symbols_for_debugging() -> None:
    for file in (EXTENSION, LIBRARY):
        shown = subprocess.run(
            ["readelf", "--sections", "--wide", str(file)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert ".debug_info" not in shown and ".symtab" not in shown
