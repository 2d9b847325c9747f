"""Texts to sentence vectors: tokenize, run the encoder, mean over the tokens, normalise.

A batch is padded to its own longest text, and texts of like length share a batch, so that hardly
any work goes into padding. The mask gives padding an attention of exactly zero and keeps it out
of the mean, so the result is that of any other padding but for the rounding of sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

_BATCH_SIZE = 32

# Texts that are sorted by length together. Bounds the token ids held at once to about 10 MB, and
# is large enough that a batch's texts differ by hardly a token.
_WINDOW_SIZE = 1024


def encode(session: Any, tokenizer: Any, texts: Sequence[str]) -> np.ndarray:
    """Returns the unit vectors of `texts`, at least one, as rows of float32.

    `tokenizer` truncates and does not pad. Each text is tokenized in a call of its own: a batch
    call would start threads, which do not survive a fork, for a thousandth of the work.
    """
    windows = []
    for start in range(0, len(texts), _WINDOW_SIZE):
        token_ids = [tokenizer.encode(text).ids for text in texts[start : start + _WINDOW_SIZE]]
        rows: list[Any] = [None] * len(token_ids)
        for indices in _batches_by_length(token_ids):
            vectors = _encode_batch(session, [token_ids[index] for index in indices])
            for index, vector in zip(indices, vectors):
                rows[index] = vector
        windows.append(np.stack(rows))
    return np.concatenate(windows)


def _batches_by_length(token_ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    by_length = sorted(range(len(token_ids)), key=lambda index: len(token_ids[index]))
    for start in range(0, len(by_length), _BATCH_SIZE):
        yield by_length[start : start + _BATCH_SIZE]


def _encode_batch(session: Any, token_ids: Sequence[Sequence[int]]) -> np.ndarray:
    length = max(len(ids) for ids in token_ids)
    input_ids = np.zeros((len(token_ids), length), dtype=np.int64)  # 0 is [PAD].
    attention_mask = np.zeros_like(input_ids)
    for row, ids in enumerate(token_ids):
        input_ids[row, : len(ids)] = ids
        attention_mask[row, : len(ids)] = 1
    inputs = {
        "input_ids": input_ids,
        "attention_mask": attention_mask,
        "token_type_ids": np.zeros_like(input_ids),
    }
    hidden = session.run(None, inputs)[0]
    return normalize(mean_over_tokens(hidden, attention_mask))


def mean_over_tokens(hidden: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
    """Returns the mean of each sequence's token vectors, padding left out."""
    mask = attention_mask[:, :, np.newaxis].astype(np.float32)
    means: np.ndarray = (hidden * mask).sum(axis=1) / np.clip(mask.sum(axis=1), 1e-9, None)
    return means


def normalize(vectors: np.ndarray) -> np.ndarray:
    """Returns `vectors` with length 1; zero vectors stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths == 0, 1e-12, lengths)).astype(np.float32)
