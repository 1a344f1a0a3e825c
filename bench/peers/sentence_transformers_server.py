"""sentence-transformers behind FastAPI, as its users write it; the model's folder is in MODEL.

POST /embed {"inputs": [text, ...]} -> [[number, ...], ...]. FastAPI runs a plain `def` in its pool of threads.
"""
import os

from fastapi import FastAPI
from pydantic import BaseModel
from sentence_transformers import SentenceTransformer

app = FastAPI()
model = SentenceTransformer(os.environ["MODEL"], device="cpu")


class Request(BaseModel):
    inputs: list[str]


@app.post("/embed")
def embed(request: Request) -> list[list[float]]:
    return model.encode(request.inputs, normalize_embeddings=True).tolist()
