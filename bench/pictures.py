"""Pictures beside PyTorch: the same networks, the same recipe, three seeds.

Run: python bench/pictures.py SUANLI DATA [NAME ...]
     DATA: a folder with digits/digits.csv, mnist/*-idx3-ubyte.gz with their labels, pneumoniamnist/pneumoniamnist.npz;
     sets that are not there are left out, and with names all others.

Random weights, SGD with momentum 0.9, a cosine after 5% of warm-up, weight decay 5e-4, shifts by up to two pixels, in f32;
the last weights are scored on the test part. Prints a table in Markdown: mean and standard deviation over the seeds of
the accuracy and, of two classes, of the ROC AUC, and the seconds of training.
"""
import csv
import gzip
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional

SEEDS = (1, 2, 3)
LENET = {"model_type": "lenet"}
RESNET = {"model_type": "resnet_cifar", "depth": 20}
SETS = {  # what: configuration, epochs, batch, learning rate
    "digits": (LENET, 40, 32, 0.02),
    "mnist": (LENET, 20, 64, 0.02),
    "pneumoniamnist": (RESNET, 8, 64, 0.05),
}
SIDE, SHIFT = 28, 2


def read_idx(path):
    data = gzip.open(path).read()
    sizes = numpy.frombuffer(data, ">u4", data[3], 4)
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * data[3]).reshape(sizes)


def write_idx(path, array):
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes())


