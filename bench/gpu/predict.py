"""Predicts training steps on GPUs from counted operations, bytes and launches, and prints docs/prediction-gpu.md.

usage: predict.py SUANLI_PROGRAM [FOLDER_OF_THE_STAND_INS]     (build/release/suanli; build/release/tests/cuda/lib)
Nothing is timed: the CPU's profile of a step says what each kernel does (src/kernels/work.cpp), and the interpreter of
tests/cuda how many kernels the CUDA path launches. Both grow linearly with layers and sequences, so that four small models
say it of any.
"""
import collections
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

VOCABULARY, POSITIONS, LENGTH, BATCH, MASKED_EVERY = 30522, 512, 128, 32, 7
MODELS = {  # hidden, layers, heads, between
    "MiniLM-L6-H384": (384, 6, 12, 1536),
    "BERT-base": (768, 12, 12, 3072),
    "BERT-large": (1024, 24, 16, 4096),
}
# Data sheets of the SXM modules, dense: operations a second by dtype, bytes a second.
GPUS = {
    "A100 80 GB": ({"f32": 19.5e12, "bf16": 312e12}, 2.039e12),
    "H100 80 GB": ({"f32": 66.9e12, "bf16": 989.4e12}, 3.35e12),
}
# What the interpreter counts sectors of: hidden, layers, heads, between, vocabulary.
MOVED_MODEL, MOVED_BATCH = (384, 1, 12, 1536, 1000), 2
# The least time from one short kernel to the next in a stream: A. Gray, "Getting Started with CUDA Graphs", NVIDIA technical
# blog, 2019 (a V100).
LAUNCH_SECONDS = 3.8e-6

PUBLISHED = """\
| BERT-large, 1 A100 80 GB, 128 tokens, bf16/f16 mixed | 580 sequences/s | 55.2 | NVIDIA DeepLearningExamples, PyTorch/BERT, README |
| BERT-large, 1 A100 80 GB, 128 tokens, tf32 | 317 sequences/s | 101 | the same |
| BERT-large, 1 V100 32 GB, 128 tokens, f16 mixed | 224 sequences/s | 143 | the same |
| BERT-large, 1 V100 32 GB, 128 tokens, DeepSpeed | 272 sequences/s | 118 | DeepSpeed blog, 28 May 2020 |"""


def tensors(hidden, layers, between, vocabulary):
    """Names and shapes of a BertForMaskedLM."""
    def linear(name, out, width):
        return {f"{name}.weight": (out, width), f"{name}.bias": (out,)}

    def norm(name):
        return {f"{name}.LayerNorm.weight": (hidden,), f"{name}.LayerNorm.bias": (hidden,)}

    out = {"bert.embeddings.word_embeddings.weight": (vocabulary, hidden),
           "bert.embeddings.position_embeddings.weight": (POSITIONS, hidden),
           "bert.embeddings.token_type_embeddings.weight": (2, hidden), **norm("bert.embeddings")}
    for layer in range(layers):
        at = f"bert.encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            out |= linear(f"{at}.attention.self.{part}", hidden, hidden)
        out |= linear(f"{at}.attention.output.dense", hidden, hidden) | norm(f"{at}.attention.output")
        out |= linear(f"{at}.intermediate.dense", between, hidden)
        out |= linear(f"{at}.output.dense", hidden, between) | norm(f"{at}.output")
    return out | linear("cls.predictions.transform.dense", hidden, hidden) | norm("cls.predictions.transform") | {
        "cls.predictions.bias": (vocabulary,)}


