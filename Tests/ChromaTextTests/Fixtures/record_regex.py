"""Records how official Chroma answers `$regex`, for the tests of our regular expressions.

Run in an environment that holds nothing but the official package:

    pip install chromadb==1.5.9
    cd Tests/ChromaTextTests/Fixtures && python record_regex.py > regex.jsonl

The first line holds the `documents`. Each further line is an answer: a `pattern` and either
`matches` (which documents match, one character 0 or 1 for each) or `error` (the message). Besides
the patterns written out below there are some put together at random from a fixed seed.
"""

import json
import random

import chromadb

DOCUMENTS = [
    "abc", "a\nb", "ABC é \u212a k", "x" * 50, "a\x00b", "a\r\nb", "The quick brown fox",
    "Straße ẞ SS ss ſ", "İıiI", "ΑαΣσς \u2126ω \u00b5μ", "日本語 テキスト", "Привет, мир!",
    "שלום עולם", "مرحبا ١٢٣", "हिन्दी क्षि", "👩‍👩‍👧 emoji 🎉", "foo_bar-baz.qux@example.com",
    "1234-56-78 3.14e10", "  tab\tspace\u00a0nbsp\u2003em", "line1\nline2\r\nline3\rline4",
    "\u2028sep\u2029", "a-b_c d", "[]{}()^$.*+?|\\", "aaaaaaaaab", "ǅ ǆ Ǆ", "ﬁ ﬀ ﬅ ﬆ",
    "\U00010400\U00010428 deseret", "e\u0301 combining", "\u200d\u200c joiners", "x", " ", "\n",
    "\r\n", "0", "_", "é", "\U0010ffff", "\ufeffbom", "~&-#%", "foo foo bar", "θϑϴΘ ᲀв",
    "if (a && b) { return c--; }", "ᏣᎳᎩ ꭰ", "한국어", "ไทย ๑๒๓", "\u1c89\u1c8a \ua7cb \u0264",
    "no match here", "\t\n\x0b\x0c\r\x1c\x85", "ΐ ΐ ΰ ΰ",
]

LITERALS = r"""
a abc é 日本 🎉 \n \t \r \v \f \a \. \\ \[ \] \{ \} \( \) \* \+ \? \| \^ \$ \# \& \- \~ \% \/ \@
\, \: \; \= \! \" \' \` \_ \x41 \x{41} \x{1F389} \u0041 \u{41} \U00000041 \U0001F389 \x00 \x7f
\xe9 \x{10FFFF} \xff \u{0}
""".split() + [
    r"\ ", "a b", "\x00", "a\x00b", "\\\x01", "\n", "\r\n", " ", "#", "&&", "-", "]", "}",
]

CLASSES = r"""
. .+ a.b a.c (?s).b (?s)a.b (?s:.) (?R). (?R)a.b [abc] [^abc] [a-c] [^a-z] [a\-c] [-a] [a-]
[]a] [^]a] [--a] [a^] [\d\s] [\D] [\W] [\S] \d \D \s \S \w \W \d+ \w+@\w+\.com [é-ÿ] [α-ω]
[\x41-\x43] [\x{1F300}-\x{1FAFF}] [[a-c]x] [[^a-z]\n] [a-z&&[^aeiou]] [a-z&&b-y&&c] [a-z--aeiou]
[a-z--[a-m]] [a-m~~f-z] [\w--\d] [\w&&\PL] [\w&&[^_]&&\D] [a&&b] [a&&&b] [a---b] [a~~~b] [a&b]
[a~b] [^\s\S] [\s\S] [^[^a]] [[[[a]]]] [&&a] [a&&] [--a] [~~a] [^&&a] [a--] [[:alpha:]]
[[:alnum:]_] [[:^alpha:]] [[:digit:]] [[:space:]] [[:punct:]] [[:upper:][:digit:]] [[:lower:]]
[[:xdigit:]] [[:word:]] [[:blank:]] [[:cntrl:]] [[:graph:]] [[:print:]] [[:ascii:]] [[:^ascii:]]
[[:foo:]] [:alpha:] [[:alpha:]--a] [^[:alpha:]\s] [[:^space:]&&\W] [\n] [\]] [\[] [\\] [\^] [\-]
[#] [ ] [.] [$] [(] [|] [*] [a-\x7a] [\x00-\x{10FFFF}] [\x{D7FF}-\x{E000}]
""".split()

