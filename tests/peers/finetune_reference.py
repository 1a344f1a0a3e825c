"""Fine-tunes with PyTorch and transformers: the scores that Suanli's are held against, with the same arguments.

Sentence classes from CSV (text and label columns) or entities from CoNLL files (word and tag by a tab, blank line
between sentences; an entity's tag goes to the first piece of each word). AdamW, linear schedule, clipping at 1.0,
padding to the longest of the batch; the last weights are scored, in f32. Prints one JSON line.

finetune_reference.py --model DIR --task text-classification --train_file train.csv --test_file test.csv
finetune_reference.py --model DIR --task token-classification --train_file train.conll --test_file test.conll
"""
import argparse
import csv
import json
import os
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import numpy as np
import torch
from entity_f1 import entity_scores
from transformers import (AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer,
                          get_linear_schedule_with_warmup, set_seed)

IGNORED = -100


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--task", required=True, choices=["text-classification", "token-classification"])
    parser.add_argument("--train_file", required=True)
    parser.add_argument("--test_file", required=True)
    parser.add_argument("--text_column", default="text")
    parser.add_argument("--label_column", default="label")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--learning_rate", type=float, default=1e-4)
    parser.add_argument("--num_train_epochs", type=int, default=3)
    parser.add_argument("--per_device_train_batch_size", type=int, default=32)
    parser.add_argument("--max_seq_length", type=int, default=128)
    parser.add_argument("--warmup_steps", type=int, default=0)
    parser.add_argument("--weight_decay", type=float, default=0.0, help="not on biases and LayerNorm")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="bf16", help="bf16: autocast")
    parser.add_argument("--group_by_length", action="store_true")
    parser.add_argument("--max_train_samples", type=int)
    return parser.parse_args()


def read_csv(path, text_column, label_column):
    with open(path, encoding="utf-8", newline="") as f:
        return [(row[text_column], row[label_column]) for row in csv.DictReader(f)]


def read_conll(path):
    """[(words, tags)]"""
    sentences, words, tags = [], [], []
    with open(path, encoding="utf-8") as f:
        for line in list(f) + ["\n"]:
            if line.strip():
                word, tag = line.rstrip("\n").rsplit("\t", 1)
                words.append(word)
                tags.append(tag.strip())
            elif words:
                sentences.append((words, tags))
                words, tags = [], []
    return sentences


class Sentences:
    """Rows of (text, label): one class each."""
    auto_model = AutoModelForSequenceClassification

    def __init__(self, args, tokenizer):
        self.tokenizer, self.longest = tokenizer, args.max_seq_length
        read = lambda path: read_csv(path, args.text_column, args.label_column)
        self.train, self.test = read(args.train_file), read(args.test_file)
        self.labels = sorted({label for _, label in self.train})
        self.index = {label: i for i, label in enumerate(self.labels)}

    def encode(self, rows):
        encoded = self.tokenizer([text for text, _ in rows], padding=True, truncation=True, max_length=self.longest,
                                 return_tensors="pt")
        return encoded, torch.tensor([self.index[label] for _, label in rows])

    def score(self, model):
        confusion = np.zeros((len(self.labels), len(self.labels)), dtype=int)
        for rows in batches_of(self.test, 64):
            inputs, labels = self.encode(rows)
            for want, got in zip(labels, model(**inputs).logits.argmax(-1)):
                confusion[want, got] += 1
        right = np.diag(confusion)
        f1 = 2 * right / np.maximum(confusion.sum(0) + confusion.sum(1), 1)
        return {"accuracy": float(right.sum() / confusion.sum()), "macro_f1": float(f1.mean())}


