"""From slices to a row: real tokens, shares of the peak beside each slice, the best peer, who was left out."""
import os
import random
import sys
import unittest

import paths  # noqa: F401
from cases import Case
from report import markdown
from session import Refused, Session
from slices import interleave
from summary import summarise


def slices(seconds, peak=1e9, memory=100):
    return [{"seconds": s, "peak_bytes": memory, "probe": {"f32": peak, "bf16": 2 * peak}} for s in seconds]


def case(precision="f32", tokens=(100,)):
    return Case("infer/test", "infer", precision, {}, list(tokens), [1e8 for _ in tokens])


class Summary(unittest.TestCase):
    def test_the_best_peer_is_the_fastest_that_is_held(self):
        results = {"suanli": slices([1.0] * 6), "fast": slices([1.5] * 6, memory=400), "faster": slices([0.5] * 6)}
        row = summarise(case(), results, {}, {}, {}, {"fast"})
        self.assertEqual(row["best_peer"], "fast")
        self.assertEqual(row["sides"]["fast"]["ratio"], 1.5)
        self.assertEqual(row["sides"]["fast"]["times_the_memory"], 4)
        self.assertEqual(row["sides"]["suanli"]["tokens_per_second"], 100)

    def test_the_share_is_of_the_peak_beside_the_slice(self):
        # Half the speed beside half the peak is the same share.
        sides = {"suanli": slices([1.0] * 3) + slices([2.0] * 3, peak=5e8)}
        self.assertAlmostEqual(summarise(case(), sides, {}, {}, {}, set())["sides"]["suanli"]["share_of_peak"], 0.1)
        self.assertAlmostEqual(summarise(case("bf16"), sides, {}, {}, {}, set())["sides"]["suanli"]["share_of_peak"], 0.05)

    def test_turns_of_unlike_size_count_their_own_tokens(self):
        row = summarise(case(tokens=(100, 300)), {"suanli": slices([1.0, 3.0, 1.0, 3.0])}, {}, {}, {}, set())
        self.assertEqual(row["sides"]["suanli"]["tokens_per_second"], 100)

    def test_slices_at_another_speed_of_the_machine_are_marked(self):
        row = summarise(case(), {"suanli": slices([1.0] * 5) + slices([3.0], peak=3e8)}, {}, {}, {}, set())
        self.assertEqual(row["sides"]["suanli"]["far_off"], [False] * 5 + [True])

    def test_the_report_names_what_was_not_timed(self):
        row = summarise(case("int8"), {"peer": slices([1.0] * 3)}, {}, {}, {"suanli": "expected auto, f32 or bf16"}, {"peer"})
        report = {"machine": {"cpu": "a", "cores": 2, "isa": [], "huge_pages": "always"}, "versions": {}, "threads": 2,
                  "repeats": 3, "slice_seconds": 0.1, "isa": "avx2", "not_held": ["ONNX Runtime"],
                  "load_average": (0, 0, 0), "stolen_seconds": 0, "wall_seconds": 1, "rows": [row]}
        text = markdown(report)
        self.assertIn("none: expected auto, f32 or bf16", text)
        self.assertIn("ONNX Runtime cannot be", text)


class FakeSide:
    def __init__(self, name, fail_at=None):
        self.name, self.fail_at, self.turns = name, fail_at, []

    def slice(self, repeat, _):
        if repeat == self.fail_at:
            raise Refused("out of memory")
        self.turns.append(repeat)
        return 1.0, 1

    def settle(self):
        pass


class FakeProbe:
    def ask(self, **_):
        return {"f32": 1e9}


class Interleaving(unittest.TestCase):
    def test_every_side_has_every_repeat_and_one_that_fails_leaves(self):
        sides = [FakeSide("a"), FakeSide("b", fail_at=2), FakeSide("c")]
        results, failed = interleave(sides, 5, 0.1, FakeProbe(), random.Random(1))
        self.assertEqual(sides[0].turns, [0, 1, 2, 3, 4])
        self.assertEqual({name: len(found) for name, found in results.items()}, {"a": 5, "c": 5})
        self.assertIn("out of memory", failed["b"])


PEER = f"""
import sys
sys.path.insert(0, {os.path.join(paths.BENCH, "peers")!r})
from protocol import serve

class Work:
    setting = "batch 32"
    def __init__(self, request):
        if request["kind"] == "none":
            raise ValueError("no such kind")
        if request["kind"] == "end":
            sys.exit("no room left")
        print("noise of a library")
    def run(self, turn):
        self.turn = turn
    def answers(self):
        return {{"numbers": [self.turn]}}

serve(Work, lambda: {{"peer": "1.0"}})
"""


class Protocol(unittest.TestCase):
    def test_requests_answers_errors_and_a_process_that_ends(self):
        with Session([sys.executable, "-c", PEER], {}) as session:
            self.assertEqual(session.ask(do="info"), {"peer": "1.0"})
            with self.assertRaisesRegex(Refused, "open"):
                session.ask(do="run", first=0, count=1)
            with self.assertRaisesRegex(Refused, "no such kind"):
                session.ask(do="open", kind="none")
            self.assertEqual(session.ask(do="open", kind="some"), {"setting": "batch 32"})
            self.assertEqual(session.ask(do="answers"), {"numbers": [0]})
            answer = session.ask(do="run", first=3, count=2)
            self.assertEqual(len(answer["seconds"]), 2)
            self.assertGreater(answer["peak_bytes"], 1 << 20)
            session.settle(0.1)
            with self.assertRaisesRegex(Refused, "no room left"):
                session.ask(do="open", kind="end")


if __name__ == "__main__":
    unittest.main()