def write_model(folder, hidden, layers, heads, between, vocabulary=VOCABULARY, numbers=b""):
    """A model whose weights are `numbers` (f32) again and again, or zeros, in a sparse file: what a step counts does not depend
    on them."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({
        "model_type": "bert", "architectures": ["BertForMaskedLM"], "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": heads, "intermediate_size": between, "vocab_size": vocabulary, "hidden_act": "gelu",
        "max_position_embeddings": POSITIONS, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "initializer_range": 0.02,
        "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "tie_word_embeddings": True}))
    header, end = {}, 0
    for name, shape in tensors(hidden, layers, between, vocabulary).items():
        size = 4 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for begin in range(0, end if numbers else 0, len(numbers) or 1):
            file.write(numbers[:end - begin])
        file.truncate(8 + len(text) + end)
    return folder


def bench(program, model, dtype, batch, length, *more, **environment):
    return subprocess.run([program, "bench", "step", "--model", model, "--precision", dtype, "--batch", str(batch), "--length",
                           str(length), *more], check=True, capture_output=True, text=True, env=dict(os.environ, **environment))


def counted(program, work, model, dtype, batch):
    """{(kernel, dtype): (calls, operations, bytes)} of one step."""
    trace = work / "trace.json"
    bench(program, model, dtype, batch, LENGTH, "--steps", "1", "--profile", str(trace))
    events = json.loads(trace.read_text())["traceEvents"]
    begin = max(event["ts"] for event in events if event["name"] == "step")
    out = collections.defaultdict(lambda: (0, 0, 0))
    for event in events:
        if event.get("cat") == "kernel" and event["ts"] >= begin:
            key, args = (event["name"], event["args"]["dtype"]), event["args"]
            out[key] = tuple(a + b for a, b in zip(out[key], (1, args["flop"], args["bytes"])))
    return out


def emulated(program, stand_ins, model, dtype, batch, length):
    """{kernel of ours: [launches, requests, sectors, passes, least passes]} of one step on the interpreter: of global memory in
    sectors of 32 bytes, of shared memory in passes over its banks."""
    def counts(steps):
        text = bench(program, model, dtype, batch, length, "--steps", str(steps), "--device", "cuda",
                     LD_LIBRARY_PATH=stand_ins, SUANLI_PTX_COUNTERS="1").stderr
        rows = re.findall(r"^\[ptx\] (\w+) +(\d+) +\d+ +(\d+) +([\d.]+) +(\d+) +([\d.]+) +([\d.]+)", text, re.M)
        out = {}
        for name, launches, requests, sectors, shared, passes, conflict in rows:
            moved, passed = int(requests) * float(sectors), int(shared) * float(passes)
            out[name] = [int(launches), int(requests), moved, passed, passed / float(conflict) if passed else 0]
        return out
    one, two = counts(1), counts(2)
    return {name: [b - a for a, b in zip(one.get(name, [0] * 5), two[name])] for name in two}


def launched(program, stand_ins, model, dtype):
    """Kernels of ours that one step launches, whatever its size."""
    return sum(row[0] for row in emulated(program, stand_ins, model, dtype, 2, 8).values())


def family(kernel):
    """The call of the profile that a kernel of ours belongs to."""
    name = re.sub(r"_(f32|bf16|f16|f64)$", "", kernel)
    for pattern, call in (("flash_forward|tiled_forward", "attention.forward"), ("flash_|tiled_|attention_delta", "attention.backward"),
                          ("embedding_(sort|runs|leading)", "embedding.backward"), ("layer_norm_total", "layer_norm.backward"),
                          ("cross_entropy_total", "cross_entropy.forward"), ("column_sum", "column_sum"), ("cast", "cast"),
                          ("matmul", "matmul"), ("sums_of_squares", "sums_of_squares")):
        if re.match(pattern, name):
            return call
    return re.sub(r"_(forward|backward).*", r".\1", name)


def moved(program, stand_ins, work):
    """Rows of the table of sectors: one layer of MiniLM's size, MOVED_BATCH sequences."""
    rows = []
    for dtype in ("f32", "bf16"):
        model = write_model(work / f"moved_{dtype}", *MOVED_MODEL)
        formula = collections.Counter()
        for (name, _), (_, _, size) in counted(program, work, model, dtype, MOVED_BATCH).items():
            formula[name] += size
        of_call = collections.defaultdict(lambda: [0] * 5)
        for kernel, row in emulated(program, stand_ins, model, dtype, MOVED_BATCH, LENGTH).items():
            of_call[family(kernel)] = [a + b for a, b in zip(of_call[family(kernel)], row)]
        for call in sorted(call for call in of_call if formula[call] and call != "matmul"):
            launches, requests, sectors, passes, least = of_call[call]
            rows.append(f"| {call} | {dtype} | {launches:.0f} | {formula[call] * 1e-6:.2f} | {sectors * 32e-6:.2f} | "
                        f"{sectors * 32 / formula[call]:.2f} | {sectors / requests:.1f} | {passes / least if least else 1:.2f} |")
    return rows


def line(first, second, place):
    """The value at `place` of the line through (1, first) and (2, second)."""
    return first + (second - first) * (place - 1)


def step_of(program, stand_ins, work, sizes, dtype):
    """({(kernel, dtype): (calls, operations, bytes)}, launches) of a step of BATCH sequences."""
    hidden, layers, heads, between = sizes
    of_layers, launches = [], []
    for count in (1, 2):
        model = write_model(work / f"{hidden}_{count}_{dtype}", hidden, count, heads, between)
        small = write_model(work / f"small_{hidden}_{count}_{dtype}", 64, count, 2, 128, 120)
        one, two = (counted(program, work, model, dtype, batch * MASKED_EVERY) for batch in (1, 2))
        of_layers.append({key: tuple(line(a, b, BATCH / MASKED_EVERY) for a, b in zip(one[key], two[key])) for key in one})
        products = sum(one[key][0] for key in one if key[0] == "matmul")
        launches.append(launched(program, stand_ins, small, dtype) + products)
    first, second = of_layers
    return {key: tuple(line(a, b, layers) for a, b in zip(first[key], second[key])) for key in first}, line(*launches, layers)


def seconds_of(kernels, gpu):
    """On the device at its limits: each kernel takes the larger of its operations' and its bytes' time."""
    peaks, bandwidth = GPUS[gpu]
    return sum(max(flop / peaks.get(dtype, peaks["f32"]), size / bandwidth) for (_, dtype), (_, flop, size) in kernels.items())


