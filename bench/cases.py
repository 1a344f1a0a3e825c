"""The cases: what is opened on every side, what must agree before, and how much real work one turn is.

Names are kind/..., and --filter takes those that contain a text. Sizes and lists are here and nowhere else.
"""
import json
import os
from dataclasses import dataclass, field

from work import CLASSES

TASKS = ("masked-lm", "text-classification")
SHAPES = ((1, 16), (1, 128), (32, 128))
TEXTS = 512
TOKENIZED_TEXTS = 4000
# size -> sequences of a training step, batches of a real-length case. BERT-base has 8, so that a step of the slowest
# side stays within seconds and its memory within 16 GB.
STEP_SIZES = {"minilm": (32, 8), "bert-base": (8, 4)}
PICTURES = ((64, 32), (8, 224))  # batch and side
# Models that are not BERT: their task, and sequences of how many tokens a step has.
OTHER_STEPS = {"gpt2": ("causal-lm", 4, 512), "lstm": ("text-classification", 32, 128)}
QUICK = ("infer/1x16/f32", "infer/1x128/f32", "infer/32x128/f32", "infer/1x16/bf16", "infer/32x128/bf16",
         "infer/32x128/int8", "step/minilm/masked-lm/32x128/f32", "step/minilm/masked-lm/32x128/bf16",
         "tokenize", "load/f32", "start", "optimizer")


@dataclass
class Case:
    name: str
    kind: str
    precision: str
    request: dict                # of the protocol's "open"
    tokens: list                 # real tokens of each turn
    operations: list             # multiply-adds of the matrix products of each turn, times two; or empty
    checks: list = field(default_factory=list)  # requests whose answers must agree, with those of `request` last

    def of_turn(self, values, turn):
        return values[turn % len(values)] if values else 0


def forward_operations(config, lengths):
    """Products with the weights for all tokens, and attention within each sequence; padding does not exist."""
    hidden, wide = config["hidden_size"], config["intermediate_size"]
    per_token = 2 * (4 * hidden * hidden + 2 * hidden * wide)
    return sum(config["num_hidden_layers"] * n * (per_token + 4 * n * hidden) for n in lengths)


def resnet18_operations(size):
    """Of one picture: the convolutions (He et al. 2016, table 1) and the classifier."""
    side, operations = size // 2, 2 * (size // 2) ** 2 * 64 * 49 * 3
    side, channels = side // 2, 64
    for width in (64, 128, 256, 512):
        if width != channels:
            side = (side + 1) // 2
            operations += 2 * side * side * channels * width  # the shortcut
        operations += 2 * side * side * 9 * (channels * width + 3 * width * width)
        channels = width
    return operations + 2 * 512 * CLASSES


def other_operations(config, lengths):
    """Of a forward pass of GPT-2 or an LSTM."""
    if config["model_type"] == "lstm":
        wide, hidden = config["embedding_dim"], config["hidden_size"]
        per_token = 8 * hidden * (wide + hidden) + (config["num_layers"] - 1) * 16 * hidden * hidden
        return sum(lengths) * per_token
    hidden = config["n_embd"]
    causal = sum(config["n_layer"] * (24 * n * hidden * hidden + 2 * n * n * hidden) for n in lengths)
    return causal + sum(2 * (n - 1) * hidden * config["vocab_size"] for n in lengths)


def step_operations(config, batch, task):
    """Forward, and backward as twice the forward; the vocabulary's product at the hidden places alone."""
    forward = forward_operations(config, [len(s) for s in batch["sequences"]])
    if task == "masked-lm":
        places = sum(label != -100 for labels in batch["labels"] for label in labels)
        forward += 2 * places * config["hidden_size"] * (config["vocab_size"] + config["hidden_size"])
    return 3 * forward


