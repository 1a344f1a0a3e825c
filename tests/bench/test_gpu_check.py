"""What bench/gpu/check.py makes of the program's output: a stand-in for the program prints lines of `suanli bench`."""
import contextlib
import io
import os
import sys
import tempfile
import unittest

import paths

sys.path.insert(0, paths.BENCH + "/gpu")
import check  # noqa: E402

PROGRAM = """#!/usr/bin/env python3
import sys
if "ops" in sys.argv:
    for kernel in ("attention.forward", "attention.backward"):
        if kernel in sys.argv:
            for sequences, length in ((64, 16), (16, 64), (8, 128), (2, 512)):
                for implementation, us in (("flash", 10.5), ("cuda", 90.5)):
                    print(f"{kernel:22} {sequences}x{length}_dropout bf16 {implementation:11} {us:10.1f} us  1.0 GFLOP/s  1.0 GB/s")
    if "matmul/" in sys.argv:
        for label in ("qkv", "attention_out", "up", "down"):
            print(f"matmul {label} bf16 cublaslt 12.5 us 1.0 GFLOP/s 1.0 GB/s")
    if "im2row" in sys.argv:
        print("im2row 3x3 bf16 cuda 20.0 us 0.0 GFLOP/s 1.0 GB/s")
    if "convolution_3x3/bf16/cublaslt" in sys.argv:
        print("matmul convolution_3x3 bf16 cublaslt 5.0 us 1.0 GFLOP/s 1.0 GB/s")
        print("matmul dw_convolution_3x3 bf16 cublaslt 6.0 us 1.0 GFLOP/s 1.0 GB/s")
    if "convolution.forward" in sys.argv:  # a machine whose library has no gradients
        print("convolution.forward 3x3 bf16 cudnn 7.5 us 1.0 GFLOP/s 1.0 GB/s")
else:
    print('{"seconds_per_step": 0.0125}')
"""


class Page(unittest.TestCase):
    def setUp(self):
        check.no_torch = "no PyTorch here"
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.program = folder.name, os.path.join(folder.name, "suanli")
        with open(self.program, "w") as file:
            file.write(PROGRAM)
        os.chmod(self.program, 0o755)

    def printed(self, section, *arguments):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            section(self.program, *arguments)
        return out.getvalue()

    def test_every_size_has_its_row_with_the_fastest_implementation(self):
        text = self.printed(check.attention)
        for row in ("| 64 x 16 | 10.5 | 10.5 |  |  |", "| 2 x 512 | 10.5 | 10.5 |  |  |"):
            self.assertIn(row, text)
        self.assertIn("| up | 1024x1536x384 | 12.5 |  |", self.printed(check.products))

    def test_convolutions_stand_beside_the_sum_of_what_replaces_them(self):
        text = self.printed(check.convolutions)
        for row in ("| y | 25.0 | 7.5 |  |", "| dx |  |  |  |", "| dweight | 26.0 |  |  |"):
            self.assertIn(row, text)

    def test_steps_are_timed_without_pytorch_on_models_that_are_not_zero(self):
        check.STEPS = {"small": (64, 1, 2, 128)}
        text = self.printed(check.steps, self.folder, 120, 1)
        self.assertIn("| small | f32 | 12.50 |  |", text)
        with open(os.path.join(self.folder, "small", "model.safetensors"), "rb") as file:
            self.assertNotIn(bytes(64), file.read()[4096:])


if __name__ == "__main__":
    unittest.main()
