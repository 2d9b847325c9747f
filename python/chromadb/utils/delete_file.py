"""Deleting files that may not be there."""

from __future__ import annotations

import contextlib
import os


def delete_file(name: str) -> None:
    """Deletes a file; where it cannot be deleted, it stays."""
    with contextlib.suppress(OSError):
        os.remove(name)
