"""Real lengths for `suanli bench --lengths` and compare.py: batches of like lengths as the Hugging Face trainer groups them.

suanli tokenize --model DIR --input TEXT | python lengths.py [BATCH] > lengths.txt
Rows are shuffled (seed 1), sorted within windows of 50 batches, and the batches shuffled; one length a line.
"""
import json
import random
import sys


def main():
    batch = int(sys.argv[1]) if len(sys.argv) > 1 else 32
    lengths = [min(len(json.loads(line)["ids"]), 128) for line in sys.stdin]
    rng = random.Random(1)
    rng.shuffle(lengths)
    windows = [sorted(lengths[i:i + 50 * batch]) for i in range(0, len(lengths), 50 * batch)]
    batches = [w[i:i + batch] for w in windows for i in range(0, len(w) - batch + 1, batch)]
    rng.shuffle(batches)
    print("\n".join(str(n) for b in batches for n in b))


if __name__ == "__main__":
    main()