class Entities:
    """Rows of (words, tags): one class per word, at its first piece."""
    auto_model = AutoModelForTokenClassification

    def __init__(self, args, tokenizer):
        self.tokenizer, self.longest = tokenizer, args.max_seq_length
        self.train, self.test = read_conll(args.train_file), read_conll(args.test_file)
        self.labels = sorted({tag for _, tags in self.train for tag in tags})
        self.index = {label: i for i, label in enumerate(self.labels)}

    def encode(self, rows):
        encoded = self.tokenizer([words for words, _ in rows], is_split_into_words=True, padding=True, truncation=True,
                                 max_length=self.longest, return_tensors="pt")
        labels = torch.full_like(encoded["input_ids"], IGNORED)
        for i, (_, tags) in enumerate(rows):
            for at, word in self.first_pieces(encoded, i):
                labels[i, at] = self.index.get(tags[word], IGNORED)
        return encoded, labels

    @staticmethod
    def first_pieces(encoded, i):
        """(position, word) of the first piece of each word of row i."""
        words = encoded.word_ids(i)
        return [(at, w) for at, w in enumerate(words) if w is not None and (at == 0 or words[at - 1] != w)]

    def score(self, model):
        """A word without a piece of its own (cut off, or nothing but control characters) is answered O."""
        predicted = []
        for rows in batches_of(self.test, 64):
            inputs, _ = self.encode(rows)
            best = model(**inputs).logits.argmax(-1)
            for i, (words, _) in enumerate(rows):
                tags = ["O"] * len(words)
                for at, word in self.first_pieces(inputs, i):
                    tags[word] = self.labels[best[i, at]]
                predicted.append(tags)
        return {f"entity_{k}": v for k, v in entity_scores([tags for _, tags in self.test], predicted).items()}


def batches_of(rows, size):
    return [rows[i:i + size] for i in range(0, len(rows), size)]


def epoch_order(data, rng, batch, by_length):
    """A random order; with by_length, sorted by the number of characters inside windows of 50 batches."""
    order = rng.permutation(len(data))
    if not by_length:
        return batches_of(order, batch)
    size = lambda i: len(data[i][0]) if isinstance(data[i][0], str) else sum(len(w) + 1 for w in data[i][0])
    windows = [sorted(w, key=size) for w in batches_of(order, 50 * batch)]
    made = [b for w in windows for b in batches_of(w, batch)]
    return [made[i] for i in rng.permutation(len(made))]


def decay_groups(model, weight_decay):
    norms = {id(p) for m in model.modules() if isinstance(m, torch.nn.LayerNorm) for p in m.parameters()}
    skip = lambda name, p: id(p) in norms or name.endswith("bias")
    named = list(model.named_parameters())
    return [{"params": [p for n, p in named if not skip(n, p)], "weight_decay": weight_decay},
            {"params": [p for n, p in named if skip(n, p)], "weight_decay": 0.0}]


def main():
    args = arguments()
    set_seed(args.seed)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    data = (Sentences if args.task == "text-classification" else Entities)(args, tokenizer)
    train = data.train[:args.max_train_samples]
    model = data.auto_model.from_pretrained(args.model, num_labels=len(data.labels)).train()
    batch = args.per_device_train_batch_size
    steps = (len(train) + batch - 1) // batch * args.num_train_epochs
    optimizer = torch.optim.AdamW(decay_groups(model, args.weight_decay), lr=args.learning_rate)
    schedule = get_linear_schedule_with_warmup(optimizer, args.warmup_steps, steps)
    rng = np.random.RandomState(args.seed)
    started, tokens, last = time.time(), 0, 0.0
    for epoch in range(args.num_train_epochs):
        for part in epoch_order(train, rng, batch, args.group_by_length):
            inputs, labels = data.encode([train[i] for i in part])
            tokens += int(inputs["attention_mask"].sum())
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.precision == "bf16"):
                loss = model(**inputs, labels=labels).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            last = float(loss.detach())
        print(f"epoch {epoch + 1}: {time.time() - started:.0f} s, last loss {last:.4f}", file=sys.stderr)
    seconds = time.time() - started
    model.eval()
    with torch.inference_mode():
        scores = data.score(model)
    print(json.dumps({**scores, "last_loss": last, "train_rows": len(train), "test_rows": len(data.test),
                      "steps": steps, "train_seconds": round(seconds, 1), "tokens_per_second": round(tokens / seconds),
                      **vars(args)}))


if __name__ == "__main__":
    main()
