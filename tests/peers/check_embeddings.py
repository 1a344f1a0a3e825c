"""Compares Suanli's sentence embeddings with sentence-transformers' own.

usage: check_embeddings.py MODEL_DIR SENTENCES.txt EMBEDDINGS.jsonl [--at_least 0.99999] [--lines 1000]
SENTENCES has one sentence a line; EMBEDDINGS is what
`suanli embed --model MODEL_DIR` answered: {"embedding": [...]} a line.
Exit code 0 when every cosine is at least the bound (0.99999 for f32, 0.999 for bf16); 1 otherwise.
"""
import argparse
import json
import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import numpy as np
import torch
from sentence_transformers import SentenceTransformer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("sentences")
    parser.add_argument("embeddings")
    parser.add_argument("--at_least", type=float, default=0.99999)
    parser.add_argument("--lines", type=int, default=1000, help="how many sentences there must be at least")
    args = parser.parse_args()
    with open(args.sentences, encoding="utf-8", newline="\n") as f:
        sentences = f.read().split("\n")
    if sentences[-1] == "":
        sentences.pop()
    with open(args.embeddings, encoding="utf-8") as f:
        ours = [json.loads(line)["embedding"] for line in f]
    if len(sentences) != len(ours) or len(ours) < args.lines:
        sys.exit(f"{len(sentences)} sentences and {len(ours)} embeddings; wanted as many of each, {args.lines} or more")
    ours = np.asarray(ours, dtype=np.float64)
    theirs = SentenceTransformer(args.model, device="cpu").encode(sentences, batch_size=32, convert_to_numpy=True)
    theirs = theirs.astype(np.float64)
    if ours.shape != theirs.shape:
        sys.exit(f"Suanli's embeddings have shape {ours.shape}, sentence-transformers' {theirs.shape}")
    cosine = (ours * theirs).sum(1) / (np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1))
    lengths = np.abs(np.linalg.norm(ours, axis=1) - np.linalg.norm(theirs, axis=1)).max()
    at = int(np.argmin(cosine))
    print(f"{len(ours)} sentences: cosine at least {cosine[at]:.7f} (line {at + 1}), mean {cosine.mean():.7f}, "
          f"lengths differ by at most {lengths:.1e}")
    # Cosine is blind to length, so length has its own bound, as loose as the cosine's.
    sys.exit(0 if cosine[at] >= args.at_least and lengths <= 10 * (1 - args.at_least) else 1)


if __name__ == "__main__":
    torch.set_num_threads(os.cpu_count())
    main()
