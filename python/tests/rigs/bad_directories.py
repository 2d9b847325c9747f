"""Directories that nobody should have: each function spoils an intact one in one way."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from pathlib import Path

#: Bytes of a page of chroma.db, and of the trailer that holds its checksum (docs/FORMAT.md).
PAGE_BYTE_COUNT = 4096
USER_VERSION_OFFSET = 60
#: The version that this release writes.
FORMAT_VERSION = 3


def crc32c(data: bytes, crc: int = 0) -> int:
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def set_format_version(directory: Path, version: int) -> None:
    """Writes another format version into chroma.db, with a checksum that holds."""
    database = directory / "chroma.db"
    contents = bytearray(database.read_bytes())
    contents[USER_VERSION_OFFSET : USER_VERSION_OFFSET + 4] = version.to_bytes(4, "big")
    page_number = (1).to_bytes(4, "little")
    checksum = crc32c(bytes(contents[: PAGE_BYTE_COUNT - 4]), crc32c(page_number))
    contents[PAGE_BYTE_COUNT - 4 : PAGE_BYTE_COUNT] = checksum.to_bytes(4, "little")
    database.write_bytes(contents)


def a_newer_format(directory: Path) -> None:
    set_format_version(directory, 1_000_000)


def random_bytes(directory: Path) -> None:
    (directory / "chroma.db").write_bytes(random.Random(1).randbytes(100_000))


def random_bytes_behind_a_good_header(directory: Path) -> None:
    database = directory / "chroma.db"
    header = database.read_bytes()[:100]
    database.write_bytes(header + random.Random(1).randbytes(100_000))


def another_program_s_database(directory: Path) -> None:
    (directory / "chroma.db").unlink()
    connection = sqlite3.connect(directory / "chroma.db")
    connection.execute("CREATE TABLE notes (text TEXT)")
    connection.execute("INSERT INTO notes VALUES ('mine')")
    connection.commit()
    connection.close()


def a_directory_in_its_place(directory: Path) -> None:
    (directory / "chroma.db").unlink()
    (directory / "chroma.db").mkdir()


def a_link_to_itself(directory: Path) -> None:
    (directory / "chroma.db").unlink()
    (directory / "chroma.db").symlink_to("chroma.db")


def a_pipe_in_its_place(directory: Path) -> None:
    (directory / "chroma.db").unlink()
    os.mkfifo(directory / "chroma.db")


def cut_to(byte_count: int):
    def cut(directory: Path) -> None:
        os.truncate(directory / "chroma.db", byte_count)

    return cut


def cut_in_half(directory: Path) -> None:
    database = directory / "chroma.db"
    os.truncate(database, database.stat().st_size // 2)


def zeros_in_the_middle(directory: Path) -> None:
    # From a quarter to three: any single page may be one that nothing needs.
    database = directory / "chroma.db"
    overwrite(database, 0.25, bytes(database.stat().st_size // 2))


def pages_in_another_order(directory: Path) -> None:
    database = directory / "chroma.db"
    contents = database.read_bytes()
    pages = [contents[n : n + PAGE_BYTE_COUNT] for n in range(0, len(contents), PAGE_BYTE_COUNT)]
    database.write_bytes(pages[0] + b"".join(reversed(pages[1:])))


def a_log_of_random_bytes(directory: Path) -> None:
    (directory / "chroma.db-wal").write_bytes(random.Random(2).randbytes(50_000))


def blobs(directory: Path) -> list[Path]:
    return sorted(path for path in (directory / "blobs").rglob("*") if path.is_file())


def blobs_that_are_gone(directory: Path) -> None:
    shutil.rmtree(directory / "blobs")


def blobs_of_random_bytes(directory: Path) -> None:
    for blob in blobs(directory):
        blob.write_bytes(random.Random(3).randbytes(blob.stat().st_size))


def blobs_cut_in_half(directory: Path) -> None:
    for blob in blobs(directory):
        os.truncate(blob, blob.stat().st_size // 2)


def blobs_with_a_flipped_bit(directory: Path) -> None:
    for blob in blobs(directory):
        contents = bytearray(blob.read_bytes())
        contents[len(contents) // 2] ^= 1
        blob.write_bytes(contents)


def blobs_that_are_empty(directory: Path) -> None:
    for blob in blobs(directory):
        os.truncate(blob, 0)


def overwrite(path: Path, place: float, data: bytes) -> None:
    contents = bytearray(path.read_bytes())
    start = int(len(contents) * place) // PAGE_BYTE_COUNT * PAGE_BYTE_COUNT
    contents[start : start + len(data)] = data
    path.write_bytes(contents)


def flip_bit(path: Path, source: random.Random) -> int:
    """Flips one bit somewhere; returns the byte's offset."""
    contents = bytearray(path.read_bytes())
    offset = source.randrange(len(contents))
    contents[offset] ^= 1 << source.randrange(8)
    path.write_bytes(contents)
    return offset


#: Refused at opening, and left as they are, byte by byte.
REFUSED = [
    a_newer_format,
    random_bytes,
    another_program_s_database,
    a_directory_in_its_place,
    a_link_to_itself,
    a_pipe_in_its_place,
]

#: Refused at opening or at the first use of what is damaged.
DAMAGED = [
    random_bytes_behind_a_good_header,
    cut_to(50),
    cut_to(100),
    cut_to(PAGE_BYTE_COUNT),
    cut_to(PAGE_BYTE_COUNT + 1),
    cut_in_half,
    zeros_in_the_middle,
    pages_in_another_order,
    # SQLite takes such a log for an empty one. It may have held what was acknowledged.
    a_log_of_random_bytes,
    blobs_that_are_gone,
    blobs_of_random_bytes,
    blobs_cut_in_half,
    blobs_with_a_flipped_bit,
    blobs_that_are_empty,
]
