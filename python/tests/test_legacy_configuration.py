"""Promise: configurations are read, filled in and written over each other as upstream does it.

Both kinds: the dictionaries of today, and the classes of `chromadb.api.configuration`.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from conftest import LengthFunction

from chromadb.api import collection_configuration as today
from chromadb.api import configuration as former
from chromadb.api.types import Schema, VectorIndexConfig
from chromadb.utils.embedding_functions import register_embedding_function

HNSW = {"space": "ip", "ef_search": 7, "num_threads": 2, "unknown": 1}
SPANN = {"space": "l2", "search_nprobe": 5, "ef_search": 6, "split_threshold": 50}


@pytest.fixture(autouse=True)
def known_function() -> None:
    register_embedding_function(LengthFunction)


FUNCTION = {"type": "known", "name": "length", "config": {"dimension": 4}}


def test_a_configuration_keeps_what_json_says_and_no_more() -> None:
    read = today.load_create_collection_configuration_from_json(
        {"hnsw": HNSW, "embedding_function": FUNCTION}
    )
    assert read["hnsw"] == {"space": "ip", "ef_search": 7, "num_threads": 2}
    assert read["embedding_function"].get_config() == {"dimension": 4}
    read = today.load_create_collection_configuration_from_json({"spann": SPANN})
    assert read == {"spann": {"space": "l2", "search_nprobe": 5, "ef_search": 6}}


def test_a_change_keeps_what_may_change() -> None:
    text = json.dumps({"hnsw": HNSW, "embedding_function": {"type": "legacy"}})
    with pytest.warns(DeprecationWarning, match="legacy embedding function config"):
        read = today.load_update_collection_configuration_from_json_str(text)
    assert read == {"hnsw": {"ef_search": 7, "num_threads": 2}}
    read = today.load_update_collection_configuration_from_json({"spann": SPANN})
    assert read == {"spann": {"search_nprobe": 5, "ef_search": 6}}


@pytest.mark.parametrize(
    "read",
    [
        today.load_collection_configuration_from_json,
        today.load_create_collection_configuration_from_json,
        today.load_update_collection_configuration_from_json,
        lambda both: today.overwrite_collection_configuration({}, both),
    ],
)
def test_one_collection_has_one_index(read: Any) -> None:
    with pytest.raises(ValueError, match="hnsw and spann cannot both be provided"):
        read({"hnsw": {}, "spann": {}})


def test_a_distance_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="not a valid space: hamming"):
        today.json_to_create_hnsw_configuration({"space": "hamming"})


def test_what_a_collection_answers_goes_to_json_and_back() -> None:
    stored = {"hnsw": {"space": "ip"}, "spann": None, "embedding_function": FUNCTION}
    text = json.dumps(stored)
    configuration = today.load_collection_configuration_from_json_str(text)
    assert json.loads(today.collection_configuration_to_json_str(configuration)) == stored


def test_legacy_metadata_is_a_configuration_with_all_defaults() -> None:
    metadata = {"hnsw:space": "cosine", "hnsw:M": 32, "hnsw:search_ef": 20, "other": 1}
    made = today.create_collection_configuration_from_legacy_collection_metadata(metadata)
    assert made == {
        "hnsw": {
            "space": "cosine",
            "ef_construction": 100,
            "max_neighbors": 32,
            "ef_search": 20,
            "num_threads": os.cpu_count(),
            "batch_size": 100,
            "sync_threshold": 1000,
            "resize_factor": 1.2,
        }
    }
    changed = today.update_collection_configuration_from_legacy_collection_metadata(metadata)
    assert changed == {"hnsw": {"ef_search": 20}}


def test_a_change_is_written_over_a_configuration() -> None:
    existing: Any = {
        "hnsw": {"space": "ip", "ef_search": 1, "max_neighbors": 9},
        "spann": None,
        "embedding_function": LengthFunction(3),
        "vector_dtype": "f16",
    }
    change: Any = {
        "hnsw": {"ef_search": 2, "max_neighbors": 10},
        "embedding_function": LengthFunction(4),
    }
    result = today.overwrite_collection_configuration(existing, change)
    assert result["hnsw"] == {"space": "ip", "ef_search": 2, "max_neighbors": 9}
    assert result["embedding_function"] is change["embedding_function"]
    assert result["vector_dtype"] == "f16"
    assert existing["hnsw"]["ef_search"] == 1
    only_spann = today.overwrite_collection_configuration(existing, {"spann": {"ef_search": 5}})
    assert only_spann["hnsw"] == existing["hnsw"] and only_spann["spann"] is None


def test_another_function_is_not_written_over_one() -> None:
    class OtherFunction(LengthFunction):
        @staticmethod
        def name() -> str:
            return "other"

    with pytest.raises(ValueError, match=r"incompatible types \(length vs other\)"):
        today.overwrite_embedding_function(LengthFunction(), OtherFunction())


def test_a_change_is_written_into_both_places_of_a_schema() -> None:
    schema = Schema().create_index(VectorIndexConfig(space="ip", hnsw={"ef_search": 1}))
    today.update_schema_from_collection_configuration(schema, {"hnsw": {"ef_search": 9}})
    for value_types in (schema.defaults, schema.keys["#embedding"]):
        assert value_types.float_list.vector_index.config.hnsw.ef_search == 9
    with pytest.raises(ValueError, match="Trying to update SPANN config but schema has HNSW"):
        today.update_schema_from_collection_configuration(schema, {"spann": {"ef_search": 9}})
    del schema.keys["#embedding"]
    with pytest.raises(ValueError, match=r"missing keys\[#embedding\]"):
        today.update_schema_from_collection_configuration(schema, {})


# ---- The former classes -------------------------------------------------------------------------


def test_former_parameters_have_defaults_and_bounds() -> None:
    index = former.HNSWConfiguration(space="cosine", M=32)
    assert index.get_parameter("M").value == 32
    assert index.get_parameter("resize_factor").value == 1.2
    index.set_parameter("ef_search", 5)
    assert index.get_parameter("ef_search").value == 5
    assert len(index.get_parameters()) == 8
    for arguments in ({"space": "hamming"}, {"M": 0}, {"resize_factor": 1}, {"M": "x"}):
        with pytest.raises(ValueError, match="Invalid parameter value: "):
            former.HNSWConfiguration(**arguments)
    with pytest.raises(ValueError, match="Invalid value for parameter ef_search: 0"):
        index.set_parameter("ef_search", 0)
    with pytest.raises(former.StaticParameterError, match="Cannot set static parameter: M"):
        index.set_parameter("M", 5)
    with pytest.raises(ValueError, match="Invalid parameter name: zz for configuration HNSW"):
        index.get_parameter("zz")


def test_former_parameters_go_together_or_not() -> None:
    with pytest.raises(former.InvalidConfigurationError, match="less than or equal"):
        former.HNSWConfiguration(batch_size=500, sync_threshold=400)


def test_former_configurations_go_to_json_and_back() -> None:
    index = former.HNSWConfigurationInternal([former.ConfigurationParameter("M", 32)])
    collection = former.CollectionConfigurationInternal(
        [former.ConfigurationParameter("hnsw_configuration", index)]
    )
    text = collection.to_json_str()
    assert former.CollectionConfigurationInternal.from_json_str(text) == collection
    assert json.loads(text)["hnsw_configuration"]["_type"] == "HNSWConfigurationInternal"
    with pytest.raises(ValueError, match="Trying to instantiate configuration of type"):
        former.HNSWConfigurationInternal.from_json_str(text)
    with pytest.raises(ValueError, match="Unable to decode configuration"):
        former.HNSWConfigurationInternal.from_json_str("{")
    with pytest.raises(ValueError, match="Invalid configuration type"):
        former.CollectionConfigurationInternal.from_json(
            {"_type": "CollectionConfigurationInternal", "hnsw_configuration": {"_type": "os"}}
        )


def test_legacy_metadata_is_a_former_configuration() -> None:
    index = former.HNSWConfigurationInternal.from_legacy_params({"hnsw:space": "ip", "hnsw:M": 8})
    assert (index.get_parameter("space").value, index.get_parameter("M").value) == ("ip", 8)
    with pytest.raises(ValueError, match="Invalid legacy HNSW parameter name: hnsw:zz"):
        former.HNSWConfigurationInternal.from_legacy_params({"hnsw:zz": 1})
