"""OpenVINO: f32 and bf16 by its precision hint; int8 quantised after training by NNCF, the rest as it chooses."""
import os

import openvino
from inference import main

FILES = {"f32": "encoder.xml", "bf16": "encoder.xml", "int8": "encoder-int8.xml"}


def load(folder, precision, threads):
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
    if precision != "int8":
        settings["INFERENCE_PRECISION_HINT"] = precision
    model = openvino.Core().compile_model(os.path.join(folder, "openvino", FILES[precision]), "CPU", settings)
    used = str(model.get_property("INFERENCE_PRECISION_HINT"))
    if precision == "bf16" and "bf" not in used:
        raise ValueError(f"bf16 was asked for, {used} is what it uses on this processor")
    request = model.create_infer_request()
    return lambda ids, mask: request.infer({"input_ids": ids, "attention_mask": mask})[model.output(0)].copy()


if __name__ == "__main__":
    main(load, lambda: {"openvino": openvino.__version__}, __doc__)
