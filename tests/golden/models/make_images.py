"""Makes the golden values of small random classifiers of images (README.md says what each tensor is).

usage: make_images.py     (writes images/ and its part of versions.json beside itself)
"""
import json
import os

import torch
import torch.nn.functional as F
from golden_common import HERE, deterministic, normal, record, save
from transformers.models.resnet.configuration_resnet import ResNetConfig
from transformers.models.resnet.modeling_resnet import ResNetForImageClassification

CLASSES, BATCH = 4, 3


class LeNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = torch.nn.Conv2d(1, 6, 5, padding=2), torch.nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = torch.nn.Linear(400, 120), torch.nn.Linear(120, 84), torch.nn.Linear(84, CLASSES)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2).flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Block(torch.nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = torch.nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn1, self.bn2 = torch.nn.BatchNorm2d(outputs), torch.nn.BatchNorm2d(outputs)
        self.stride, self.sides = stride, (outputs - inputs) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.sides, self.sides)))


class CifarResNet(torch.nn.Module):
    """He et al. 2016, section 4.2, with shortcuts that pad; names as in the widely used CIFAR-10 weights."""

    def __init__(self, depth):
        super().__init__()
        self.conv1, self.bn1 = torch.nn.Conv2d(3, 16, 3, 1, 1, bias=False), torch.nn.BatchNorm2d(16)
        inputs = 16
        for stage, outputs in enumerate((16, 32, 64)):
            blocks = []
            for i in range(depth // 6):
                blocks.append(Block(inputs, outputs, 2 if stage > 0 and i == 0 else 1))
                inputs = outputs
            setattr(self, f"layer{stage + 1}", torch.nn.Sequential(*blocks))
        self.linear = torch.nn.Linear(64, CLASSES)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.linear(x.mean(dim=(2, 3)))


def hugging_face(**options):
    return ResNetForImageClassification(ResNetConfig(embedding_size=6, num_labels=CLASSES, **options))


MODELS = {
    "lenet": (LeNet, {"model_type": "lenet", "image_size": 28, "num_channels": 1}, (1, 28, 28)),
    "resnet_cifar": (lambda: CifarResNet(8), {"model_type": "resnet_cifar", "depth": 8}, (3, 16, 16)),
    "resnet_basic": (lambda: hugging_face(hidden_sizes=[6, 10], depths=[1, 2], layer_type="basic"), None, (3, 32, 24)),
    "resnet_bottleneck": (lambda: hugging_face(hidden_sizes=[8, 16], depths=[2, 1]), None, (3, 32, 24)),
}


def logits_of(model, x):
    out = model(x)
    return out if torch.is_tensor(out) else out.logits


def make(name, build, config, shape):
    model = build()
    with torch.no_grad():
        for key, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if key.endswith("running_var") or (tensor.ndim == 1 and key.endswith("weight")):
                tensor.copy_(normal(tensor.shape, f"{name}/{key}", 0.1, mean=1.0))
            elif tensor.is_floating_point():
                fan = tensor[0].numel() if tensor.ndim > 1 else 100
                tensor.copy_(normal(tensor.shape, f"{name}/{key}", fan**-0.5))
    folder = os.path.join(HERE, "images", name)
    if config is None:
        model.save_pretrained(folder)
    else:
        config = {**config, "architectures": ["ForImageClassification"], "num_labels": CLASSES}
        save(os.path.join(folder, "model.safetensors"), dict(model.state_dict()))
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file, indent=2)
            file.write("\n")
    x = normal((BATCH, *shape), f"{name}/pixels", 1.0)
    labels = torch.tensor([2, 0, 3])
    golden = {"pixels": x.permute(0, 2, 3, 1), "labels": labels.to(torch.int32)}
    golden["logits"] = logits_of(model.eval(), x)
    logits = logits_of(model.train(), x)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    golden["train_logits"], golden["loss"] = logits, loss
    golden.update({"grad/" + key: p.grad for key, p in model.named_parameters()})
    golden.update({"buffer/" + key: b for key, b in model.named_buffers() if b.is_floating_point()})
    save(os.path.join(folder, "golden.safetensors"), golden)


def main():
    deterministic()
    for name, (build, config, shape) in MODELS.items():
        make(name, build, config, shape)
    record("images", os.path.join(HERE, "images"), {})


if __name__ == "__main__":
    main()
