"""Promise: the default embedding function gives the vectors that official Chroma's gives.

Method: both run on the same graph, official Chroma's padding every text to 256 tokens.
"""

from __future__ import annotations

import json
import os
import subprocess

import minilm_reference as reference
import numpy as np
import pytest

EMBED = """
import json, sys
import numpy as np
from chromadb.utils.embedding_functions import ONNXMiniLM_L6_V2
np.save(sys.argv[1], np.array(ONNXMiniLM_L6_V2()(json.load(sys.stdin))))
"""


@pytest.mark.official
def test_the_default_vectors_are_those_of_upstream(official_python, tmp_path):
    function = reference.function_on_real_model(tmp_path / "models")
    texts = [*reference.texts_of_many_lengths(seed=4, count=40), "", "long " * 400, "über 🙂 中文"]
    ours = function(texts)

    # Where official Chroma has its unpacked archive; of four of its files it wants only the names.
    files = function._files()
    folder = tmp_path / ".cache" / "chroma" / "onnx_models" / "all-MiniLM-L6-v2" / "onnx"
    folder.mkdir(parents=True)
    (folder / "model.onnx").symlink_to(files.model)
    (folder / "tokenizer.json").symlink_to(files.tokenizer)
    for name in ("config.json", "special_tokens_map.json", "tokenizer_config.json", "vocab.txt"):
        (folder / name).touch()
    subprocess.run(
        [official_python, "-c", EMBED, tmp_path / "upstream.npy"],
        input=json.dumps(texts),
        text=True,
        env={**os.environ, "HOME": str(tmp_path)},
        check=True,
    )
    np.testing.assert_allclose(ours, np.load(tmp_path / "upstream.npy"), atol=1e-5)
