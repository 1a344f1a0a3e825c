"""Compares the kernels of two builds in turns: guard.py BASE HEAD. bench/guard.sh builds them.

Each round times every kernel of both builds, the order alternating; a case counts as slower when the median of its
ratios of a round (head over base) is above 1.10. What is slower is timed again on its own, twice as long, and fails
only if it is slower again. Exit code 3 then.
"""
import json
import statistics
import subprocess
import sys

LIMIT, ROUNDS, SECONDS = 1.10, 7, 6


def timed(binary, text, seconds):
    """{case: microseconds} of every kernel whose name contains `text`."""
    command = [binary, "bench", "ops", "--json", "--seconds", str(seconds), "--filter", text]
    rows = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["ops"]
    return {"/".join((r["op"], r["size"], r["dtype"], r["implementation"])): r["microseconds"] for r in rows}


def ratios(base, head, text, seconds):
    """{case: median over rounds of head / base}, of the cases that both have."""
    found = {}
    for turn in range(ROUNDS):
        sides = {}
        for binary in (base, head) if turn % 2 == 0 else (head, base):
            sides[binary] = timed(binary, text, seconds)
        for case in sides[base].keys() & sides[head].keys():
            found.setdefault(case, []).append(sides[head][case] / sides[base][case])
    return {case: statistics.median(values) for case, values in found.items()}


def main():
    base, head = sys.argv[1:]
    first = ratios(base, head, "", SECONDS)
    slower = []
    for case, ratio in sorted(first.items(), key=lambda item: -item[1]):
        if ratio <= LIMIT:
            break
        again = ratios(base, head, case, 0.3).get(case, 0)
        print(f"{case}: {ratio:.2f}, alone {again:.2f}{'  SLOWER' if again > LIMIT else ''}")
        if again > LIMIT:
            slower.append(case)
    best = min(first.items(), key=lambda item: item[1])
    print(f"{len(first)} kernels, median ratio {statistics.median(first.values()):.3f}, best {best[1]:.2f} ({best[0]}); "
          f"{len(slower)} slower than {LIMIT} of the base")
    sys.exit(3 if slower else 0)


if __name__ == "__main__":
    main()
