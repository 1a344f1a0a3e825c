"""Reference values for tests/optim: torch.optim's updates with clipping, and transformers' schedules.

Run: python make_golden.py > values.json
"""

import json
import sys

import torch
import transformers

STEPS = 6
SHAPES = {"encoder.dense.weight": (3, 4), "encoder.dense.bias": (4,), "encoder.output_norm.weight": (4,)}


def run(make, groups_decay, max_norm):
    """Weights after each of STEPS steps with the gradients listed, clipped to max_norm; weight decay on the matrix alone."""
    generator = torch.Generator().manual_seed(3)
    weights = {n: torch.nn.Parameter(torch.randn(s, generator=generator)) for n, s in SHAPES.items()}
    decayed, plain = "encoder.dense.weight", ["encoder.dense.bias", "encoder.output_norm.weight"]
    optimizer = make(
        [
            {"params": [weights[decayed]], "weight_decay": groups_decay},
            {"params": [weights[n] for n in plain], "weight_decay": 0.0},
        ]
    )
    flat = lambda: {n: w.detach().flatten().tolist() for n, w in weights.items()}
    out = {"start": flat(), "max_norm": max_norm, "steps": []}
    for step in range(STEPS):
        rate = 0.01 * (STEPS - step) / STEPS
        for group in optimizer.param_groups:
            group["lr"] = rate
        gradients = {}
        for n, w in weights.items():
            w.grad = torch.randn(w.shape, generator=generator) * (0.1 if step % 2 else 3.0)
            gradients[n] = w.grad.flatten().tolist()
        norm = torch.nn.utils.clip_grad_norm_(weights.values(), max_norm)
        optimizer.step()
        out["steps"].append({"learning_rate": rate, "gradients": gradients, "norm": norm.item(), "weights": flat()})
    return out


def schedule(name, warmup, total, **more):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=2e-4)
    scheduler = transformers.get_scheduler(name, optimizer, warmup, total, scheduler_specific_kwargs=more or None)
    rates = []
    for _ in range(total + 3):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return {"kind": name, "warmup": warmup, "total": total, "peak": 2e-4, "rates": rates, **more}


adamw = lambda groups: torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-6)
json.dump(
    {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "adamw": run(adamw, 0.1, 1.0),
        "sgd": run(lambda groups: torch.optim.SGD(groups), 0.1, 1.0),
        "sgd_momentum": run(lambda groups: torch.optim.SGD(groups, momentum=0.9), 0.1, 1e9),
        "schedules": [
            schedule("linear", 0, 10),
            schedule("linear", 3, 10),
            schedule("cosine", 2, 12),
            schedule("cosine", 0, 9, num_cycles=1.25),
            schedule("polynomial", 2, 11, power=2.0, lr_end=1e-5),
            schedule("polynomial", 0, 5),
            schedule("constant", 4, 6),
            schedule("constant_with_warmup", 4, 8),
        ],
    },
    sys.stdout,
)
print()
