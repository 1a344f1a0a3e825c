"""The scores of PyTorch for docs/results.md, with the recipe of examples/*.yaml: forecasts of a time series.

Run: python forecast_reference.py SERIES.csv COLUMN --cell linear|lstm|gru --context 48 --prediction 12 --season 11
     --epochs 100 --learning_rate 1e-3 [--hidden 64] [--test 0.2] [--seeds 1 2 3]
Windows, scaling by the training part, the last value taken off, AdamW with a linear schedule, batches of 32, no clipping:
as `suanli train --task forecasting` does them.
"""
import argparse
import csv
import time

import numpy as np
import torch


def series(file, column):
    values, filled = [], []
    with open(file, encoding="utf-8") as f:
        for row in csv.DictReader(f):
            there = row[column] not in ("", "NA", "NaN")
            if not there and not values:
                continue
            values.append(float(row[column]) if there else values[-1])
            filled.append(not there)
    return np.array(values), np.array(filled)


def windows(values, filled, begin, end, context, steps):
    firsts = [t for t in range(max(begin, context), end - steps + 1) if not filled[t:t + steps].any()]
    cut = lambda a, n, o: torch.tensor(np.stack([a[t + o:t + o + n] for t in firsts]), dtype=torch.float32)
    return cut(values, context, -context), cut(values, steps, 0)


class Forecaster(torch.nn.Module):
    def __init__(self, cell, context, steps, hidden, layers):
        super().__init__()
        self.linear = torch.nn.Linear(context if cell == "linear" else hidden, steps)
        kind = {"linear": None, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell]
        self.rnn = kind and kind(1, hidden, layers, batch_first=True)

    def forward(self, context):
        x = context - context[:, -1:]
        if self.rnn is not None:
            x = self.rnn(x.unsqueeze(-1))[0][:, -1]
        return self.linear(x) + context[:, -1:]


def scores(truth, forecast, naive_error):
    miss = np.abs(truth - forecast)
    size = np.abs(truth) + np.abs(forecast)
    smape = np.where(miss > 0, 200 * miss / np.where(size > 0, size, 1), 0).mean()
    return np.array([miss.mean(), np.sqrt((miss**2).mean()), smape, miss.mean() / naive_error])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("column")
    parser.add_argument("--cell", default="linear")
    for name, value in (("context", 48), ("prediction", 12), ("season", 1), ("epochs", 3), ("hidden", 64), ("layers", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    parser.add_argument("--test", type=float, default=0.2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    a = parser.parse_args()
    values, filled = series(a.file, a.column)
    end = round(len(values) * (1 - a.test))
    mean, scale = values[:end].mean(), values[:end].std()
    naive_error = np.abs(values[a.season:end] - values[:end - a.season]).mean()
    scaled = (values - mean) / scale
    x, y = windows(scaled, filled, 0, end, a.context, a.prediction)
    tx, ty = windows(scaled, filled, end, len(values), a.context, a.prediction)
    truth = ty.numpy().astype(float) * scale + mean
    found, seconds = [], []
    for seed in a.seeds:
        torch.manual_seed(seed)
        model = Forecaster(a.cell, a.context, a.prediction, a.hidden, a.layers)
        optimizer = torch.optim.AdamW(model.parameters(), lr=a.learning_rate, weight_decay=0)
        total = a.epochs * -(-len(x) // a.batch)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0, 1 - step / total))
        start = time.perf_counter()
        for _ in range(a.epochs):
            for rows in torch.randperm(len(x)).split(a.batch):
                optimizer.zero_grad()
                torch.nn.functional.mse_loss(model(x[rows]), y[rows]).backward()
                optimizer.step()
                schedule.step()
        seconds.append(time.perf_counter() - start)
        with torch.no_grad():
            found.append(scores(truth, model(tx).numpy().astype(float) * scale + mean, naive_error))
    naive = np.stack([tx[:, a.context - a.season + h % a.season].numpy() for h in range(a.prediction)], 1) * scale + mean
    names = ("mae", "rmse", "smape", "mase")
    print(f"{len(x)} training windows, {len(tx)} test windows")
    for name, value, each in zip(names, scores(truth, naive, naive_error), np.array(found).T):
        print(f"{name}: torch {each.mean():.4f} ± {each.std(ddof=1):.4f}, naive {value:.4f}")
    print(f"seconds: {np.mean(seconds):.2f}")


main()
