"""The 20,000 lines of the tokenizer tests, made from numbers alone. tests/text/golden_lines.h makes the same ones.

Words of syllables, words from Unicode blocks (Chinese, Arabic, Hindi, combining accents, emoji, control characters),
numbers, contractions and special tokens, with all kinds of whitespace between; one line in eight has broken UTF-8.
"""
MASK = (1 << 64) - 1
SYLLABLES = ["ba", "co", "di", "fu", "ge", "ha", "ing", "jo", "ka", "lu", "me", "no", "per", "qui", "re", "sta", "ti", "un",
             "ver", "wo", "xe", "y", "za", "tion", "e", "s"]
SPECIAL = ["[MASK]", "<mask>", "[SEP]", "</s>", "don't", "we've", "it's", "I'LL", "e-mail", "U.S.", "3.14", "[mask]", "'d",
           "...", "naïve", "İstanbul", "ΣΟΦΟΣ", "straße"]
EMOJI = ["👩‍👩‍👧", "🏳️‍🌈", "👍🏽", "🇨🇳", "❤️", "😀", "👨‍💻"]
SEPARATORS = [" ", " ", " ", " ", " ", " ", "", "  ", "\t", "\n", "\r\n", "\u3000", "\u00a0", "\u200b", "\u0000", "   ",
              " \n ", "\u2028", ", ", ". "]
BROKEN = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xf0\x9f\x98", b"\x80", b"\xc3",
          b"\xe0\x80\x80", b"\xf0\x80\x80\x80"]
BLOCKS = [(0x21, 0x7E), (0xA1, 0x17F), (0x180, 0x24F), (0x250, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F),
          (0x590, 0x5FF), (0x600, 0x6FF), (0x620, 0x64A), (0x900, 0x97F), (0x905, 0x939), (0x980, 0xDFF), (0xE00, 0xEFF),
          (0xF00, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x1AFF), (0x1B00, 0x1DFF), (0x1E00, 0x1FFF), (0x2000, 0x206F),
          (0x2070, 0x218F), (0x2190, 0x2BFF), (0x2C00, 0x2E7F), (0x3001, 0x30FF), (0x3100, 0x33FF), (0x3400, 0x4DBF),
          (0x4E00, 0x9FFF), (0x4E00, 0x9FFF), (0x4E00, 0x5FFF), (0xA000, 0xABFF), (0xAC00, 0xD7A3), (0xE000, 0xF8FF),
          (0xF900, 0xFAFF), (0xFB00, 0xFDFF), (0xFE00, 0xFFFF), (0x10000, 0x12FFF), (0x16000, 0x1BFFF),
          (0x1D000, 0x1DFFF), (0x1E000, 0x1EFFF), (0x1F300, 0x1FAFF), (0x20000, 0x323AF), (0xE0000, 0xE01EF), (0x1, 0x1F),
          (0x7F, 0x9F)]


class Random:
    """splitmix64"""

    def __init__(self, seed):
        self.state = seed & MASK

    def __call__(self, bound):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return (z ^ (z >> 31)) % bound


def word(r):
    kind = r(100)
    if kind < 45:
        text = "".join(SYLLABLES[r(len(SYLLABLES))] for _ in range(1 + r(4)))
        case = r(8)
        text = text.upper() if case == 0 else text[0].upper() + text[1:] if case == 1 else text
    elif kind < 85:
        first, last = BLOCKS[r(len(BLOCKS))]
        text = "".join(chr(first + r(last - first + 1)) for _ in range(1 + r(7)))
    elif kind < 92:
        text = str(r(100000))
    elif kind < 97:
        text = SPECIAL[r(len(SPECIAL))]
    else:
        text = EMOJI[r(len(EMOJI))]
    if r(6) == 0:
        text += chr(0x300 + r(0x70))
    return text


def line(index):
    """The bytes of one line."""
    r = Random(index)
    text = ""
    for _ in range(r(16)):
        text += word(r) + SEPARATORS[r(len(SEPARATORS))]
    data = bytearray(text.encode("utf-8"))
    if r(8) == 0:
        for _ in range(1 + r(3)):
            at = r(len(data) + 1)
            if r(2) == 0:
                data[at:at] = BROKEN[r(len(BROKEN))]
            else:
                del data[at:at + 1]
    return bytes(data)
