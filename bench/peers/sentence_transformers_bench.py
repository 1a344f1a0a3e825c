"""sentence-transformers: encode() from texts to vectors, with the fastest of a few batch sizes."""
import json
import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import sentence_transformers
import torch
from inference import BATCH_SIZES, parser, read_work
from protocol import fastest, serve


def load(folder, precision):
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    return sentence_transformers.SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": dtype})


class TextVectors:
    def __init__(self, request):
        if request["kind"] != "embed":
            raise ValueError(f"unknown kind {request['kind']}")
        self.model, self.texts = load(request["model"], request["precision"]), read_work(request, "texts")
        self.model.max_seq_length = request["max_length"]
        self.setting = f"batch {fastest(BATCH_SIZES, lambda n: setattr(self, 'batch', n), self)}"

    def run(self, _):
        self.vectors = self.model.encode(self.texts, batch_size=self.batch, normalize_embeddings=True)

    def answers(self):
        return {"vectors": self.vectors.tolist()}


def main():
    args = parser(__doc__).parse_args()
    torch.set_num_threads(args.threads)
    if args.once:
        vectors = load(args.once[0], "f32").encode([args.once[1]], normalize_embeddings=True)
        print(json.dumps({"vectors": vectors.tolist()}), flush=True)
        return
    serve(TextVectors, lambda: {"sentence-transformers": sentence_transformers.__version__})


if __name__ == "__main__":
    main()
