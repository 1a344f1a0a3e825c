"""A small network for tables in PyTorch: logits, loss and every gradient for tests/models/tabular_test.cpp.

Run: python make_tabular.py      (writes tabular/ beside itself)
"""
import hashlib
import json
import pathlib

import safetensors
import torch
from safetensors.torch import save_file

torch.manual_seed(20240901)
torch.set_num_threads(1)
folder = pathlib.Path(__file__).parent / "tabular"
features, sizes, hidden, classes, rows = 4, [3, 6], [5, 4], 3, 7

weights = {}
widths = [features, *hidden, classes]
for i in range(len(widths) - 1):
    weights[f"layers.{i}.weight"] = torch.randn(widths[i + 1], widths[i]) * 0.6
    weights[f"layers.{i}.bias"] = torch.randn(widths[i + 1]) * 0.3
for k, size in enumerate(sizes):
    weights[f"embeddings.{k}.weight"] = torch.randn(size, hidden[0]) * 0.6
for weight in weights.values():
    weight.requires_grad_(True)

numbers = torch.randn(rows, features)
categories = torch.stack([torch.randint(0, size, (rows,)) for size in sizes])
labels = torch.randint(0, classes, (rows,))

h = torch.nn.functional.linear(numbers, weights["layers.0.weight"], weights["layers.0.bias"])
for k in range(len(sizes)):
    h = h + torch.nn.functional.embedding(categories[k], weights[f"embeddings.{k}.weight"])
for i in range(1, len(widths) - 1):
    h = torch.nn.functional.linear(torch.relu(h), weights[f"layers.{i}.weight"], weights[f"layers.{i}.bias"])
loss = torch.nn.functional.cross_entropy(h, labels)
loss.backward()

folder.mkdir(exist_ok=True)
save_file({name: weight.detach() for name, weight in weights.items()}, folder / "model.safetensors")
golden = {"numbers": numbers, "categories": categories.int(), "labels": labels.int(), "logits": h.detach(), "loss": loss.detach().reshape(1)}
golden |= {f"grad/{name}": weight.grad for name, weight in weights.items()}
save_file({name: tensor.contiguous() for name, tensor in golden.items()}, folder / "golden.safetensors")
config = {"model_type": "tabular_mlp", "architectures": ["TabularMlpModel"], "num_features": features, "category_sizes": sizes,
          "hidden_sizes": hidden, "hidden_act": "relu", "id2label": {"0": "a", "1": "b", "2": "c"},
          "label2id": {"a": 0, "b": 1, "c": 2}, "problem_type": "single_label_classification"}
(folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
about = {"torch": torch.__version__, "safetensors": safetensors.__version__}
about |= {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("model.safetensors", "golden.safetensors")}
(folder / "versions.json").write_text(json.dumps(about, indent=1) + "\n")
