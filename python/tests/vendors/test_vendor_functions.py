"""Promise: the embedding functions that talk to services ask them what official Chroma's ask.

Method: one list of trials, `trials.py`, on both, with stand-ins for the vendors' packages and
services that write down every call and request. Official's outcomes are recorded, and live where
it is. Where ours differ, it is said here how, and why.
"""

from __future__ import annotations

import json
import lzma
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import chromadb
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.utils import embedding_functions

from .fakes import standing_in
from .trials import CLASSES, SETUPS, TEXTS, Setup, made, refuses_images

RECORDED = Path(__file__).with_name("official.json.xz")


def outcomes(python: str, path: Path) -> dict[str, Any]:
    script = Path(__file__).with_name("trials.py")
    # A PYTHONPATH that leads to ours must not lead official's interpreter there.
    flags = [] if python == sys.executable else ["-E"]
    subprocess.run([python, *flags, str(script), str(path)], check=True, cwd=path.parent)
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(lzma.decompress(RECORDED.read_bytes()))
    return loaded


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return outcomes(sys.executable, tmp_path_factory.mktemp("vendors") / "ours.json")


# ---- As official Chroma's ------------------------------------------------------------------------


def expected(label: str, official: dict[str, Any]) -> dict[str, Any] | None:
    """What ours should do where official's does this; None where ours does more, see below."""
    outcome = dict(official)
    asked = outcome.get("asked", [])
    if "AssertionError" in outcome.get("error", ""):
        if label.startswith("chroma-cloud-qwen") and "without model" not in label:
            return None  # A function without a task cannot be built again there.
        # Their "This code should not be reached" can be reached: with a damaged configuration.
        setup, _, key = label.partition(": rebuilt without ")
        name = setup.partition(",")[0]
        outcome["error"] = (
            f"ValueError: The configuration of the embedding function {name!r} lacks {key!r}."
        )
    if label.startswith(("huggingface_server, down", "roboflow, down")) and asked:
        # Theirs make vectors of whatever the service answers, and say which Python error came out.
        outcome["error"] = "RuntimeError: This key is refused."
    if ": validated: " in label and "error" in outcome:
        # Their class is one of the package `jsonschema`, which ours do without.
        outcome["error"] = f"Config{outcome['error']}"
    if label.startswith("openai, azure") and "without api_type" not in label:
        # Theirs make a client of the other service first, and drop it.
        asked = [call for call in asked if call[0] != "openai.OpenAI"]
    if asked and asked[0][0] == "google.generativeai.configure":
        # The package refuses the options that theirs give; it has another way to name the caller.
        client_info = "google.api_core.gapic_v1.client_info.ClientInfo"
        caller = {"user_agent": f"chroma/{chromadb.__version__}"}
        arguments = {"api_key": asked[0][1]["api_key"], "client_info": f"{client_info}()"}
        asked = [[client_info, caller], [asked[0][0], arguments]]
    outcome.pop("asked", None)
    return {**outcome, "asked": asked} if asked else outcome


def assert_alike(ours: dict[str, Any], official: dict[str, Any]) -> None:
    wanted = {label: expected(label, outcome) for label, outcome in official.items()}
    different = [
        f"{label}:\n  ours     {ours.get(label)}\n  expected {outcome}"
        for label, outcome in wanted.items()
        if outcome is not None and ours.get(label) != outcome
    ]
    assert not different, "\n".join([f"{len(different)} differ", *different[:5]])


def test_services_are_asked_what_official_chroma_asked_them(ours, recorded):
    assert_alike(ours, recorded)


@pytest.mark.official
def test_services_are_asked_what_official_chroma_asks_them(official_python, ours, tmp_path):
    assert_alike(ours, outcomes(official_python, tmp_path / "official.json"))


def test_the_recording_has_every_function_and_refusals_of_every_kind(recorded):
    assert {setup.cls for setup in SETUPS} == set(CLASSES)
    assert all(f"{setup.label}: made" in recorded for setup in SETUPS)
    assert len({outcome["error"] for outcome in recorded.values() if "error" in outcome}) >= 50
    assert sum("asked" in outcome for outcome in recorded.values()) > 250


# ---- Collections ---------------------------------------------------------------------------------

# One of each function that can be made and used.
USABLE = {setup.cls: setup for setup in reversed(SETUPS) if "," not in setup.label}
USABLE["GoogleGenaiEmbeddingFunction"] = next(
    setup for setup in SETUPS if setup.cls == "GoogleGenaiEmbeddingFunction"
)


@pytest.mark.parametrize("setup", USABLE.values(), ids=lambda setup: setup.cls)
def test_a_collection_asks_alike_when_it_is_opened_again(tmp_path: Path, setup: Setup) -> None:
    with standing_in(setup.variables) as asked:
        function = made(setup)
        with chromadb.PersistentClient(tmp_path) as client:
            notes = client.create_collection("notes", embedding_function=function)
            asked.clear()
            notes.add(ids=["bees", "ants", "none"], documents=TEXTS)
            adding = list(asked)
            asked.clear()
            found = notes.query(query_texts=TEXTS[:1], n_results=1)
            querying = list(asked)
        assert adding and querying
        with chromadb.PersistentClient(tmp_path) as client:
            notes = client.get_collection("notes")
            stored = notes.configuration_json["embedding_function"]
            assert stored["name"] == function.name() and stored["config"] == function.get_config()
            assert "the-key" not in json.dumps(stored)
            # Made now, so that what is asked to make it is not in the way.
            assert isinstance(notes.configuration["embedding_function"], type(function))
            asked.clear()
            assert notes.query(query_texts=TEXTS[:1], n_results=1)["ids"] == found["ids"]
            assert without_making(asked) == without_making(querying)
            asked.clear()
            notes.add(ids=["1", "2", "3"], documents=TEXTS)
            assert without_making(asked) == without_making(adding)


