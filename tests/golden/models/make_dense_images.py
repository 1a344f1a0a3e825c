"""Makes the golden values of small random networks that answer with pictures: super-resolution and heat maps.

usage: make_dense_images.py     (writes dense_images/ and its part of versions.json beside itself)

golden.safetensors: pixels [B, height, width, C], output of the network in evaluation, train_output and loss, the mean
square of train_output, with grad/NAME of each parameter. The networks are written anew in PyTorch's own layers, with the
names of tensors that EDSR-PyTorch, torchSR and super-image have.
"""
import json
import os

import torch
import torch.nn.functional as F
from golden_common import HERE, deterministic, normal, record, save
from torch import nn

BATCH = 2


def conv(inputs, outputs, kernel=3, stride=1, bias=True):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=bias)


class EdsrBlock(nn.Module):
    def __init__(self, width, res_scale):
        super().__init__()
        self.body = nn.Sequential(conv(width, width), nn.ReLU(), conv(width, width))
        self.res_scale = res_scale

    def forward(self, x):
        return x + self.res_scale * self.body(x)


class Edsr(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, upscale = config["n_feats"], config["upscale"]
        self.range = config.get("rgb_range", 255)
        self.mean = torch.tensor([0.4488, 0.4371, 0.4040]).reshape(1, 3, 1, 1)
        self.head = nn.Sequential(conv(3, width))
        blocks = [EdsrBlock(width, config.get("res_scale", 1)) for _ in range(config["n_resblocks"])]
        self.body = nn.Sequential(*blocks, conv(width, width))
        steps = []
        for factor in [2, 2] if upscale == 4 else [upscale]:
            steps += [conv(width, width * factor**2), nn.PixelShuffle(factor)]
        self.tail = nn.Sequential(nn.Sequential(*steps), conv(width, 3))

    def forward(self, x):
        x = self.head((x - self.mean) * self.range)
        return self.tail(x + self.body(x)) / self.range + self.mean


class Srcnn(nn.Module):
    def __init__(self, config):
        super().__init__()
        (a, b, c), (first, second) = config["kernel_sizes"], config["hidden_sizes"]
        self.conv1, self.conv2, self.conv3 = conv(1, first, a), conv(first, second, b), conv(second, 1, c)

    def forward(self, x):
        return self.conv3(F.relu(self.conv2(F.relu(self.conv1(x)))))


class Normed(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv, self.norm = conv(inputs, outputs, 3, stride, bias=False), nn.BatchNorm2d(outputs)

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)))


class Stage(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        self.enter, self.first, self.second = Normed(inputs, width, 2), Normed(width, width, 1), Normed(width, width, 1)

    def forward(self, x):
        x = self.enter(x)
        return x + self.second(self.first(x))


class Step(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.widen, self.norm = nn.ConvTranspose2d(inputs, outputs, 2, 2), nn.BatchNorm2d(outputs)

    def forward(self, x):
        return F.relu(self.norm(self.widen(x)))


class HeatMap(nn.Module):
    def __init__(self, config):
        super().__init__()
        widths = config["hidden_sizes"]
        self.stem = Normed(3, widths[0], 2)
        self.down = nn.ModuleList([Stage(widths[max(i - 1, 0)], width) for i, width in enumerate(widths)])
        self.up = nn.ModuleList([Step(widths[i], widths[i - 1]) for i in range(len(widths) - 1, 0, -1)])
        self.classifier = nn.Conv2d(widths[0], config["num_keypoints"], 1)

    def forward(self, x):
        x, levels = self.stem(x), []
        for stage in self.down:
            x = stage(x)
            levels.append(x)
        for level, step in zip(levels[-2::-1], self.up):
            x = level + step(x)
        return self.classifier(x)


MODELS = {
    "edsr": (Edsr, {"model_type": "edsr", "n_resblocks": 2, "n_feats": 4, "upscale": 3, "res_scale": 0.5}, (3, 5, 6)),
    "edsr_x4": (Edsr, {"model_type": "edsr", "n_resblocks": 1, "n_feats": 3, "upscale": 4, "rgb_range": 1}, (3, 4, 5)),
    "heatmap": (HeatMap, {"model_type": "heatmap", "num_keypoints": 3, "image_size": 32, "hidden_sizes": [4, 6, 5]}, (3, 32, 32)),
    "srcnn": (Srcnn, {"model_type": "srcnn", "num_channels": 1, "upscale": 2, "kernel_sizes": [9, 1, 5],
                      "hidden_sizes": [4, 3]}, (1, 10, 12)),
}


def make(name, network, config, shape):
    model = network(config)
    with torch.no_grad():
        for key, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if key.endswith("running_var") or key.endswith("norm.weight"):
                tensor.copy_(normal(tensor.shape, f"{name}/{key}", 0.1, mean=1.0))
            elif tensor.is_floating_point():
                fan = tensor[0].numel() if tensor.ndim > 1 else 100
                tensor.copy_(normal(tensor.shape, f"{name}/{key}", fan**-0.5))
    folder = os.path.join(HERE, "dense_images", name)
    head = "ForKeypointDetection" if name == "heatmap" else "ForImageSuperResolution"
    save(os.path.join(folder, "model.safetensors"), dict(model.state_dict()))
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump({**config, "architectures": [head]}, file, indent=2)
        file.write("\n")
    x = normal((BATCH, *shape), f"{name}/pixels", 0.2, mean=0.5)
    golden = {"pixels": x.permute(0, 2, 3, 1), "output": model.eval()(x).permute(0, 2, 3, 1)}
    y = model.train()(x)
    loss = (y * y).mean()
    loss.backward()
    golden["train_output"], golden["loss"] = y.permute(0, 2, 3, 1), loss
    golden.update({"grad/" + key: p.grad for key, p in model.named_parameters()})
    save(os.path.join(folder, "golden.safetensors"), golden)


def main():
    deterministic()
    for name, (network, config, shape) in MODELS.items():
        make(name, network, config, shape)
    record("dense_images", os.path.join(HERE, "dense_images"), {})


if __name__ == "__main__":
    main()
