"""Answers that differ are never timed: what counts as agreement, by kind of answer and precision."""
import unittest

import paths  # noqa: F401
from agreement import LEAST_COSINE, cosine, disagreement


class Agreement(unittest.TestCase):
    def test_cosine(self):
        self.assertAlmostEqual(cosine([1, 0], [1, 1]), 0.5 ** 0.5)
        self.assertEqual(cosine([0, 0], [1, 1]), 0.0)

    def test_one_sentence_of_many_decides(self):
        ours = {"vectors": [[1.0, 0.0], [0.0, 1.0]]}
        theirs = {"vectors": [[1.0, 0.0], [0.1, 1.0]]}
        text, figure = disagreement(ours, theirs, "f32")
        self.assertIn("cosine", text)
        self.assertAlmostEqual(figure, 1 / 1.01 ** 0.5)
        self.assertEqual(disagreement(ours, theirs, "int8")[0], "", "0.995 is enough for int8")
        self.assertNotEqual(disagreement(ours, theirs, "bf16")[0], "")

    def test_the_bounds_fall_with_the_precision(self):
        self.assertGreater(LEAST_COSINE["f32"], LEAST_COSINE["bf16"])
        self.assertGreater(LEAST_COSINE["bf16"], LEAST_COSINE["int8"])

    def test_losses_are_compared_relatively(self):
        self.assertEqual(disagreement({"numbers": [10.0, 9.0]}, {"numbers": [10.0005, 9.0]}, "f32")[0], "")
        self.assertNotEqual(disagreement({"numbers": [10.0, 9.0]}, {"numbers": [10.0, 9.01]}, "f32")[0], "")
        self.assertEqual(disagreement({"numbers": [10.0, 9.0]}, {"numbers": [10.0, 9.01]}, "bf16")[0], "")

    def test_not_a_number_never_agrees(self):
        nan = float("nan")
        self.assertNotEqual(disagreement({"numbers": [nan]}, {"numbers": [nan]}, "bf16")[0], "")
        self.assertNotEqual(disagreement({"vectors": [[1.0, nan]]}, {"vectors": [[1.0, nan]]}, "int8")[0], "")

    def test_token_ids_are_equal_or_not(self):
        self.assertEqual(disagreement({"ids": [[1, 2]]}, {"ids": [[1, 2]]}, "f32")[0], "")
        self.assertNotEqual(disagreement({"ids": [[1, 2]]}, {"ids": [[1, 3]]}, "f32")[0], "")

    def test_missing_or_other_answers_do_not_agree(self):
        self.assertNotEqual(disagreement({"vectors": [[1.0]]}, {"vectors": []}, "f32")[0], "")
        self.assertNotEqual(disagreement({"vectors": [[1.0]]}, {"numbers": [1.0]}, "f32")[0], "")
        self.assertNotEqual(disagreement({"vectors": []}, {"vectors": []}, "f32")[0], "")
        self.assertNotEqual(disagreement({"vectors": [[1.0]]}, {"vectors": [[1.0, 0.0]]}, "f32")[0], "")


if __name__ == "__main__":
    unittest.main()
