"""A server of the v2 API over the engine of this process: a model of servers, for tests of clients.

    with V2Server() as server:
        client = chromadb.HttpClient(port=server.port)

It listens on the loopback alone, at a port that the system chooses, and serves an empty database in
memory. It is as strict as the API: what is no request of it is answered as the API says, and fields
that nobody declared are ignored. Run as a program it prints its port and serves until it is ended.

What tests need beside: `requests` holds what was received, `answers` what to answer next instead of
serving, and `checks` and `identity` what the server says of itself and of its users.
"""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import numpy as np
from v2_wire import (
    READ_LEVELS,
    TRACE_ID,
    Answer,
    Refused,
    Request,
    columns,
    described,
    embeddings,
    field,
    identifier,
    included,
    number,
    refusal,
    strings,
    text,
)

from chromadb.api._sparse_metadata import deserialize_metadata
from chromadb.api.rust import RustBindingsAPI
from chromadb.config import Settings, System
from chromadb.errors import InvalidArgumentError, NotFoundError

# ---- Routes -------------------------------------------------------------------------------------


class V2Server:
    """The server. It listens from the start, and until it is closed."""

    def __init__(self, allow_reset: bool = True) -> None:
        self.checks: dict[str, Any] = {"max_batch_size": 5461, "supports_base64_encoding": True}
        self.identity: dict[str, Any] = {
            "user_id": "",
            "tenant": "default_tenant",
            "databases": ["default_database"],
        }
        self.requests: list[Request] = []
        self.answers: list[Answer] = []
        self._system = System(Settings(allow_reset=allow_reset, is_persistent=False))
        self._engine = self._system.instance(RustBindingsAPI)
        self._system.start()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.port: int = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self) -> V2Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self._system.stop()

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if self.answers:
            return self.answers.pop(0)
        try:
            return self._routed(request)
        except Refused as refused:
            return refused.answer
        except Exception as error:
            return refusal(error)

    def _routed(self, request: Request) -> Answer:
        method, path = request.method, request.path
        if path[:1] == ["tenants"]:
            if path[2:3] != ["databases"]:
                return self._tenants(method, path[1:], request)
            if "collections" not in path[4:5]:
                return self._databases(method, path[1], path[3:], request)
            place = {"tenant": path[1], "database": path[3]}
            if (len(path) < 7 and method != "PUT") or path[5:6] == ["by-id"]:
                return self._collections(method, path[5:], place, request)
            return self._records(method, identifier(path[5]), path[6:], place, request)
        simple: dict[tuple[str, ...], Callable[[], Any]] = {
            ("GET",): lambda: {"nanosecond heartbeat": self._engine.heartbeat()},
            ("GET", "heartbeat"): lambda: {"nanosecond heartbeat": self._engine.heartbeat()},
            ("GET", "version"): lambda: "1.0.0",
            ("GET", "pre-flight-checks"): lambda: self.checks,
            ("GET", "auth", "identity"): lambda: self.identity,
            ("POST", "reset"): self._engine.reset,
        }
        found = simple.get((method, *path))
        return Answer(404, b"") if found is None else Answer(200, found())

    def _tenants(self, method: str, path: list[str], request: Request) -> Answer:
        if method == "POST" and not path:
            self._engine.create_tenant(field(request.body, "name", (str,)))
            return Answer(200, {})
        if method == "GET" and len(path) == 1:
            found = self._engine.get_tenant(path[0])
            return Answer(200, {"name": found["name"], "resource_name": None})
        return Answer(405, b"")

    def _databases(self, method: str, tenant: str, path: list[str], request: Request) -> Answer:
        def database(found: Any) -> Any:
            return {**found, "id": str(found["id"])}

        if path[1:] == ["collections_count"]:
            return Answer(200, self._engine.count_collections(tenant, path[0]))
        if method == "GET" and not path:
            limit, offset = number(request.query, "limit"), number(request.query, "offset")
            listed = self._engine.list_databases(limit, offset, tenant)
            return Answer(200, [database(found) for found in listed])
        if method == "POST" and not path:
            self._engine.create_database(field(request.body, "name", (str,)), tenant)
            return Answer(200, {})
        if method == "GET" and len(path) == 1:
            return Answer(200, database(self._engine.get_database(path[0], tenant)))
        if method == "DELETE" and len(path) == 1:
            self._engine.delete_database(path[0], tenant)
            return Answer(200, {})
        return Answer(405, b"")

    def _collections(
        self, method: str, path: list[str], place: dict[str, str], request: Request
    ) -> Answer:
        engine, body = self._engine, request.body
        if method == "GET" and not path:
            limit, offset = number(request.query, "limit"), number(request.query, "offset")
            listed = engine.list_collections(limit, offset, **place)
            return Answer(200, [described(model) for model in listed])
        if method == "POST" and not path:
            made = engine._engine.create_collection(
                field(body, "name", (str,)),
                text(field(body, "configuration", (dict,), None)),
                text(field(body, "schema", (dict,), None)),
                field(body, "metadata", (dict,), None),
                field(body, "get_or_create", (bool,), False),
                *place.values(),
            )
            found = engine.get_collection_by_id(UUID(str(made.id)), **place)
            return Answer(200, described(found))
        if method == "GET" and len(path) == 2 and path[0] == "by-id":
            found = engine.get_collection_by_id(identifier(path[1]), **place)
            return Answer(200, described(found))
        if method == "GET" and len(path) == 1:
            return Answer(200, described(engine.get_collection(path[0], **place)))
        if method == "DELETE" and len(path) == 1:
            engine.delete_collection(path[0], **place)
            return Answer(200, {})
        return Answer(405, b"")

    def _records(
        self, method: str, id: UUID, path: list[str], place: dict[str, str], request: Request
    ) -> Answer:
        engine, body = self._engine, request.body
        engine.get_collection_by_id(id, **place)
        operation = (method, *path)
        if operation == ("PUT",):
            new_configuration = text(field(body, "new_configuration", (dict,), None))
            engine._engine.update_collection(
                str(id),
                field(body, "new_name", (str,), None),
                field(body, "new_metadata", (dict,), None),
                new_configuration,
            )
            return Answer(200, {})
        if operation in (("POST", "add"), ("POST", "upsert"), ("POST", "update")):
            metadatas = field(body, "metadatas", (list,), None)
            getattr(engine, f"_{path[0]}")(
                collection_id=id,
                ids=strings(body, "ids", ...),
                embeddings=embeddings(body, is_needed=path[0] != "update"),
                metadatas=None if metadatas is None else [*map(deserialize_metadata, metadatas)],
                documents=strings(body, "documents"),
                uris=strings(body, "uris"),
                **place,
            )
            return Answer(201 if path[0] == "add" else 200, {})
        if operation == ("GET", "count"):
            if request.query.get("read_level", READ_LEVELS[0]) not in READ_LEVELS:
                raise InvalidArgumentError("Failed to deserialize query string: read_level")
            return Answer(200, engine._count(id, **place))
        if operation == ("GET", "indexing_status"):
            return Answer(200, vars(engine._get_indexing_status(id, **place)))
        if method == "GET" and path[:1] == ["functions"] and len(path) == 2:
            raise NotFoundError("Attached function not found")
        if path[-1:] in (["fork"], ["fork_count"], ["search"], ["attach"], ["detach"]):
            raise NotImplementedError(f"{path[-1]} is unsupported for local chroma")
        if method != "POST" or path not in (["get"], ["query"], ["delete"]):
            return Answer(405, b"")
        selected = {
            "collection_id": id,
            "ids": strings(body, "ids"),
            "where": field(body, "where", (dict,), None),
            "where_document": field(body, "where_document", (dict,), None),
            **place,
        }
        if path == ["query"]:
            found: Any = engine._query(
                query_embeddings=np.array(field(body, "query_embeddings", (list,)), np.float32),
                n_results=field(body, "n_results", (int,), 10),
                include=included(body, ["documents", "metadatas", "distances"]),
                **selected,
            )
            return Answer(200, columns(found, nested=True))
        selected["limit"] = field(body, "limit", (int,), None)
        if path == ["delete"]:
            return Answer(200, engine._delete(**selected))
        found = engine._get(
            offset=field(body, "offset", (int,), None),
            include=included(body, ["documents", "metadatas"]),
            **selected,
        )
        return Answer(200, columns(found, nested=False))


