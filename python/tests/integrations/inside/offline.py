"""A pytest plugin: no socket leaves this machine, and official Chroma can take our package's place.

`CHROMA_TEST_PORT` is where a server listens that tests expect at port 8000; 0: there is none, and
port 8000 refuses. `CHROMA_TEST_OFFICIAL` is a folder of packages with official Chroma and what it
needs; what the environment has itself comes first.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import socket
import sys
from typing import Any

LOOPBACK = ("127.0.0.1", "::1", "localhost")
EXPECTED_PORT = 8000
PORT = int(os.environ.get("CHROMA_TEST_PORT", "0"))

connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


def redirected(family: int, address: Any) -> Any:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return address
    if address[0] not in LOOPBACK:
        raise OSError(f"The network is shut during tests: {address[0]}.")
    if address[1] != EXPECTED_PORT:
        return address
    if PORT == 0:
        raise ConnectionRefusedError("No server was started for these tests.")
    return (address[0], PORT, *address[2:])


def look_up_here(host: Any, *arguments: Any, **keywords: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name is not None and name not in LOOPBACK:
        raise socket.gaierror(f"The network is shut during tests: {host}.")
    return look_up(host, *arguments, **keywords)


def connect_here(self: socket.socket, address: Any) -> None:
    connect(self, redirected(self.family, address))


def connect_ex_here(self: socket.socket, address: Any) -> int:
    return connect_ex(self, redirected(self.family, address))


socket.socket.connect = connect_here  # type: ignore[method-assign]
socket.socket.connect_ex = connect_ex_here  # type: ignore[method-assign]
socket.getaddrinfo = look_up_here


class OfficialFinder:
    """Finds official Chroma where it is installed, before ours."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name in ("chromadb", "chromadb_rust_bindings"):
            return importlib.machinery.PathFinder.find_spec(name, [self.folder])
        return None


if official := os.environ.get("CHROMA_TEST_OFFICIAL"):
    sys.path.append(official)
    sys.meta_path.insert(0, OfficialFinder(official))
    assert importlib.import_module("chromadb").__path__[0].startswith(official)
