#!/usr/bin/env python3
"""The rules of this repository that no compiler and no formatter checks.

Prints every place that breaks one and ends with the count. Run it from anywhere:

    Tests/RepositoryTests/lint.py
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_LINE_COUNT_MAX = 70
FILE_LINE_COUNT_MAX = 600
COLUMN_COUNT_MAX = 100

# Modules below the doors: no Foundation, no Swift concurrency.
CORE = (
    "ChromaBase ChromaKernels ChromaStorage ChromaSQLite ChromaCatalog ChromaIndex ChromaText "
    "ChromaSegment ChromaQuery ChromaEngine ChromaRecovery ChromaABI ChromaShared"
).split()

Finding = tuple[Path, int, str]


def files(*patterns: str) -> list[Path]:
    """Files of the repository, committed or about to be."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


def lines(path: Path) -> list[str]:
    """Of any file: fixtures are not all text."""
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def core_files() -> list[Path]:
    return [path for module in CORE for path in files(f"Sources/{module}/*.swift")]


def no_foundation_and_no_tasks_below_the_doors() -> Iterator[Finding]:
    wrong = re.compile(
        r"^\s*(?:\w+ )?import (Foundation|Dispatch)|\b(Task|await|async|actor)\b(?!:)\s*[{(.\w]")
    for path in core_files():
        for number, line in enumerate(lines(path), 1):
            code = line.split("//")[0]
            code = re.sub(r'"(?:\\.|[^"\\])*"', '""', code)
            if wrong.search(code):
                yield path, number, "Foundation and Swift concurrency stay out of libchroma"


def nothing_traps_on_purpose() -> Iterator[Finding]:
    wrong = re.compile(r"\btry!|\bas!|\bfatalError\(")
    for path in core_files() + files("Sources/Chroma/*.swift"):
        for number, line in enumerate(lines(path), 1):
            if wrong.search(line.split("//")[0]):
                yield path, number, "try!, as! and fatalError end the user's process"


def unsafe_claims_say_why_they_hold() -> Iterator[Finding]:
    claim = re.compile(r"@unchecked Sendable|nonisolated\(unsafe\)")
    for path in files("Sources/*.swift"):
        text = lines(path)
        for number, line in enumerate(text, 1):
            if claim.search(line.split("//")[0]):
                before = text[max(0, number - 5) : number - 1]
                if "//" not in line and not any(item.strip().startswith("//") for item in before):
                    yield path, number, "an unsafe claim carries a line on why it is sound"


def functions_fit_a_screen() -> Iterator[Finding]:
    start = re.compile(r"^(\s*)(?:@\w+(?:\([^)]*\))? )*(?:[\w()]+ )*(?:func|init|deinit)\b.*$")
    for path in files("Sources/*.swift", "Tests/*.swift"):
        text = lines(path)
        for number, line in enumerate(text):
            match = start.match(line)
            if not match or line.strip().startswith("//"):
                continue
            head = next((item for item in text[number:] if not item or item.endswith("{")), "")
            if not head:  # A protocol's requirement has no body.
                continue
            closing = match[1] + "}"
            for length, later in enumerate(text[number:], 1):
                if later == closing or (length > 1 and later.startswith(closing)):
                    if length > FUNCTION_LINE_COUNT_MAX:
                        yield path, number + 1, f"a function of {length} lines"
                    break


def files_hold_one_idea() -> Iterator[Finding]:
    for path in files("Sources", "Tests", "python", "bindings", "examples", "scripts"):
        if path.suffix in {".swift", ".c", ".h", ".py", ".js", ".ts"}:
            count = len(lines(path))
            if count > FILE_LINE_COUNT_MAX:
                yield path, count, f"a file of {count} lines, more than {FILE_LINE_COUNT_MAX}"


def lines_fit_the_width() -> Iterator[Finding]:
    # Swift's formatter sees to Swift.
    patterns = ("*.c", "*.h", "*.cpp", "*.py", "*.pyi", "*.js", "*.ts")
    for path in files(*patterns):
        for number, line in enumerate(lines(path), 1):
            if len(line) > COLUMN_COUNT_MAX:
                yield path, number, f"{len(line)} columns, more than {COLUMN_COUNT_MAX}"


def nothing_is_left_to_do() -> Iterator[Finding]:
    mark = re.compile(r"\b(FIX" + r"ME|XX" + r"X|HA" + r"CK|TO" + r"DO)\b")
    for path in files("Sources", "Tests", "python", "bindings", "examples", "scripts", "docs"):
        if path.suffix in {".png", ".xz", ".json", ".gz", ".txt", ".tsv"}:
            continue
        for number, line in enumerate(lines(path), 1):
            if mark.search(line):
                yield path, number, "a mark that something is left to do"


def imports_are_declared() -> Iterator[Finding]:
    """SwiftPM builds an undeclared import when another target has built the module before."""
    manifest = (ROOT / "Package.swift").read_text()
    for match in re.finditer(
        r'\.target\(\s*name: "(\w+)",\s*dependencies: \[([^\]]*)\]', manifest
    ):
        module, declared = match[1], set(re.findall(r'"(\w+)"', match[2]))
        for path in files(f"Sources/{module}/*.swift"):
            for number, line in enumerate(lines(path), 1):
                imported = re.match(r"(?:@?\w+ )*import (C?Chroma\w*|CSQLite|CZstd)", line)
                if imported and imported[1] not in declared:
                    yield path, number, f"{imported[1]} is not declared in the manifest"


def unsafe_flags_stay_in_the_leaf() -> Iterator[Finding]:
    text = lines(ROOT / "Package.swift")
    places = [number for number, line in enumerate(text, 1) if ".unsafeFlags(" in line]
    for number in places[1:]:
        yield ROOT / "Package.swift", number, "unsafe flags outside ChromaShared"


def nothing_of_a_machine() -> Iterator[Finding]:
    wrong = re.compile(r"(?<![\w.])/(?:root|home/\w+)/|pypi" + r"\.org|npmjs" + r"\.(?:org|com)")
    for path in files():
        if path.suffix in {".xz", ".png", ".gz"}:
            continue
        for number, line in enumerate(lines(path), 1):
            if wrong.search(line):
                yield path, number, "a path or host of one machine"


def tags_and_the_release_agree() -> Iterator[Finding]:
    source = ROOT / "Sources/ChromaBase/Release.swift"
    version = re.search(r'version = "([^"]+)"', source.read_text())
    tags = subprocess.run(
        ["git", "tag", "--points-at", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.split()
    for tag in tags:
        if version is None or tag != f"v{version[1]}":
            yield source, 1, f"the tag {tag} is not v and the version that stands here"


RULES: list[Callable[[], Iterator[Finding]]] = [
    no_foundation_and_no_tasks_below_the_doors,
    nothing_traps_on_purpose,
    unsafe_claims_say_why_they_hold,
    functions_fit_a_screen,
    files_hold_one_idea,
    lines_fit_the_width,
    nothing_is_left_to_do,
    imports_are_declared,
    unsafe_flags_stay_in_the_leaf,
    nothing_of_a_machine,
    tags_and_the_release_agree,
]


def main() -> int:
    failed = 0
    for rule in RULES:
        findings = list(rule())
        failed += bool(findings)
        for path, number, what in findings:
            print(f"{path.relative_to(ROOT)}:{number}: {what} ({rule.__name__})")
    print(f"{len(RULES) - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