# ---- HTTP ---------------------------------------------------------------------------------------


def _handler(server: V2Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Without it every answer waits for the client to acknowledge its headers.
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._send(self._answered(content))

        def _answered(self, content: bytes) -> Answer:
            address = urlsplit(self.path)
            if not address.path.startswith("/api/v2"):
                return Answer(404, b"")
            body = None
            if content:
                if self.headers.get("Content-Type", "application/json") != "application/json":
                    message = "Expected request with `Content-Type: application/json`"
                    return Answer(415, {"error": "ChromaError", "message": message})
                try:
                    body = json.loads(content, parse_constant=_refuse_constant)
                except ValueError as error:
                    message = f"Failed to parse the request body as JSON: {error}"
                    return Answer(400, {"error": "InvalidArgumentError", "message": message})
            return server.answer(
                Request(
                    self.command,
                    [unquote(part) for part in address.path.split("/")[3:]],
                    {name: values[-1] for name, values in parse_qs(address.query).items()},
                    {name.lower(): value for name, value in self.headers.items()},
                    body,
                )
            )

        def _send(self, answer: Answer) -> None:
            is_raw = isinstance(answer.body, bytes)
            content = answer.body if is_raw else json.dumps(answer.body, allow_nan=False).encode()
            self.send_response(answer.status)
            headers = {} if is_raw else {"content-type": "application/json"}
            if answer.status >= 400 and not is_raw:
                headers["chroma-trace-id"] = TRACE_ID
            for name, value in (headers | answer.headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing: what matters is in `requests`."""

    return Handler


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def main() -> None:
    ended = threading.Event()
    for number_of_signal in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number_of_signal, lambda *_: ended.set())
    with V2Server() as server:
        print(server.port, flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
