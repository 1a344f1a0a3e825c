"""scripts/gpu-check.sh on the interpreter, in its smallest form: it must not fail for a reason that is not the GPU's.

Needs SUANLI_BUILD (a build's folder) and SUANLI_STAND_INS (the folder of the stand-ins); fails without them.
"""
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
BUILD, STAND_INS = os.environ["SUANLI_BUILD"], os.environ["SUANLI_STAND_INS"]


def gpu_check(*arguments, **environment):
    return subprocess.run([ROOT / "scripts/gpu-check.sh", *arguments, BUILD], text=True, capture_output=True,
                          env=dict(os.environ, SUANLI_ISA="scalar", **environment))


class GpuCheck(unittest.TestCase):
    def test_writes_the_page_where_python_sees_no_gpu(self):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder, "results.md")
            run = gpu_check("--tiny", "--page", page, LD_LIBRARY_PATH=STAND_INS)
            self.assertEqual(run.returncode, 0, run.stderr + run.stdout)
            text = page.read_text()
        for part in ("# Results on a GPU", "- cuda:0 PTX interpreter", "PyTorch", "| attention_out | 1024x384x384 |", "by cuDNN", "| tiny | f32 |", "| tiny | bf16 |", "## Kernels beside the interpreter"):
            self.assertIn(part, text)
        rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| activation.")]
        self.assertTrue(rows, text)
        for _, outputs, same, *_ in rows:  # here both are the interpreter
            self.assertEqual(outputs, same)

    def test_a_page_that_cannot_be_written_costs_nothing_but_the_page(self):
        run = gpu_check("--tiny", "--page", "/proc/no/page.md", LD_LIBRARY_PATH="")
        self.assertIn("/proc/no/page.md cannot be written: the page comes on standard output alone", run.stderr)

    def test_says_that_there_is_no_device(self):
        with tempfile.TemporaryDirectory() as folder:
            run = gpu_check("--tiny", "--page", pathlib.Path(folder, "results.md"), LD_LIBRARY_PATH="")
        self.assertEqual(run.returncode, 1)
        self.assertIn("no CUDA device can be used", run.stderr)


if __name__ == "__main__":
    unittest.main()
