"""TensorBoard's own reader opens the event files of a run; their scalars equal the run's JSON lines.

usage: check_tensorboard.py EVENTS_DIR LOG.jsonl
LOG has one object a line with "step" and scalars. Tags follow the Hugging Face trainer: eval_x is eval/x, test_x is
test/x, a name that has a slash is itself, all else is train/x. Equal means: the same f32.
Exit code 0 when both sides hold the same (tag, step, value), none missing on either; 1 otherwise.
"""
import json
import math
import sys

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def tag_of(name):
    for prefix in ("eval", "test"):
        if name.startswith(prefix + "_"):
            return f"{prefix}/{name[len(prefix) + 1:]}"
    return name if "/" in name else f"train/{name}"


def of_log(path):
    """{(tag, step): f32 value} of the JSON lines; epoch is compared where TensorBoard has it."""
    found = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            record = json.loads(line)
            for name, value in record.items():
                if name != "step" and isinstance(value, (int, float)) and not isinstance(value, bool):
                    found[tag_of(name), int(record["step"])] = np.float32(value)
    return found


def of_events(folder):
    """({(tag, step): f32 value}, how many events were read) as TensorBoard reads them."""
    reader = EventAccumulator(folder, size_guidance={"scalars": 0, "tensors": 0})
    reader.Reload()
    tags = reader.Tags()
    found = {(tag, e.step): np.float32(e.value) for tag in tags["scalars"] for e in reader.Scalars(tag)}
    for tag in tags["tensors"]:  # scalars of the newer kind
        for e in reader.Tensors(tag):
            if not e.tensor_proto.string_val and len(e.tensor_proto.float_val) == 1:
                found[tag, e.step] = np.float32(e.tensor_proto.float_val[0])
    return found


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        sys.exit(2)
    events, log = of_events(sys.argv[1]), of_log(sys.argv[2])
    wrong = [f"{tag} at step {step}: {events.get((tag, step))} in the events, {log.get((tag, step))} in the log"
             for tag, step in sorted(events.keys() | log.keys())
             if not ((tag, step) in events and (tag, step) in log and same(events[tag, step], log[tag, step]))
             and not (tag.endswith("/epoch") and (tag, step) not in events)]
    print(f"{len(events)} scalars in the events, {len(log)} in the log, {len(wrong)} differ")
    for text in wrong[:20]:
        print("  " + text)
    sys.exit(0 if events and not wrong else 1)


if __name__ == "__main__":
    main()
