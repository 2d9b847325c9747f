"""Rendezvous hashing: which members a key belongs to, so that few keys move when members change.

Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", 1998. The hash is the
first half of MurmurHash3 x64 128 by Austin Appleby, in the public domain.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TypeAlias

Hasher: TypeAlias = Callable[[str, str], int]
Member: TypeAlias = str
Members: TypeAlias = list[str]
Key: TypeAlias = str

_MASK = 2**64 - 1
_C1 = 0x87C37B91114253D5
_C2 = 0x4CF5AD432745937F


def assign(key: Key, members: Members, hasher: Hasher, replication: int) -> list[Member]:
    """The members with the greatest hashes together with the key, the greatest first."""
    if replication > len(members):
        raise ValueError("Replication factor cannot be greater than the number of members")
    if len(members) == 0:
        raise ValueError("Cannot assign key to empty memberlist")
    if len(members) == 1:
        return [members[0]]
    if key == "":
        raise ValueError("Cannot assign empty key")
    ranked = heapq.nsmallest(replication, ((-hasher(member, key), member) for member in members))
    return [member for _, member in ranked]


def merge_hashes(x: int, y: int) -> int:
    """One hash of two."""
    return _finished(x ^ y)


def murmur3hasher(member: Member, key: Key) -> int:
    """The hash of a member together with a key."""
    return merge_hashes(_hash64(member.encode()), _hash64(key.encode()))


def _finished(value: int) -> int:
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & _MASK
    value ^= value >> 33
    value = value * 0xC4CEB9FE1A85EC53 & _MASK
    return value ^ value >> 33


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK


def _mixed_1(word: int) -> int:
    return _rotated(word * _C1 & _MASK, 31) * _C2 & _MASK


def _mixed_2(word: int) -> int:
    return _rotated(word * _C2 & _MASK, 33) * _C1 & _MASK


def _hash64(data: bytes) -> int:
    h1 = h2 = 0
    whole = len(data) // 16 * 16
    for start in range(0, whole, 16):
        h1 ^= _mixed_1(int.from_bytes(data[start : start + 8], "little"))
        h1 = ((_rotated(h1, 27) + h2) * 5 + 0x52DCE729) & _MASK
        h2 ^= _mixed_2(int.from_bytes(data[start + 8 : start + 16], "little"))
        h2 = ((_rotated(h2, 31) + h1) * 5 + 0x38495AB5) & _MASK
    tail = data[whole:]
    h1 ^= _mixed_1(int.from_bytes(tail[:8], "little"))
    h2 ^= _mixed_2(int.from_bytes(tail[8:], "little"))
    h1 ^= len(data)
    h2 ^= len(data)
    h1 = (h1 + h2) & _MASK
    h2 = (h2 + h1) & _MASK
    return (_finished(h1) + _finished(h2)) & _MASK
