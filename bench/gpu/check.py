"""Times products, convolutions, attention and training steps on a GPU beside PyTorch's and prints a page of markdown.

usage: check.py [--tiny] SUANLI_PROGRAM WORK_FOLDER. Called by scripts/gpu-check.sh; without torch, or where it sees no GPU, only
Suanli is timed. --tiny: the smallest of each.
"""
import array
import json
import os
import pathlib
import random
import subprocess
import sys

from predict import MODELS, VOCABULARY, write_model

os.environ.setdefault("HF_HUB_OFFLINE", "1")
try:
    import torch
    import transformers
    transformers.logging.set_verbosity_error()
    no_torch = "" if torch.cuda.is_available() else "PyTorch sees no GPU"
except ImportError:
    no_torch = "no PyTorch and transformers here"

H, F, T = 384, 1536, 1024  # the sizes of `suanli bench ops`
PRODUCTS = {"qkv": (T, 3 * H, H), "attention_out": (T, H, H), "up": (T, F, H), "down": (T, H, F)}
OPS = {"matmul": "matmul/"}  # where a filter is not the kernel's name
ATTENTION = [(64, 16), (16, 64), (8, 128), (2, 512)]
HEADS, HEAD_SIZE = 12, 32
IMAGES, SIDE, CHANNELS = 8, 56, 64  # those of `suanli bench ops`: of the first stage of a ResNet
CONVOLUTIONS = ["y", "dx", "dweight"]
STEPS = {name: MODELS[name] for name in ("MiniLM-L6-H384", "BERT-base")}
BATCH, LENGTH, MASKED_EVERY = 32, 128, 7


def suanli(program, *arguments):
    return subprocess.run([program, "bench", *arguments], check=True, capture_output=True, text=True).stdout


def microseconds(program, kernel):
    """(size, dtype, implementation) -> microseconds of a call."""
    out = {}
    for line in suanli(program, "ops", "--device", "cuda", "--filter", OPS.get(kernel, kernel), "--seconds", "2").splitlines():
        words = line.split()
        out[words[1], words[2], words[3]] = float(words[4])
    return out


def timed(run, calls=50):
    """Microseconds of a call: the best of five rounds, as a queue hides the host."""
    for _ in range(5):
        run()
    best = float("inf")
    for _ in range(5):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(calls):
            run()
        end.record()
        end.synchronize()
        best = min(best, start.elapsed_time(end) * 1e3 / calls)
    return best


def products(program):
    ours = microseconds(program, "matmul")
    print("\n## Products, bf16 with an f32 bias (microseconds)\n")
    print("| product | shape | Suanli | PyTorch F.linear, bf16 bias |\n| --- | --- | ---: | ---: |")
    for name, (m, n, k) in PRODUCTS.items():
        theirs = ""
        if not no_torch:
            x, w, b = (torch.randn(*s, device="cuda", dtype=torch.bfloat16) for s in ((m, k), (n, k), (n,)))
            theirs = f"{timed(lambda: torch.nn.functional.linear(x, w, b)):.1f}"
        print(f"| {name} | {m}x{n}x{k} | {ours[name, 'bf16', 'cublaslt']:.1f} | {theirs} |")


def torch_convolutions():
    """Microseconds of y, dx and dweight of a 3x3 convolution over images that lie channels last."""
    x, w, y = (torch.randn(*s, device="cuda", dtype=torch.bfloat16).to(memory_format=torch.channels_last)
               for s in ((IMAGES, CHANNELS, SIDE, SIDE), (CHANNELS, CHANNELS, 3, 3), (IMAGES, CHANNELS, SIDE, SIDE)))
    one = [1, 1]
    gradient = lambda *wanted: torch.ops.aten.convolution_backward(y, x, w, None, one, one, one, False, [0, 0], 1, wanted)
    return {"y": timed(lambda: torch.nn.functional.conv2d(x, w, padding=1)), "dx": timed(lambda: gradient(True, False, False)),
            "dweight": timed(lambda: gradient(False, True, False))}


