"""PyTorch with transformers: eager or, with --compile, torch.compile; inference, training steps, AdamW alone.

It gets its best: SDPA attention, inference mode, the fastest number of threads, gradients set to none, AdamW in the
fastest of its implementations, data ready before the clock starts. Training in bf16 is autocast over f32 weights;
inference in bf16 has its weights in bf16. protocol.py and inference.py have the rest.
"""
import json
import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
import transformers
from inference import open_inference, padded, parser, read_work, tokenizer_of
from PIL import Image
from protocol import fastest, serve
from recurrent import LstmClassifier
from torchvision.io import decode_image
from torchvision.transforms import v2 as transforms
from transformers import (AutoModel, AutoModelForCausalLM, AutoModelForImageClassification, AutoModelForMaskedLM,
                          AutoModelForSequenceClassification)

CHECKED_STEPS = 3
HEADS = {"masked-lm": AutoModelForMaskedLM, "text-classification": AutoModelForSequenceClassification,
         "causal-lm": AutoModelForCausalLM, "image-classification": AutoModelForImageClassification}
ADAMW = {"fused": {"fused": True}, "foreach": {"foreach": True}}


def compiled(model, use, shapes):
    """One shape is compiled for itself, several for any."""
    return torch.compile(model, dynamic=shapes > 1) if use else model


def loader(use_compile):
    def load(folder, precision, threads):
        torch.set_num_threads(threads)
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        model = AutoModel.from_pretrained(folder, dtype=dtype, add_pooling_layer=False).eval()

        def vectors(ids, mask):
            hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
            weights = mask.unsqueeze(-1).to(hidden.dtype)
            return torch.nn.functional.normalize((hidden * weights).sum(1), dim=1)

        run = torch.compile(vectors) if use_compile else vectors

        def embed(ids, mask):
            with torch.inference_mode():
                return run(torch.from_numpy(ids), torch.from_numpy(mask)).float().numpy()

        return embed

    return load


def head_of(request):
    """The model of a training case in f32."""
    with open(os.path.join(request["model"], "config.json"), encoding="utf-8") as f:
        if json.load(f)["model_type"] == "lstm":
            return LstmClassifier.from_pretrained(request["model"])
    model = HEADS[request["task"]].from_pretrained(request["model"], dtype=torch.float32)
    return model.to(memory_format=torch.channels_last) if request["task"] == "image-classification" else model


def pictures_of(batch, size):
    pixels = torch.tensor(batch["pictures"]).reshape(-1, size, size, 3).permute(0, 3, 1, 2)
    return {"pixel_values": pixels.contiguous(memory_format=torch.channels_last), "labels": torch.tensor(batch["labels"])}


class Classifying:
    """Pictures to logits; in bf16 with its weights in bf16."""

    def __init__(self, request, use_compile):
        dtype = torch.bfloat16 if request["precision"] == "bf16" else torch.float32
        self.forward = compiled(head_of(request).eval().to(dtype), use_compile, 1)
        batch = pictures_of(read_work(request, "batches")[0], read_work(request, "size"))
        self.pixels = batch["pixel_values"].to(dtype)

    def run(self, _):
        with torch.inference_mode():
            self.logits = self.forward(pixel_values=self.pixels).logits

    def answers(self):
        return {"vectors": self.logits.float().tolist()}


class PictureLoading:
    """Pictures from files to augmented tensors on one thread, by PIL or as tensors from the decoder on."""

    def __init__(self, request, _):
        torch.set_num_threads(1)
        self.files, self.size = read_work(request, "files"), read_work(request, "size")
        normalize = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        augment = [transforms.RandomResizedCrop(self.size, antialias=True), transforms.RandomHorizontalFlip()]
        to_numbers = transforms.ToDtype(torch.float32, scale=True)
        self.ways = {"PIL": (self.open, transforms.Compose([*augment, transforms.ToImage(), to_numbers, normalize])),
                     "tensors": (decode_image, transforms.Compose([*augment, to_numbers, normalize]))}
        self.plain = transforms.Compose([transforms.Resize((self.size, self.size)), transforms.ToImage(), to_numbers, normalize])
        self.setting = fastest(self.ways, self.take, self)

    def take(self, name):
        self.read, self.change = self.ways[name]

    @staticmethod
    def open(file):
        return Image.open(file).convert("RGB")

    def run(self, _):
        for file in self.files:
            self.change(self.read(file))

    def answers(self):
        return {"vectors": [self.plain(self.open(file)).flatten()[::97].tolist() for file in self.files]}


