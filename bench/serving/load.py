"""A closed loop of wrk: each connection sends its next request when the one before is answered. Servers take turns."""
import json
import math
import os
import statistics
import subprocess
import time
from dataclasses import dataclass

from intervals import ratio_of
from session import Refused

from serving.servers import SENTENCE

FOLDER = os.path.dirname(os.path.abspath(__file__))
LONGEST_ANSWER = 120
ROUNDS, LONGER = 6, 5


@dataclass(frozen=True)
class Case:
    batch: int
    connections: int

    def name(self):
        return f"{self.batch} x {self.connections}"  # sentences a request, connections

    def seconds(self, least, slowest):
        """Of a slice: `least`, or up to LONGER times that, so that a server of `slowest` sentences a second answers
        each connection ROUNDS times: what is under way at the end is lost to the count."""
        wanted = ROUNDS * self.batch * self.connections / slowest
        return math.ceil(min(max(least, wanted), LONGER * least))


CASES = [Case(batch, connections) for batch in (1, 8, 32) for connections in (1, 16, 64)]
QUICK = [Case(1, 1), Case(1, 64), Case(8, 16), Case(32, 1)]


def write_bodies(kind, sentences, batch, folder):
    """A file of request bodies, one a line: all sentences, `batch` a request."""
    file = os.path.join(folder, f"{kind.name.replace(' ', '_')}-{batch}.jsonl")
    with open(file, "w", encoding="utf-8") as f:
        for begin in range(0, len(sentences) - batch + 1, batch):
            f.write(json.dumps(kind.body(sentences[begin:begin + batch])) + "\n")
    return file


def wrk(script, url, threads, connections, seconds, *arguments):
    command = ["wrk", "-t", str(threads), "-c", str(connections), "-d", f"{seconds}s", "--timeout", f"{LONGEST_ANSWER}s",
               "-s", os.path.join(FOLDER, script), url, "--", *map(str, arguments)]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    lines = run.stdout.strip().splitlines()
    if run.returncode != 0 or not lines or not lines[-1].startswith("{"):
        raise Refused(f"wrk: exit code {run.returncode}: {(run.stderr or run.stdout).strip()[-200:]}")
    return json.loads(lines[-1])


def rate_of(server, sentences):
    """Sentences a second of a warm server that is alone, in one request."""
    server.ask(sentences)
    began = time.perf_counter()
    server.ask(sentences)
    return len(sentences) / (time.perf_counter() - began)


def slice_of(server, case, bodies, seconds):
    server.resume()
    try:
        server.ask([SENTENCE])  # awake
        found = wrk("load.lua", server.url(), 1, case.connections, seconds, bodies)
        server.settle()
    finally:
        server.pause()
    found["errors"] = found["refused"] + found["failed"]
    found["requests_per_second"] = (found["requests"] - found["refused"]) / found["seconds"]
    found["sentences_per_second"] = case.batch * found["requests_per_second"]
    return found


def measure(case, servers, bodies, repeats, seconds, rng):
    """The row of a case. `servers` are paused, and are so again afterwards; bodies[name] is a file."""
    slices, failed = {server.kind.name: [] for server in servers}, {}
    for _ in range(repeats):
        order = [server for server in servers if server.kind.name not in failed]
        rng.shuffle(order)
        for server in order:
            try:
                slices[server.kind.name].append(slice_of(server, case, bodies[server.kind.name], seconds))
            except (OSError, Refused) as error:
                failed[server.kind.name] = str(error)
                del slices[server.kind.name]
    return row_of(case, slices, failed)


def row_of(case, slices, failed):
    """Medians over the repeats, all errors, and Suanli's rate over each peer's in the same repeat."""
    sides = {}
    for name, found in slices.items():
        median = lambda key, found=found: statistics.median(s[key] for s in found)
        sides[name] = {key: median(key) for key in ("requests_per_second", "sentences_per_second", "p50", "p99")}
        sides[name] |= {key: sum(s[key] for s in found) for key in ("requests", "errors")} | {"slices": found}
    rates = lambda side: [s["requests_per_second"] for s in side["slices"]]
    for name, side in sides.items():
        if name != "suanli" and "suanli" in sides and all(rates(sides["suanli"]) + rates(side)):
            side |= ratio_of(rates(sides["suanli"]), rates(side))
    return {"case": case.name(), "batch": case.batch, "connections": case.connections, "sides": sides, "failed": failed}
