"""Official's own tests: run on its package with its engine, then with ours, and compared.

    suite.py bindings [PATH …]   official's package on our engine
    suite.py ours [PATH …]       our package

PATHs are files and folders below official's `chromadb/test`; without any, all are run that need
nothing but this machine. A test that passes with official's engine has to pass with us as well, or
to stand in differences.py. The test files come with official's wheel, which is installed, with what
the tests need, into an environment in `build` of the checkout. None of them is kept here.

CHROMA_SUITE_PYTHON names the interpreter of another environment that has all that, and
CHROMA_SUITE_BASELINE a file of outcomes of official's engine, which is written where it is missing.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from official.differences import BINDINGS, OURS, OUT_OF_SCOPE  # noqa: E402

VERSION = "1.5.9"
REQUIREMENTS = (
    f"chromadb=={VERSION}",
    "chroma-hnswlib==0.7.6",
    "fastapi",
    "hypothesis",
    "opentelemetry-instrumentation-fastapi",
    "pandas",
    "psutil",
    "pytest==8.4.2",
    "pytest-asyncio==0.26.0",
    "pytest-timeout",
    "snowballstemmer",
)

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE.parents[2] / "build" / "official-suite-venv"
TEST_SECONDS_MAX = 300
DIFFERENCES = {"bindings": BINDINGS, "ours": OURS}


@dataclass(frozen=True)
class Outcome:
    state: str
    reason: str


Outcomes = dict[str, Outcome]

# Stands among the tests where a run did not come to its end.
WHOLE_RUN = "the run as a whole"


def suite_python() -> str:
    """The interpreter of an environment with official's package and what its tests need."""
    given = os.environ.get("CHROMA_SUITE_PYTHON")
    if given is not None:
        return given
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *REQUIREMENTS], check=True)
    return str(python)


def lay_our_packages(folder: Path) -> None:
    """Puts our packages into a folder, and nothing else that is installed where they are."""
    import chromadb_swift_bindings

    packages = Path(chromadb_swift_bindings.__file__).parents[1]
    folder.mkdir()
    for name in ("chromadb", "chromadb_swift_bindings"):
        (folder / name).symlink_to(packages / name)


def official_tests(python: str) -> Path:
    code = "import importlib.util; print(importlib.util.find_spec('chromadb').origin)"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()).with_name("test")


def run(kind: str, paths: Sequence[str]) -> Outcomes:
    """Runs official's tests and says what came of each."""
    python = suite_python()
    tests = official_tests(python)
    with tempfile.TemporaryDirectory() as work:
        outcomes = Path(work) / "outcomes"
        outcomes.touch()
        ours = Path(work) / "ours"
        lay_our_packages(ours)
        command = [
            python,
            *("-m", "pytest", "-q", "--tb=no", "-p", "plugin", "-p", "no:cacheprovider"),
            *("--import-mode=importlib", f"--rootdir={tests}", f"--timeout={TEST_SECONDS_MAX}"),
            "--hypothesis-seed=20261123",
            *(f"--deselect={name}" for name in OUT_OF_SCOPE),
            *(f"--ignore={tests / name}" for name in OUT_OF_SCOPE if "::" not in name),
            *(str(tests / path) for path in paths or [""]),
        ]
        done = subprocess.run(
            command,
            cwd=work,
            stdout=sys.stderr,
            env={
                **os.environ,
                "CHROMA_RUST_BINDINGS_TEST_ONLY": "1",
                "CHROMA_SUITE_KIND": kind,
                "CHROMA_SUITE_OURS": str(ours),
                "CHROMA_SUITE_TESTS": str(tests),
                "CHROMA_SUITE_OUTCOMES": str(outcomes),
                "PYTHONHASHSEED": "0",
                "PYTHONPATH": str(HERE),
            },
        )
        found = parsed(outcomes.read_text())
    # 0 and 1: all tests ended, well or not.
    if done.returncode not in (0, 1):
        found[WHOLE_RUN] = Outcome("failed", f"pytest ended with {done.returncode}")
    return found


def parsed(lines: str) -> Outcomes:
    entries = [json.loads(line) for line in lines.splitlines()]
    return {without_addresses(name): Outcome(state, reason) for name, state, reason, _ in entries}


def without_addresses(name: str) -> str:
    """Names of parameters show objects, which lie elsewhere in every process."""
    return re.sub(r"0x[0-9a-f]+", "0x…", name)


def baseline(paths: Sequence[str]) -> Outcomes:
    kept = os.environ.get("CHROMA_SUITE_BASELINE")
    if kept is not None and Path(kept).exists():
        entries = json.loads(Path(kept).read_text())
        return {name: Outcome(*entry) for name, entry in entries.items()}
    outcomes = run("official", paths)
    if kept is not None:
        entries = {name: [outcome.state, outcome.reason] for name, outcome in outcomes.items()}
        Path(kept).write_text(json.dumps(entries, indent=1))
    return outcomes


def unexpected(official: Outcomes, found: Outcomes, known: dict[str, str]) -> list[str]:
    """A line for each test that passes with official's engine, and neither with us nor by list."""
    lines = []
    for name, outcome in official.items():
        ours = found.get(name, Outcome("missing", "the test was not there, or was not reached"))
        if outcome.state != "passed" or ours.state == "passed":
            continue
        if not any(matches(name, pattern) for pattern in known):
            lines.append(f"{name}: {ours.state}: {ours.reason}")
    if WHOLE_RUN in found:
        lines.append(f"{WHOLE_RUN}: {found[WHOLE_RUN].reason}")
    return lines


def out_of_date(official: Outcomes, found: Outcomes, known: dict[str, str]) -> list[str]:
    """The patterns that name tests which all pass with us."""
    return [
        pattern
        for pattern in known
        if (names := [name for name in official if matches(name, pattern)])
        and all(found.get(name, Outcome("missing", "")).state == "passed" for name in names)
    ]


def matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def complaints(kind: str, official: Outcomes, found: Outcomes) -> list[str]:
    """What is wrong with a run on our side, a line each."""
    for name, outcomes in (("official", official), (kind, found)):
        passed = sum(outcome.state == "passed" for outcome in outcomes.values())
        print(f"{name}: {passed} of {len(outcomes)} passed", file=sys.stderr)
    known = DIFFERENCES[kind]
    return unexpected(official, found, known) + [
        f"{pattern} stands in differences.py, and passes: remove it"
        for pattern in out_of_date(official, found, known)
    ]


def main(kind: str, *paths: str) -> int:
    wrong = complaints(kind, baseline(paths), run(kind, paths))
    print("\n".join(wrong) or "Nothing fails with us that passes with official's engine.")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
