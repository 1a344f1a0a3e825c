"""Real lengths for `suanli bench --lengths`: batches of like lengths as the Hugging Face trainer groups them.

suanli tokenize --model DIR --input TEXT | python lengths.py [BATCH] > lengths.txt
"""
import json
import random
import sys

from work import LONGEST, grouped


def main():
    batch = int(sys.argv[1]) if len(sys.argv) > 1 else 32
    lengths = [min(len(json.loads(line)["ids"]), LONGEST) for line in sys.stdin]
    print("\n".join(str(n) for b in grouped(lengths, batch, lambda n: n, random.Random(1)) for n in b))


if __name__ == "__main__":
    main()
