"""ONNX Runtime behind FastAPI, as its users write it; MODEL is the model's folder, ONNX the file of export_onnx.py.

POST /embed {"inputs": [text, ...]} -> [[number, ...], ...]. FastAPI runs a plain `def` in its pool of threads; a
session may be run by several of them.
"""
import os

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel
from tokenizers import Tokenizer

app = FastAPI()
tokenizer = Tokenizer.from_file(os.path.join(os.environ["MODEL"], "tokenizer.json"))
tokenizer.enable_truncation(256)
tokenizer.enable_padding()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = len(os.sched_getaffinity(0))
session = onnxruntime.InferenceSession(os.environ["ONNX"], options, providers=["CPUExecutionProvider"])


class Request(BaseModel):
    inputs: list[str]


@app.post("/embed")
def embed(request: Request) -> list[list[float]]:
    encodings = tokenizer.encode_batch(request.inputs)
    ids = np.array([e.ids for e in encodings], dtype=np.int64)
    mask = np.array([e.attention_mask for e in encodings], dtype=np.int64)
    return session.run(None, {"input_ids": ids, "attention_mask": mask})[0].tolist()
