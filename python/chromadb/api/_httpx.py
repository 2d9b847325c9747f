"""httpx, or how to install it."""

from __future__ import annotations

try:
    import httpx
except ImportError as error:
    raise ImportError(
        "Clients of Chroma servers need httpx. Install it with: pip install 'chromadb[http]'"
    ) from error

__all__ = ["httpx"]
