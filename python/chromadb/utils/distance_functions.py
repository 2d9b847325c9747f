"""The distances in numpy, as the engine defines them."""

from __future__ import annotations

import numpy as np

from chromadb.base_types import Vector


def l2(x: Vector, y: Vector) -> float:
    """The squared Euclidean distance."""
    return float(np.sum((x - y) ** 2))


def cosine(x: Vector, y: Vector) -> float:
    """One minus the cosine of the angle; 1 where a vector is zero and has no direction."""
    scale = float(np.linalg.norm(x) * np.linalg.norm(y))
    return 1.0 - float(np.dot(x, y)) / scale if scale > 0 else 1.0


def ip(x: Vector, y: Vector) -> float:
    """One minus the inner product."""
    return 1.0 - float(np.dot(x, y))
