"""Data loaders: what a collection fetches the data with that its URIs name."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from chromadb.api.types import URI, DataLoader, Image, URIs


class ImageLoader(DataLoader[list[Image | None]]):
    """Reads image files, several at once, as arrays of their pixels. Needs Pillow."""

    def __init__(self, max_workers: int = os.cpu_count() or 1) -> None:
        try:
            self._image_module = importlib.import_module("PIL.Image")
        except ImportError:
            raise ValueError(
                "The PIL python package is not installed. Please install it with "
                "`pip install pillow`"
            ) from None
        self._max_workers = max_workers

    def __call__(self, uris: Sequence[URI | None]) -> list[Image | None]:
        """The image of each path, None for None."""
        with ThreadPoolExecutor(max_workers=self._max_workers) as executor:
            return list(executor.map(self._load, uris))

    def _load(self, uri: URI | None) -> Image | None:
        if uri is None:
            return None
        with self._image_module.open(uri) as image:
            return np.array(image)


class ChromaLangchainPassthroughDataLoader(DataLoader[Any]):
    """Hands the URIs themselves to an embedding function of LangChain, marked as images."""

    def __call__(self, uris: URIs) -> tuple[str, URIs]:
        """The mark and the URIs."""
        return ("images", uris)
