"""Two towers in PyTorch: the loss of a batch with its logQ correction and every gradient, for
tests/train/recommendation_test.cpp.

Run: python make_two_tower.py      (writes two_tower/ beside itself)
"""
import hashlib
import json
import pathlib

import safetensors
import torch
from safetensors.torch import save_file

torch.manual_seed(20261123)
torch.set_num_threads(1)
items, width, hidden, temperature = 8, 6, 4, 0.2
likes = [[0, 1, 2, 3], [2, 0, 4], [5, 1]]  # of each user, oldest first
dropped_inputs, dropped_labels = {1}, {3}  # places among all inputs: seen by their text alone


class TwoTower(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.text_projection = torch.nn.Linear(width, hidden)
        self.item_embedding = torch.nn.Embedding(items + 1, hidden)
        self.rnn = torch.nn.GRU(hidden, hidden, batch_first=True)
        self.user_projection = torch.nn.Linear(hidden, hidden)

    def item(self, text, row):
        return torch.nn.functional.normalize(self.text_projection(text) + self.item_embedding.weight[row], dim=-1)


model, text = TwoTower(), torch.nn.functional.normalize(torch.randn(items, width), dim=-1)
inputs = [item for user in likes for item in user[:-1]]
labels = [item for user in likes for item in user[1:]]
owner = [user for user, of in enumerate(likes) for _ in of[:-1]]
share = {item: sum(user.count(item) for user in likes) / sum(map(len, likes)) for item in range(items)}

users, place = [], 0
for user in likes:
    count = len(user) - 1
    rows = [0 if place + k in dropped_inputs else user[k] + 1 for k in range(count)]
    states, _ = model.rnn(torch.stack([model.item(text[user[k]], rows[k]) for k in range(count)]).unsqueeze(0))
    users += list(torch.nn.functional.normalize(model.user_projection(states[0]), dim=-1))
    place += count

candidates = sorted(set(labels))
vectors = {item: model.item(text[item], 0 if labels.index(item) in dropped_labels else item + 1) for item in candidates}
losses = []
for user, label, who in zip(users, labels, owner):
    scores = [user @ vectors[item] / temperature - torch.log(torch.tensor(share[item]))
              for item in candidates if item == label or item not in likes[who]]
    right = [item for item in candidates if item == label or item not in likes[who]].index(label)
    losses.append(torch.nn.functional.cross_entropy(torch.stack(scores).unsqueeze(0), torch.tensor([right])))
loss = torch.stack(losses).mean()
loss.backward()

folder = pathlib.Path(__file__).parent / "two_tower"
folder.mkdir(exist_ok=True)
golden = {"users": torch.stack(users).detach(), "loss": loss.detach().reshape(1)}
golden |= {f"grad/{name}": weight.grad for name, weight in model.named_parameters()}
weights = {name: weight.detach() for name, weight in model.named_parameters()} | {"item_text": text}
save_file({name: tensor.contiguous() for name, tensor in weights.items()}, folder / "model.safetensors")
save_file({name: tensor.contiguous() for name, tensor in golden.items()}, folder / "golden.safetensors")
config = {"model_type": "two_tower", "architectures": ["TwoTowerModel"], "num_items": items, "text_width": width,
          "hidden_size": hidden, "history_length": 50, "temperature": temperature}
(folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
about = {"torch": torch.__version__, "safetensors": safetensors.__version__}
about |= {name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
          for name in ("model.safetensors", "golden.safetensors")}
(folder / "versions.json").write_text(json.dumps(about, indent=1) + "\n")