UNICODE = r"""
\pL \PL \pN \pM \pP \pS \pZ \pC \p{L} \p{Lu} \p{Ll} \p{Lt} \p{Lm} \p{Lo} \p{Nd} \p{Nl} \p{No}
\p{Mn} \p{Mc} \p{Pd} \p{Pc} \p{Sc} \p{Sm} \p{So} \p{Zs} \p{Zl} \p{Zp} \p{Cc} \p{Cf} \p{Cn} \p{Co}
\P{Lu} \p{Letter} \p{Uppercase_Letter} \p{uppercaseletter} \p{UPPERCASE-LETTER} \p{isLu}
\p{gc=Lu} \p{gc:Lu} \p{gc!=Lu} \P{gc!=Lu} \p{General_Category=Decimal_Number} \p{Greek}
\p{isGreek} \p{Cyrillic} \p{Han} \p{Hiragana} \p{Katakana} \p{Hebrew} \p{Arabic} \p{Thai}
\p{Devanagari} \p{Hangul} \p{Cherokee} \p{Deseret} \p{Latin} \p{Common} \p{Inherited} \p{Zinh}
\p{Grek} \p{sc=Greek} \p{sc:Grek} \p{sc!=Latin} \p{Script=Han} \p{scx=Grek} \p{scx=Deva}
\p{Script_Extensions=Hira} \p{Alphabetic} \p{Lowercase} \p{Uppercase} \p{White_Space} \p{Cased}
\p{Emoji} \p{Math} \p{Dash} \p{Ideographic} \p{Diacritic} \p{Join_Control} \p{Hex_Digit}
\p{ASCII_Hex_Digit} \p{ID_Start} \p{XID_Continue} \p{xidc} \p{alpha} \p{lower} \p{wspace}
\p{Noncharacter_Code_Point} \p{Default_Ignorable_Code_Point} \p{any} \P{any} \p{assigned}
\P{assigned} \p{ascii} \P{ascii} \p{age=6.0} \p{age=V6_0} \P{age=15.1} \p{sc} \p{cf} \p{lc}
[\p{L}\p{N}] [^\p{L}] [\p{Greek}&&\p{Lu}] [\p{L}--\p{Latin}] \pX \p{} \p{Foo} \p{^L} \p{foo=bar}
\p{gc=Foo} \p{sc=Foo} \p{scx=Foo} \p{age=99} \p{Block=Greek} \p{InGreek} \p{L&} \p{alpha=yes} \pé
\p{Cs} \p{isc} \p{is_c} \p{C} \p{Other}
""".split() + [r"\p{ Lu }", r"\p{ age = 6.0 }"]

