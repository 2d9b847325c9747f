"""Promise: what can be imported from official Chroma can be imported from ours, and called alike.

Method: official's names, parameters, defaults, fields and values are recorded as data, by
`describe.py`, and every module is compared with its record. Where official Chroma is at hand the
record is compared with it. `python -m tests.surface.compare` prints what is left to do.
"""

from __future__ import annotations

import json
import lzma
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from .compare import module_differences, recorded

# Differences that are meant, by the sentence that names them, and why.
DELIBERATE: dict[str, str] = {
    "chromadb.config.Settings field chroma_server_auth_ignore_paths is *": (
        "upstream's paths begin with the name of an enumeration's member, by mistake"
    ),
    "chromadb*parameter settings has default [[]None], not *": (
        "importing the package makes no Settings, which would read the environment and `.env`"
    ),
    "chromadb.api.segment.check_index_name *": "a part of the former Python engine",
    "chromadb.api.segment.rate_limit *": "a part of the former Python engine",
    "chromadb.api.segment.SegmentAPI.get_collection parameter name *": (
        "the former engine took any collection for one of no name"
    ),
    "chromadb.auth.token_authn.User *": "a part of the former Python server",
    "chromadb.auth.token_authn.allowed_token_headers *": "the check of a token is its own",
    "chromadb.auth.token_authn.valid_token_chars *": "the check of a token is its own",
    "chromadb.telemetry.*.SERVER_CONTEXT is missing": "nothing is sent",
    "chromadb.telemetry.*.UNKNOWN_USER_ID is missing": "nothing is sent, by nobody",
    "chromadb.telemetry.*.USER_ID_PATH is missing": "nothing is sent, by nobody",
    "chromadb.telemetry.*.context is missing": "nothing is sent",
    "chromadb.telemetry.*.user_id is missing": "nothing is sent, by nobody",
    "chromadb.telemetry.product.TELEMETRY_WHITELISTED_SETTINGS *": "nothing is sent",
    "chromadb.telemetry.opentelemetry.SERVICE_NAME *": "a name of OpenTelemetry's",
    "chromadb.utils.embedding_functions.schemas.*.SCHEMAS_DIR is missing": (
        "the schemas stand in a module, not in a folder of files beside the package"
    ),
    "chromadb.utils.embedding_functions.schemas.*.cached_schemas is missing": (
        "what stands in a module needs no cache"
    ),
}


def deliberate(difference: str) -> bool:
    return any(fnmatchcase(difference, pattern) for pattern in DELIBERATE)


@pytest.mark.parametrize("path", recorded())
def test_a_module_has_what_officials_has(path: str) -> None:
    differences = [
        difference
        for difference in module_differences(path, recorded()[path])
        if not deliberate(difference)
    ]
    assert not differences, "\n".join(differences)


def test_every_difference_that_is_meant_is_there() -> None:
    found = [line for path, facts in recorded().items() for line in module_differences(path, facts)]
    unused = [
        pattern
        for pattern in DELIBERATE
        if not any(fnmatchcase(difference, pattern) for difference in found)
    ]
    assert not unused


@pytest.mark.official
def test_the_record_is_what_official_chroma_has(official_python: str, tmp_path: Path) -> None:
    script = Path(__file__).with_name("describe.py")
    fresh = tmp_path / "fresh.json.xz"
    subprocess.run([official_python, "-E", str(script), str(fresh)], check=True, cwd=tmp_path)
    expected = recorded()
    del expected["chromadb.utils.results"]  # Needs pandas, which official does not install.
    described = json.loads(lzma.decompress(fresh.read_bytes()))
    del described["chromadb.utils.results"]
    assert described == expected