def convolutions(program):
    print(f"\n## Convolutions 3x3, bf16, {IMAGES} images of {SIDE} x {SIDE} pixels and {CHANNELS} channels (microseconds)\n")
    print("| result | Suanli by rows of windows | by cuDNN | PyTorch, channels last |\n| --- | ---: | ---: | ---: |")
    if not CONVOLUTIONS:
        return
    rows = microseconds(program, "im2row")["3x3", "bf16", "cuda"]
    product = microseconds(program, "convolution_3x3/bf16/cublaslt")
    by_rows = {"y": rows + product["convolution_3x3", "bf16", "cublaslt"],
               "dweight": rows + product["dw_convolution_3x3", "bf16", "cublaslt"]}
    theirs = {} if no_torch else torch_convolutions()
    cell = lambda value: "" if value is None else f"{value:.1f}"
    for result, kernel in zip(CONVOLUTIONS, ("convolution.forward", "convolution.backward", "convolution.weight")):
        by_cudnn = microseconds(program, kernel).get(("3x3", "bf16", "cudnn"))
        print(f"| {result} | {cell(by_rows.get(result))} | {cell(by_cudnn)} | {cell(theirs.get(result))} |")


def attention(program):
    print("\n## Attention, bf16, 12 heads of 32, dropout 0.1 (microseconds)\n")
    print("| sequences | Suanli forward | backward | PyTorch SDPA forward | backward |\n| --- | ---: | ---: | ---: | ---: |")
    if not ATTENTION:
        return
    backward_of = microseconds(program, "attention.backward")
    forward_of = microseconds(program, "attention.forward")
    for sequences, length in ATTENTION:
        label = f"{sequences}x{length}_dropout"
        best = [min((v for k, v in table.items() if k[:2] == (label, "bf16"))) for table in (forward_of, backward_of)]
        theirs = ["", ""]
        if not no_torch:
            shape = (sequences, HEADS, length, HEAD_SIZE)
            q, k, v = (torch.randn(*shape, device="cuda", dtype=torch.bfloat16, requires_grad=True) for _ in range(3))
            run = lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v, dropout_p=0.1)
            y = run()
            dy = torch.randn_like(y)
            theirs = [f"{timed(run):.1f}",
                      f"{timed(lambda: torch.autograd.grad(y, (q, k, v), dy, retain_graph=True)):.1f}"]
        print(f"| {sequences} x {length} | {best[0]:.1f} | {best[1]:.1f} | {theirs[0]} | {theirs[1]} |")


def torch_step(config, bf16):
    """Milliseconds of a training step: forward with dropout, backward, clipping, fused AdamW."""
    model = transformers.AutoModelForMaskedLM.from_config(config).cuda().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.0, fused=True)
    ids = torch.randint(0, config.vocab_size, (BATCH, LENGTH), device="cuda")
    labels = torch.where(torch.arange(BATCH * LENGTH, device="cuda").view(BATCH, LENGTH) % MASKED_EVERY == 0, ids, -100)

    def step():
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=bf16):
            loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return timed(step, 10) * 1e-3


def steps(program, work, vocabulary=VOCABULARY, count=20):
    print(f"\n## Training steps, masked-lm, {BATCH} sequences of {LENGTH} tokens (milliseconds)\n")
    print("| model | dtype | Suanli | PyTorch eager |\n| --- | --- | ---: | ---: |")
    # Not zeros: a GPU multiplies those with less power, so faster. A prime number of them: no two rows are alike.
    numbers = array.array("f", (random.gauss(0, 0.02) for _ in range(1_000_003))).tobytes()
    for name, sizes in STEPS.items():
        folder = write_model(pathlib.Path(work) / name, *sizes, vocabulary, numbers)
        for precision in ("f32", "bf16"):
            out = json.loads(suanli(program, "step", "--model", str(folder), "--device", "cuda", "--precision", precision,
                                    "--batch", str(BATCH), "--length", str(LENGTH), "--steps", str(count), "--json"))
            theirs = "" if no_torch else f"{torch_step(transformers.AutoConfig.from_pretrained(folder), precision == 'bf16'):.2f}"
            print(f"| {name} | {precision} | {out['seconds_per_step'] * 1e3:.2f} | {theirs} |", flush=True)


def take_the_smallest():
    """Leaves what an interpreter does in seconds: one product and steps of a small model."""
    global BATCH, LENGTH
    for table, keep in ((PRODUCTS, ["attention_out"]), (STEPS, [])):
        for name in [name for name in table if name not in keep]:
            del table[name]
    ATTENTION.clear()
    CONVOLUTIONS.clear()
    OPS["matmul"] = "matmul/attention_out/bf16/cublaslt"
    STEPS["tiny"] = (64, 1, 2, 128)
    BATCH, LENGTH = 2, 8


def main():
    tiny = sys.argv[1] == "--tiny"
    program, work = sys.argv[1 + tiny:]
    if tiny:
        take_the_smallest()
    print(f"- {no_torch}" if no_torch else f"- PyTorch {torch.__version__}")
    products(program)
    convolutions(program)
    attention(program)
    steps(program, work, *((120, 1) if tiny else ()))


if __name__ == "__main__":
    main()
