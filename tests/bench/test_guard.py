"""The guard fails on a slow-down that repeats, and on nothing else: made-up builds with the noise of a shared machine."""
import random
import unittest

import paths  # noqa: F401
from guard import LIMIT, ROUNDS_AGAIN, slower_cases

CASES = [f"op/matmul/size_{i}/f32/own" for i in range(40)] + ["step/masked-lm/f32", "infer/1x16/f32"]


class MadeUpBuild:
    """Every case takes a second, times its factor, times noise; `weather` makes both builds of a round slow together."""

    def __init__(self, rng, weather, factors=None, noise=0.04):
        self.rng, self.weather, self.factors, self.noise = rng, weather, factors or {}, noise
        self.times_again = 0

    def seconds(self, case):
        return self.factors.get(case, 1.0) * self.weather() * self.rng.lognormvariate(0, self.noise)

    def everything(self):
        return {case: self.seconds(case) for case in CASES}

    def again(self, cases):
        self.times_again += 1
        return {case: self.seconds(case) for case in cases}


def builds(seed, factors=None, noise=0.04):
    rng = random.Random(seed)
    return MadeUpBuild(rng, lambda: 1.0, None, noise), MadeUpBuild(rng, lambda: 1.0, factors, noise)


def quiet(*_):
    pass


class Guard(unittest.TestCase):
    def test_the_same_build_twice_passes(self):
        for seed in range(30):
            self.assertEqual(slower_cases(*builds(seed), quiet), [])

    def test_the_same_build_twice_passes_on_a_machine_that_doubles_its_times_now_and_then(self):
        for seed in range(30):
            rng = random.Random(seed)
            weather = lambda: rng.choice((1.0, 1.0, 1.0, 2.0))
            self.assertEqual(slower_cases(MadeUpBuild(rng, weather), MadeUpBuild(rng, weather), quiet), [])

    def test_a_slow_down_of_a_third_fails_and_names_its_case_alone(self):
        for seed in range(30):
            case = CASES[seed]
            self.assertEqual(slower_cases(*builds(seed, {case: 1.33}), quiet), [case])

    def test_one_within_the_limit_passes(self):
        for seed in range(30):
            self.assertEqual(slower_cases(*builds(seed, {case: 1.05 for case in CASES}), quiet), [])

    def test_a_slow_first_measurement_that_does_not_repeat_passes(self):
        base, head = builds(1)
        head.everything = lambda: {case: 2.0 for case in CASES[:2]}
        self.assertGreater(2.0, LIMIT)
        self.assertEqual(slower_cases(base, head, quiet), [])

    def test_many_slow_cases_fail_together_in_the_rounds_of_one(self):
        base, head = builds(1, {case: 1.5 for case in CASES})
        self.assertEqual(sorted(slower_cases(base, head, quiet)), sorted(CASES))
        self.assertEqual((base.times_again, head.times_again), (ROUNDS_AGAIN, ROUNDS_AGAIN))

    def test_faster_is_not_slower(self):
        self.assertEqual(slower_cases(*builds(1, {case: 0.5 for case in CASES}), quiet), [])

    def test_builds_without_a_common_case_are_an_error(self):
        base, head = builds(1)
        head.everything = dict
        with self.assertRaises(ValueError):
            slower_cases(base, head, quiet)


if __name__ == "__main__":
    unittest.main()
