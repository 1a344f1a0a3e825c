"""Sentence vectors, the same way for every peer: it brings a function from padded ids to vectors, the rest is here.

A peer calls main(load, info): load(model_folder, precision, threads) returns embed(ids [B,L] i64, mask [B,L] i64)
-> [B,H] f32, the normalised mean of the hidden states. `peer.py` then serves requests (protocol.py), and
`peer.py --once MODEL_FOLDER TEXT` is one start of the program: it prints the vector of the text and ends.
"""
import argparse
import json
import os

import numpy as np

from protocol import fastest, serve

BATCH_SIZES = (16, 32, 64, 128)  # for many texts; the fastest is taken


def padded(sequences):
    ids = np.zeros((len(sequences), max(len(s) for s in sequences)), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        ids[row, :len(sequence)] = sequence
        mask[row, :len(sequence)] = 1
    return ids, mask


def read_work(request, key):
    with open(request["work"], encoding="utf-8") as f:
        return json.load(f)[key]


def tokenizer_of(folder, max_length=512):
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length)
    return tokenizer


class Vectors:
    """Token ids in one padded batch."""

    def __init__(self, embed, sequences):
        self.embed, self.sequences, self.vectors = embed, sequences, None

    def run(self, _):
        self.vectors = self.embed(*padded(self.sequences))

    def answers(self):
        return {"vectors": np.asarray(self.vectors, dtype=np.float32).tolist()}


class TextVectors(Vectors):
    """Texts: tokenised, sorted by length, in batches padded to their longest."""

    def __init__(self, embed, texts, tokenizer):
        super().__init__(embed, None)
        self.texts, self.tokenizer, self.batch = texts, tokenizer, BATCH_SIZES[0]
        self.setting = f"batch {fastest(BATCH_SIZES, self.set_batch, self)}"

    def set_batch(self, batch):
        self.batch = batch

    def run(self, _):
        sequences = [e.ids for e in self.tokenizer.encode_batch(self.texts)]
        order = sorted(range(len(sequences)), key=lambda i: -len(sequences[i]))
        vectors = [None] * len(sequences)
        for begin in range(0, len(order), self.batch):
            rows = order[begin:begin + self.batch]
            for row, vector in zip(rows, self.embed(*padded([sequences[i] for i in rows]))):
                vectors[row] = vector
        self.vectors = vectors


class Loading(Vectors):
    """From the files to a first answer."""

    def __init__(self, load, sequences):
        super().__init__(None, sequences)
        self.load = load

    def run(self, turn):
        self.embed = self.load()
        super().run(turn)


def open_inference(request, load, threads):
    folder, precision = request["model"], request["precision"]
    if request["kind"] == "infer":
        return Vectors(load(folder, precision, threads), read_work(request, "sequences"))
    if request["kind"] == "embed":
        return TextVectors(load(folder, precision, threads), read_work(request, "texts"),
                           tokenizer_of(folder, request["max_length"]))
    if request["kind"] == "load":
        return Loading(lambda: load(folder, precision, threads), read_work(request, "sequences"))
    raise ValueError(f"unknown kind {request['kind']}")


def parser(doc):
    out = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    out.add_argument("--once", nargs=2, metavar=("MODEL_FOLDER", "TEXT"))
    return out


def main(load, info, doc):
    args = parser(doc).parse_args()
    if args.once:
        folder, text = args.once
        ids = tokenizer_of(folder).encode(text).ids
        vectors = load(folder, "f32", args.threads)(*padded([ids]))
        print(json.dumps({"vectors": np.asarray(vectors, dtype=np.float32).tolist()}), flush=True)
        return
    serve(lambda request: open_inference(request, load, args.threads), info)
