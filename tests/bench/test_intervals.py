"""The statistics that both bench scripts decide by."""
import random
import unittest

import paths  # noqa: F401
from intervals import far_off, median_interval, ratio_of


class Interval(unittest.TestCase):
    def test_ranks_are_those_of_the_fair_binomial(self):
        # Ranks that leave at most 2.5% on a side: of 10 the 2nd and the 9th, of 20 the 6th and the 15th, of 5 all.
        self.assertEqual(median_interval(range(1, 11)), (2, 9))
        self.assertEqual(median_interval(range(1, 21)), (6, 15))
        self.assertEqual(median_interval([3, 1, 2, 5, 4]), (1, 5))
        self.assertEqual(median_interval([7]), (7, 7))

    def test_it_covers_the_true_median_in_95_of_100_samples(self):
        rng, covered, trials = random.Random(1), 0, 2000
        for _ in range(trials):
            low, high = median_interval([rng.expovariate(1.0) for _ in range(15)])
            covered += low <= 0.693147 <= high
        self.assertGreater(covered / trials, 0.94)
        self.assertLess(covered / trials, 0.99)

    def test_a_ratio_is_taken_within_a_repeat(self):
        # The machine is four times slower in the second half: the sides' own medians would mislead, the ratio does not.
        ours = [1.0] * 6 + [4.0] * 6
        theirs = [2 * s for s in ours]
        self.assertEqual(ratio_of(theirs, ours), {"ratio": 2.0, "low": 2.0, "high": 2.0})

    def test_sides_with_unlike_numbers_of_repeats_are_refused(self):
        with self.assertRaises(ValueError):
            ratio_of([1.0, 2.0], [1.0])

    def test_a_probe_far_from_the_others_is_marked_whether_slow_or_fast(self):
        self.assertEqual(far_off([100, 110, 90, 40, 105, 300]), [False, False, False, True, False, True])
        self.assertEqual(far_off([]), [])


if __name__ == "__main__":
    unittest.main()
