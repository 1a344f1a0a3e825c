"""torchvision's fasterrcnn_resnet50_fpn with random weights, saved, and what `suanli predict` finds with the same file.

usage: check_detector.py SUANLI WORK

The picture is made up. Every object must have torchvision's label, its score to 1e-4 and its box to whole pixels.
"""
import json
import pathlib
import subprocess
import sys

import numpy as np
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file

SIDE = 256
CONFIG = {"model_type": "faster_rcnn", "architectures": ["FasterRCNNForObjectDetection"], "image_size": SIDE,
          "id2label": {"0": "a", "1": "b", "2": "c"},
          "backbone_config": {"model_type": "resnet", "layer_type": "bottleneck", "embedding_size": 64,
                              "hidden_sizes": [256, 512, 1024, 2048], "depths": [3, 4, 6, 3]}}


def main():
    suanli, work = sys.argv[1], pathlib.Path(sys.argv[2])
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(3)
    model = torchvision.models.detection.fasterrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=4, min_size=SIDE, max_size=SIDE, image_mean=[0.5] * 3,
        image_std=[0.5] * 3).eval()
    with torch.no_grad():  # scores that differ
        model.rpn.head.cls_logits.weight.mul_(8)
        model.roi_heads.box_predictor.cls_score.weight.mul_(8)
    save_file({key: tensor.contiguous() for key, tensor in model.state_dict().items()}, work / "model.safetensors")
    (work / "config.json").write_text(json.dumps(CONFIG))
    (work / "preprocessor_config.json").write_text(json.dumps({"size": {"height": SIDE, "width": SIDE}}))
    coarse = np.random.RandomState(5).randint(0, 256, (16, 16, 3), np.uint8)
    picture = np.asarray(Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    Image.fromarray(picture).save(work / "picture.png")
    with torch.no_grad():
        theirs = model([torch.tensor(picture.copy()).permute(2, 0, 1) / 255])[0]
    said = subprocess.run([suanli, "predict", "--precision", "f32", "--model", work, "--input", work / "picture.png"],
                          check=True, capture_output=True, text=True).stdout
    ours = json.loads(said)
    assert len(ours) == len(theirs["scores"]) > 10, f"{len(ours)} objects, torchvision {len(theirs['scores'])}"
    worst = 0.0
    for mine, label, score, box in zip(ours, theirs["labels"], theirs["scores"], theirs["boxes"]):
        assert mine["label"] == " abc"[int(label)], f"{mine}, torchvision's label {int(label)}"
        worst = max(worst, abs(mine["score"] - float(score)))
        for mine_side, side in zip(mine["box"].values(), box):
            assert -0.01 <= float(side) - mine_side <= 1.01, f"{mine}, torchvision's box {box.tolist()}"
    assert worst <= 1e-4, f"scores differ by {worst}"
    print(f"fasterrcnn_resnet50_fpn: {len(ours)} objects as torchvision finds them, scores within {worst:.1e}")


if __name__ == "__main__":
    main()
