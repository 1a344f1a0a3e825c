"""The work of a case is the same on every side and in every run, and counts no padding."""
import random
import unittest

import paths  # noqa: F401
from cases import forward_operations, step_operations
from work import MASK, grouped, labelled, random_sequence

CONFIG = {"hidden_size": 4, "intermediate_size": 8, "num_hidden_layers": 2, "vocab_size": 10}


class Batches(unittest.TestCase):
    def test_groups_have_like_lengths_and_lose_nothing_but_a_rest(self):
        rng = random.Random(3)
        items = [[0] * rng.randrange(1, 128) for _ in range(1000)]
        batches = grouped(items, 32, len, random.Random(1))
        self.assertEqual([len(b) for b in batches], [32] * 31)
        padded = sum(32 * max(map(len, b)) for b in batches)
        real = sum(len(i) for b in batches for i in b)
        self.assertLess(padded / real, 1.15, "grouping leaves little padding; without it there is 2 times as much")

    def test_the_same_seed_gives_the_same_batches(self):
        items = [[n] * (n % 50 + 1) for n in range(500)]
        self.assertEqual(grouped(items, 8, len, random.Random(1)), grouped(items, 8, len, random.Random(1)))

    def test_hidden_tokens_are_about_15_percent_and_keep_their_labels(self):
        rng = random.Random(1)
        sequences = [random_sequence(128, rng) for _ in range(64)]
        batch = labelled(sequences, "masked-lm", rng)
        hidden = [(t, l, s) for ts, ls, ss in zip(batch["sequences"], batch["labels"], sequences)
                  for t, l, s in zip(ts, ls, ss)]
        share = sum(l != -100 for _, l, _ in hidden) / len(hidden)
        self.assertTrue(0.13 < share < 0.17, share)
        for token, label, source in hidden:
            self.assertEqual(token, MASK if label != -100 else source)
            self.assertIn(label, (-100, source))

    def test_each_sequence_has_something_to_predict(self):
        batch = labelled([[101, 5000, 102]] * 100, "masked-lm", random.Random(1))
        self.assertTrue(all(any(label != -100 for label in labels) for labels in batch["labels"]))


class Operations(unittest.TestCase):
    def test_a_forward_pass_counts_each_product_of_real_tokens(self):
        # Per layer and token: queries, keys, values and output 4 x 4x4, up and down 2 x 4x8; scores and mix 2 x n x 4.
        n = 3
        per_layer = 2 * n * (4 * 16 + 2 * 32) + 2 * 2 * n * n * 4
        self.assertEqual(forward_operations(CONFIG, [n]), 2 * per_layer)
        self.assertEqual(forward_operations(CONFIG, [n, n]), 4 * per_layer)

    def test_the_vocabulary_counts_at_hidden_places_alone(self):
        batch = {"sequences": [[1, 2, 3]], "labels": [[-100, 7, -100]]}
        forward = forward_operations(CONFIG, [3])
        self.assertEqual(step_operations(CONFIG, batch, "masked-lm"), 3 * (forward + 2 * 4 * (10 + 4)))
        self.assertEqual(step_operations(CONFIG, {**batch, "labels": [1]}, "text-classification"), 3 * forward)


if __name__ == "__main__":
    unittest.main()
