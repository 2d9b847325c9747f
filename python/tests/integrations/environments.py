"""Environments that have our wheel and a framework, and what running tests in them says.

They lie in `build/integrations` and are kept: a second run installs the wheel, and little else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import venv
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
FOLDER = ROOT / "build" / "integrations"

# Modules that only processes inside an environment load.
INSIDE = HERE / "inside"

# Nothing is asked of a vendor, and nothing told.
QUIET = {
    "ANONYMIZED_TELEMETRY": "False",
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "MEM0_TELEMETRY": "False",
    "OPENAI_API_KEY": "none",
    "OTEL_SDK_DISABLED": "true",
}


def run(*command: str | Path, **options: object) -> str:
    """What a command prints. That it fails is an error which has the output."""
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"
    return str(done.stdout)


@dataclass(frozen=True)
class Outcome:
    """How the tests of one run ended, by their names."""

    states: dict[str, str]
    output: str

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.states.values())

    @property
    def failed(self) -> set[str]:
        return {name for name, state in self.states.items() if state == "failed"}


@dataclass(frozen=True)
class Environment:
    """One virtual environment and the tests that run in it."""

    name: str

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def pip(self) -> tuple[str | Path, ...]:
        return self.python, "-m", "pip", "--disable-pip-version-check", "--quiet"

    def install(self, *requirements: str, wheel: Path | None = None) -> None:
        """Installs our wheel, if it is given, then what has to find it good enough."""
        if not self.python.exists():
            venv.create(self.folder, with_pip=True)
        ours = () if wheel is None else (wheel,)
        if ours:
            run(*self.pip, "install", "--force-reinstall", "--no-deps", *ours)
        run(*self.pip, "install", *ours, *requirements)

    def check(self) -> None:
        """Fails where versions do not fit, as `pip check` does."""
        run(*self.pip, "check")

    def program(self, code: str) -> str:
        """What a program prints."""
        return run(self.python, "-c", code, env=self.variables()).strip()

    def unpack(self, distribution: str) -> Path:
        """The source distribution of the version that is installed."""
        version = self.program(
            f"import importlib.metadata as m; print(m.version('{distribution}'))"
        )
        target = self.folder / "sources"
        name = f"{distribution.replace('-', '_')}-{version}"
        if not (target / name).exists():
            shutil.rmtree(target, ignore_errors=True)
            only = ("--no-deps", "--no-binary", distribution, "--dest", target)
            run(*self.pip, "download", *only, f"{distribution}=={version}")
            with tarfile.open(target / f"{name}.tar.gz") as archive:
                archive.extractall(target, filter="data")
        return target / name

    def test(
        self, folder: Path, *arguments: str | Path, official: str | None = None, port: int = 0
    ) -> Outcome:
        """Runs pytest. With the interpreter of official Chroma, this takes our package's place.

        `port` is where a server listens that tests look for at port 8000.
        """
        variables = self.variables() | {"CHROMA_TEST_PORT": str(port)}
        if official is not None:
            packages = Path(
                run(official, "-c", "import chromadb; print(chromadb.__path__[0])").strip()
            ).parent
            variables["CHROMA_TEST_OFFICIAL"] = str(packages)
        report = self.folder / "report.xml"
        report.unlink(missing_ok=True)
        done = subprocess.run(
            [
                *(str(self.python), "-m", "pytest", "-p", "offline", "-p", "no:cacheprovider"),
                *("-q", "-rf", "-W", "ignore", f"--junit-xml={report}"),
                *map(str, arguments),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=variables,
        )
        # 5: that no test was left is for the caller to judge.
        assert done.returncode in (0, 1, 5), done.stdout
        return Outcome(states_of(report), done.stdout)

    def variables(self) -> dict[str, str]:
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {**kept, **QUIET, "HOME": str(home), "PYTHONPATH": str(INSIDE)}


def states_of(report: Path) -> dict[str, str]:
    states = {}
    for case in ElementTree.parse(report).iter("testcase"):
        marks = {child.tag for child in case}
        state = "failed" if marks & {"failure", "error"} else "passed"
        name = f"{case.get('classname')}::{case.get('name')}"
        states[name] = "skipped" if "skipped" in marks else state
    return states
