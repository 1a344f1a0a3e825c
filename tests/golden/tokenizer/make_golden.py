"""Makes the tokenizers and the expected values of tests/text/golden_test.cpp with the PyPI package `tokenizers`.

Run: python make_golden.py   (writes beside itself; versions and hashes go to golden.txt)
For each tokenizer: NAME.json; NAME.hashes, per line the 64-bit FNV-1a hash (little-endian) of the u32 words id, begin,
end, word + 1 and type of every token; NAME.cases, whole results for some lines, pairs, truncations and words.
"""
import hashlib
import json
import pathlib
import platform
import struct

import tokenizers
from tokenizers import (AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers)

from lines import line

HERE = pathlib.Path(__file__).parent
LINES = 20000
texts = [line(i).decode("utf-8", "replace") for i in range(LINES)]
sample = texts[:4000]


def word_piece():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer()
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    t.train_from_iterator(sample, trainers.WordPieceTrainer(vocab_size=2500, limit_alphabet=900, show_progress=False,
                                                            special_tokens=special))
    ids = [(name, t.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
                                                     special_tokens=ids)
    return t


def byte_level_bpe():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    t.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    t.train_from_iterator(sample, trainers.BpeTrainer(vocab_size=1200, show_progress=False, special_tokens=special,
                                                      initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    t.add_tokens([AddedToken("U.S.", single_word=True), AddedToken("it's", rstrip=True)])
    t.post_processor = processors.RobertaProcessing(("</s>", t.token_to_id("</s>")), ("<s>", t.token_to_id("<s>")),
                                                    trim_offsets=True, add_prefix_space=True)
    return t


def words_of(encoding):
    return [-1 if w is None else w for w in encoding.word_ids]


def fnv(encoding):
    value = 0xCBF29CE484222325
    for i, (begin, end), w, t in zip(encoding.ids, encoding.offsets, words_of(encoding), encoding.type_ids):
        for byte in struct.pack("<5I", i, begin, end, w + 1, t):
            value = ((value ^ byte) * 0x100000001B3) & ((1 << 64) - 1)
    return value


def result(encoding):
    return {"ids": encoding.ids, "offsets": encoding.offsets, "types": encoding.type_ids,
            "word_ids": words_of(encoding), "special": encoding.special_tokens_mask}


def cases(t):
    out = []
    for i in range(0, LINES, LINES // 50):
        out.append({"kind": "line", "line": i, **result(t.encode(texts[i])), "decoded": t.decode(t.encode(texts[i]).ids)})
    for i in range(30):
        a, b = 101 + 2 * i, 102 + 2 * i
        length, side, strategy = 4 + 2 * i, ("right", "left")[i % 2], "longest_first"
        t.enable_truncation(length, direction=side, strategy=strategy)
        out.append({"kind": "pair", "line": a, "second": b, "max_length": length, "side": side,
                    **result(t.encode(texts[a], texts[b]))})
        out.append({"kind": "truncated", "line": a, "max_length": length, "side": side, **result(t.encode(texts[a]))})
        t.no_truncation()
        words = [w for w in texts[500 + i].split(" ") if w]
        out.append({"kind": "words", "words": words, **result(t.encode(words, is_pretokenized=True))})
    return out


report = ["tokenizers %s, Python %s, %d lines" % (tokenizers.__version__, platform.python_version(), LINES),
          "lines sha256 %s" % hashlib.sha256(b"".join(struct.pack("<I", len(line(i))) + line(i)
                                                      for i in range(LINES))).hexdigest()]
for name, make in (("word_piece", word_piece), ("byte_level_bpe", byte_level_bpe)):
    file = HERE / (name + ".json")  # kept where it exists: the package's WordPiece trainer breaks ties at random
    if not file.exists():
        make().save(str(file), pretty=False)
    t = Tokenizer.from_file(str(file))
    (HERE / (name + ".hashes")).write_bytes(b"".join(struct.pack("<Q", fnv(t.encode(text))) for text in texts))
    (HERE / (name + ".cases")).write_text("[\n" + ",\n".join(json.dumps(case) for case in cases(t)) + "\n]\n")
    for end in (".json", ".hashes", ".cases"):
        report.append("%s sha256 %s" % (name + end, hashlib.sha256((HERE / (name + end)).read_bytes()).hexdigest()))
(HERE / "golden.txt").write_text("\n".join(report) + "\n")
print("\n".join(report))