def without_making(asked: list[Any]) -> list[Any]:
    """The calls that embed: those that make a client come again when a function is built again."""
    embedding = ("embed", "create", "embeddings", "invoke_model", "text")
    return [call for call in asked if call[0] == "POST" or call[0].endswith(embedding)]


def test_a_collection_opens_where_the_key_is_missing_and_says_so_when_it_is_used(tmp_path):
    setup = USABLE["OpenAIEmbeddingFunction"]
    with standing_in(setup.variables), chromadb.PersistentClient(tmp_path) as client:
        client.create_collection("notes", embedding_function=made(setup))
    with standing_in(), chromadb.PersistentClient(tmp_path) as client:
        notes = client.get_collection("notes")
        assert notes.count() == 0
        with pytest.raises(ValueError, match="The CHROMA_OPENAI_API_KEY environment variable is"):
            notes.query(query_texts="bees")


# ---- What official Chroma's cannot do -----------------------------------------------------------


def test_a_package_is_not_needed_before_its_function_is_made():
    vendors = ("boto3", "cohere", "google.genai", "httpx", "ollama", "openai", "PIL", "voyageai")
    code = (
        "import sys; from chromadb.utils import embedding_functions as functions\n"
        f"for name in {sorted(CLASSES)}: getattr(functions, name)\n"
        f"print([name for name in {vendors} if name in sys.modules])"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.stdout == "[]\n", process.stderr


def test_qwen_takes_the_key_of_a_client_in_use_where_the_environment_has_none(monkeypatch):
    def key() -> str:
        return "a client's key"

    monkeypatch.setattr(SharedSystemClient, "get_chroma_cloud_api_key_from_clients", key)
    setup = USABLE["ChromaCloudQwenEmbeddingFunction"]
    for variables, expected in ((setup.variables, "the-key"), ({}, "a client's key")):
        with standing_in(variables) as asked:
            made(setup)(TEXTS)
            assert asked[0][2]["x-chroma-token"] == expected


def test_qwen_without_a_task_is_built_again():
    setup = next(setup for setup in SETUPS if setup.label == "chroma-cloud-qwen, no task")
    with standing_in(setup.variables) as asked:
        function = made(setup)
        again = type(function).build_from_config(function.get_config())
        assert again.task is None
        assert np.array_equal(again(TEXTS), function(TEXTS))
        assert asked[0] == asked[1]


def test_credentials_given_to_bedrock_are_used_and_not_remembered():
    secrets = {"aws_access_key_id": "id", "aws_secret_access_key": "s3cret"}
    with standing_in() as asked:
        session = sys.modules["boto3"].Session(region_name="eu-west-1")
        function = embedding_functions.AmazonBedrockEmbeddingFunction(
            session, use_ssl=False, **secrets
        )
        assert asked[-1][1] == {
            "service_name": "bedrock-runtime",
            "use_ssl": False,
            **secrets,
        }
        assert function.get_config()["kwargs"] == {"use_ssl": False}


def test_mistrals_client_is_found_where_later_packages_have_it(monkeypatch):
    with standing_in({"MISTRAL_API_KEY": "the-key"}) as asked:
        client = SimpleNamespace(Mistral=sys.modules["mistralai"].Mistral)
        monkeypatch.setitem(sys.modules, "mistralai", SimpleNamespace())
        monkeypatch.setitem(sys.modules, "mistralai.client", client)
        embedding_functions.MistralEmbeddingFunction("mistral-embed")(TEXTS)
        assert [call[0] for call in asked] == [
            "mistralai.Mistral",
            "mistralai.Mistral().embeddings.create",
        ]


def test_palm_is_asked_by_the_only_call_that_later_packages_have(monkeypatch):
    with standing_in({"GOOGLE_API_KEY": "the-key"}) as asked:
        package = sys.modules["google.generativeai"]
        later = SimpleNamespace(configure=package.configure, embed_content=package.embed_content)
        monkeypatch.setitem(sys.modules, "google.generativeai", later)
        function = embedding_functions.GooglePalmEmbeddingFunction()
        asked.clear()
        function(TEXTS[:1])
        assert asked == [
            [
                "google.generativeai.embed_content",
                {"model": "models/embedding-gecko-001", "content": TEXTS[0]},
            ]
        ]


def test_morph_decodes_what_came_as_base64():
    import base64

    row = np.array([1.5, -2.0], dtype="<f4")
    with standing_in({"MORPH_API_KEY": "the-key"}):
        function = embedding_functions.MorphEmbeddingFunction(encoding_format="base64")
        item = SimpleNamespace(embedding=base64.b64encode(row.tobytes()).decode())
        function.client = SimpleNamespace(
            embeddings=SimpleNamespace(create=lambda **_: SimpleNamespace(data=[item]))
        )
        assert np.array_equal(function(["bees"]), [row])


@pytest.mark.parametrize("setup", USABLE.values(), ids=lambda setup: setup.cls)
def test_images_reach_no_service_that_takes_texts(setup: Setup) -> None:
    with standing_in(setup.variables) as asked:
        function = made(setup)
        if not refuses_images(function):
            return
        asked.clear()
        with pytest.raises(ValueError):
            function([np.zeros((2, 2, 3), dtype=np.uint8)])
        assert all("Config" in call[0] for call in asked)
