"""What clients of servers have in common: addresses, headers, bodies, and errors."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote, urlparse, urlunparse

import numpy as np

from chromadb import __version__
from chromadb.api._http_calls import Call, PreFlightChecks
from chromadb.api._httpx import httpx
from chromadb.auth import ClientAuthProvider
from chromadb.config import Component, Settings, System
from chromadb.errors import InternalError, error_types

Result = TypeVar("Result")

# How much of an answer that cannot be understood is shown.
_SHOWN_CHARACTERS_MAX = 200

# What reading JSON of another shape than expected raises.
_MISREADINGS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

_NAME_AND_PORT = re.compile(r"[^:/]+:[0-9]+")


class BaseHTTPClient(Component):
    """What clients of servers have in common. Those that can wait and those that cannot send."""

    DEFAULT_KEEPALIVE_SECS: ClassVar[float] = 40.0

    # What the server said of itself, once it was asked.
    pre_flight_checks: Any = None

    def __init__(self, system: System) -> None:
        super().__init__(system)
        settings = system.settings
        self._settings: Settings = settings
        self._api_url = self.resolve_url(
            chroma_server_host=str(settings.require("chroma_server_host")),
            chroma_server_ssl_enabled=settings.chroma_server_ssl_enabled,
            default_api_path=settings.chroma_server_api_default_path,
            chroma_server_http_port=settings.require("chroma_server_http_port"),
        )
        keepalive = settings.chroma_http_keepalive_secs
        self.keepalive_secs = self.DEFAULT_KEEPALIVE_SECS if keepalive is None else keepalive
        self._http_limits = self._build_limits()
        self._headers = {
            **(settings.chroma_server_headers or {}),
            "Content-Type": "application/json",
            "User-Agent": (
                f"Chroma Python Client v{__version__} (https://github.com/chroma-core/chroma)"
            ),
        }
        if settings.chroma_client_auth_provider:
            provider = self.require(ClientAuthProvider)  # type: ignore[type-abstract]
            for name, secret in provider.authenticate().items():
                self._headers[name] = secret.get_secret_value()

    def _build_limits(self) -> httpx.Limits:
        settings = self._settings
        limits: dict[str, Any] = {
            "keepalive_expiry": self.keepalive_secs,
            "max_connections": settings.chroma_http_max_connections,
            "max_keepalive_connections": settings.chroma_http_max_keepalive_connections,
        }
        return httpx.Limits(**self._clean_params(limits))

    @property
    def http_limits(self) -> httpx.Limits:
        """How many connections are kept, and for how long."""
        return self._http_limits

    def get_request_headers(self) -> Mapping[str, str]:
        """The headers of every request."""
        return dict(self._headers)

    def get_api_url(self) -> str:
        """Where the API is that is called."""
        return self._api_url

    # ---- Addresses ------------------------------------------------------------------------------

    @staticmethod
    def _validate_host(host: str) -> None:
        scheme = urlparse(host).scheme
        if "/" in host and scheme not in ("http", "https"):
            raise ValueError(f"Invalid URL. Unrecognized protocol - {scheme}.")

    @staticmethod
    def resolve_url(
        chroma_server_host: str,
        chroma_server_ssl_enabled: bool | None = False,
        default_api_path: str | None = "",
        chroma_server_http_port: int | None = 8000,
    ) -> str:
        """The address of the API. Of a host that is an address itself, the port is not looked at.

        A path in the address is kept, and ends with the API's own. A host may also be `name:port`.
        """
        BaseHTTPClient._validate_host(chroma_server_host)
        if _NAME_AND_PORT.fullmatch(chroma_server_host):
            chroma_server_host = f"http://{chroma_server_host}"
        parsed = urlparse(chroma_server_host)
        scheme = "https" if chroma_server_ssl_enabled else parsed.scheme or "http"
        place = parsed.netloc or chroma_server_host
        api_path = str.__str__(default_api_path or "")
        path = parsed.path if parsed.netloc else ""
        if not path.endswith(api_path):
            path += api_path
        if not chroma_server_host.startswith("http"):
            place += f":{parsed.port or chroma_server_http_port}"
        return urlunparse((scheme, place, quote(path.replace("//", "/")), "", "", ""))

    @staticmethod
    def _clean_params(params: dict[str, Any]) -> dict[str, Any]:
        """What was given of the parameters: None stands for what was not."""
        return {name: value for name, value in params.items() if value is not None}

    # ---- Requests and answers -------------------------------------------------------------------

    def _session_arguments(self) -> dict[str, Any]:
        """What a session of httpx is made with."""
        arguments: dict[str, Any] = {
            # A query may take its time; who gives up sooner cancels.
            "timeout": None,
            "limits": self._http_limits,
        }
        verify: Any = self._settings.chroma_server_ssl_verify
        if isinstance(verify, str):
            if Path(verify).is_dir():
                verify = ssl.create_default_context(capath=verify)
            else:
                verify = ssl.create_default_context(cafile=verify)
        if verify is not None:
            arguments["verify"] = verify
        return arguments

    def _request_arguments(self, call: Call[Any]) -> dict[str, Any]:
        """What `request` of a session of httpx is called with."""
        arguments: dict[str, Any] = {
            "method": call.method,
            "url": "/".join([self._api_url, *map(_escaped, call.path)]),
        }
        if call.params:
            arguments["params"] = call.params
        if call.body is not None:
            arguments["content"] = _json(call.body)
        return arguments

    def _decoded(self, call: Call[Result], response: httpx.Response) -> Result:
        """The result of a call, or the error that the server answered with."""
        self._raise_chroma_error(response)
        try:
            answer = json.loads(response.content)
        except (ValueError, RecursionError) as error:
            raise self._not_understood(call, "with JSON", response) from error
        try:
            return call.decode(answer)
        except _MISREADINGS as error:
            raise self._not_understood(call, "with what that returns", response) from error

    def _not_understood(
        self, call: Call[Any], expected: str, response: httpx.Response
    ) -> InternalError:
        return InternalError(
            f"{self._api_url} did not answer {call.method} {'/'.join(call.path)} {expected}, as a "
            f"Chroma server does, but with: {_text(response)[:_SHOWN_CHARACTERS_MAX]}"
        )

    @staticmethod
    def _raise_chroma_error(resp: httpx.Response) -> None:
        """Raises the error that an answer stands for; does nothing if it is none."""
        if resp.is_success:
            return
        trace_id = resp.headers.get("chroma-trace-id")
        try:
            body = json.loads(resp.content)
            error = error_types[body["error"]](body["message"])
        except (ValueError, KeyError, TypeError, RecursionError):
            # Not from a Chroma server, or of a kind that this client does not know.
            shown = _text(resp) or f"The server answered with status {resp.status_code} alone."
            raise Exception(f"{shown} (trace ID: {trace_id})" if trace_id else shown) from None
        if trace_id:
            error.trace_id = trace_id
        raise error

    @staticmethod
    def _read_checks(answer: dict[str, Any]) -> PreFlightChecks:
        return PreFlightChecks(
            max_batch_size=int(answer.get("max_batch_size", -1)),
            supports_base64_encoding=bool(answer.get("supports_base64_encoding", False)),
        )


def _text(response: httpx.Response) -> str:
    """The answer as text, also where it names an encoding that is none of text."""
    try:
        return response.text
    except Exception:
        return response.content.decode(errors="replace")


def _escaped(segment: str) -> str:
    # A segment of dots alone would be taken for a step within the path.
    return quote(segment, safe="") if segment.strip(".") else segment.replace(".", "%2E")


def _json(body: Any) -> bytes:
    try:
        text = json.dumps(
            body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
        )
        return text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"A text cannot be sent, as it is not valid Unicode: {error}") from error
    except ValueError as error:
        raise ValueError(
            f"A number that is not finite cannot be sent, as JSON has none: {error}"
        ) from error


def _plain(value: Any) -> Any:
    """A number or an array of numpy's as JSON has it."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is nothing that JSON could hold: {value!r}")
