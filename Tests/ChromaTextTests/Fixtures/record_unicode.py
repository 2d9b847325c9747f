"""Records which scalars official Chroma counts to each Unicode class, and which are one letter.

Run in an environment that holds nothing but the official package; it takes some ten minutes:

    pip install chromadb==1.5.9
    cd Tests/ChromaTextTests/Fixtures && python record_unicode.py > unicode.jsonl

Each line is either a `class` with the `count` of its scalars and a `digest` of them (FNV-1a, 64
bits, over ranges such as `41-5A,61-61` as text), or a `fold`: the scalars, in hexadecimal, that
are equal but for case. Looked at are the planes 0 to 3, the tags and variation selectors, and the
beginnings and ends of other planes.
"""

import json
import re
from itertools import chain
from pathlib import Path

import chromadb

SCALARS = [
    value
    for value in chain(
        range(0x32400), range(0x3FFF0, 0x40010), range(0xE0000, 0xE0200),
        range(0xFFFF0, 0x100010), range(0x10FFF0, 0x110000))
    if not 0xD800 <= value <= 0xDFFF
]

CATEGORIES = """
L LC Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf
Co Cn Any Assigned ASCII
""".split()

PROPERTIES = """
ASCII_Hex_Digit Alphabetic Bidi_Control Bidi_Mirrored Cased Case_Ignorable Changes_When_Casefolded
Changes_When_Casemapped Changes_When_Lowercased Changes_When_Titlecased Changes_When_Uppercased
Dash Deprecated Default_Ignorable_Code_Point Diacritic Emoji_Modifier_Base Emoji_Modifier Emoji
Emoji_Presentation Extender Grapheme_Base Grapheme_Extend Hex_Digit ID_Continue Ideographic
ID_Start IDS_Binary_Operator IDS_Trinary_Operator Join_Control Logical_Order_Exception Lowercase
Math Noncharacter_Code_Point Pattern_Syntax Pattern_White_Space Quotation_Mark Radical Soft_Dotted
Sentence_Terminal Terminal_Punctuation Unified_Ideograph Uppercase Variation_Selector White_Space
XID_Continue XID_Start
""".split()

AGES = """
1.1 2.0 2.1 3.0 3.1 3.2 4.0 4.1 5.0 5.1 5.2 6.0 6.1 6.2 6.3 7.0 8.0 9.0 10.0 11.0 12.0 12.1 13.0
14.0 15.0 15.1 16.0
""".split()


def classes():
    table = Path(__file__).parents[3] / "Sources/ChromaText/UnicodeScripts.swift"
    scripts = re.findall(r"^    ([A-Z][a-z]{3}) \w+ ", table.read_text(), re.MULTILINE)
    yield from [r"\w", r"\d", r"\s", r"(?i)\p{Lu}", r"(?i)\p{Lt}", r"(?i)\p{Greek}"]
    yield from (rf"\p{{{name}}}" for name in CATEGORIES + PROPERTIES)
    yield from (rf"\p{{age={age}}}" for age in AGES)
    yield from (rf"\p{{sc={script}}}" for script in scripts)
    yield from (rf"\p{{scx={script}}}" for script in scripts)


def collection(client, name, scalars):
    result = client.create_collection(name, embedding_function=None)
    for start in range(0, len(scalars), 5000):
        batch = scalars[start : start + 5000]
        result.add(
            ids=[f"{value:X}" for value in batch], embeddings=[[0.0]] * len(batch),
            documents=["a" + chr(value) for value in batch])
    return result


def matching(searched, pattern):
    answer = searched.get(where_document={"$regex": pattern}, include=[])
    return sorted(int(value, 16) for value in answer["ids"])


def digest(scalars):
    ranges = []
    for value in scalars:
        if ranges and ranges[-1][1] + 1 == value:
            ranges[-1][1] = value
        else:
            ranges.append([value, value])
    result = 0xCBF29CE484222325
    for byte in ",".join(f"{lower:X}-{upper:X}" for lower, upper in ranges).encode():
        result = (result ^ byte) * 0x100000001B3 % 2**64
    return f"{result:016X}"


def main():
    client = chromadb.EphemeralClient()
    everything = collection(client, "everything", SCALARS)
    for name in classes():
        scalars = matching(everything, rf"^a{name}$")
        print(json.dumps({"class": name, "count": len(scalars), "digest": digest(scalars)}))
    cased = matching(everything, r"^a\p{Changes_When_Casemapped}$")
    letters = collection(client, "letters", cased)
    seen = set()
    for value in cased:
        if value not in seen:
            equals = matching(letters, rf"(?i)^a\x{{{value:X}}}$")
            seen.update(equals)
            print(json.dumps({"fold": " ".join(f"{equal:X}" for equal in equals)}))


main()
