"""A GGUF file with a tensor of each type that formats/gguf.h reads, and what PyPI's gguf package makes of their blocks.

usage: make_golden.py     (writes types.gguf, types.safetensors and versions.json beside itself)
"""
import hashlib
import json
import pathlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import save_file

folder = pathlib.Path(__file__).parent
rng = np.random.default_rng(7)
writer = gguf.GGUFWriter(folder / "types.gguf", "test")
writer.add_array("test.numbers", [1, 2, 3])
writer.add_array("test.words", ["a", "b\u00e9"])
writer.add_float32("test.half", 0.5)
writer.add_bool("test.yes", True)
expected = {}
for kind in (Type.F32, Type.F16, Type.BF16, Type.Q4_0, Type.Q4_1, Type.Q8_0, Type.Q4_K, Type.Q6_K):
    name = "tensor." + kind.name
    block, size = gguf.GGML_QUANT_SIZES[kind]
    if kind in (Type.Q4_K, Type.Q6_K):  # the package only reads these: random blocks with small scales
        data = rng.integers(0, 256, (3, 2 * size), dtype=np.uint8)
        scales = np.frombuffer(np.float16(rng.uniform(0.001, 0.1, 12)).tobytes(), np.uint8).reshape(6, 4)
        for i in range(6):
            row, start = i // 2, i % 2 * size
            if kind == Type.Q4_K:
                data[row, start:start + 4] = scales[i]
            else:
                data[row, start + 208:start + 210] = scales[i, :2]
    else:
        data = gguf.quantize(rng.standard_normal((3, 2 * max(block, 3))).astype(np.float32), kind)
    raw = np.ascontiguousarray(data)
    writer.add_tensor(name, raw, raw_dtype=None if kind in (Type.F32, Type.F16) else kind)
    expected[name] = gguf.dequantize(raw, kind).astype(np.float32)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
save_file(expected, folder / "types.safetensors")
files = ("types.gguf", "types.safetensors")
(folder / "versions.json").write_text(json.dumps({
    "gguf": __import__("importlib.metadata", fromlist=["version"]).version("gguf"), "numpy": np.__version__,
    "sha256": {f: hashlib.sha256((folder / f).read_bytes()).hexdigest() for f in files}}, indent=1) + "\n")