def measured_steps(page):
    """{(model, dtype): (ours, PyTorch's)} in ms, as docs/results-gpu.md has them."""
    rows = re.findall(r"^\| ([\w-]+) \| (f32|bf16) \| ([\d.]+) \| ([\d.]*) \|", page.read_text() if page.exists() else "", re.M)
    return {(model, dtype): (float(ours), theirs) for model, dtype, ours, theirs in rows}


def main():
    program = os.path.abspath(sys.argv[1])
    stand_ins = sys.argv[2] if len(sys.argv) > 2 else os.path.join(os.path.dirname(program), "tests/cuda/lib")
    measured = measured_steps(pathlib.Path(__file__).parents[2] / "docs/results-gpu.md")
    counts, predictions, ratios = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, sizes in MODELS.items():
            for dtype in ("f32", "bf16"):
                kernels, launches = step_of(program, stand_ins, pathlib.Path(folder), sizes, dtype)
                flop, size = (sum(k[i] for k in kernels.values()) for i in (1, 2))
                host = launches * LAUNCH_SECONDS
                device = {gpu: seconds_of(kernels, gpu) for gpu in GPUS}
                counts.append(f"| {name} | {dtype} | {flop * 1e-9:,.0f} | {size * 1e-9:.1f} | {launches:,.0f} |")
                row = [f"{1e3 * device[gpu]:.2f} | {1e3 * max(device[gpu], host):.2f}" for gpu in GPUS]
                ours, theirs = measured.get((name, dtype), ("", ""))
                ratio = f"{ours * 1e-3 / max(device['H100 80 GB'], host):.1f}" if ours else ""
                ratios += [ratio] if ours else []
                predictions.append(f"| {name} | {dtype} | {1e3 * host:.2f} | {' | '.join(row)} | {ours} | {ratio} | {theirs} |")
                print(predictions[-1], file=sys.stderr)
        sectors = moved(program, stand_ins, pathlib.Path(folder))
    print(PAGE.format(batch=BATCH, length=LENGTH, launch=LAUNCH_SECONDS * 1e6, counts="\n".join(counts), moved="\n".join(sectors), moved_batch=MOVED_BATCH,
                      predictions="\n".join(predictions), published=PUBLISHED, least=min(ratios, key=float, default="?"),
                      most=max(ratios, key=float, default="?")))


PAGE = """\
# Predicted training steps on GPUs

**Predicted, not measured**, but for the columns that say so. Written by `bench/gpu/predict.py`, masked-lm, {batch} sequences of {length} tokens.

## What a step does

Operations and bytes are counted by the profile of a step (each kernel's formula, every array once); launches by the interpreter
of `tests/cuda`, and a product counts as one.

| model | dtype | GFLOP of products | GB | kernel launches |
| --- | --- | ---: | ---: | ---: |
{counts}

## What our kernels move

One layer of MiniLM's size, vocabulary 1,000, {moved_batch} sequences of {length} tokens, on the interpreter: bytes by the formula (every array
once) and as requested, in sectors of 32 bytes, before the caches; sectors of a request, which a warp makes (4 where it reads 32
neighbouring f32, 16 where each lane reads 16 bytes); passes over the banks of shared memory for each that is needed. Why more is
requested than the formula says:

- f32 goes 32 bytes to a lane in two accesses, each of half its sectors (2.00); the other half is in the nearest cache when it is asked for.
- layer_norm reads weight and bias for every row and, backward, its rows three times; cross_entropy its rows twice; attention each tile
  of keys for every block of queries, and the other way round.
- embedding.backward less, because the driver fills its table with zeros.

| call | dtype | launches | MB by formula | MB in sectors | of it | sectors a request | bank passes |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
{moved}

## What a GPU needs at least (milliseconds)

- **launches**: {launch:.1f} us each, the least from one short kernel to the next without a graph (NVIDIA's blog "Getting Started with CUDA Graphs", on a V100).
- **device**: the sum over kernels of the larger of operations at the peak and bytes at the bandwidth of the data sheet
  (A100 80 GB: f32 19.5, bf16 312 TFLOP/s, 2.04 TB/s; H100 SXM: 66.9, 989, 3.35).
- **predicted**: the larger of the two. No machine does better without fewer launches, fewer passes over memory or other arithmetic.
- **measured** on an NVIDIA H100 (`docs/results-gpu.md`), and **of it**: how many times the prediction the measured step takes:
  {least} to {most}. Expect no better agreement of what is predicted for the A100 and for BERT-large. They were
  measured before AdamW took all tensors in one launch and f32 attention went in tiles; what is counted here has both.

| model | dtype | launches | A100 device | A100 predicted | H100 device | H100 predicted | H100 measured | of it | H100 PyTorch eager, measured |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
{predictions}

## Published by others

Their work is not quite ours: phase 1 of pre-training with its next-sentence loss, a prediction for 20 tokens of each sequence, larger batches and LAMB.

| what | published | ms for {batch} sequences | source |
| --- | ---: | ---: | --- |
{published}"""

if __name__ == "__main__":
    main()
