"""The words from which random histories are made: chosen to collide, to tie and to be awkward."""

from __future__ import annotations

COMPOSED, DECOMPOSED = "\u00e9", "e\u0301"  # Equal on screen, different as ids, keys and text.

PLAIN_IDS = [f"r{number}" for number in range(40)]

AWKWARD_IDS = [
    COMPOSED,
    DECOMPOSED,
    "a",
    "A",
    " ",
    "a ",
    "%",
    "_",
    "'",
    '"',
    "a'; DROP TABLE x; --",
    "\x00",
    "a\x00b",
    "a\x00c",
    "\U0001f600",
    "\U0010ffff",
    "\ufeffa",
    "日本語",
    "\ufb01",
    "line\nbreak",
    "0",
    "00",
    "long" * 100,
]

WORDS = [
    "alpha",
    "Alpha",
    "beta",
    "gamma",
    "caf\u00e9",
    "cafe\u0301",
    "100%",
    "a_b",
    "a\\b",
    "x",
    "\U0001f600\U0001f600",
    "日本語",
    "straße",
    "STRASSE",
    "42",
    "it's",
    '"quoted"',
    "tab\there",
    "two\nlines",
]

LONG_WORD = "lorem ipsum " * 300

# Substrings to look for: one or two characters, across words, wildcards of SQL, absent ones.
NEEDLES = [
    "a",
    "A",
    "al",
    "pha",
    "alpha beta",
    "%",
    "_",
    "\\",
    "é",
    "\u0301",
    "e",
    " ",
    "'",
    '"',
    "\n",
    "\U0001f600",
    "日本",
    "語",
    "ß",
    "ipsum lorem",
    "absent",
    "42",
]

# Patterns that mean the same in Rust's and in Python's dialect.
PATTERNS = [
    "a",
    "al.ha",
    "^alpha",
    "(?i)ALPHA",
    "alpha|gamma",
    r"\d+",
    r"[aeiou]{2}",
    r"\bbeta\b",
    r"gam+a",
    r"(al|be)[a-z]*",
    r"a_b",
    r"100%",
    r"caf.",
    r"日本.",
    r"[^a-z ]",
    r"a\\b",
    r"[A-Z]lpha",
    r"x?42",
    r"(?:beta ){2}",
    r"alpha.*gamma",
    r"\s",
    "absent",
]

# Metadata keys, and the values each may take: mostly one type a key, one key of every type.
INTEGERS = [-3, -1, 0, 1, 2, 3, 7, 2**31, -(2**31), 2**53 + 1, 2**63 - 1, -(2**63)]
FLOATS = [-1.5, -1.0, -0.0, 0.0, 0.1, 0.5, 1.0, 1.5, 2.0, 2.5, 7.0, 1e300, 5e-324, 2.0**53, 1e-7]
STRINGS = ["", "a", "b", "A", "1", "true", COMPOSED, DECOMPOSED, "a\x00b", "\U0001f600", "x" * 500]
BOOLEANS = [True, False]
LISTS = [
    [1, 2],
    [2],
    [1, 1, 2],
    [2**63 - 1],
    [1.5, 2.0],
    [2.0],
    ["a", "b"],
    ["b"],
    ["a", "a"],
    [COMPOSED],
    ["\x00"],
    [True],
    [True, False],
    [False],
]

KEYS: dict[str, list] = {
    "i": INTEGERS,
    "f": FLOATS,
    "s": STRINGS,
    "b": BOOLEANS,
    "l": LISTS,
    "any": INTEGERS[:6] + FLOATS[:8] + STRINGS[:6] + BOOLEANS + LISTS[:8],
    COMPOSED: INTEGERS[:6],
    DECOMPOSED: INTEGERS[:6],
    "a key with spaces.and-dots": STRINGS[:4],
    "\U0001f600": BOOLEANS,
    "chroma:hidden": STRINGS[:3],
}
