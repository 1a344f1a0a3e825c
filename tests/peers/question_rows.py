"""Questions with a long context as JSON lines for `--task question-answering`, from pairs of a question and its answer.

usage: question_rows.py PAIRS OUT_FOLDER [--seed 1] [--unanswerable 0.1]

PAIRS, a .csv or .tsv, has the columns question and answer (MedQuAD). The context of a question is its answer and those of three other
questions in random order; the span to be found is the first sentence of its own answer. A share of the questions gets four
other answers and none of its own. Writes train.jsonl and validation.jsonl (one in ten).
"""
import argparse
import csv
import json
import random
import re
from pathlib import Path


def first_sentence(text):
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pairs")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unanswerable", type=float, default=0.1)
    args = parser.parse_args()
    with open(args.pairs, newline="", encoding="utf-8") as file:
        table = csv.DictReader(file, delimiter="\t" if args.pairs.endswith(".tsv") else ",")
        pairs = [(row["question"], " ".join(row["answer"].split())) for row in table]
    pairs = [(question, answer[:600]) for question, answer in pairs if question and len(first_sentence(answer)) > 20]
    rng = random.Random(args.seed)
    rng.shuffle(pairs)
    rows = []
    for question, answer in pairs:
        has = rng.random() >= args.unanswerable
        parts = [other for _, other in rng.sample(pairs, 4) if other != answer][: 3 if has else 4]
        if has:
            parts.insert(rng.randrange(len(parts) + 1), answer)
        context = " ".join(parts)
        span = first_sentence(answer)
        answers = {"text": [span], "answer_start": [context.index(span)]} if has else {"text": [], "answer_start": []}
        rows.append({"question": question, "context": context, "answers": answers})
    args.out.mkdir(parents=True, exist_ok=True)
    held = len(rows) // 10
    for name, part in (("validation", rows[:held]), ("train", rows[held:])):
        with open(args.out / f"{name}.jsonl", "w", encoding="utf-8") as file:
            for row in part:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    print(f"{len(rows) - held} rows to train, {held} to validate")


main()
