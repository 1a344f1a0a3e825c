"""ONNX Runtime: the exported encoder with its transformer fusions; int8 by its dynamic quantisation. No bf16 on CPUs."""
import os

import onnxruntime
from inference import main

FILES = {"f32": "encoder-fused.onnx", "int8": "encoder-int8.onnx"}


def load(folder, precision, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(os.path.join(folder, "onnx", FILES[precision]), options,
                                           providers=["CPUExecutionProvider"])
    return lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask})[0]


if __name__ == "__main__":
    main(load, lambda: {"onnxruntime": onnxruntime.__version__}, __doc__)
