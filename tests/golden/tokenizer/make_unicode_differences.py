"""Writes src/text/unicode_differences.cpp: the code points on which the PyPI package `tokenizers` and utf8proc differ.

Both know Unicode, of different years. This asks both about every code point and lists the ranges where the package says
otherwise, so that the tokenizers answer as the package does whatever utf8proc they are built with.
Run: python make_unicode_differences.py > src/text/unicode_differences.cpp   (about two minutes)
"""
import ctypes
import ctypes.util
import unicodedata

import tokenizers
from tokenizers import Regex, normalizers as n, pre_tokenizers as p

lib = ctypes.CDLL(ctypes.util.find_library("utf8proc") or "libutf8proc.so.2")
lib.utf8proc_version.restype = ctypes.c_char_p
lib.utf8proc_unicode_version.restype = ctypes.c_char_p
lib.utf8proc_category_string.restype = ctypes.c_char_p
parts = (ctypes.c_int32 * 64)()
boundary = ctypes.c_int(0)
COMPAT, DECOMPOSE = 4, 16


def bert(**on):
    return n.BertNormalizer(**{**dict(clean_text=False, handle_chinese_chars=False, strip_accents=False,
                                      lowercase=False), **on})


clean, accents, lower = bert(clean_text=True), bert(strip_accents=True), n.Lowercase()
strip_marks, nfd, nfkd = n.StripAccents(), n.NFD(), n.NFKD()
bert_split, byte_level, words = p.BertPreTokenizer(), p.ByteLevel(add_prefix_space=False), p.Whitespace()
digits = p.Digits()


def pieces(pre_tokenizer, text):
    return len(pre_tokenizer.pre_tokenize_str(text))


def decompose(cp, options):
    count = lib.utf8proc_decompose_char(cp, parts, 64, options, ctypes.byref(boundary))
    return [parts[i] for i in range(count)]


def starter(c):
    """The package gives the combining class 0: nothing moves over it and it moves over nothing."""
    order = nfd.normalize_str("x" + c + "\u0334") == "x" + c + "\u0334"
    return order and nfd.normalize_str("x\u0345" + c) == "x\u0345" + c


def utf8proc_starter(cp):
    text = ("x" + chr(cp) + "\u0334").encode()
    back = ("x\u0345" + chr(cp)).encode()
    return normalized(text) == text and normalized(back) == back


lib.utf8proc_NFD.restype = ctypes.c_void_p
lib.utf8proc_NFD.argtypes = [ctypes.c_char_p]
libc = ctypes.CDLL(None)
libc.free.argtypes = [ctypes.c_void_p]


def normalized(text):
    pointer = lib.utf8proc_NFD(text)
    result = ctypes.string_at(pointer)
    libc.free(pointer)
    return result


# Patterns: a code point that Unicode 14 (PCRE2 10.42, and Python 3.11 here) does not know is matched as this one, of the
# category that the package gives it.
assert unicodedata.unidata_version == "14.0.0"
PROXIES = {"Lu": 0x10400, "Ll": 0x10428, "Lt": 0x1F88, "Lm": 0xA4F8, "Lo": 0xA000, "Mn": 0x1DC0, "Mc": 0xAA7B,
           "Me": 0xA670, "Nd": 0xA620, "Nl": 0x10140, "No": 0x10107, "Pc": 0xFE33, "Pd": 0x2E3A, "Ps": 0x2E22,
           "Pe": 0x2E23, "Pi": 0x2E02, "Pf": 0x2E03, "Po": 0xA4FE, "Sm": 0x2A00, "Sc": 0xA838, "Sk": 0xA700,
           "So": 0x4DC0, "Cf": 0x110BD}
assert all(unicodedata.category(chr(proxy)) == category for category, proxy in PROXIES.items())
CATEGORY_PATTERNS = [(proxy, p.Split(Regex(r"\p{%s}" % category), "isolated")) for category, proxy in PROXIES.items()]


def proxy_of(c):
    if unicodedata.category(c) == "Cn":
        for proxy, pattern in CATEGORY_PATTERNS:
            if pieces(pattern, "\0" + c) == 2:
                return proxy
    return 0