def digits(folder):
    """8x8 numbers of 0 to 16, enlarged; a fifth for the score."""
    rows = numpy.loadtxt(folder / "digits.csv", delimiter=",")
    pixels = (rows[:, :64].reshape(-1, 8, 8) * 255 / 16).astype(numpy.uint8)
    large = numpy.stack([numpy.asarray(Image.fromarray(p).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for p in pixels])
    labels = rows[:, 64].astype(numpy.uint8)
    train, test = train_test_split(numpy.arange(len(rows)), test_size=0.2, random_state=1, stratify=labels)
    return large[train], labels[train], large[test], labels[test]


def mnist(folder):
    parts = [read_idx(next(folder.glob(f"{part}*{kind}*"))) for part in ("train", "t10k") for kind in ("images", "labels")]
    return tuple(parts)


def pneumoniamnist(folder):
    arrays = numpy.load(folder / "pneumoniamnist.npz")
    return tuple(arrays[f"{part}_{what}"].squeeze().astype(numpy.uint8) for part in ("train", "test")
                 for what in ("images", "labels"))


def suanli(program, sets, config, epochs, batch, rate, seed, folder):
    images, labels, test_images, test_labels = sets
    for name, array in (("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels),
                        ("test-images-idx3-ubyte", test_images), ("test-labels-idx1-ubyte", test_labels)):
        write_idx(folder / name, array)
    classes = int(labels.max()) + 1
    (folder / "config.json").write_text(json.dumps(config | {"num_channels": 1, "image_size": SIDE, "num_labels": classes}))
    subprocess.run([program, "train", "task=image-classification", f"config_name={folder / 'config.json'}",
                    f"train_file={folder / 'train-images-idx3-ubyte'}", f"validation_file={folder / 'test-images-idx3-ubyte'}",
                    f"output_dir={folder / 'out'}", f"crop_padding={SHIFT}", "fliplr=0", "erasing=0", "hsv_v=0", "optim=sgd",
                    "momentum=0.9", f"learning_rate={rate}", "weight_decay=5e-4", "lr_scheduler_type=cosine",
                    "warmup_steps=0.05", f"num_train_epochs={epochs}", f"per_device_train_batch_size={batch}",
                    "per_device_eval_batch_size=256", "max_grad_norm=0", "eval_strategy=no", "do_eval=true",
                    "save_strategy=no", "precision=f32", f"seed={seed}"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    results = json.loads((folder / "out/all_results.json").read_text())
    found = {"accuracy": results["eval_accuracy"], "s": results["train_runtime"]}
    if classes == 2:
        with open(folder / "out/eval_answers.csv", newline="") as answers:
            rows = list(csv.DictReader(answers))
        found["ROC AUC"] = roc_auc_score([row["label"] == "1" for row in rows], [float(row["probability_1"]) for row in rows])
    return found


class LeNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, classes)

    def forward(self, x):
        x = functional.max_pool2d(self.conv1(functional.pad(x, (2, 2, 2, 2))).relu(), 2)
        x = functional.max_pool2d(self.conv2(x).relu(), 2).flatten(1)
        return self.fc3(self.fc2(self.fc1(x).relu()).relu())


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.stride, self.more = stride, (outputs - inputs) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        short = functional.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, self.more, self.more))
        return (y + short).relu()


class ResNet20(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        blocks, inputs = [], 16
        for outputs, stride in ((16, 1), (32, 2), (64, 2)):
            blocks += [Block(inputs, outputs, stride), Block(outputs, outputs, 1), Block(outputs, outputs, 1)]
            inputs = outputs
        self.blocks, self.linear = nn.Sequential(*blocks), nn.Linear(64, classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        return self.linear(self.blocks(self.bn1(self.conv1(x)).relu()).mean((2, 3)))


def pytorch(sets, config, epochs, batch, rate, seed):
    images, labels, test_images, test_labels = sets
    torch.manual_seed(seed)
    classes = int(labels.max()) + 1
    model = (LeNet if config is LENET else ResNet20)(classes)
    mean, deviation = images.mean() / 255, images.std() / 255
    numbers = lambda array: (torch.tensor(array).float().unsqueeze(1) / 255 - mean) / deviation
    x, y = numbers(images), torch.tensor(labels).long()
    black = -mean / deviation
    optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.9, weight_decay=5e-4)
    per_epoch = math.ceil(len(x) / batch)
    steps, warmup = epochs * per_epoch, math.ceil(0.05 * epochs * per_epoch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: step / warmup if step < warmup else
                                                 (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2)
    start = time.time()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(batch):
            wide = functional.pad(x[rows], (SHIFT,) * 4, value=black)
            down, right = torch.randint(0, 2 * SHIFT + 1, (2, len(rows)))
            shifted = torch.stack([w[:, d:d + SIDE, r:r + SIDE] for w, d, r in zip(wide, down, right)])
            optimizer.zero_grad()
            functional.cross_entropy(model(shifted), y[rows]).backward()
            optimizer.step()
            schedule.step()
    found = {"s": time.time() - start}
    model.eval()
    with torch.no_grad():
        p = torch.cat([model(part) for part in numbers(test_images).split(256)]).softmax(1).numpy()
    found["accuracy"] = float((p.argmax(1) == test_labels).mean())
    if classes == 2:
        found["ROC AUC"] = roc_auc_score(test_labels, p[:, 1])
    return found


def main():
    program, data, *names = sys.argv[1:]
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    print("| data | network | score | Suanli | PyTorch |\n| --- | --- | --- | --- | --- |")
    for name, (config, epochs, batch, rate) in SETS.items():
        folder = pathlib.Path(data) / name
        if not folder.is_dir() or (names and name not in names):
            continue
        sets = globals()[name](folder)
        ours, theirs = [], []
        for seed in SEEDS:
            with tempfile.TemporaryDirectory() as work:
                ours.append(suanli(program, sets, config, epochs, batch, rate, seed, pathlib.Path(work)))
            theirs.append(pytorch(sets, config, epochs, batch, rate, seed))
        for key in sorted(ours[0]):
            cells = [f"{numpy.mean(v):.4g} ± {numpy.std(v):.2g}" for v in ([s[key] for s in ours], [s[key] for s in theirs])]
            print(f"| {name} ({len(sets[0])} to learn, {len(sets[2])} to score) | {config['model_type']}, {epochs} epochs | "
                  f"{key} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
