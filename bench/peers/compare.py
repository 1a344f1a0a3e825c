"""Suanli and eager PyTorch on the same MiniLM work, interleaved in one run; bench/compare.sh calls it.

Each repeat of a case runs a slice of every competitor, in an order that changes, so that a slow moment of the machine
meets all of them. A ratio is PyTorch's seconds over Suanli's in the same repeat (above 1: Suanli is faster); given are
its median and the 95% interval of the median from order statistics. Prints a Markdown table; --json writes everything.
Peak MB is the largest resident size of the process; PyTorch keeps one process, so its cases before are in its figure.
"""
import argparse
import glob
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = [f"step:{task}:{precision}:32x128" for task in ("masked-lm", "text-classification") for precision in ("f32", "bf16")]
INFER = [f"infer:{precision}:{shape}" for shape in ("1x16", "1x128", "32x128") for precision in ("f32", "bf16")]


class PyTorch:
    """The persistent peer process."""

    def __init__(self, model, threads, preload=None):
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        if preload:
            environment["LD_PRELOAD"] = preload
        command = [sys.executable, os.path.join(HERE, "pytorch_bench.py"), model, "--threads", str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=environment)
        self.info = self.ask("info")
        self.name = f"pytorch ({self.info['allocator']})"

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the PyTorch process ended at: {command}")
        answer = json.loads(line)
        if "error" in answer:
            sys.exit(f"PyTorch: {command}: {answer['error']}")
        return answer

    def slice(self, case, seconds, guess):
        answer = self.ask(f"run {case} {iterations(case, seconds, guess)}")
        middle = statistics.mean if from_file(case) else statistics.median  # unequal batches: whole rounds of them
        return {"seconds": middle(answer["seconds"]), "peak_bytes": answer["peak_bytes"]}


class Suanli:
    """One process per slice; its own warm-up is its own business, loading is not in its figures."""
    name = "suanli"

    def __init__(self, binary, model, threads):
        self.binary, self.model = binary, model
        self.environment = dict(os.environ, OMP_NUM_THREADS=str(threads))

    def slice(self, case, seconds, guess):
        kind, *rest = case.split(":")
        if kind == "step":
            task, precision, shape = rest
            extra = ["--task", task, "--steps", str(iterations(case, seconds, guess))]
        else:
            precision, shape = rest
            extra = ["--seconds", f"{seconds:.3f}"]
        sizes = ["--batch", "32", "--lengths", shape] if os.path.exists(shape) else \
            ["--batch", shape.split("x")[0], "--length", shape.split("x")[1]]
        command = [self.binary, "bench", kind, "--model", self.model, *sizes, "--precision", precision, *extra, "--json"]
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=self.environment)
            output = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)  # for the resident size of this one process
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                errors.seek(0)
                sys.exit(f"{' '.join(command)}: exit code {process.returncode}\n{errors.read()}")
        answer = json.loads(output)
        own = answer["seconds_per_step"] if kind == "step" else answer["milliseconds"] / 1000
        if from_file(case):
            own = tokens_of(case) / answer["tokens_per_second"] if kind == "step" else 32 / answer["sequences_per_second"]
        return {**answer, "seconds": own, "peak_bytes": usage.ru_maxrss * 1024,
                "peak_tensor_bytes": answer["peak_bytes"]}


def from_file(case):
    """True where the shape of a case is a file of lengths."""
    return os.path.exists(case.split(":")[-1])


def iterations(case, seconds, guess):
    """About `seconds` of work; of a file's batches always whole rounds."""
    count = max(1, round(seconds / guess))
    if not from_file(case):
        return count
    with open(case.split(":")[-1]) as f:
        batches = (sum(1 for _ in f) + 31) // 32
    return batches * max(1, round(count / batches))


def median_interval(values):
    """95% interval of the median: the order statistics whose ranks leave 2.5% of a fair binomial on either side."""
    values, n = sorted(values), len(values)
    below, low, term = 0.0, 0, 0.5 ** n
    while below + term <= 0.025:
        below += term
        term *= (n - low) / (low + 1)
        low += 1
    low = max(low - 1, 0)
    return values[low], values[n - 1 - low]


def machine():
    with open("/proc/cpuinfo") as f:
        lines = f.read().splitlines()
    field = lambda name: next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")
    flags = field("flags").split()
    wanted = ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "avx512_vnni", "amx_tile", "amx_bf16", "amx_int8")
    return {"cpu": f"{field('model name')}, family {field('cpu family')} model {field('model' + chr(9))}",
            "isa": [f for f in wanted if f in flags], "cores": len(os.sched_getaffinity(0)),
            "kernel": platform.release(), "huge_pages": huge_pages()}


def huge_pages():
    try:
        with open("/sys/kernel/mm/transparent_hugepage/enabled") as f:
            return f.read().split("[")[1].split("]")[0]
    except (OSError, IndexError):
        return "unknown"


