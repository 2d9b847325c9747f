"""Positions in a log as 24 bytes, big-endian."""

from __future__ import annotations


def int_to_bytes(int: int) -> bytes:
    """The number as 24 bytes."""
    return int.to_bytes(24, "big")


def bytes_to_int(bytes: bytes) -> int:
    """The number that bytes stand for."""
    return int.from_bytes(bytes, "big")