FLAGS = r"""
(?i)abc (?i)k (?i)K (?i)ß (?i)ss (?i)σ (?i)ω (?i)µ (?i)ǆ (?i)i (?i)ı (?i)ﬅ (?i)ſ (?i)θ (?i)в
(?i)ꭰ (?i)Ɤ (?i)ΐ (?i)[k] (?i)[^k] (?i)[a-z] (?i)[^a-z] (?i)\p{Lu} (?i)\P{Lu} (?i)[\p{Lu}]
(?i)[^\p{Lu}] (?i)[[:upper:]] (?i)[a-z&&[^k]] (?i)\w (?i-i)abc (?i)a(?-i)b (?i:a)B ((?i)a)B
(?i)a|B A|(?i)b (?i:A|(?-i)b) (?m)^b (?m)a$ (?m)^$ ^b b$ ^a a\z \Ab ^ $ ^$ \A\z (?m)^ (?m)$
(?mR)^b (?mR)a$ (?mR)^$ (?R)a$ (?s)^.*$ ^.*$ (?m)^.+$ (?U)a+ (?U)a+? (?x)a(?-x:\ )b (?x)
(?im)^B (?i-m:^a) (?-u)a (?-u)é (?-u)\x41 (?-u)\xff (?-u)\x{e9} (?-u). (?-u)\w (?-u)\W (?-u)\d
(?-u)[a] (?-u)[ab] (?-u)[^a] (?-u)[é] (?-u)[\xff] (?-u)[a-\xff] (?-u)\pL (?-u)[\pL] (?-u)[\W]
(?-u)[[:alpha:]] (?-u)[[:^alpha:]] (?-u)\b (?-u)\B (?-u)\ba (?-u)é\b (?i-u)a (?i-u)é (?i-u)0
(?-u:[ab])|[cd] (?-u:[ab]|[cd]) [ab]|[c&&d] a|[b&&c] ([a&&b]) [a&&b]{0} [a&&b]? x[a&&b] (?-u:a|b)
""".split() + [
    "(?x) a b c", "(?x)a # comment\n b", "(?x)[a b]", r"(?x)a\ b", "(?x)a{ 2 }", "(?x: a ) b",
    "(?x)\\x{ 4 1 }", "(?x)\\p{ L u }", "(?x)( ?i)a", "(?x)a + ?", "(?x)[a - c]", "(?x)[a-#\nc]",
    "(?x)[a -#\n]", "(?x)[ ^a]", "(?x)[& &a]", "(?x)\\b{ start }a", "a b(?x)c d", "(?x)#",
    "((?x) a b) c",
]

LOOKS = r"""
\b \B \bfoo foo\b \bfoo\b \Bar \Boo \b\w \bк \b日 ١\b \b{start} \b{end} \b{start-half}
\b{end-half} \b{start}foo foo\b{end} \b{start-half}a a\b{end-half} \<foo \>foo foo\> \b{2} \b+ ^*
$+ (^a|b$) (?:\b|\B)x \b$ ^\B \B$
""".split()

GROUPS = r"""
(a) (a)(b) (?:a) (?P<n>a) (?<n>a) (?P<n_1>a) (?P<n.m[0]>a) (?P<é>a) (?P<n>a)(?P<m>b) () (|a) (a|)
a|b a|b|c |a a| | || (a|b)c (foo|bar)+ (a(b(c))) ((((((a)))))) (?:foo|fob|fox) (?i:foo)|BAR
(?P<a>a)|(?P<b>b) (?:)
""".split()

REPETITIONS = r"""
a* a+ a? a*? a+? a?? a{2} a{2,} a{2,4} a{0} a{0,} a{0,0} a{1} a{,2} a{2}? a{2,}? a{2,4}? a** a+*
a?+ (a*)* (a+)+ (a|b)* (a*)+b (ab)? (a+)+b (x+x+)+y (.*)(.*)(.*) [a-z]{3} \d{2,4} \d{4}-\d{2}
.{5} .{50} .{51} x{50} x{51} (?:ab){2} (a?){50} (a{1,2}){1,3} \w{100} a{1000}
""".split() + ["a{ 2 }", "a{ 2 , 3 }", "a{2 }b", "a{\t2,\n3}"]

