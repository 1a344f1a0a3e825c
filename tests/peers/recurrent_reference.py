"""Trains a recurrent classifier with PyTorch: the score that Suanli's is held against, with the same recipe.

Reads config.json of a recurrent model (src/models/recurrent/config.h), a tokenizer.json and CSV files with the columns
text and label. AdamW without decay, linear schedule, clipping at 1.0, dropout before the classifier, padding to the
longest of the batch (no state sees it). Prints one JSON line with the accuracy of the last weights.

recurrent_reference.py --config config.json --tokenizer DIR --train_file train.csv --test_file test.csv
"""
import argparse
import csv
import json
import os
import time

import torch
from tokenizers import Tokenizer
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence


class Classifier(torch.nn.Module):
    def __init__(self, config, labels):
        super().__init__()
        kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[config["model_type"]]
        layers, dropout = config.get("num_layers", 1), config.get("dropout", 0.0)
        self.directions = 1 + config.get("bidirectional", False)
        self.mean = config.get("pooling", "last") == "mean"
        width = config.get("embedding_dim", config["hidden_size"])
        self.embedding = torch.nn.Embedding(config["vocab_size"], width)
        self.rnn = kind(width, config["hidden_size"], layers, batch_first=True, bidirectional=self.directions == 2,
                        dropout=dropout if layers > 1 else 0.0)
        self.dropout = torch.nn.Dropout(dropout)
        self.classifier = torch.nn.Linear(self.directions * config["hidden_size"], labels)

    def forward(self, ids, lengths):
        packed = pack_padded_sequence(self.embedding(ids), lengths, batch_first=True, enforce_sorted=False)
        y, last = self.rnn(packed)
        if self.mean:
            y, _ = pad_packed_sequence(y, batch_first=True)
            pooled = y.sum(dim=1) / lengths[:, None]
        else:
            h = last[0] if isinstance(last, tuple) else last
            pooled = h[-self.directions:].transpose(0, 1).flatten(1)
        return self.classifier(self.dropout(pooled))


def read(path, tokenizer):
    with open(path, encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    return [torch.tensor(e.ids) for e in tokenizer.encode_batch([r["text"] for r in rows])], [r["label"] for r in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("config", "tokenizer", "train_file", "test_file"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--learning_rate", type=float, default=2e-3)
    parser.add_argument("--num_train_epochs", type=int, default=3)
    parser.add_argument("--per_device_train_batch_size", type=int, default=32)
    a = parser.parse_args()
    torch.manual_seed(a.seed)
    tokenizer = Tokenizer.from_file(os.path.join(a.tokenizer, "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(128)
    ids, labels = read(a.train_file, tokenizer)
    names = sorted(set(labels))
    with open(a.config, encoding="utf-8") as f:
        model = Classifier(json.load(f), len(names))
    steps = a.num_train_epochs * -(-len(ids) // a.per_device_train_batch_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=a.learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / steps))

    def batch(rows, which):
        chosen = [rows[i] for i in which]
        return pad_sequence(chosen, batch_first=True), torch.tensor([len(r) for r in chosen])

    begin = time.time()
    for _ in range(a.num_train_epochs):
        for which in torch.randperm(len(ids)).split(a.per_device_train_batch_size):
            optimizer.zero_grad()
            target = torch.tensor([names.index(labels[i]) for i in which])
            torch.nn.functional.cross_entropy(model(*batch(ids, which)), target).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    seconds = time.time() - begin

    model.eval()
    test, truth = read(a.test_file, tokenizer)
    right = 0
    with torch.no_grad():
        for which in torch.arange(len(test)).split(64):
            found = model(*batch(test, which)).argmax(dim=1)
            right += sum(names[found[k]] == truth[i] for k, i in enumerate(which))
    print(json.dumps({"accuracy": right / len(test), "train_seconds": round(seconds, 1), "seed": a.seed,
                      "torch": torch.__version__}))


if __name__ == "__main__":
    main()