class Cases:
    def __init__(self, work, models):
        self.work, self.models = work, models

    def folder(self, name):
        return os.path.join(self.models, name)

    def config(self, name):
        with open(os.path.join(self.folder(name), "config.json"), encoding="utf-8") as f:
            return json.load(f)

    def inference(self, batch, length, precision):
        file, lengths = self.work.sequences(batch, length)
        request = {"kind": "infer", "model": self.folder("minilm"), "precision": precision, "work": file}
        mixed = {**request, "work": self.work.mixed_sequences()[0]}
        operations = [forward_operations(self.config("minilm"), n) for n in lengths]
        return Case(f"infer/{batch}x{length}/{precision}", "infer", precision, request, [sum(n) for n in lengths],
                    operations, [mixed, request])

    def embedding(self, precision):
        file, lengths = self.work.mixed_texts(TEXTS)
        request = {"kind": "embed", "model": self.folder("minilm"), "precision": precision, "work": file,
                   "max_length": 128}
        operations = [forward_operations(self.config("minilm"), n) for n in lengths]
        return Case(f"embed/{TEXTS}-sentences/{precision}", "embed", precision, request, [sum(n) for n in lengths],
                    operations, [request])

    def loading(self, precision):
        file, _ = self.work.sequences(1, 16)
        request = {"kind": "load", "model": self.folder("minilm"), "precision": precision, "work": file}
        return Case(f"load/{precision}", "load", precision, request, [], [], [request])

    def tokenizing(self):
        file, lengths = self.work.mixed_texts(TOKENIZED_TEXTS)
        request = {"kind": "tokenize", "model": self.folder("minilm"), "precision": "f32", "work": file}
        return Case("tokenize", "tokenize", "f32", request, [sum(n) for n in lengths], [], [request])

    def step(self, size, task, shape, precision):
        """`shape` is a length, or the name of a source of lengths."""
        batch, count = STEP_SIZES[size]
        made = self.work.steps(task, batch, shape) if isinstance(shape, int) else \
            self.work.source_steps(task, shape, batch, count)
        file, lengths = made
        model = f"{size}-{task}"
        request = {"kind": "step", "model": self.folder(model), "precision": precision, "work": file, "task": task}
        check = {**request, "model": self.folder(model + "-check"), "work": self.work.mixed_steps(task)[0]}
        with open(file, encoding="utf-8") as f:
            operations = [step_operations(self.config(model), b, task) for b in json.load(f)["batches"]]
        shape = f"{batch}x{shape}" if isinstance(shape, int) else shape
        return Case(f"step/{size}/{task}/{shape}/{precision}", "step", precision, request, [sum(n) for n in lengths],
                    operations, [check])

    def other_step(self, model, precision):
        task, batch, length = OTHER_STEPS[model]
        file, lengths = self.work.steps(task, batch, length)
        request = {"kind": "step", "model": self.folder(model), "precision": precision, "work": file, "task": task}
        check = {**request, "model": self.folder(model + "-check")}
        operations = [3 * other_operations(self.config(model), n) for n in lengths]
        return Case(f"step/{model}/{batch}x{length}/{precision}", "step", precision, request,
                    [sum(n) for n in lengths], operations, [check])

    def pictures(self, kind, batch, size, precision):
        """Real tokens are pictures here."""
        request = {"kind": kind, "model": self.folder("resnet18"), "precision": precision,
                   "work": self.work.pictures(batch, size), "task": "image-classification"}
        operations = batch * resnet18_operations(size) * (3 if kind == "step" else 1)
        return Case(f"{kind}/resnet18/{batch}x{size}x{size}/{precision}", kind, precision, request, [batch],
                    [operations], [request])

    def loading_pictures(self):
        """Real tokens are pictures here."""
        folder = self.folder("pictures")
        files = sorted(os.path.join(folder, name) for name in os.listdir(folder))
        request = {"kind": "pictures", "model": self.folder("resnet18"), "precision": "f32",
                   "work": self.work.write("picture-files", {"files": files, "size": 224})}
        return Case("pictures", "pictures", "f32", request, [len(files)], [], [request])

    def optimizer(self):
        file, _ = self.work.mixed_steps("masked-lm")
        request = {"kind": "optimizer", "model": self.folder("minilm-masked-lm-check"), "precision": "f32",
                   "work": file, "task": "masked-lm"}
        return Case("optimizer", "optimizer", "f32", request, [], [], [{**request, "check": True}])

    def makers(self):
        """(name, function that makes the case): a case is made when it is run, its files with it."""
        found = []
        for batch, length in SHAPES:
            for precision in ("f32", "bf16", "int8"):
                found.append((f"infer/{batch}x{length}/{precision}",
                              lambda b=batch, n=length, p=precision: self.inference(b, n, p)))
        for precision in ("f32", "bf16", "int8"):
            found.append((f"embed/{TEXTS}-sentences/{precision}", lambda p=precision: self.embedding(p)))
        for size, (batch, _) in STEP_SIZES.items():
            for task in TASKS:
                for shape in (128, *self.work.sources()):
                    for precision in ("f32", "bf16"):
                        name = f"step/{size}/{task}/{f'{batch}x128' if shape == 128 else shape}/{precision}"
                        found.append((name, lambda s=size, t=task, n=shape, p=precision: self.step(s, t, n, p)))
        for precision in ("f32", "bf16"):
            for kind in ("step", "classify"):
                for batch, size in PICTURES:
                    found.append((f"{kind}/resnet18/{batch}x{size}x{size}/{precision}",
                                  lambda k=kind, b=batch, s=size, p=precision: self.pictures(k, b, s, p)))
            for model, (_, batch, length) in OTHER_STEPS.items():
                found.append((f"step/{model}/{batch}x{length}/{precision}",
                              lambda m=model, p=precision: self.other_step(m, p)))
        found += [("tokenize", self.tokenizing), ("optimizer", self.optimizer),
                  ("pictures", self.loading_pictures)]
        found += [(f"load/{p}", lambda p=p: self.loading(p)) for p in ("f32", "bf16", "int8")]
        found.append(("start", lambda: Case("start", "start", "f32", {"model": self.folder("minilm")}, [], [])))
        return found
