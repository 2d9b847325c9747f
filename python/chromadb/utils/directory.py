"""What directories take."""

from __future__ import annotations

import os


def get_directory_size(directory: str) -> int:
    """The bytes of all files below a directory, without those that links lead to."""
    return sum(
        os.path.getsize(path)
        for folder, _, names in os.walk(directory)
        for name in names
        if not os.path.islink(path := os.path.join(folder, name))
    )
