"""Questions and the answers that belong to them, beside sentence-transformers: the same model, pairs and recipe, three seeds.

Run: python bench/retrieval.py SUANLI MODEL MEDQUAD [SEED ...]
     MODEL: a sentence encoder (scripts/fetch_model.sh); MEDQUAD: a folder with faq.tsv, columns url, question, answer.

A fifth of the pages is held out with all of their questions whose answers no other page has. Learned by in-batch negatives (cosines times 20), 2 epochs, batch 32,
AdamW with 5e-5 falling to 0 after a tenth of warm-up, 128 tokens, f32. Both sides are scored alike: by the cosines that sentence-transformers
finds with the folder that each wrote. Prints a table in Markdown: mean and standard deviation over the seeds.
"""
import csv
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

EPOCHS, BATCH, RATE, WARMUP, TOKENS = 2, 32, 5e-5, 0.1, 128


def parts_of(folder):
    """(train, test): rows of (question, answer); neither the pages nor the answers of the test part are the other's."""
    with open(folder / "faq.tsv", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row["question"] and row["answer"]]
    pages = sorted({row["url"] for row in rows})
    random.Random(1).shuffle(pages)
    held = set(pages[:len(pages) // 5])
    pairs = lambda inside: [(row["question"], row["answer"]) for row in rows if (row["url"] in held) == inside]
    train = pairs(False)
    known = {answer for _, answer in train}
    return train, [pair for pair in pairs(True) if pair[1] not in known]


def suanli(program, model, train, seed, folder):
    with open(folder / "train.csv", "w", newline="") as file:
        csv.writer(file).writerows([("question", "answer"), *train])
    subprocess.run([program, "train", "--task", "sentence-retrieval", "--model_name_or_path", model, "--train_file", folder / "train.csv",
                    "--text_column_names", "question", "--text_pair_column_name", "answer", "--output_dir", folder / "out",
                    "--learning_rate", str(RATE), "--warmup_steps", str(WARMUP), "--weight_decay", "0",
                    "--num_train_epochs", str(EPOCHS), "--per_device_train_batch_size", str(BATCH),
                    "--max_seq_length", str(TOKENS), "--precision", "f32", "--eval_strategy", "no", "--save_strategy", "no",
                    "--seed", str(seed)], check=True, stdout=subprocess.DEVNULL)
    return SentenceTransformer(str(folder / "out"), device="cpu")


def sentence_transformers(model, train, seed):
    torch.manual_seed(seed)
    order = random.Random(seed)
    encoder = SentenceTransformer(model, device="cpu")
    encoder.max_seq_length = TOKENS
    encoder.train()
    loss = MultipleNegativesRankingLoss(encoder)
    optimizer = torch.optim.AdamW(encoder.parameters(), RATE, weight_decay=0)
    steps = EPOCHS * math.ceil(len(train) / BATCH)
    warmup = math.ceil(WARMUP * steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: step / warmup if step < warmup else (steps - step) / (steps - warmup))
    rows = list(train)
    for _ in range(EPOCHS):
        order.shuffle(rows)
        for start in range(0, len(rows), BATCH):
            batch = rows[start:start + BATCH]
            optimizer.zero_grad()
            loss([encoder.preprocess([row[side] for row in batch]) for side in (0, 1)], None).backward()
            torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return encoder.eval()


def scores(encoder, test):
    """A question's own answer among those of all test pairs, the best place of equal ones."""
    encoder.max_seq_length = TOKENS
    answers = sorted({answer for _, answer in test})
    with torch.no_grad():
        questions = encoder.encode([question for question, _ in test], normalize_embeddings=True)
        cosines = questions @ encoder.encode(answers, normalize_embeddings=True).T
    own = cosines[numpy.arange(len(test)), [answers.index(answer) for _, answer in test]]
    rank = 1 + (cosines > own[:, None]).sum(1)
    return {"recall@1": (rank == 1).mean(), "recall@5": (rank <= 5).mean(), "MRR": (1 / rank).mean(),
            "NDCG@10": numpy.where(rank <= 10, 1 / numpy.log2(1 + rank), 0).mean()}


def main():
    program, model, data, *seeds = sys.argv[1:]
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    train, test = parts_of(pathlib.Path(data))
    before = scores(SentenceTransformer(model, device="cpu"), test)
    ours, theirs = [], []
    for seed in map(int, seeds or (1, 2, 3)):
        with tempfile.TemporaryDirectory() as folder:
            ours.append(scores(suanli(program, model, train, seed, pathlib.Path(folder)), test))
        theirs.append(scores(sentence_transformers(model, train, seed), test))
        print(f"seed {seed}: {ours[-1]} {theirs[-1]}", file=sys.stderr, flush=True)
    print(f"{len(train)} pairs to learn, {len(test)} to score\n\n| score | before | Suanli | sentence-transformers |\n| --- | --- | --- | --- |")
    for key, was in before.items():
        cells = [f"{numpy.mean(v):.4f} ± {numpy.std(v):.4f}" for v in ([s[key] for s in ours], [s[key] for s in theirs])]
        print(f"| {key} | {was:.4f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
