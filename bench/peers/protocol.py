"""The lines of JSON by which a peer times work on request, the same that `suanli bench session` answers.

  {"do": "info"}                                  versions and settings
  {"do": "open", "kind": ..., "model": ..., ...}  {"setting": what was chosen as fastest}; src/cli/session_work.h lists
                                                  the kinds and their files
  {"do": "answers"}                               of the open work, after one run
  {"do": "run", "first": i, "count": n}           {"seconds": [n numbers], "peak_bytes": of the process}
A mistake is answered by {"error": text}.
"""
import json
import sys
import time


def peak_resident_bytes():
    with open("/proc/self/status", encoding="utf-8") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM:"))


def timed(work, turn):
    start = time.perf_counter()
    work.run(turn)
    return time.perf_counter() - start


def fastest(settings, apply, work):
    """Applies each of the settings, runs the work three times and leaves the one whose best time is least applied."""
    best = {}
    for setting in settings:
        apply(setting)
        best[setting] = min(timed(work, 0) for _ in range(3))
    chosen = min(best, key=best.get)
    apply(chosen)
    return chosen


def serve(open_work, info):
    """Answers standard input. open_work(request) gives an object with run(turn), answers() and maybe `setting`."""
    answers_to, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    work = None
    for line in sys.stdin:
        try:
            request = json.loads(line)
            if request["do"] == "info":
                answer = info()
            elif request["do"] == "open":
                work = None
                work = open_work(request)
                answer = {"setting": getattr(work, "setting", None)}
            elif work is None:
                raise ValueError(f"nothing is open for {request['do']}")
            elif request["do"] == "answers":
                work.run(0)
                answer = work.answers()
            elif request["do"] == "run":
                turns = range(request["first"], request["first"] + request["count"])
                answer = {"seconds": [timed(work, turn) for turn in turns], "peak_bytes": peak_resident_bytes()}
            else:
                raise ValueError(f"unknown request {request['do']}")
        except Exception as error:  # noqa: BLE001: whatever a peer throws is its answer to this request
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(answer), file=answers_to, flush=True)
