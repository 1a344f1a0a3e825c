"""Small forecasters in PyTorch: forecasts, loss and every gradient for tests/models/forecast_test.cpp.

Run: python make_forecast.py      (writes forecast/linear, forecast/lstm and forecast/gru beside itself)
"""
import hashlib
import json
import pathlib

import safetensors
import torch
from safetensors.torch import save_file

torch.manual_seed(20261122)
torch.set_num_threads(1)
context, steps, rows, hidden, layers = 7, 3, 5, 4, 2


class Forecaster(torch.nn.Module):
    def __init__(self, cell):
        super().__init__()
        if cell == "linear":
            self.linear = torch.nn.Linear(context, steps)
        else:
            self.rnn = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](1, hidden, layers, batch_first=True)
            self.projection = torch.nn.Linear(hidden, steps)

    def forward(self, x):
        return self.linear(x) if hasattr(self, "linear") else self.projection(self.rnn(x.unsqueeze(-1))[0][:, -1])


for cell in ("linear", "lstm", "gru"):
    folder = pathlib.Path(__file__).parent / "forecast" / cell
    folder.mkdir(parents=True, exist_ok=True)
    model = Forecaster(cell)
    x, target = torch.randn(rows, context), torch.randn(rows, steps)
    y = model(x)
    loss = torch.nn.functional.mse_loss(y, target)
    loss.backward()
    golden = {"x": x, "target": target, "y": y.detach(), "loss": loss.detach().reshape(1)}
    golden |= {f"grad/{name}": weight.grad for name, weight in model.named_parameters()}
    save_file({name: weight.detach().contiguous() for name, weight in model.named_parameters()}, folder / "model.safetensors")
    save_file({name: tensor.contiguous() for name, tensor in golden.items()}, folder / "golden.safetensors")
    config = {"model_type": "forecaster", "architectures": ["ForecasterModel"], "cell": cell, "context_length": context,
              "prediction_length": steps, "seasonality": 2}
    if cell != "linear":
        config |= {"hidden_size": hidden, "num_layers": layers}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    about = {"torch": torch.__version__, "safetensors": safetensors.__version__}
    about |= {name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
              for name in ("model.safetensors", "golden.safetensors")}
    (folder / "versions.json").write_text(json.dumps(about, indent=1) + "\n")
