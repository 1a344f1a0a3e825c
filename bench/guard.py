"""Compares two builds of Suanli in turns: guard.py BASE HEAD MODEL_DIR; bench/guard.sh builds them.

A round times every kernel (`suanli bench ops`) and a few steps of a model with both builds, their order alternating.
The cases whose median ratio of a round (head over base) is above LIMIT are timed again, in more rounds: together, so
that the guard takes as long for many as for one. A case fails when the whole 95% interval of that second median is
above LIMIT too; the exit code is 3 then. Two builds that differ in their cases are compared on those that both have.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

from intervals import median_interval

LIMIT = 1.10
ROUNDS, ROUNDS_AGAIN = 5, 9
OPS_SECONDS, OPS_SECONDS_AGAIN = 3.0, 1.0
# End to end, with a fixed amount of work; a slice of `suanli bench`.
STEPS = ["--steps", "1", "--length", "64"]
END_TO_END = {
    "step/masked-lm/f32": ["step", "--task", "masked-lm", "--precision", "f32", "--batch", "8", *STEPS],
    "step/masked-lm/bf16": ["step", "--task", "masked-lm", "--precision", "bf16", "--batch", "8", *STEPS],
    "infer/1x16/f32": ["infer", "--precision", "f32", "--batch", "1", "--length", "16", "--seconds", "0.1"],
    "infer/32x128/f32": ["infer", "--precision", "f32", "--batch", "8", "--length", "128", "--seconds", "0.1"],
    "infer/32x128/bf16": ["infer", "--precision", "bf16", "--batch", "8", "--length", "128", "--seconds", "0.1"],
}


class Build:
    """Seconds of the cases of one binary."""

    def __init__(self, binary, model):
        self.binary, self.model = binary, model

    def json_of(self, *arguments):
        run = subprocess.run([self.binary, "bench", *arguments, "--json"], check=True, stdout=subprocess.PIPE)
        return json.loads(run.stdout)

    def ops(self, text, seconds):
        rows = self.json_of("ops", "--filter", text, "--seconds", str(seconds))["ops"]
        return {"/".join(("op", r["op"], r["size"], r["dtype"], r["implementation"])): r["microseconds"] * 1e-6
                for r in rows}

    def end_to_end(self, case):
        answer = self.json_of(*END_TO_END[case], "--model", self.model)
        return {case: answer["seconds_per_step"] if "seconds_per_step" in answer else answer["milliseconds"] * 1e-3}

    def everything(self):
        found = self.ops("/", OPS_SECONDS)  # every name has one
        for case in END_TO_END:
            found |= self.end_to_end(case)
        return found

    def again(self, cases):
        """Ops in one process, which measures the machine first: all whose names begin as those of `cases` do."""
        found, ops = {}, [case.removeprefix("op/") for case in cases if case not in END_TO_END]
        if ops:
            found = self.ops(os.path.commonprefix(ops) or "/", OPS_SECONDS_AGAIN)
        for case in END_TO_END.keys() & set(cases):
            found |= self.end_to_end(case)
        return found


def in_turns(base, head, rounds, timed):
    """{case: [head over base, one a round]} of the cases that both have; timed(build) gives {case: seconds}."""
    ratios = {}
    for number in range(rounds):
        seconds = {}
        for build in (base, head) if number % 2 == 0 else (head, base):
            seconds[build] = timed(build)
        for case in seconds[base].keys() & seconds[head].keys():
            ratios.setdefault(case, []).append(seconds[head][case] / seconds[base][case])
    return ratios


def slower_cases(base, head, report=print):
    """The cases in which head is slower than base by more than LIMIT, twice, the second time with its whole interval."""
    first = in_turns(base, head, ROUNDS, lambda build: build.everything())
    if not first:
        raise ValueError("the builds have no case in common")
    medians = {case: statistics.median(ratios) for case, ratios in first.items()}
    suspects = sorted((case for case in medians if medians[case] > LIMIT), key=lambda case: -medians[case])
    second = in_turns(base, head, ROUNDS_AGAIN, lambda build: build.again(suspects)) if suspects else {}
    slower = []
    for case in suspects:
        low, high = median_interval(second[case])
        if low > LIMIT:
            slower.append(case)
        report(f"{case}: {medians[case]:.2f}, again {statistics.median(second[case]):.2f} ({low:.2f} to {high:.2f})"
               f"{'  SLOWER' if low > LIMIT else ''}")
    best = min(medians, key=medians.get)
    report(f"{len(medians)} cases, median ratio {statistics.median(medians.values()):.3f}, best {medians[best]:.2f} "
           f"({best}); {len(slower)} slower by more than {LIMIT:.2f}")
    return slower


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base")
    parser.add_argument("head")
    parser.add_argument("model")
    args = parser.parse_args()
    sys.exit(3 if slower_cases(Build(args.base, args.model), Build(args.head, args.model)) else 0)


if __name__ == "__main__":
    main()
