"""Makes the golden values of a small random Faster R-CNN of torchvision.

usage: make_detection.py     (writes detection/ and its part of versions.json beside itself)

Every sampler takes all of its boxes, so that nothing is drawn. golden.safetensors: pixels [2,64,64,3]; boxes [N,4] with
boxes_offsets [3] and labels [N] i32 of the objects; found_boxes, found_boxes_offsets, found_labels and found_scores of
evaluation; loss/NAME of training, grad/NAME of their sum, buffer/NAME after it.
"""
import json
import os

import torch
import torchvision
from golden_common import HERE, deterministic, normal, record, save
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.models.resnet import BasicBlock
from torchvision.ops import MultiScaleRoIAlign

CLASSES, SIDE, STEM, WIDTHS, CHANNELS, HIDDEN = 3, 64, 4, [4, 6, 8], 6, 12
SIZES = [8.0, 16.0, 32.0, 48.0]
BOXES = {"rpn_pre_nms_top_n_train": 60, "rpn_pre_nms_top_n_test": 50, "rpn_post_nms_top_n_train": 70,
         "rpn_post_nms_top_n_test": 40, "rpn_batch_size_per_image": 4096, "box_batch_size_per_image": 4096,
         "box_positive_fraction": 0.5, "box_detections_per_img": 30, "box_score_thresh": 0.2, "box_nms_thresh": 0.4}


class Body(torch.nn.Module):
    """The stages of torchvision's ResNet, narrow."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = torch.nn.Conv2d(3, STEM, 7, 2, 3, bias=False), torch.nn.BatchNorm2d(STEM)
        self.relu, self.maxpool = torch.nn.ReLU(), torch.nn.MaxPool2d(3, 2, 1)
        inputs = STEM
        for i, outputs in enumerate(WIDTHS):
            stride = 1 if i == 0 else 2
            down = None
            if stride != 1 or inputs != outputs:
                down = torch.nn.Sequential(torch.nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                                           torch.nn.BatchNorm2d(outputs))
            setattr(self, f"layer{i + 1}", torch.nn.Sequential(BasicBlock(inputs, outputs, stride, down)))
            inputs = outputs


def build():
    backbone = BackboneWithFPN(Body(), {f"layer{i + 1}": str(i) for i in range(len(WIDTHS))}, WIDTHS, CHANNELS)
    return FasterRCNN(
        backbone, min_size=SIDE, max_size=SIDE, image_mean=[0, 0, 0], image_std=[1, 1, 1],
        rpn_anchor_generator=AnchorGenerator(tuple((size,) for size in SIZES), ((0.5, 1.0, 2.0),) * len(SIZES)),
        box_roi_pool=MultiScaleRoIAlign([str(i) for i in range(len(WIDTHS))], 7, 2),
        box_head=TwoMLPHead(CHANNELS * 49, HIDDEN),
        box_predictor=torchvision.models.detection.faster_rcnn.FastRCNNPredictor(HIDDEN, CLASSES + 1), **BOXES)


def together(name, lists):
    """Tensors of several pictures as one and where each begins."""
    offsets = torch.tensor([0] + [len(x) for x in lists]).cumsum(0)
    return {name: torch.cat(lists), name + "_offsets": offsets.to(torch.int32)}


def main():
    deterministic()
    model = build()
    with torch.no_grad():
        for key, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if key.endswith("running_var") or (tensor.ndim == 1 and key.endswith("weight")):
                tensor.copy_(normal(tensor.shape, f"detection/{key}", 0.1, mean=1.0))
            elif tensor.is_floating_point():
                fan = tensor[0].numel() if tensor.ndim > 1 else 100
                tensor.copy_(normal(tensor.shape, f"detection/{key}", fan**-0.5))
    folder = os.path.join(HERE, "detection")
    save(os.path.join(folder, "model.safetensors"), dict(model.state_dict()))
    config = {"model_type": "faster_rcnn", "architectures": ["FasterRCNNForObjectDetection"], "num_labels": CLASSES,
              "image_size": SIDE, "out_channels": CHANNELS, "representation_size": HIDDEN,
              "returned_layers": [1, 2, 3], "anchor_sizes": SIZES, **BOXES,
              "backbone_config": {"model_type": "resnet", "layer_type": "basic", "embedding_size": STEM,
                                  "hidden_sizes": WIDTHS, "depths": [1] * len(WIDTHS)}}
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file, indent=2)
        file.write("\n")

    pixels = normal((2, 3, SIDE, SIDE), "detection/pixels", 1.0)
    # The second picture's first object overlaps no anchor well; its last one is cut by the border.
    boxes = [torch.tensor([[5.0, 6.0, 21.0, 24.0], [30.0, 10.0, 58.0, 49.0], [3.0, 40.0, 12.0, 47.0]]),
             torch.tensor([[20.0, 3.0, 24.5, 60.0], [40.0, 44.0, 64.0, 64.0]])]
    labels = [torch.tensor([0, 2, 1]), torch.tensor([1, 1])]
    golden = {"pixels": pixels.permute(0, 2, 3, 1), **together("boxes", boxes),
              "labels": torch.cat(labels).to(torch.int32)}

    model.eval()
    with torch.no_grad():
        found = model(list(pixels))
    golden.update(together("found_boxes", [each["boxes"] for each in found]))
    golden["found_labels"] = torch.cat([each["labels"] for each in found]).to(torch.int32) - 1
    golden["found_scores"] = torch.cat([each["scores"] for each in found])

    losses = model.train()(list(pixels), [{"boxes": b, "labels": l + 1} for b, l in zip(boxes, labels)])
    golden.update({"loss/" + key.removeprefix("loss_"): loss.reshape(1) for key, loss in losses.items()})
    sum(losses.values()).backward()
    golden.update({"grad/" + key: p.grad for key, p in model.named_parameters()})
    golden.update({"buffer/" + key: b for key, b in model.named_buffers() if b.is_floating_point()})
    save(os.path.join(folder, "golden.safetensors"), golden)
    record("detection", folder, {"torchvision": torchvision.__version__})


if __name__ == "__main__":
    main()
