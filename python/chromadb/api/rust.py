"""The engine of this process, under the name that settings have for it by default."""

from __future__ import annotations

from chromadb.api.local import LocalAPI

__all__ = ["RustBindingsAPI"]


class RustBindingsAPI(LocalAPI):
    """The native engine, in the place of upstream's extension in Rust."""