WORD_SYMBOLS = set(range(0x24B6, 0x24EA)) | set(range(0x1F130, 0x1F14A)) | set(range(0x1F150, 0x1F16A)) | set(
    range(0x1F170, 0x1F18A)) | {0x200C, 0x200D}
differences = {k: [] for k in ("control", "punctuation", "nonspacing_mark", "mark", "letter", "number", "numeric",
                               "word", "starter", "undecomposed")}
lower_case, proxies = [], []
for cp in range(0x80, 0x110000):
    if 0xD800 <= cp < 0xE000 or cp == 0xFFFD:
        continue
    c = chr(cp)
    if c.isspace() and pieces(p.WhitespaceSplit(), "a" + c + "b") == 2:
        continue
    k = lib.utf8proc_category_string(cp).decode()

    def compare(name, package, ours):
        if package != ours:
            differences[name].append((cp, package))

    compare("control", clean.normalize_str("a" + c + "b") == "ab", k in ("Cc", "Cf", "Cs", "Co"))
    compare("punctuation", pieces(bert_split, "a" + c + "b") == 3, k[0] == "P")
    if nfd.normalize_str(c) == c:
        compare("nonspacing_mark", accents.normalize_str(c) == "", k == "Mn")
        compare("starter", starter(c), utf8proc_starter(cp))
    compare("mark", strip_marks.normalize_str(c) == "", k[0] == "M")
    compare("letter", pieces(byte_level, "a" + c) == 1, k[0] == "L")
    compare("number", pieces(byte_level, "1" + c) == 1, k[0] == "N")
    compare("numeric", pieces(digits, "a" + c + "b") == 3, k[0] == "N")
    compare("word", pieces(words, "a" + c) == 1,
            k[0] in "LM" or k in ("Nd", "Nl", "Pc") or cp in WORD_SYMBOLS)
    if nfkd.normalize_str(c) == c and decompose(cp, DECOMPOSE | COMPAT) != [cp]:
        differences["undecomposed"].append((cp, True))
    if proxy_of(c):
        proxies.append((cp, proxy_of(c)))
    lowered = [ord(x) for x in lower.normalize_str(c)]
    if cp != 0x130 and lowered != [lib.utf8proc_tolower(cp)]:
        assert len(lowered) == 1
        lower_case.append((cp, lowered[0] - cp))


def ranges(pairs):
    out = []
    for cp, value in pairs:
        if out and out[-1][1] == cp - 1 and out[-1][2] == value:
            out[-1][1] = cp
        else:
            out.append([cp, cp, value])
    return out


print("// Made by tests/golden/tokenizer/make_unicode_differences.py from tokenizers %s and utf8proc %s (Unicode %s)." %
      (tokenizers.__version__, lib.utf8proc_version().decode(), lib.utf8proc_unicode_version().decode()))
print('#include "text/unicode_differences.h"\n\nnamespace suanli::unicode {\nnamespace {\n')
print("// first, last, what the package answers\n")
for name, pairs in differences.items():
    body = ", ".join("{0x%X, 0x%X, %d}" % (a, b, v) for a, b, v in ranges(pairs))
    camel = "".join(x.capitalize() for x in name.split("_"))
    print("constexpr Difference k%s[] = {%s};" % (camel, body or "{1, 0, 0}"))
print("// first, last, distance to the lower-case letter")
print("constexpr Difference kLowerCase[] = {%s};" %
      ", ".join("{0x%X, 0x%X, %d}" % (a, b, v) for a, b, v in ranges(lower_case)))
print("// first, last, the code point that stands for them in patterns")
print("constexpr Difference kPatternProxy[] = {%s};" %
      ", ".join("{0x%X, 0x%X, 0x%X}" % (a, b, v) for a, b, v in ranges(proxies)))
print("\n}  // namespace\n")
for name in list(differences) + ["lower_case", "pattern_proxy"]:
    camel = "".join(x.capitalize() for x in name.split("_"))
    print("std::span<const Difference> differences_%s() { return k%s; }" % (name, camel))
print("\n}  // namespace suanli::unicode")
