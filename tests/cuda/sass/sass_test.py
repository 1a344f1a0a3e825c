"""The machine code of the CUDA kernels is no worse than sass.tsv says.

Needs SUANLI_FATBINS (a build's fatbins), SUANLI_NVCC (their compiler) and SUANLI_SASS_TOOLS, a folder of scripts/fetch_sass_tools.sh;
fails without them.
"""
import dataclasses
import os
import unittest

import table
from figures import Figures, compiler_version, measure, occupancy

KERNEL = Figures(threads=128, registers=64, shared=1024, dynamic=0, spilled=0, warps=32, instructions=frozenset({"HMMA", "LDSM"}))


class Occupancy(unittest.TestCase):
    def test_by_hand(self):
        self.assertEqual(occupancy(80, 256, 32, 0), 64)  # nothing limits but the 64 warps
        self.assertEqual(occupancy(80, 256, 40, 0), 48)  # 1,280 registers a warp: 12 warps in each quarter
        self.assertEqual(occupancy(80, 128, 255, 0), 8)  # 8,192 a warp: two in each quarter
        self.assertEqual(occupancy(80, 128, 32, 48 << 10), 12)  # 164 KiB hold three blocks of 49
        self.assertEqual(occupancy(90, 128, 32, 48 << 10), 16)  # 228 KiB hold four
        self.assertEqual(occupancy(80, 32, 32, 0), 32)  # 32 blocks of one warp


class Comparison(unittest.TestCase):
    def complaints(self, same_compiler=True, **changed):
        return table.complaints({("k", 80): KERNEL}, {("k", 80): dataclasses.replace(KERNEL, **changed)}, same_compiler)

    def test_what_is_worse_is_named(self):
        self.assertEqual(self.complaints(), [])
        self.assertEqual(self.complaints(registers=72, warps=28), ["k sm_80: registers 64 -> 72, warps 32 -> 28"])
        self.assertEqual(self.complaints(spilled=16), ["k sm_80: spilled 0 -> 16"])
        self.assertEqual(self.complaints(instructions=frozenset({"LDSM"})), ["k sm_80: HMMA is gone"])
        self.assertEqual(self.complaints(registers=40, warps=48), [])

    def test_another_compiler_may_differ_but_not_spill_or_lose_instructions(self):
        self.assertEqual(self.complaints(same_compiler=False, registers=72, warps=28), [])
        self.assertEqual(self.complaints(same_compiler=False, spilled=8), ["k sm_80: spilled 0 -> 8"])
        self.assertEqual(self.complaints(same_compiler=False, instructions=frozenset()), ["k sm_80: HMMA is gone, LDSM is gone"])

    def test_a_kernel_that_came_or_went_is_named(self):
        self.assertEqual(table.complaints({}, {("k", 80): KERNEL}, True), ["k sm_80: not in the table"])
        self.assertEqual(table.complaints({("k", 80): KERNEL}, {}, True), ["k sm_80: in the table, not in the build"])


class Build(unittest.TestCase):
    def test_no_kernel_is_worse_than_the_table(self):
        fatbins, tools, nvcc = (os.environ[name] for name in ("SUANLI_FATBINS", "SUANLI_SASS_TOOLS", "SUANLI_NVCC"))
        version, expected = table.read()
        here = compiler_version(nvcc)
        if here != version:
            print(f"the table is of nvcc {version}, this is {here}: spills and instructions alone are compared")
        found = table.complaints(expected, measure(tools, fatbins), here == version)
        self.assertEqual(found, [], "\n" + "\n".join(found) + "\nIf it is meant, write the table anew: python3 -B "
                         f"tests/cuda/sass/table.py {fatbins} {tools} {nvcc}")


if __name__ == "__main__":
    unittest.main()
