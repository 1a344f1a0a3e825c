"""Times `suanli serve` beside other servers of the same model: load, overhead over the bare model, overload, start.

bench/serve.sh installs what this needs and calls it; bench/README.md says how to read the figures.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import time

from agreement import disagreement
from machine import machine, stolen
from serving import load, overhead, overload, start, tables
from serving.servers import peers, suanli
from session import Refused

PARTS = ("load", "overhead", "overload")
CHECKED = 64  # sentences whose vectors are compared
SENTENCES = 512
VERSIONS = """
import importlib.metadata as m, json, sys
print(json.dumps({p: m.version(p) for p in sys.argv[1:]}))
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suanli", required=True, help="the binary")
    parser.add_argument("--model", required=True, help="MiniLM's folder (scripts/fetch_model.sh)")
    parser.add_argument("--onnx", required=True, help="what bench/peers/export_onnx.py made of it")
    parser.add_argument("--python", required=True, help="a Python that has the peers")
    parser.add_argument("--infinity", help="its program infinity_emb")
    parser.add_argument("--sentences", required=True, help="a file of sentences, one a line")
    parser.add_argument("--work", default="build/serve", help="folder for the bodies of the requests")
    parser.add_argument("--parts", default=",".join(PARTS), help="some of load,overhead,overload; start always is")
    parser.add_argument("--quick", action="store_true", help="a few cases, one repeat of a second")
    parser.add_argument("--repeats", type=int, help="default: 3, with --quick 1")
    parser.add_argument("--seconds", type=float, help="of a slice; default: 5, with --quick 1")
    parser.add_argument("--json", help="file for all figures, written after each case")
    parser.add_argument("--markdown", help="file for the tables, which are printed too")
    args = parser.parse_args()
    args.parts = args.parts.split(",")
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"--parts: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    args.repeats = args.repeats or (1 if args.quick else 3)
    args.seconds = args.seconds or (1 if args.quick else 5)
    return args


def versions(args):
    ask = lambda python, *names: json.loads(subprocess.run([python, "-c", VERSIONS, *names], check=True,
                                                           stdout=subprocess.PIPE).stdout)
    found = ask(args.python, "sentence-transformers", "torch", "onnxruntime", "fastapi", "uvicorn")
    if args.infinity:
        python = os.path.join(os.path.dirname(args.infinity), "python")
        found |= {f"{name} (infinity)" if name in found else name: version
                  for name, version in ask(python, "infinity-emb", "torch").items()}
    return found


def answers(server, sentences):
    """({"vectors"}, sentences a second in batches of 32, warm); in the batches that are timed."""
    server.resume()
    try:
        vectors = [v for s in sentences[:8] for v in server.ask([s])]
        for begin in range(8, 32, 8):
            vectors += server.ask(sentences[begin:begin + 8])
        vectors += server.ask(sentences[32:64])
        rate = load.rate_of(server, sentences[32:64])
        server.settle()
        return {"vectors": vectors}, rate
    finally:
        server.pause()


def agreeing(servers, sentences):
    """({name: lowest cosine to Suanli's}, {name: why it is left out}, sentences a second of the slowest)."""
    ours, slowest = answers(next(s for s in servers if s.kind.name == "suanli"), sentences)
    figures, failed = {}, {}
    for server in (s for s in servers if s.kind.name != "suanli"):
        try:
            theirs, rate = answers(server, sentences)
            text, figures[server.kind.name] = disagreement(ours, theirs, "f32")
            if text:
                failed[server.kind.name] = f"its answers differ: {text}"
            slowest = min(slowest, rate)
        except (OSError, Refused) as error:
            failed[server.kind.name] = f"it did not answer: {error}"
    return figures, failed, slowest


class Run:
    def __init__(self, args):
        self.args, self.rng, self.began, self.steal = args, random.Random(1), time.time(), stolen()
        with open(args.sentences, encoding="utf-8") as f:
            self.sentences = f.read().splitlines()[:SENTENCES]
        self.report = {"repeats": args.repeats, "seconds": args.seconds, "machine": machine(), "versions": versions(args),
                       "weights": os.path.getsize(os.path.join(args.model, "model.safetensors")), "load": []}

    def write(self):
        self.report |= {"load_average": os.getloadavg(), "stolen_seconds": stolen() - self.steal,
                        "wall_seconds": time.time() - self.began}
        if self.args.json:
            with open(self.args.json, "w", encoding="utf-8") as f:
                f.write(json.dumps(self.report, indent=1) + "\n")

    def load(self, servers, slowest):
        for case in load.QUICK if self.args.quick else load.CASES:
            print(f"{case.name()} ...", file=sys.stderr, flush=True)
            bodies = {s.kind.name: load.write_bodies(s.kind, self.sentences, case.batch, self.args.work) for s in servers}
            seconds = case.seconds(self.args.seconds, slowest)
            self.report["load"].append(load.measure(case, servers, bodies, self.args.repeats, seconds, self.rng))
            self.write()

    def all_parts(self):
        args, report = self.args, self.report
        kinds = [suanli(args.suanli, args.model), *peers(args.python, args.infinity, args.model, args.onnx)]
        print("start ...", file=sys.stderr, flush=True)
        servers, report["start"], report["failed"] = start.measure(kinds, args.repeats, self.rng)
        try:
            if "suanli" in report["failed"]:
                raise Refused(report["failed"]["suanli"])
            report["agreement"], left_out, slowest = agreeing(servers, self.sentences[:CHECKED])
            report["failed"] |= left_out
            if "load" in args.parts:
                self.load([s for s in servers if s.kind.name not in left_out], slowest)
            if "overhead" in args.parts:
                print("overhead ...", file=sys.stderr, flush=True)
                server = next(s for s in servers if s.kind.name == "suanli")
                report["overhead"] = overhead.measure(server, args.suanli, args.model, args.work, 4 if args.quick else 20)
                self.write()
        finally:
            for server in servers:
                server.close()
        if "overload" in args.parts:
            print("overload ...", file=sys.stderr, flush=True)
            report["overload"] = overload.measure(args.suanli, args.model, self.sentences, args.work, args.repeats,
                                                  args.seconds)
        self.write()


def main():
    args = arguments()
    os.makedirs(args.work, exist_ok=True)
    run = Run(args)
    try:
        run.all_parts()
    except Refused as error:
        sys.exit(f"error: {error}")
    text = tables.markdown(run.report)
    if args.markdown:
        with open(args.markdown, "w", encoding="utf-8") as f:
            f.write(text)
    print(text)
    sys.exit(3 if any("answers differ" in reason for reason in run.report["failed"].values()) else 0)


if __name__ == "__main__":
    main()
