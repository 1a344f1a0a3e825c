"""Times MiniLM in eager PyTorch + transformers, a few iterations at a time, driven over stdin and stdout.

usage: pytorch_bench.py MODEL_DIR [--threads N]
Commands, one a line; each is answered by one JSON line:
  info            versions, threads, what the CPU may use, the allocator
  run CASE N      {"case", "seconds": [one number per iteration], "peak_bytes"}; the first use of a case warms it up
  quit
CASE is step:TASK:PRECISION[:SHAPE] (TASK masked-lm or text-classification; a whole training step: forward with
dropout 0.1, backward, clipping at norm 1.0, AdamW) or infer:PRECISION:SHAPE (encoder and mean pooling).
SHAPE is BATCHxLENGTH or a file with one length a line, taken in batches of 32 padded to their longest.
PRECISION f32 or bf16 (training: autocast over f32 weights; inference: weights in bf16).
PyTorch gets its best: SDPA attention, fused AdamW, gradients set to none, data made before the clock starts.
"""
import argparse
import itertools
import json
import os
import resource
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
import transformers
from transformers import AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification

WARM_UP = 3
MASKED_SHARE = 0.15


def batch_of(lengths, vocabulary, generator):
    """Random ids, padded to the longest of the batch."""
    lengths = torch.tensor(lengths).unsqueeze(1)
    mask = (torch.arange(int(lengths.max())) < lengths).long()
    ids = torch.randint(1000, vocabulary, mask.shape, generator=generator) * mask
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}


def training_step(model_dir, task, precision, batches):
    """A function that makes one training step, on the batches in turn."""
    kind = AutoModelForMaskedLM if task == "masked-lm" else AutoModelForSequenceClassification
    model = kind.from_pretrained(model_dir).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, fused=True)
    generator = torch.Generator().manual_seed(1)
    made = []
    for lengths in batches:
        inputs = batch_of(lengths, model.config.vocab_size, generator)
        if task == "masked-lm":
            masked = torch.rand(inputs["input_ids"].shape, generator=generator) < MASKED_SHARE
            inputs["labels"] = torch.where(masked & (inputs["attention_mask"] > 0), inputs["input_ids"], -100)
        else:
            inputs["labels"] = torch.randint(0, model.config.num_labels, (len(lengths),), generator=generator)
        made.append(inputs)
    turns = itertools.cycle(made)

    def step():
        inputs = next(turns)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            loss = model(**inputs).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def inference(model_dir, precision, batches):
    """A function that embeds the batches in turn."""
    model = AutoModel.from_pretrained(model_dir, dtype=torch.bfloat16 if precision == "bf16" else torch.float32).eval()
    generator = torch.Generator().manual_seed(1)
    turns = itertools.cycle([batch_of(lengths, model.config.vocab_size, generator) for lengths in batches])

    def embed():
        inputs = next(turns)
        mask = inputs["attention_mask"].unsqueeze(-1)
        with torch.inference_mode():
            hidden = model(**inputs).last_hidden_state
            return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)

    return embed


def make(model_dir, case):
    kind, *rest = case.split(":")
    if kind == "step":
        task, precision, shape = rest if len(rest) == 3 else (*rest, "32x128")
        if task not in ("masked-lm", "text-classification"):
            raise ValueError(f"unknown task {task}")
        build = lambda batches: training_step(model_dir, task, precision, batches)
    elif kind == "infer":
        precision, shape = rest
        build = lambda batches: inference(model_dir, precision, batches)
    else:
        raise ValueError(f"unknown kind {kind}")
    if precision not in ("f32", "bf16"):
        raise ValueError(f"unknown precision {precision}")
    return build(batches_of(shape))


def batches_of(shape):
    """BATCHxLENGTH, or a file with one length a line in batches of 32."""
    if os.path.exists(shape):
        with open(shape) as f:
            lengths = [int(line) for line in f]
        return [lengths[i:i + 32] for i in range(0, len(lengths), 32)]
    batch, length = (int(n) for n in shape.split("x"))
    return [[length] * batch]


def allocator():
    with open("/proc/self/maps") as f:
        maps = f.read()
    return next((name for name in ("tcmalloc", "jemalloc", "mimalloc") if name in maps), "glibc")


def info():
    return {"torch": torch.__version__, "transformers": transformers.__version__, "threads": torch.get_num_threads(),
            "isa": torch.backends.cpu.get_cpu_capability(), "allocator": allocator()}


def timed(work, count):
    seconds = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    name, work = None, None  # one case lives at a time, so that a peak belongs to few cases
    for line in sys.stdin:
        words = line.split()
        try:
            if words == ["quit"]:
                return
            if words == ["info"]:
                answer = info()
            elif len(words) == 3 and words[0] == "run":
                if words[1] != name:
                    work = None
                    name, work = words[1], make(args.model, words[1])
                    timed(work, WARM_UP)
                answer = {"case": name, "seconds": timed(work, int(words[2])),
                          "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
            else:
                raise ValueError(f"unknown command: {line.strip()}")
        except (ValueError, TypeError, RuntimeError) as error:
            name, work, answer = None, None, {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
