"""Interleaved timing: in each repeat every side has one short slice, in an order that changes, each beside a probe.

A slice is about `slice_seconds` of work, or one turn where a turn takes longer. Cases of several turns (batches of
unlike lengths) have one turn a slice, the same for all sides of a repeat.
"""
import json
import os
import statistics
import subprocess
import time

from session import Refused

PROBE_SECONDS = 0.005


class Side:
    """One competitor with its process, open and warm."""

    def __init__(self, name, session, request, turns):
        self.name, self.session = name, session
        self.setting = session.ask(do="open", **request).get("setting")
        self.turns = turns

    def warm_up(self):
        """Every turn once or more: what is compiled, packed or cached at a first use is so now."""
        seconds = self.session.ask(do="run", first=0, count=max(2, self.turns))["seconds"]
        self.guess = max(min(seconds), 1e-6)
        self.session.settle()

    def slice(self, repeat, slice_seconds):
        """(seconds of a turn, peak bytes)"""
        if self.turns > 1:
            answer = self.session.ask(do="run", first=repeat, count=1)
            return answer["seconds"][0], answer["peak_bytes"]
        count, cold = max(1, round(slice_seconds / self.guess)), int(self.guess < 0.02)
        answer = self.session.ask(do="run", first=0, count=count + cold)
        return statistics.median(answer["seconds"][cold:]), answer["peak_bytes"]

    def settle(self):
        self.session.settle()


class StartSide:
    """A program started anew for each slice, timed up to the first line that it prints."""
    setting = None

    def __init__(self, name, command, environment):
        self.name, self.command = name, command
        self.environment = {**os.environ, **environment}

    def warm_up(self):
        self.slice(0, 0)

    def slice(self, *_):
        start = time.perf_counter()
        process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                   env=self.environment)
        self.line = process.stdout.readline()
        seconds = time.perf_counter() - start
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)  # for the memory of this one process
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0 or not self.line:
            raise Refused(f"exit code {process.returncode}")
        return seconds, usage.ru_maxrss * 1024

    def answers(self):
        found = json.loads(self.line)
        return found if "vectors" in found else {"vectors": [found["embedding"]]}

    def settle(self):
        pass


def interleave(sides, repeats, slice_seconds, probe, rng):
    """({name: [{"seconds", "peak_bytes", "probe"}, one a repeat]}, {name: why it was left out}). `probe` is a session
    that can measure the machine's peak."""
    results, failed = {side.name: [] for side in sides}, {}
    for repeat in range(repeats):
        order = [side for side in sides if side.name not in failed]
        rng.shuffle(order)
        for side in order:
            peak = probe.ask(do="probe", seconds=PROBE_SECONDS)
            try:
                seconds, peak_bytes = side.slice(repeat, slice_seconds)
            except Refused as error:
                failed[side.name] = f"failed while timed: {error}"
                del results[side.name]
                continue
            results[side.name].append({"seconds": seconds, "peak_bytes": peak_bytes, "probe": peak})
            side.settle()
    return results, failed
