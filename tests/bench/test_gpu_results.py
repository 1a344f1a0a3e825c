"""A GPU's results beside the interpreter's: other bits within the bounds pass, a missing case or a large error does not."""
import sys
import unittest

import paths

sys.path.insert(0, paths.BENCH + "/gpu")
from results import comparison  # noqa: E402

CASE = ("scale/cuda bf16 7", "y")


class Results(unittest.TestCase):
    def test_equal_and_other_bits_within_their_bounds(self):
        lines, complaints = comparison({CASE: [("a1", 0.5), ("b2", 0.75)]}, {CASE: [("a1", 0.5), ("c3", 0.25)]})
        self.assertEqual(complaints, [])
        self.assertEqual(lines[-1], "| scale/cuda | 2 | 1 | 0.75 | 0.50 |")

    def test_an_error_beyond_its_bound_is_named(self):
        for error in (1.5, float("nan")):
            _, complaints = comparison({CASE: [("a1", error)]}, {CASE: [("a1", 0.5)]})
            self.assertEqual(len(complaints), 1)
            self.assertIn("scale/cuda bf16 7 y: error", complaints[0])

    def test_a_case_that_the_gpu_did_not_run_is_named(self):
        self.assertEqual(comparison({}, {CASE: [("a1", 0.5)]})[1], ["scale/cuda bf16 7 y: run by the interpreter, not on the GPU"])


if __name__ == "__main__":
    unittest.main()
