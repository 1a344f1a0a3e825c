"""Makes the golden values of small random classifiers of images (README.md says what each tensor is).

usage: make_images.py     (writes images/ and its part of versions.json beside itself)
"""
import copy
import json
import os
import tempfile

import torch
import torch.nn.functional as F
import torchvision
from golden_common import HERE, deterministic, normal, record, save
from safetensors.torch import load_file
from transformers.models.mobilenet_v2.configuration_mobilenet_v2 import MobileNetV2Config
from transformers.models.mobilenet_v2.modeling_mobilenet_v2 import MobileNetV2ForImageClassification
from transformers.models.resnet.configuration_resnet import ResNetConfig
from transformers.models.resnet.modeling_resnet import ResNetForImageClassification
from transformers.models.vit.configuration_vit import ViTConfig
from transformers.models.vit.modeling_vit import ViTForImageClassification

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


class AlexNet(torch.nn.Module):
    """torchvision.models.alexnet with fewer channels."""

    def __init__(self, widths, hidden):
        super().__init__()
        layers, inputs = [], 1
        for width, (kernel, stride, padding, pooled) in zip(widths, [(11, 4, 2, True), (5, 1, 2, True), (3, 1, 1, False),
                                                                     (3, 1, 1, False), (3, 1, 1, True)]):
            layers += [torch.nn.Conv2d(inputs, width, kernel, stride, padding), torch.nn.ReLU()]
            layers += [torch.nn.MaxPool2d(3, 2)] if pooled else []
            inputs = width
        self.features = torch.nn.Sequential(*layers)
        self.classifier = torch.nn.Sequential(
            torch.nn.Identity(), torch.nn.Linear(inputs * 36, hidden), torch.nn.ReLU(),
            torch.nn.Identity(), torch.nn.Linear(hidden, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, CLASSES))

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class SameConv(torch.nn.Conv2d):
    """TensorFlow's padding: as many windows as ceil(size / stride), the odd line of zeros at the end."""

    def forward(self, x):
        sides = []
        for size, kernel, stride in zip(x.shape[2:], self.kernel_size, self.stride):
            missing = max(0, (-(-size // stride) - 1) * stride + kernel - size)
            sides = [missing // 2, missing - missing // 2, *sides]
        return self._conv_forward(F.pad(x, sides), self.weight, self.bias)


class LiteBlock(torch.nn.Module):
    def __init__(self, inputs, ratio, outputs, stride, kernel):
        super().__init__()
        inner = inputs * ratio
        norm = lambda width: torch.nn.BatchNorm2d(width, 1e-3, 0.01)
        if ratio != 1:
            self._expand_conv, self._bn0 = SameConv(inputs, inner, 1, bias=False), norm(inner)
        self._depthwise_conv = SameConv(inner, inner, kernel, stride, groups=inner, bias=False)
        self._project_conv = SameConv(inner, outputs, 1, bias=False)
        self._bn1, self._bn2 = norm(inner), norm(outputs)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        y = F.relu6(self._bn0(self._expand_conv(x))) if hasattr(self, "_expand_conv") else x
        y = self._bn2(self._project_conv(F.relu6(self._bn1(self._depthwise_conv(y)))))
        return y + x if self.residual else y


class EfficientNetLite(torch.nn.Module):
    """The layers of efficientnet_lite_pytorch, its names; rows of `blocks`: ratio, channels, repeats, stride, kernel."""

    def __init__(self, blocks):
        super().__init__()
        self._conv_stem, self._bn0 = SameConv(3, 32, 3, 2, bias=False), torch.nn.BatchNorm2d(32, 1e-3, 0.01)
        layers, inputs = [], 32
        for ratio, outputs, repeats, stride, kernel in blocks:
            for i in range(repeats):
                layers.append(LiteBlock(inputs, ratio, outputs, stride if i == 0 else 1, kernel))
                inputs = outputs
        self._blocks = torch.nn.ModuleList(layers)
        self._conv_head, self._bn1 = SameConv(inputs, 1280, 1, bias=False), torch.nn.BatchNorm2d(1280, 1e-3, 0.01)
        self._fc = torch.nn.Linear(1280, CLASSES)

    def forward(self, x):
        x = F.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        return self._fc(F.relu6(self._bn1(self._conv_head(x))).mean(dim=(2, 3)))


class DoubleConv(torch.nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        layers = []
        for width in (inputs, outputs):
            layers += [torch.nn.Conv2d(width, outputs, 3, padding=1, bias=False), torch.nn.BatchNorm2d(outputs),
                       torch.nn.ReLU()]
        self.double_conv = torch.nn.Sequential(*layers)

    def forward(self, x):
        return self.double_conv(x)


class Down(torch.nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.maxpool_conv = torch.nn.Sequential(torch.nn.MaxPool2d(2), DoubleConv(inputs, outputs))

    def forward(self, x):
        return self.maxpool_conv(x)


class Up(torch.nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.up, self.conv = torch.nn.ConvTranspose2d(inputs, outputs, 2, 2), DoubleConv(2 * outputs, outputs)

    def forward(self, x, skip):
        return self.conv(torch.cat([skip, self.up(x)], dim=1))


class UNet(torch.nn.Module):
    """Logits of pixels, [B * height * width, classes]."""

    def __init__(self, widths):
        super().__init__()
        self.inc, self.depth = DoubleConv(3, widths[0]), len(widths) - 1
        for i in range(self.depth):
            setattr(self, f"down{i + 1}", Down(widths[i], widths[i + 1]))
            setattr(self, f"up{i + 1}", Up(widths[self.depth - i], widths[self.depth - i - 1]))
        self.outc = torch.nn.Module()
        self.outc.conv = torch.nn.Conv2d(widths[0], CLASSES, 1)

    def forward(self, x):
        skips = [self.inc(x)]
        for i in range(self.depth):
            skips.append(getattr(self, f"down{i + 1}")(skips[-1]))
        x = skips.pop()
        for i in range(self.depth):
            x = getattr(self, f"up{i + 1}")(x, skips.pop())
        return self.outc.conv(x).permute(0, 2, 3, 1).flatten(0, 2)


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


def mobilenet():
    return torchvision.models.MobileNetV2(num_classes=CLASSES, width_mult=0.25, dropout=0.0,
                                          inverted_residual_setting=RESIDUALS)


def hugging_face_mobilenet():
    return MobileNetV2ForImageClassification(MobileNetV2Config(
        depth_multiplier=0.1, expand_ratio=2, finegrained_output=False, classifier_dropout_prob=0.0, num_labels=CLASSES))


def vit():
    return ViTForImageClassification(ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, image_size=12, patch_size=4,
        num_labels=CLASSES))


RESIDUALS = [[1, 32, 1, 1], [3, 48, 2, 2], [2, 64, 1, 1]]
LITE = [[1, 8, 1, 1, 3], [2, 16, 2, 2, 5], [3, 24, 1, 2, 3]]

MODELS = {
    "alexnet": (lambda: AlexNet([4, 8, 8, 8, 6], 16), {"model_type": "alexnet", "num_channels": 1, "dropout": 0.0,
                                                      "hidden_sizes": [4, 8, 8, 8, 6], "intermediate_size": 16}, (1, 223, 223)),
    "efficientnet_lite": (lambda: EfficientNetLite(LITE), {"model_type": "efficientnet_lite", "dropout_rate": 0.0,
                                                          "blocks": LITE}, (3, 20, 15)),
    "mobilenet_v2": (hugging_face_mobilenet, None, (3, 64, 64)),
    "mobilenet_v2_torchvision": (mobilenet, {"model_type": "mobilenet_v2", "weight_names": "torchvision", "dropout": 0.0,
                                             "width_mult": 0.25, "inverted_residual_setting": RESIDUALS}, (3, 18, 24)),
    "unet": (lambda: UNet([6, 8, 10]), {"model_type": "unet", "hidden_sizes": [6, 8, 10]}, (3, 12, 16)),
    "vit": (vit, None, (3, 12, 12)),
    "lenet": (LeNet, {"model_type": "lenet", "image_size": 28, "num_channels": 1}, (1, 28, 28)),
    "resnet_cifar": (lambda: CifarResNet(8), {"model_type": "resnet_cifar", "depth": 8}, (3, 16, 16)),
    "resnet_basic": (lambda: hugging_face(hidden_sizes=[6, 10], depths=[1, 2], layer_type="basic"), None, (3, 32, 24)),
    "resnet_bottleneck": (lambda: hugging_face(hidden_sizes=[8, 16], depths=[2, 1]), None, (3, 32, 24)),
}


def logits_of(model, x):
    out = model(x)
    return out if torch.is_tensor(out) else out.logits


def as_saved(model, tensors):
    """Tensors under the model's own names, under those (and in the order of rows) of the files it saves."""
    twin = copy.deepcopy(model)
    with torch.no_grad():
        for key, tensor in [*twin.named_parameters(), *twin.named_buffers()]:
            if key in tensors:
                tensor.copy_(tensors[key])
    with tempfile.TemporaryDirectory() as folder:
        twin.save_pretrained(folder)
        saved = load_file(os.path.join(folder, "model.safetensors"))
    return {key: tensor for key, tensor in saved.items() if tensor.is_floating_point()}


def gradients(model, x, labels):
    twin = copy.deepcopy(model).double().train()
    F.cross_entropy(logits_of(twin, x), labels).backward()
    return torch.cat([p.grad.flatten() for p in twin.parameters()])


def sure_pixels(name, model, shape, labels_of):
    """Pixels with which no pool has two largest values, and no ReLU a zero, that rounding could exchange: the gradients
    of such pictures would be other ones on another machine."""
    for attempt in range(20):
        x = normal(shape, f"{name}/pixels{attempt or ''}", 1.0)
        labels = labels_of(x)
        here = gradients(model, x.double(), labels)
        moved = [gradients(model, x + 2e-7 * normal(shape, f"{name}/noise{i}", 1.0).double(), labels) for i in range(8)]
        if all((there - here).norm() < 2.5e-4 * here.norm() for there in moved):
            return x, labels
    raise RuntimeError(f"{name}: no such pictures in 20 draws")


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
        head = "ForSemanticSegmentation" if name == "unet" else "ForImageClassification"
        config = {**config, "architectures": [head], "num_labels": CLASSES}
        save(os.path.join(folder, "model.safetensors"), dict(model.state_dict()))
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file, indent=2)
            file.write("\n")
    x, labels = sure_pixels(name, model, (1 if name == "alexnet" else BATCH, *shape),
                            lambda x: (torch.arange(x[:, 0].numel()) * 7 // 5) % CLASSES if name == "unet" else
                            torch.tensor([2, 0, 3])[:len(x)])
    golden = {"pixels": x.permute(0, 2, 3, 1), "labels": labels.to(torch.int32)}
    golden["logits"] = logits_of(model.eval(), x)
    logits = logits_of(model.train(), x)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    golden["train_logits"], golden["loss"] = logits, loss
    grads = {key: p.grad for key, p in model.named_parameters()}
    buffers = {key: b for key, b in model.named_buffers() if b.is_floating_point()}
    if config is None:
        after = as_saved(model, {**grads, **buffers})
        buffers = {key: tensor for key, tensor in after.items() if ".running_" in key}
        grads = {key: tensor for key, tensor in after.items() if key not in buffers}
    golden.update({"grad/" + key: tensor for key, tensor in grads.items()})
    golden.update({"buffer/" + key: tensor for key, tensor in buffers.items()})
    save(os.path.join(folder, "golden.safetensors"), golden)


def main():
    deterministic()
    for name, (build, config, shape) in MODELS.items():
        make(name, build, config, shape)
    record("images", os.path.join(HERE, "images"), {})


if __name__ == "__main__":
    main()
