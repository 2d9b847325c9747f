"""Downloading one file whose SHA-256 is known.

The bytes go to `<path>.part`, and the file appears under its own name only when its checksum is
right. A `.part` that an earlier, interrupted download left is continued where the server can, so
a slow or dropped connection costs no byte twice.

The caller holds the cache folder's lock: no two downloads share a `.part`.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from chromadb._progress import Progress

logger = logging.getLogger("chromadb.embedding_functions")

_TRY_COUNT_MAX = 3

# Of one wait for the server, not of the whole download.
_TIMEOUT_SECONDS = 30

_CHUNK_BYTE_COUNT = 256 * 1024

# The archive has 83 MB; a server that sends much more than any model must not fill the disk.
_FILE_BYTE_COUNT_MAX = 2**30


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file, in lower-case hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(url: str, path: Path, sha256: str) -> None:
    """Puts the file at `url` at `path` if its SHA-256 is the one given.

    A checksum that is wrong, and a connection that breaks off after it gave something, are tried
    again, three times in all. Proxies are those of the environment (`https_proxy`, `no_proxy`).

    Raises `ValueError` when the checksum stays wrong, and `OSError` when the server cannot be
    reached or does not send the file.
    """
    part = path.with_name(path.name + ".part")
    for try_number in range(1, _TRY_COUNT_MAX + 1):
        is_last = try_number == _TRY_COUNT_MAX
        byte_count_before = _byte_count(part)
        try:
            _fetch(url, part)
        except (OSError, http.client.HTTPException) as error:
            # Nothing came: the next try would fail alike, and its user would only wait longer.
            if is_last or _byte_count(part) <= byte_count_before:
                raise error if isinstance(error, OSError) else ConnectionError(repr(error))
            logger.warning("The download of %s broke off (%s); continuing it.", url, error)
            continue
        if sha256_of(part) == sha256:
            os.replace(part, path)
            return
        part.unlink()
        logger.warning("%s has a wrong checksum (try %d of %d).", url, try_number, _TRY_COUNT_MAX)
    raise ValueError(
        f"Downloaded file {path} does not match expected SHA256 hash. Corrupted download or "
        "malicious file."
    )


def _byte_count(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _fetch(url: str, part: Path) -> None:
    """Appends to `part` what it lacks, or writes it anew if the server only sends whole files."""
    offset = _byte_count(part)
    request = urllib.request.Request(url)
    if offset > 0:
        request.add_header("Range", f"bytes={offset}-")
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        # 416: nothing lies behind the offset, so the part is complete, or wrong; the checksum
        # tells.
        if error.code == 416 and offset > 0:
            return
        raise
    with response:
        _receive(response, part, offset, url)


def _receive(response: Any, part: Path, offset: int, url: str) -> None:
    if not _continues_at(response, offset):
        offset = 0
    length = response.headers.get("Content-Length", "")
    total = offset + int(length) if length.isdecimal() else None
    with (
        open(part, "r+b" if offset else "wb") as file,
        Progress(f"Downloading {url}", logger) as progress,
    ):
        file.seek(offset)
        progress.set(offset, total)
        while chunk := response.read(_CHUNK_BYTE_COUNT):
            offset += len(chunk)
            if offset > _FILE_BYTE_COUNT_MAX:
                raise OSError(f"{url} is larger than {_FILE_BYTE_COUNT_MAX} bytes.")
            file.write(chunk)
            progress.advance(len(chunk))
    # A connection that closes early reads like the end of the file.
    if total is not None and offset < total:
        raise ConnectionError(f"{url} ended after {offset} of {total} bytes.")


def _continues_at(response: Any, offset: int) -> bool:
    content_range = response.headers.get("Content-Range") or ""
    return response.status == 206 and content_range.startswith(f"bytes {offset}-")
