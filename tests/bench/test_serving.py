"""The server's benchmark: what wrk's scripts count, rates and ratios of a case, slices long enough."""
import http.server
import json
import os
import shutil
import tempfile
import threading
import unittest

import paths  # noqa: F401
from serving.load import Case, row_of, wrk


def slices(rates, errors=0):
    return [{"requests": 10, "errors": errors, "requests_per_second": r, "sentences_per_second": 8 * r, "p50": 0.1, "p99": 0.2}
            for r in rates]


class Rows(unittest.TestCase):
    def test_the_ratio_is_taken_within_a_repeat(self):
        # A machine that halves its speed between repeats changes no ratio.
        row = row_of(Case(8, 1), {"suanli": slices([30, 15, 30]), "peer": slices([10, 5, 10], errors=1)}, {})
        peer = row["sides"]["peer"]
        self.assertEqual((peer["ratio"], peer["low"], peer["high"]), (3, 3, 3))
        self.assertEqual((peer["requests_per_second"], peer["errors"]), (10, 3))

    def test_a_side_without_answers_has_no_ratio(self):
        self.assertNotIn("ratio", row_of(Case(8, 1), {"suanli": slices([1]), "peer": slices([0])}, {})["sides"]["peer"])

    def test_slices_last_for_several_rounds_within_bounds(self):
        self.assertEqual(Case(1, 1).seconds(5, 100), 5)
        self.assertEqual(Case(32, 16).seconds(5, 300), 11)  # 6 x 512 / 300
        self.assertEqual(Case(32, 64).seconds(5, 1), 25)


class EverySecondRefused(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lock, count, bodies = threading.Lock(), {200: 0, 429: 0}, set()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            status = 200 if self.count[200] <= self.count[429] else 429
            self.count[status] += 1
            self.bodies.add(body)
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_):
        pass


@unittest.skipUnless(shutil.which("wrk"), "wrk is not installed")
class Scripts(unittest.TestCase):
    def setUp(self):
        EverySecondRefused.count, EverySecondRefused.bodies = {200: 0, 429: 0}, set()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), EverySecondRefused)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/embed"
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as f:
            f.write('{"inputs": ["a"]}\n{"inputs": ["b"]}\n')
        self.bodies = f.name

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()
        os.remove(self.bodies)

    def test_load_counts_other_statuses_as_errors(self):
        found = wrk("load.lua", self.url, 1, 2, 1, self.bodies)
        self.assertAlmostEqual(found["refused"], found["requests"] / 2, delta=2)
        self.assertGreater(found["requests"], 10)
        self.assertEqual({json.loads(b)["inputs"][0] for b in EverySecondRefused.bodies}, {"a", "b"})

    def test_overload_tells_statuses_apart_and_holds_its_rate(self):
        found = wrk("overload.lua", self.url, 4, 4, 2, self.bodies, 0.1)
        count = found["taken"]["count"] + found["refused"]["count"]
        self.assertAlmostEqual(found["taken"]["count"], found["refused"]["count"], delta=4)
        # Four connections, ten requests a second each: never more, and not far fewer from a server that is idle.
        self.assertLessEqual(count, 4 * 10 * (found["seconds"] + 0.2))
        self.assertGreater(count, 4 * 10 * found["seconds"] / 2)
        self.assertEqual(found["other"] + found["failed"], 0)


if __name__ == "__main__":
    unittest.main()
