"""The PyPI package `tokenizers` on one thread, as Suanli's tokenizer is timed: speed per core."""
import os

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tokenizers
from inference import read_work
from protocol import fastest, serve


class Tokenizing:
    def __init__(self, request):
        self.tokenizer = tokenizers.Tokenizer.from_file(os.path.join(request["model"], "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.texts = read_work(request, "texts")
        ways = {"encode_batch": self.tokenizer.encode_batch, "encode_batch_fast": self.tokenizer.encode_batch_fast}
        self.setting = fastest(ways, lambda name: setattr(self, "way", ways[name]), self)

    def run(self, _):
        self.encodings = self.way(self.texts)

    def answers(self):
        return {"ids": [e.ids for e in self.encodings]}


if __name__ == "__main__":
    serve(Tokenizing, lambda: {"tokenizers": tokenizers.__version__})
