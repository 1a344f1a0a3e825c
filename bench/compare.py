"""Suanli and its peers on the same work, interleaved in one run; bench/compare.sh installs the peers and calls it.

The answers are compared before anything is timed: each side, in its precision, with Suanli's in f32. What does not
agree is reported and not timed. bench/README.md says how to read the tables.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import time

import report
from agreement import disagreement
from cases import QUICK, Cases
from competitors import ISA_SWITCHES, SENTENCE, peers, start_command, suanli
from machine import cores, machine, stolen
from session import Refused, Session
from slices import Side, StartSide, interleave
from summary import summarise
from work import Work


class Comparison:
    def __init__(self, args):
        environment = {"OMP_NUM_THREADS": str(args.threads), **ISA_SWITCHES.get(args.isa, {})}
        self.args, self.rng = args, random.Random(1)
        self.suanli = suanli(args.suanli, environment)
        self.peers = [p for p in peers(args.python, args.threads, args.isa, os.path.join(args.work, "inductor"))
                      if p.quick or not args.quick]
        self.work = Work(args.work, args.suanli, args.model, args.data)
        self.references, self.checked, self.versions = {}, {}, {}

    def session(self, competitor):
        return Session(competitor.command, competitor.environment)

    def reference(self, request):
        """Suanli's answers in f32."""
        key = json.dumps({**request, "precision": "f32"}, sort_keys=True)
        if key not in self.references:
            with self.session(self.suanli) as session:
                session.ask(do="open", **json.loads(key))
                self.references[key] = session.ask(do="answers")
        return self.references[key]

    def compared(self, session, request):
        """The figure of agreement; throws Refused where there is none."""
        text, figure = disagreement(self.reference(request), session.ask(do="answers"), request["precision"])
        if text:
            raise Refused(f"its answers differ: {text}")
        return figure

    def check_apart(self, competitor, request):
        """The same for work that is only checked: in a process of its own, once in a run."""
        key = (competitor.name, json.dumps(request, sort_keys=True))
        if key not in self.checked:
            with self.session(competitor) as session:
                try:
                    session.ask(do="open", **request)
                    self.checked[key] = self.compared(session, request), None
                except Refused as error:
                    self.checked[key] = None, str(error)
        figure, refusal = self.checked[key]
        if refusal:
            raise Refused(refusal)
        return figure

    def open_side(self, competitor, case, sessions):
        """(side, agreement); its process joins `sessions`."""
        figures = [self.check_apart(competitor, c) for c in case.checks if c != case.request]
        session = self.session(competitor)
        sessions.append(session)
        side = Side(competitor.name, session, case.request, len(case.tokens))
        self.versions |= {k: v for k, v in session.ask(do="info").items() if k not in ("isa", "threads", "allocator")}
        if case.request in case.checks:
            figures.append(self.compared(session, case.request))
        side.warm_up()
        return side, min((f for f in figures if f is not None), default=None)

    def start_side(self, competitor, case):
        file = os.path.join(self.args.work, "sentence.txt")
        with open(file, "w", encoding="utf-8") as f:
            f.write(SENTENCE + "\n")
        side = StartSide(competitor.name, start_command(competitor, self.args.suanli, case.request["model"], file),
                         competitor.environment)
        side.warm_up()
        if competitor is self.suanli:
            self.references["start"] = side.answers()
        text, figure = disagreement(self.references.get("start", {}), side.answers(), "f32")
        if text:
            raise Refused(f"its answers differ: {text}")
        return side, figure

    def run(self, case):
        sides, sessions, agreement, failed = [], [], {}, {}
        with self.session(self.suanli) as probe:
            try:
                for competitor in [self.suanli, *(p for p in self.peers if p.takes(case))]:
                    try:
                        side, agreement[competitor.name] = self.start_side(competitor, case) \
                            if case.kind == "start" else self.open_side(competitor, case, sessions)
                        sides.append(side)
                    except Refused as error:
                        failed[competitor.name] = str(error)
                results, while_timed = interleave(sides, self.args.repeats, self.args.slice_seconds, probe, self.rng)
            finally:
                for session in sessions:
                    session.close()
        held = {p.name for p in self.peers if p.held}
        return summarise(case, results, {s.name: s.setting for s in sides}, agreement, failed | while_timed, held)

    def wanted(self):
        makers = Cases(self.work, self.args.models).makers()
        found = [(name, make) for name, make in makers if any(text in name for text in self.args.filter.split(","))]
        return [(name, make) for name, make in found if name in QUICK] if self.args.quick else found


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suanli", required=True, help="the binary")
    parser.add_argument("--model", required=True, help="MiniLM's folder (scripts/fetch_model.sh)")
    parser.add_argument("--models", required=True, help="what bench/peers/make_models.py made")
    parser.add_argument("--python", required=True, help="a Python that has the peers")
    parser.add_argument("--data", required=True, help="folder of texts; work.py lists what it may hold")
    parser.add_argument("--work", default="build/compare", help="folder for the files of the cases")
    parser.add_argument("--filter", default="", help="only cases whose name contains this, or one of these a comma apart")
    parser.add_argument("--quick", action="store_true", help="a few cases, few repeats, without torch.compile")
    parser.add_argument("--list", action="store_true", help="print the names of the cases and end")
    parser.add_argument("--repeats", type=int, help="default: 15, with --quick 6")
    parser.add_argument("--slice_seconds", type=float, default=0.1)
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--isa", choices=sorted(ISA_SWITCHES), help="hold all sides to an instruction set")
    parser.add_argument("--json", help="file for all figures, written after each case")
    parser.add_argument("--markdown", help="file for the tables, which are printed too")
    args = parser.parse_args()
    args.repeats = args.repeats or (6 if args.quick else 15)
    return args


def ops(args, environment):
    command = [args.suanli, "bench", "ops", "--filter", "/", "--json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE,
                                     env={**os.environ, **environment}).stdout)


def write(file, text):
    if file:
        with open(file, "w", encoding="utf-8") as f:
            f.write(text)


def differs(rows):
    """True where Suanli's answers are in doubt: its own bf16 or int8 against its f32, or any peer in f32."""
    return any("answers differ" in reason and (name == "suanli" or row["precision"] == "f32")
               for row in rows for name, reason in row["failed"].items())


def main():
    args = arguments()
    comparison, started, steal, rows, kernels = Comparison(args), time.time(), stolen(), [], None
    wanted = comparison.wanted()
    if args.list:
        print("\n".join(name for name, _ in wanted))
        return
    current = lambda: {
        "machine": machine(), "versions": comparison.versions, "threads": args.threads, "repeats": args.repeats,
        "slice_seconds": args.slice_seconds, "isa": args.isa, "not_held": [p.name for p in comparison.peers if not p.held],
        "load_average": os.getloadavg(), "stolen_seconds": stolen() - steal, "wall_seconds": time.time() - started,
        "rows": rows, "ops": kernels}
    for name, make in wanted:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows.append(comparison.run(make()))
        write(args.json, json.dumps(current(), indent=1) + "\n")
    if not args.filter or args.filter == "ops":
        kernels = ops(args, comparison.suanli.environment)
    text = report.markdown(current())
    write(args.json, json.dumps(current(), indent=1) + "\n")
    write(args.markdown, text)
    print(text)
    sys.exit(3 if differs(rows) else 0)


if __name__ == "__main__":
    main()
