"""Compares `suanli tokenize` with the PyPI package `tokenizers`: tokens, ids and offsets of every line must be equal.

Run: python compare_tokenizers.py --suanli build/suanli --model DIR [--lines 20000] [--text FILE ...]
DIR holds a tokenizer.json. The lines are those of tests/golden/tokenizer/lines.py (Chinese, Arabic, Hindi, combining
accents, emoji, control characters; broken UTF-8 as U+FFFD, since JSON carries no other) and those of the files given.
"""
import argparse
import json
import pathlib
import subprocess
import sys

from tokenizers import Tokenizer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden" / "tokenizer"))
from lines import line  # noqa: E402

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--suanli", required=True)
arguments.add_argument("--model", required=True)
arguments.add_argument("--lines", type=int, default=20000)
arguments.add_argument("--text", nargs="*", default=[])
args = arguments.parse_args()

texts = [line(i).decode("utf-8", "replace") for i in range(args.lines)]
for name in args.text:
    texts += pathlib.Path(name).read_bytes().decode("utf-8", "replace").split("\n")
peer = Tokenizer.from_file(str(pathlib.Path(args.model) / "tokenizer.json"))
peer.no_truncation()
peer.no_padding()

run = subprocess.run([args.suanli, "tokenize", "--model", args.model], stdout=subprocess.PIPE, check=True,
                     input="".join(json.dumps({"text": text}) + "\n" for text in texts).encode())
answers = run.stdout.decode().splitlines()
if len(answers) != len(texts):
    sys.exit("expected %d answers, found %d" % (len(texts), len(answers)))
wrong = tokens = 0
for number, (text, answer) in enumerate(zip(texts, answers)):
    ours, theirs = json.loads(answer), peer.encode(text)
    tokens += len(theirs.ids)
    if ours["ids"] != theirs.ids or [tuple(o) for o in ours["offsets"]] != theirs.offsets:
        wrong += 1
        if wrong <= 5:
            print("line %d differs: %s\n  ours  %s\n  peer  %s" % (number, ascii(text), ours["ids"], theirs.ids))
print("%d lines, %d tokens, %d lines differ" % (len(texts), tokens, wrong))
sys.exit(wrong != 0)