def stolen():
    """Seconds that the host took from this machine since it started, over all cores."""
    with open("/proc/stat") as f:
        return int(f.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def tokens_of(case):
    """Real tokens of a step: the mean over the batches of a file."""
    shape = case.split(":")[-1]
    if from_file(case):
        with open(shape) as f:
            lengths = [int(line) for line in f]
        return 32 * sum(lengths) / len(lengths)
    batch, length = (int(n) for n in shape.split("x"))
    return batch * length


def run_case(case, competitors, args, rng):
    """{name: [one result per repeat]}. A first slice of each warms up and tells how long an iteration takes."""
    guess = {c.name: max(c.slice(case, args.slice_seconds, args.slice_seconds)["seconds"], 1e-5) for c in competitors}
    results = {c.name: [] for c in competitors}
    for _ in range(args.repeats):
        order = list(competitors)
        rng.shuffle(order)
        for c in order:
            results[c.name].append(c.slice(case, args.slice_seconds, guess[c.name]))
    return results


def summary(case, results):
    row = {"case": case, "tokens": tokens_of(case), "competitors": {}}
    for name, slices in results.items():
        seconds = [s["seconds"] for s in slices]
        row["competitors"][name] = {
            "median_seconds": statistics.median(seconds), "best_seconds": min(seconds),
            "tokens_per_second": tokens_of(case) / statistics.median(seconds),
            "peak_bytes": max(s.get("peak_bytes", 0) for s in slices), "seconds": seconds,
            **{k: slices[-1][k] for k in ("share_of_peak", "implementation", "peak_tensor_bytes") if k in slices[-1]}}
        if name != "suanli" and "suanli" in results:
            ratios = [a["seconds"] / b["seconds"] for a, b in zip(slices, results["suanli"], strict=True)]
            low, high = median_interval(ratios)
            row["competitors"][name] |= {
                "ratio": statistics.median(ratios), "ratio_low": low, "ratio_high": high,
                "ratio_of_best": min(seconds) / min(s["seconds"] for s in results["suanli"])}
    return row


def table(rows):
    lines = ["| case | who | ms | best ms | real tokens/s | share of peak | peak MB | PyTorch / Suanli (95%) | best |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        for name, c in row["competitors"].items():
            share = f"{100 * c['share_of_peak']:.0f}%" if "share_of_peak" in c else ""
            ratio = f"{c['ratio']:.2f} ({c['ratio_low']:.2f} to {c['ratio_high']:.2f})" if "ratio" in c else ""
            best = f"{c['ratio_of_best']:.2f}" if "ratio_of_best" in c else ""
            lines.append(f"| {row['case']} | {name} | {1e3 * c['median_seconds']:.2f} | {1e3 * c['best_seconds']:.2f} "
                         f"| {c['tokens_per_second']:,.0f} | {share} | {c['peak_bytes'] / 1e6:.0f} | {ratio} "
                         f"| {best} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suanli", help="the binary; without it PyTorch is timed alone")
    parser.add_argument("--model", required=True, help="MiniLM's folder (scripts/fetch_model.sh)")
    parser.add_argument("--cases", nargs="*", default=STEPS + INFER, metavar="CASE")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--slice_seconds", type=float, default=0.1, help="at least one iteration is run")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--tcmalloc", help="libtcmalloc_minimal.so.4 (default: where Debian puts it)")
    parser.add_argument("--json", help="file for all figures")
    args = parser.parse_args()
    preload = args.tcmalloc or next(iter(glob.glob("/usr/lib/*/libtcmalloc_minimal.so.4")), None)
    competitors = [Suanli(args.suanli, args.model, args.threads)] if args.suanli else []
    peers = [PyTorch(args.model, args.threads)] + ([PyTorch(args.model, args.threads, preload)] if preload else [])
    competitors += peers
    rng, rows, started, steal = random.Random(1), [], time.time(), stolen()
    for case in args.cases:
        print(f"{case} ...", file=sys.stderr)
        rows.append(summary(case, run_case(case, competitors, args, rng)))
    report = {"machine": machine(), "peers": [p.info for p in peers], "repeats": args.repeats, "threads": args.threads,
              "slice_seconds": args.slice_seconds, "load_average": os.getloadavg(),
              "stolen_seconds": stolen() - steal, "wall_seconds": time.time() - started, "rows": rows}
    for p in peers:
        p.process.stdin.close()
        p.process.wait()
    m = report["machine"]
    print(f"{m['cpu']}, {m['cores']} cores, {' '.join(m['isa'])}; huge pages {m['huge_pages']}; PyTorch "
          f"{peers[0].info['torch']}, transformers {peers[0].info['transformers']}; {args.threads} threads; "
          f"{args.repeats} repeats; load {report['load_average'][0]:.1f}, stolen {report['stolen_seconds']:.1f} s of "
          f"{report['wall_seconds']:.0f} s\n")
    print(table(rows))
    if not preload:
        print("\ntcmalloc is not installed (libtcmalloc-minimal4): PyTorch was timed with glibc's malloc alone.")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(report, f, indent=2)
            f.write("\n")


if __name__ == "__main__":
    main()
