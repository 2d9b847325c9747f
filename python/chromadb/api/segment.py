"""The engine of this process, under the name that settings had for it before Chroma 1.0."""

from __future__ import annotations

from chromadb.api.local import LocalAPI

__all__ = ["SegmentAPI"]


class SegmentAPI(LocalAPI):
    """The native engine, in the place of upstream's engine in Python."""
