"""Shared by the two makers of golden values: packing, the reference training loop, files with their hashes."""
import hashlib
import json
import os
import platform
import re

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from transformers import get_linear_schedule_with_warmup

HERE = os.path.dirname(os.path.abspath(__file__))


def deterministic():
    """One thread and no choice of algorithm: the same bits on each run of the same machine."""
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def normal(shape, key, scale, mean=0.0):
    """Normal numbers that depend on the text `key` alone."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "little")
    return torch.from_numpy((mean + scale * np.random.RandomState(seed).standard_normal(shape)).astype(np.float32))


def pad(sequences, value):
    """Sequences of different length -> [B, longest], filled up with value."""
    longest = max(len(s) for s in sequences)
    return torch.tensor([list(s) + [value] * (longest - len(s)) for s in sequences])


def pack(sequences):
    """Sequences -> (their items one after another i32 [T], offsets i32 [B+1])."""
    offsets = np.cumsum([0] + [len(s) for s in sequences])
    return torch.tensor([x for s in sequences for x in s], dtype=torch.int32), torch.tensor(offsets, dtype=torch.int32)


def unpad(padded, lengths):
    """[B, longest, ...] -> the rows that exist, one sequence after another [T, ...]."""
    return torch.cat([padded[i, :n] for i, n in enumerate(lengths)]).contiguous()


def model_inputs(ids, types, pad_id):
    """What the Hugging Face model is called with: padded ids, their mask and, where the model has them, types."""
    mask = [[1] * len(s) for s in ids]
    inputs = {"input_ids": pad(ids, pad_id), "attention_mask": pad(mask, 0)}
    if types is not None:
        inputs["token_type_ids"] = pad(types, 0)
    return inputs


def decay_groups(model, weight_decay):
    """The two parameter groups of the Hugging Face trainer: no decay on biases and on LayerNorm."""
    no_decay = re.compile(r"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)")
    norm_names = {f"{m}.{p}" for m, module in model.named_modules() if isinstance(module, torch.nn.LayerNorm)
                  for p, _ in module.named_parameters()}
    decays = lambda name: name not in norm_names and not no_decay.search(name.lower())
    named = list(model.named_parameters())
    return [{"params": [p for n, p in named if decays(n)], "weight_decay": weight_decay},
            {"params": [p for n, p in named if not decays(n)], "weight_decay": 0.0}]


def train(model, batches, learning_rate, weight_decay=0.01, warmup=3, clip=1.0):
    """AdamW (0.9, 0.999, 1e-8) with a linear schedule; per step the loss before the update, gradient norm and rate."""
    optimizer = torch.optim.AdamW(decay_groups(model, weight_decay), lr=learning_rate, betas=(0.9, 0.999), eps=1e-8)
    schedule = get_linear_schedule_with_warmup(optimizer, warmup, len(batches))
    losses, norms, rates = [], [], []
    for batch in batches:
        loss = model(**batch).loss
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), clip)))
        rates.append(schedule.get_last_lr()[0])
        losses.append(float(loss.detach()))
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return losses, norms, rates


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def save(path, tensors):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    save_file({k: tensors[k].detach().contiguous() for k in sorted(tensors)}, path)
    print(f"{os.path.relpath(path, HERE)}: {os.path.getsize(path)} bytes")


def record(part, folder, extra):
    """Writes versions, hashes and measured facts of one part into versions.json."""
    import safetensors
    path = os.path.join(HERE, "versions.json")
    whole = json.load(open(path)) if os.path.exists(path) else {}
    files = sorted(os.path.join(d, f) for d, _, names in os.walk(folder) for f in names)
    whole[part] = {
        "python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__,
        "safetensors": safetensors.__version__, "numpy": np.__version__, **extra,
        "sha256": {os.path.relpath(f, HERE): sha256(f) for f in files}}
    with open(path, "w", encoding="utf-8") as f:
        json.dump(whole, f, indent=2, sort_keys=True)
        f.write("\n")
