"""Makes the golden values of small random LSTM, GRU and RNN classifiers (README.md says what each tensor is).

usage: make_recurrent.py     (writes recurrent/ and its part of versions.json beside itself)
"""
import json
import os
import shutil

import numpy as np
import torch
from golden_common import HERE, deterministic, normal, pack, pad, record, save, unpad
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

VOCAB, LENGTHS, LABELS = 50, [7, 1, 12], 3
CASES = {  # config.json beside the sizes
    "lstm": dict(bidirectional=True, pooling="last"),
    "gru": dict(bidirectional=True, pooling="mean"),
    "rnn": dict(bidirectional=False, pooling="last", nonlinearity="relu"),
}


class Classifier(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[config["model_type"]]
        options = {"nonlinearity": config["nonlinearity"]} if "nonlinearity" in config else {}
        self.pooling = config["pooling"]
        self.embedding = torch.nn.Embedding(VOCAB, config["embedding_dim"])
        self.rnn = kind(config["embedding_dim"], config["hidden_size"], config["num_layers"],
                        bidirectional=config["bidirectional"], batch_first=True, **options)
        self.classifier = torch.nn.Linear(config["hidden_size"] * (1 + config["bidirectional"]), LABELS)

    def forward(self, ids, lengths):
        packed = pack_padded_sequence(self.embedding(ids), lengths, batch_first=True, enforce_sorted=False)
        y, last = self.rnn(packed)
        y, _ = pad_packed_sequence(y, batch_first=True)
        h = last[0] if isinstance(last, tuple) else last
        directions = 1 + self.rnn.bidirectional
        pooled = h[-directions:].transpose(0, 1).flatten(1)
        if self.pooling == "mean":
            pooled = torch.stack([y[i, :n].mean(dim=0) for i, n in enumerate(lengths)])
        return y, self.classifier(pooled)


def make(name, extra):
    folder = os.path.join(HERE, "recurrent", name)
    shutil.rmtree(folder, ignore_errors=True)
    config = dict(model_type=name, architectures=["RecurrentForSequenceClassification"], vocab_size=VOCAB,
                  embedding_dim=12, hidden_size=16, num_layers=2, num_labels=LABELS, **extra)
    model = Classifier(config)
    with torch.no_grad():
        for parameter, p in model.named_parameters():
            p.copy_(normal(p.shape, f"{name}/{parameter}", 0.3))
    save(os.path.join(folder, "model.safetensors"), model.state_dict())
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as f:
        json.dump(config, f, indent=2)
        f.write("\n")

    rng = np.random.RandomState(sum(name.encode()))
    ids = [rng.randint(0, VOCAB, n).tolist() for n in LENGTHS]
    labels = torch.tensor(rng.randint(0, LABELS, len(LENGTHS)))
    hidden, logits = model(pad(ids, 0), LENGTHS)
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    flat, offsets = pack(ids)
    save(os.path.join(folder, "golden.safetensors"),
         {"ids": flat, "offsets": offsets, "labels": labels.to(torch.int32), "loss": loss,
          "hidden": unpad(hidden, LENGTHS), "logits": logits,
          **{f"grad/{n}": p.grad for n, p in model.named_parameters()}})


if __name__ == "__main__":
    deterministic()
    for name, extra in CASES.items():
        make(name, extra)
    record("recurrent", os.path.join(HERE, "recurrent"), {})