REFUSED = r"""
[ [a [^ [] []a [^] [- [-- [a- [a-] [[a] [a[ [[ [[:alpha:] [[:alpha] [z-a] [\d-z] [a-\d] [\b] [\A]
[\B] [a-\b] [\b-a] [a-\pL] [a&& [a-- [a~~ [\ [\x [\q] ( (a (?: (?:a (a|b ((a) ) a) a)b (a)) a|)
(?P<n> (?P< (?P<> (?P<>a) (?P<n (?P<1>a) (?P<a-b>c) (?P<-) (?P<n>a)(?P<n>b) (?P<n>(?<n>a)) (?P=n)
(?P>n) (?P (?Pn) (? (?) (?i (?i- (?- (?-) (?i-) (?--i) (?i--s) (?ii) (?i-i) (?imi) (?a) (?a:b)
(?iz) (?#a) (?'n'a) (?|a) (?>a) (?&n) (?1) (?R) (?=a) (?!a) (?<=a) (?<!a) a(?=b) (?<=a)b (?
* + ? *a a|* (*) (?i)* (?i)+ ^** {2} {2 a{ a{2 a{2, a{2,3 a{} a{,} a{,3} a{x} a{2x} a{2,x} a{2,1}
a{3,2}? a{-1} a{99999999999} a{1,99999999999} a{4294967296} a{4294967295,1} \ \1 \8 \0 \01 \q \y
\E \Q \G \Z \K \R \X \N \h \H \e \c \cA \g \k \k<n> \i \é \日 \x \xg \x4 \x4g \x{ \x{} \x{g}
\x{41 \x{110000} \x{D800} \x{FFFFFFFFF} \u \u{ \u12 \u123g \uD800 \U0011FFFF \U0000 \p \P \p{ \p{L
\p\ \p\L \b{ \b{s \b{start \b{foo} \b{start-} \b{a1} \b{1 \b{,1} \b{} \B{start} (a)\1 (?P<n>a)\k
""".split() + [
    "(?x)[a #]\n", "(?x)[ ", "(?x) a # foo\n [\n", "a\nb[", "a\n(b\nc", "\n*", "a\r\n*", "é[", "日(",
    "🎉*", "\t(", "(?P<a>x)\n(?P<a>y)", "a\n\n\n\n\n\n\n\n\n\n[", "a\n\n\n\n\n\n\n\n[\n",
    "(?x)\\", "(?x)\\x ", "(?x)\\p ", "(?x)\\pL [", "a{ ", "a{2 ", r"\b{ start }", "(?x)a{2 ",
    "(" * 251 + ")" * 251, "[" * 251 + "a" + "]" * 251, "a" + "?" * 3 * 84, "(" * 10000,
    "((a|b)c" * 130 + ")" * 130, "(?:" * 125 + "ab" + ")" * 125, "(?:" * 125 + "ab|c" + ")" * 125,
]

TOKENS = (
    list("abkxKsS09 _-.^$*+?|()[]{}&~#,:é\n")
    + [rf"\{letter}" for letter in "dDsSwWbBAzntrxpPuQ15<>.[](){}-&~#"]
    + r"""
    (?i) (?m) (?s) (?x) (?R) (?-u) (?i: (?-u: (?P<n> (?: (?= [^ [[ ]] && -- ~~ [:alpha:] [:^digit:]
    \p{ \pL \PL \p{Greek} \p{Lu} \p{sc=Latin} \x41 \x{e9} \u00e9 \xff {2} {2,} {1,3} {0} *? +? ??
    \b{start} \b{end-half} a-z 0-9 α-ω ſ ß σ İ 日 🎉 foo \d+ \w+ \s* .*
    """.split()
)


def random_patterns(count, seed):
    """Short runs of tokens; about half of them are refused."""
    source = random.Random(seed)
    return ["".join(source.choices(TOKENS, k=source.randint(2, 6))) for _ in range(count)]


def answer(collection, pattern):
    try:
        result = collection.get(where_document={"$regex": pattern}, include=[])
    except Exception as error:
        return {"pattern": pattern, "error": str(error)}
    matching = set(result["ids"])
    return {
        "pattern": pattern,
        "matches": "".join("01"[str(index) in matching] for index in range(len(DOCUMENTS))),
    }


def main():
    collection = chromadb.EphemeralClient().create_collection("regex", embedding_function=None)
    collection.add(
        ids=[str(index) for index in range(len(DOCUMENTS))],
        embeddings=[[0.0]] * len(DOCUMENTS),
        documents=DOCUMENTS,
    )
    written_out = (
        LITERALS + CLASSES + UNICODE + FLAGS + LOOKS + GROUPS + REPETITIONS + REFUSED)
    patterns = list(dict.fromkeys(written_out + random_patterns(600, seed=1)))
    print(json.dumps({"official": chromadb.__version__, "documents": DOCUMENTS}))
    for pattern in patterns:
        print(json.dumps(answer(collection, pattern)))


main()
