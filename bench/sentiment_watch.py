"""Precision, recall and delay of the alerts of the sentiment watch, on streams with planted surges.

usage: sentiment_watch.py SUANLI_BINARY MODEL_DIR FIN_TWEETS_DIR [OUTPUT_DIR]

A stream is 24 hours long. Ten shares are talked about: of each comes a message every 150 s on average (Poisson), its text a row
of sent_valid.csv with its cashtags taken out and the share's put in front, drawn from all rows (15% bearish, as they come).
From the seventh hour on eight bursts of bearish rows are planted, each into another window of ten minutes, 5, 8, 12 or 20
messages within five minutes. Random numbers are SHA-256 of (seed, what for, count).

A burst is found where an alert of its share comes between its first message and the end of its last window; an alert that belongs to no
burst is false. Scored with the model, and with the true labels: what lies between them is what the classifier costs.
"""
import collections
import csv
import hashlib
import json
import math
import os
import re
import subprocess
import sys

HOURS, SHARES, GAP, WINDOW, SPAN = 24, 10, 150.0, 600.0, 300.0
SIZES = (5, 8, 12, 20)
BURSTS = 8
SEEDS = range(11, 17)


class Random:
    """Uniform numbers in [0, 1) by count."""

    def __init__(self, *key):
        self.key, self.count = repr(key), 0

    def uniform(self):
        self.count += 1
        return int.from_bytes(hashlib.sha256(f"{self.key}/{self.count}".encode()).digest()[:7], "big") / 2**56

    def choose(self, items):
        return items[int(self.uniform() * len(items))]


def read_rows(folder):
    with open(f"{folder}/sent_valid.csv", newline="") as file:
        rows = [(re.sub(r"\$[A-Za-z][A-Za-z.]*", "", row["text"]).strip(" -"), row["label"]) for row in csv.DictReader(file)]
    return [row for row in rows if row[0]]


def make_stream(rows, seed):
    bearish = [row for row in rows if row[1] == "0"]
    messages, bursts = [], []
    for share in range(SHARES):
        name = "$" + "ABCDEFGHIJ"[share] * 3
        random, time = Random(seed, "background", share), 0.0
        while True:
            time -= GAP * math.log(1 - random.uniform())
            if time >= HOURS * 3600:
                break
            messages.append((time, name, *random.choose(rows)))
    random = Random(seed, "bursts")
    starts = []
    while len(bursts) < BURSTS:
        start = 6 * 3600 + random.uniform() * (HOURS - 7) * 3600
        if any(abs(start - other) < 3 * WINDOW for other in starts):
            continue
        starts.append(start)
        name, size = "$" + random.choose("ABCDEFGHIJ") * 3, SIZES[len(bursts) % len(SIZES)]
        times = sorted(start + SPAN * random.uniform() for _ in range(size))
        bursts.append({"topic": name, "begin": times[0], "end": times[-1], "size": size})
        messages += [(time, name, *random.choose(bearish)) for time in times]
    messages.sort()
    return messages, bursts


def judge(events, bursts):
    firing = [event for event in events if event["status"] == "firing"]
    found, false = {}, 0
    for event in firing:
        for i, burst in enumerate(bursts):
            if event["labels"]["topic"] == burst["topic"] and burst["begin"] <= event["time"] <= burst["end"] + WINDOW:
                found.setdefault(i, event["time"] - burst["begin"])
                break
        else:
            false += 1
    return found, false, len(firing)


def main(binary, model, data, out):
    os.makedirs(out, exist_ok=True)
    rows = read_rows(data)
    totals = collections.defaultdict(lambda: collections.defaultdict(list))
    alerts, false_alerts, rates = collections.Counter(), collections.Counter(), []
    for seed in SEEDS:
        messages, bursts = make_stream(rows, seed)
        path = f"{out}/stream_{seed}.jsonl"
        with open(path, "w") as file:
            for time, name, text, label in messages:
                file.write(json.dumps({"time": round(time, 3), "text": f"{name} {text}", "label": label}) + "\n")
        for kind, options in (("true labels", ["--true_labels"]), ("model", [])):
            run = subprocess.run([binary, "app", "sentiment-watch", "--model", model, "--negative_label", "0",
                                  "--replay", path, "--precision", os.environ.get("PRECISION", "bf16"), *options],
                                 capture_output=True, text=True, check=True)
            found, false, count = judge([json.loads(line) for line in run.stdout.splitlines()], bursts)
            alerts[kind] += count
            false_alerts[kind] += false
            for i, burst in enumerate(bursts):
                totals[kind][burst["size"]].append(found.get(i))
            if kind == "model":
                summary = json.loads(run.stderr.splitlines()[-1])
                rates.append(summary["lines"] / summary["seconds"])
    for kind, by_size in totals.items():
        every = [delay for delays in by_size.values() for delay in delays]
        found = [delay for delay in every if delay is not None]
        print(f"{kind}: precision {1 - false_alerts[kind] / max(alerts[kind], 1):.3f} ({false_alerts[kind]} false of "
              f"{alerts[kind]}), recall {len(found) / len(every):.3f} of {len(every)}, "
              f"median delay {sorted(found)[len(found) // 2] if found else math.nan:.0f} s")
        for size, delays in sorted(by_size.items()):
            seen = sorted(delay for delay in delays if delay is not None)
            print(f"  bursts of {size}: found {len(seen)} of {len(delays)}, "
                  f"median delay {seen[len(seen) // 2] if seen else math.nan:.0f} s")
    print(f"{len(SEEDS)} streams of {HOURS} h, {SHARES * HOURS * len(SEEDS)} hours of topics, "
          f"{sorted(rates)[len(rates) // 2]:.0f} messages/s scored and judged")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:4], sys.argv[4] if len(sys.argv) > 4 else "build/sentiment_watch")
