"""MurmurHash3 for x86, 32 bits (Austin Appleby's MurmurHash3_x86_32, in the public domain)."""

from __future__ import annotations

from typing import Final

_MASK: Final = 0xFFFFFFFF


def murmur3_32(data: bytes, seed: int = 0) -> int:
    """The hash of the bytes, as an unsigned number of 32 bits."""
    state = seed & _MASK
    tail = len(data) & 3
    for start in range(0, len(data) - tail, 4):
        block = _scrambled(int.from_bytes(data[start : start + 4], "little"))
        state ^= block
        state = (state << 13 | state >> 19) & _MASK
        state = (state * 5 + 0xE6546B64) & _MASK
    if tail:
        state ^= _scrambled(int.from_bytes(data[-tail:], "little"))

    state ^= len(data)
    state = (state ^ state >> 16) * 0x85EBCA6B & _MASK
    state = (state ^ state >> 13) * 0xC2B2AE35 & _MASK
    return state ^ state >> 16


def _scrambled(block: int) -> int:
    block = block * 0xCC9E2D51 & _MASK
    block = (block << 15 | block >> 17) & _MASK
    return block * 0x1B873593 & _MASK
