"""Runs one history on whatever `chromadb` this interpreter imports, and writes what came of it.

    python driver.py HISTORY.json OUTCOMES.json

A history is a JSON document:

    {"persistent": true, "operations": [OPERATION, ...], "compact_every": NUMBER?}

    OPERATION := {"do": METHOD, "on": HANDLE?, "as": HANDLE?, "with": {ARGUMENT: VALUE, ...}}

`on` names the collection object a method is called on; without it the method is the client's (or
the admin client's, see ADMIN). `as` keeps the collection object that the call returned. An
embedding function is given by its name. Operations that are no methods:

    restart   closes the client, forgets every handle, and opens the directory again
    forget    the same without closing
    settings  makes a Settings of the arguments

With `compact_every`, which upstream does not know, all collections are compacted after every so
many operations; the outcomes are to be the same.

The outcomes are a list, one for each operation:

    {"returns": VALUE} | {"raises": CLASS, "message": TEXT} | {"skipped": REASON}

Nothing random is left in them: UUIDs and the directory's name are replaced by placeholders.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import re
import shutil
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from values import decode, encode

import chromadb
from chromadb.config import Settings

ADMIN = {
    "create_tenant",
    "get_tenant",
    "create_database",
    "get_database",
    "list_databases",
    "delete_database",
}

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DEFAULT_DATABASE_ID = "00000000-0000-0000-0000-000000000000"


class LetterCounts(chromadb.EmbeddingFunction):
    """How often each of four letters occurs: an embedding function anybody can check by eye."""

    def __init__(self):
        pass

    def __call__(self, input):
        return [np.array([t.count(c) for c in "aeio"], dtype=np.float32) for t in input]

    @staticmethod
    def name() -> str:
        return "letter_counts"

    @staticmethod
    def build_from_config(config):
        return LetterCounts()

    def get_config(self):
        return {}


class DigitCounts(LetterCounts):
    """Another embedding function of the same dimension."""

    def __call__(self, input):
        return [np.array([t.count(c) for c in "0123"], dtype=np.float32) for t in input]

    @staticmethod
    def name() -> str:
        return "digit_counts"


def with_functions(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments with the embedding function in place of its name."""
    made = dict(arguments)
    functions = {"letter_counts": LetterCounts, "digit_counts": DigitCounts}
    if made.get("embedding_function") is not None:
        made["embedding_function"] = functions[made["embedding_function"]]()
    if isinstance(made.get("configuration"), dict):
        made["configuration"] = with_functions(made["configuration"])
    return made


class Driver:
    def __init__(self, persistent: bool, directory: str):
        self.persistent = persistent
        self.directory = directory
        self.handles: dict[str, Any] = {}
        self.open()

    def open(self) -> None:
        settings = Settings(allow_reset=True, anonymized_telemetry=False)
        if self.persistent:
            self.client = chromadb.PersistentClient(self.directory, settings=settings)
        else:
            self.client = chromadb.EphemeralClient(settings=settings)

    def restart(self) -> None:
        self.handles.clear()
        self.client.close()
        self.open()

    def forget(self) -> None:
        self.handles.clear()
        del self.client
        gc.collect()
        self.open()

    def call_admin(self, method: str, arguments: dict[str, Any]) -> Any:
        admin = chromadb.AdminClient(self.client.get_settings())
        try:
            return getattr(admin, method)(**arguments)
        finally:
            # It shares the engine and must let go of it, or a restart would be none.
            if hasattr(admin, "close"):
                admin.close()
            else:  # Upstream's has no such method.
                admin._release_system(admin._identifier)

    def run(self, operation: dict[str, Any]) -> dict[str, Any]:
        if "on" in operation and operation["on"] not in self.handles:
            return {"skipped": f"no collection is kept as {operation['on']}"}
        try:
            value = self._call(operation)
            # Inside the try: what a handle says of itself may fail, too.
            return {"returns": encode(_plain(value))}
        except BaseException as error:  # A panic of upstream's engine is no Exception.
            if isinstance(error, KeyboardInterrupt):
                raise
            kind = type(error)
            return {
                "raises": f"{kind.__module__}.{kind.__qualname__}",
                "message": self._without_names(str(error)),
            }

    def _call(self, operation: dict[str, Any]) -> Any:
        name = operation["do"]
        if name in ("restart", "forget"):
            return getattr(self, name)()
        arguments = decode(operation.get("with", {}))
        if name == "settings":
            return type(Settings(**arguments)).__name__
        arguments = with_functions(arguments)
        if "on" in operation:
            handle = self.handles[operation["on"]]
            value = getattr(handle, name)(**arguments)
            return handle if name == "modify" else value
        if name in ADMIN:
            return self.call_admin(name, arguments)
        value = getattr(self.client, name)(**arguments)
        if "as" in operation:
            self.handles[operation["as"]] = value
        return value

    def _without_names(self, message: str) -> str:
        return UUID.sub("<uuid>", message.replace(self.directory, "<directory>"))


def _plain(value: Any) -> Any:
    """A result as values that JSON can hold, floats cut to what a float32 tells."""
    if isinstance(value, chromadb.Collection):
        return {
            "name": value.name,
            "metadata": value.metadata,
            "configuration": value.configuration_json,
            "tenant": value.tenant,
            "database": value.database,
        }
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, uuid.UUID):
        return str(value) if str(value) == DEFAULT_DATABASE_ID else "<uuid>"
    if isinstance(value, dict):
        plain = {key: _plain(item) for key, item in value.items()}
        if plain.get("distances") is not None:
            plain["distances"] = [[_short(d) for d in row] for row in plain["distances"]]
        return plain
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _short(distance: Any) -> Any:
    return float(f"{distance:.9g}") if isinstance(distance, float) else distance


def main() -> None:
    history = json.loads(Path(sys.argv[1]).read_text())
    directory = tempfile.mkdtemp(prefix="chroma-history-")
    try:
        driver = Driver(history["persistent"], directory)
        outcomes = []
        for number, operation in enumerate(history["operations"], 1):
            outcomes.append(driver.run(operation))
            if "compact_every" in history and number % history["compact_every"] == 0:
                driver.client.compact()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    Path(sys.argv[2]).write_text(json.dumps(outcomes, separators=(",", ":")))


if __name__ == "__main__":
    main()