class Training:
    """A model, its optimizer and the batches of a file, padded to the longest of each."""

    def __init__(self, request, use_compile):
        self.bf16 = request["precision"] == "bf16"
        self.model = head_of(request).train()
        batches = read_work(request, "batches")
        if request["task"] == "image-classification":
            self.batches = [pictures_of(batch, read_work(request, "size")) for batch in batches]
        else:
            self.batches = [self.tensors(batch, request["task"]) for batch in batches]
        shapes = {next(iter(batch.values())).shape for batch in self.batches}
        self.forward = compiled(self.model, use_compile, len(shapes))
        self.set_optimizer("fused")

    def tensors(self, batch, task):
        ids, mask = (torch.from_numpy(x) for x in padded(batch["sequences"]))
        if task == "causal-lm":
            return {"input_ids": ids, "attention_mask": mask, "labels": ids.masked_fill(mask == 0, -100)}
        labels = torch.tensor(batch["labels"]) if task == "text-classification" else torch.full_like(ids, -100)
        if task == "masked-lm":
            for row, values in enumerate(batch["labels"]):
                labels[row, :len(values)] = torch.tensor(values)
        return {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids), "labels": labels}

    def set_optimizer(self, name):
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=5e-5, weight_decay=0.0, **ADAMW[name])

    def set_learning_rate(self, rate):
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def backward(self, turn):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bf16):
            loss = self.forward(**self.batches[turn % len(self.batches)]).loss
        loss.backward()
        return loss.detach()


class Steps(Training):
    """Forward with dropout, backward, clipping at 1.0, AdamW."""

    def run(self, turn):
        self.loss = self.backward(turn)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def answers(self):
        self.set_learning_rate(1e-5)
        losses = []
        for _ in range(CHECKED_STEPS):
            self.run(0)
            losses.append(float(self.loss))
        return {"numbers": losses}


class Optimizing(Training):
    """Norm, clipping at 1.0 and AdamW, on the gradients of the first batch."""

    def __init__(self, request, use_compile):
        super().__init__(request, use_compile)
        self.backward(0)
        if not request.get("check"):
            self.setting = fastest(ADAMW, self.set_optimizer, self)

    def run(self, _):
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()

    def answers(self):
        self.set_learning_rate(1e-2)
        norms = []
        for _ in range(CHECKED_STEPS):
            self.run(0)
            norms.append(float(sum(p.detach().double().square().sum() for p in self.model.parameters()).sqrt()))
        return {"numbers": norms}


def open_work(request, args):
    """Eager work runs with the fastest number of threads; compiled code has its own built in."""
    torch._dynamo.reset()
    torch.set_num_threads(args.threads)
    kinds = {"pictures": PictureLoading, "step": Steps, "classify": Classifying, "optimizer": Optimizing}
    if request["kind"] in kinds:
        work = kinds[request["kind"]](request, args.compile)
    else:
        work = open_inference(request, loader(args.compile), args.threads)
    if request["kind"] == "infer" and not args.compile and args.threads > 1:
        work.setting = f"{fastest(sorted({1, args.threads}), torch.set_num_threads, work)} threads"
    return work


def allocator():
    with open("/proc/self/maps", encoding="utf-8") as f:
        maps = f.read()
    return next((name for name in ("tcmalloc", "jemalloc", "mimalloc") if name in maps), "glibc")


def info():
    return {"torch": torch.__version__, "transformers": transformers.__version__, "allocator": allocator(),
            "isa": torch.backends.cpu.get_cpu_capability()}


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--compile", action="store_true")
    args = arguments.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if args.once:
        folder, text = args.once
        vectors = loader(False)(folder, "f32", args.threads)(*padded([tokenizer_of(folder).encode(text).ids]))
        print(json.dumps({"vectors": vectors.tolist()}), flush=True)
        return
    serve(lambda request: open_work(request, args), info)


if __name__ == "__main__":
    main()
