"""Records what other JSON parsers make of the texts below, into json.tsv beside this file.

    python record_json.py        (needs chromadb==1.5.9)

One line a text: the text, a tab, the value or, after "!", the error. Texts escape bytes as \\xNN.
Values are in the notation of `canonical`. Official Chroma, whose configurations carry an arbitrary
JSON value through serde_json, says which texts are JSON, and the errors are its own. The values are
those of Python's json module, because serde_json may miss a float by its last bit.
"""

import json
import random
import struct
from pathlib import Path

import chromadb_rust_bindings as rust

# The text under test stands on a line of its own, so that its columns begin at 1.
PREFIX = '{"embedding_function":{"type":"known","name":"x","config":\n'
SUFFIX = "\n}}"

WHOLE = [
    "null", "true", "false", "0", "-0", "1", "-1", "10", "123456789", "1.0", "1.5", "-1.5", "0.1",
    "1e3", "1E3", "1e+3", "1e-3", "1.25e2", "0e0", "0.0", "-0.0", "1e16", "1e300", "5e-324",
    "2.2250738585072014e-308", "1.7976931348623157e308", "1e-400", "1e400", "-1e400",
    "9007199254740993", "9007199254740993.0", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
    "18446744073709551616", "100000000000000000000", "0.1000000000000000055511151231257827",
    "8.41e21", "9.5e-8", "2.4703282292062327e-324", "6.0221409e+23", "4.35", "123456.789e3",
    '""', '"a"', '"é"', '"\U0001f600"', r'"\u00e9"', r'"\uD83D\uDE00"', r'"\ud83d\ude00"',
    r'"\"\\\/\b\f\n\r\t"', r'"\u0000"', '"\x7f"', r'"\u007F"', r'"a\u0041b"', '"\\ud800"',
    '"\\udc00"', '"\\ud800\\ud800"', '"\\ud800x"', '"\\ud800\\n"', '"\\uD83D\\u0041"', '"\\x41"',
    '"\\u12G4"', '"\\u 041"', '"\\\'"', '"\t"', '"\n"', '"\x00"', '"\x1f"', "'a'",
    "[]", "[ ]", "[1]", "[1,2]", "[1 , 2]", "[[],[[]]]", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]",
    "[1}", "[\n1\n,\n2\n]", "[\n1\n2]", "{}", "{ }", '{"a":1}', '{"a":1,"b":[2,{"c":null}]}',
    '{"":0}', '{"a":1,"a":2}', '{"b":1,"a":2,"b":3}', '{"a":1,}', "{,}", '{"a"}', '{"a" 1}',
    '{"a",1}', '{"a":}', '{"a":,}', "{a:1}", "{1:1}", '{"a":1 "b":2}', '{"a":1]', "{null:1}",
    "nulL", "True", "truE", "falsy", "NaN", "Infinity", "-Infinity", "inf",
    "+1", "01", "-01", "00", "1.e1", ".5", "-.5", "--1", "-a", "1ea",
    "1e1.5", "0x10", "1_000", "1a", "1.5a", "undefined", "#", "/* */ 1", "// 1", "1;", "]", "}",
    ",", ":", "@", "\\u0031", "\ufeff1", "\u00a01", "\x0b1",
]  # fmt: skip

# Texts that end too early.
CUT = [
    "", " ", "[", "[1", "[1,", "[ ", "{", '{"a', '{"a"', '{"a":', '{"a":1', '{"a":1,', '"', '"a',
    '"\\', '"\\u', '"\\u00', '"\\ud800', '"\\ud800\\', '"\\ud800\\u', "n", "nul", "t", "fals", "-",
    "1.", "1e", "1e-", "[[", '[{"a":[', "[1\n\n",
]  # fmt: skip


def random_text(choose: random.Random, depth: int = 0) -> str:
    """A JSON text with all the ways of writing a value."""

    def space() -> str:
        return choose.choice(["", "", "", " ", "\n", "\t", "\r\n"])

    kind = choose.choice("nbifgsss" if depth > 3 else "nbifgsssaaoo")
    if kind == "n":
        return "null"
    if kind == "b":
        return choose.choice(["true", "false"])
    if kind == "i":
        return str(choose.choice([-1, 1]) * (choose.getrandbits(choose.randint(1, 64)) | 1))
    if kind == "f":
        (number,) = struct.unpack("<d", struct.pack("<Q", choose.getrandbits(64)))
        return "0.0" if number != number or abs(number) == float("inf") else repr(number)
    if kind == "g":
        digits = "".join(choose.choices("0123456789", k=choose.randint(1, 40)))
        return f"{choose.randint(-99, 99)}.{digits}e{choose.randint(-330, 300)}"
    if kind == "s":
        alphabet = ["a", "B", " ", "é", "漢", "\U0001f600", "\\n", '\\"', "\\\\", "\\u00e9", "\\/"]
        return '"' + "".join(choose.choices(alphabet, k=choose.randint(0, 6))) + '"'
    items = [random_text(choose, depth + 1) for _ in range(choose.randint(0, 4))]
    if kind == "o":
        items = [f'"{choose.choice("abcd")}"{space()}:{space()}{item}' for item in items]
    body = f"{space()},{space()}".join(items)
    return ("{%s}" if kind == "o" else "[%s]") % f"{space()}{body}{space()}"


def canonical(value: object) -> str:
    """null, true, i1, f and the bits, s and the UTF-8 in hexadecimal, [..;..], {key=value;..}."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        value = float(value)
    if isinstance(value, int):
        return f"i{value}"
    if isinstance(value, float):
        return "f" + struct.pack(">d", value).hex()
    if isinstance(value, str):
        return "s" + value.encode().hex()
    if isinstance(value, list):
        return "[" + ";".join(map(canonical, value)) + "]"
    assert isinstance(value, dict)
    members = (f"{canonical(key)}={canonical(item)}" for key, item in sorted(value.items()))
    return "{" + ";".join(members) + "}"


def escaped(text: str) -> str:
    plain = set(range(0x20, 0x7F)) - {ord("\\")}
    return "".join(chr(byte) if byte in plain else f"\\x{byte:02x}" for byte in text.encode())


def main() -> None:
    config = rust.SqliteDBConfig(
        hash_type=rust.MigrationHash.MD5, migration_mode=rust.MigrationMode.Apply, url=None
    )
    bindings = rust.Bindings(
        allow_reset=True, sqlite_db_config=config, hnsw_cache_size=10, persist_path=None
    )
    names = (f"collection{number}" for number in range(1_000_000))

    def official(text: str) -> str:
        try:
            collection = bindings.create_collection(
                next(names), text, None, None, False, "default_tenant", "default_database"
            )
        except Exception as error:
            message, _, line = str(error).rpartition(" at line ")
            line, _, column = line.partition(" column ")
            return f"!{message} at line {int(line) - PREFIX.count(chr(10))} column {column}"
        return canonical(collection.configuration["embedding_function"]["config"])

    lines = []
    choose = random.Random(1)
    for text in WHOLE + [random_text(choose) for _ in range(300)]:
        answer = official(PREFIX + text + SUFFIX)
        if not answer.startswith("!") and text != "-0":  # Python reads the integer 0.
            answer = canonical(json.loads(text))
        # Behind a complete value official complains about the object around it.
        if answer.startswith("!expected `,` or `}`") and not text.startswith("{"):
            answer = answer.replace("expected `,` or `}`", "trailing characters")
        lines.append(f"{escaped(text)}\t{answer}")
    lines += [f"{escaped(text)}\t{official(PREFIX + text)}" for text in CUT]
    Path(__file__).with_name("json.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
