"""Objects beside PyTorch: torchvision's Faster R-CNN with the same layers and the same recipe, three seeds.

Run: python bench/objects.py SUANLI DATA [KEY=VALUE ...]
     DATA: a folder with bccd/ and efficientnet_lite0/ as examples/bccd.yaml says.
     KEY=VALUE changes the recipe of both sides; seed=1 seed=2 are the seeds in place of all three.

The recipe is that of examples/bccd.yaml in f32 as pixels.py says. COCO's scores on the test part, PyTorch's by pycocotools.
"""
import contextlib
import io
import sys
import xml.etree.ElementTree

import torch
from pixels import GREY, REPOSITORY, augmented, compare, normalization, picture_in, train
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional
from torchvision import ops, tv_tensors
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool
from torchvision.transforms.v2 import functional as move

sys.path.insert(0, str(REPOSITORY / "tests/peers"))
from check_image_models import LITE0, EfficientNetLite  # noqa: E402

CLASSES = ("Platelets", "RBC", "WBC")
WIDTH, HEIGHT, SIDE, SCALE = 640, 480, 256, 0.4  # of all pictures; of the square in whose middle they lie
TOP = (SIDE - SCALE * HEIGHT) / 2


class Backbone(nn.Module):
    """The last maps of 1/8, 1/16 and 1/32 of the sides, and a pyramid over them."""
    out_channels = 64

    def __init__(self, weights):
        super().__init__()
        self.body = EfficientNetLite(LITE0)
        del self.body._conv_head, self.body._bn1, self.body._fc
        missing = self.body.load_state_dict(weights, strict=False).missing_keys
        assert not missing, f"the weights lack {missing}"
        self.fpn = ops.FeaturePyramidNetwork([40, 112, 320], self.out_channels, LastLevelMaxPool())

    def forward(self, x):
        x, maps = functional.relu6(self.body._bn0(self.body._conv_stem(x))), {}
        for i, block in enumerate(self.body._blocks):
            x = block(x)
            if i in (4, 10, 15):
                maps[str(len(maps))] = x
        return self.fpn(maps)


def detector(weights):
    return FasterRCNN(
        Backbone(weights), min_size=SIDE, max_size=SIDE, image_mean=[0.0] * 3, image_std=[1.0] * 3, _skip_resize=True,
        rpn_anchor_generator=AnchorGenerator(((20,), (40,), (80,), (128,)), ((0.5, 1.0, 2.0),) * 4),
        rpn_pre_nms_top_n_train=400, rpn_pre_nms_top_n_test=400, rpn_post_nms_top_n_train=300, rpn_post_nms_top_n_test=200,
        box_roi_pool=ops.MultiScaleRoIAlign(["0", "1", "2"], 7, 2), box_head=TwoMLPHead(64 * 7 * 7, 256),
        box_predictor=FastRCNNPredictor(256, len(CLASSES) + 1), box_batch_size_per_image=128)


def read(folder, part):
    """Pictures in squares; boxes in the pictures as they were, and their classes from 1 on."""
    pictures, boxes, labels = [], [], []
    for name in (folder / "ImageSets/Main" / f"{part}.txt").read_text().split():
        root = xml.etree.ElementTree.parse(folder / f"Annotations/{name}.xml").getroot()
        picture = picture_in(folder / "JPEGImages" / root.find("filename").text, (SIDE, int(SCALE * HEIGHT)))
        pictures.append(move.pad(picture, [0, int(TOP)], fill=[GREY] * 3))
        objects = root.findall("object")
        sides = [[float(each.find(f"bndbox/{key}").text) - (key in ("xmin", "ymin")) for key in ("xmin", "ymin", "xmax", "ymax")]
                 for each in objects]
        boxes.append(torch.tensor(sides))
        labels.append(torch.tensor([CLASSES.index(each.find("name").text) + 1 for each in objects]))
    return pictures, boxes, labels


def moved(recipe, picture, boxes, labels):
    """A changed picture with the objects of which enough remains in it."""
    whole = tv_tensors.BoundingBoxes(boxes * SCALE + torch.tensor([0, TOP, 0, TOP]), format="XYXY", canvas_size=(SIDE, SIDE),
                                     clamping_mode=None)
    picture, whole = augmented(recipe, picture, whole)
    whole = whole.as_subclass(torch.Tensor)
    cut = whole.clamp(0, SIDE)
    sides = cut[:, 2:] - cut[:, :2]
    kept = (sides > 2).all(1) & (sides.prod(1) > 0.1 * (whole[:, 2:] - whole[:, :2]).prod(1))
    return picture, {"boxes": cut[kept], "labels": labels[kept]}


def coco_scores(boxes, labels, found):
    """Average precision at an IoU of 0.5, and the mean of those from 0.5 to 0.95."""
    rows = lambda boxes: torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1).tolist()
    truth = [(i, box, int(label)) for i in range(len(boxes)) for box, label in zip(rows(boxes[i]), labels[i])]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"info": {}, "images": [{"id": i} for i in range(len(boxes))],
                        "categories": [{"id": i + 1, "name": name} for i, name in enumerate(CLASSES)],
                        "annotations": [{"id": k + 1, "image_id": i, "bbox": box, "category_id": label, "iscrowd": 0,
                                         "area": box[2] * box[3]} for k, (i, box, label) in enumerate(truth)]}
        coco.createIndex()
        answers = coco.loadRes([{"image_id": i, "bbox": box, "category_id": int(label), "score": float(score)}
                                for i, each in enumerate(found)
                                for box, label, score in zip(rows(each["boxes"]), each["labels"], each["scores"])])
        scores = COCOeval(coco, answers, "bbox")
        scores.evaluate()
        scores.accumulate()
        scores.summarize()
    return {"mAP50": float(scores.stats[1]), "mAP": float(scores.stats[0])}


def bccd(recipe, data):
    pictures, boxes, labels = read(data / "bccd", "trainval")
    normal = normalization([picture[:, int(TOP):-int(TOP)] for picture in pictures])
    model = detector(load_file(data / "efficientnet_lite0/model.safetensors"))

    def loss_of(rows):
        drawn, truth = zip(*(moved(recipe, pictures[i], boxes[i], labels[i]) for i in rows))
        return sum(model([normal(picture) for picture in drawn], list(truth)).values())

    seconds = train(recipe, model, len(pictures), 4011939, loss_of)
    pictures, boxes, labels = read(data / "bccd", "test")
    found = []
    with torch.no_grad():
        for picture in pictures:
            found += model([normal(picture)])
    ends = torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT])
    for each in found:
        each["boxes"] = ((each["boxes"] - torch.tensor([0, TOP, 0, TOP])) / SCALE).clamp(min=torch.zeros(4), max=ends)
    return {**coco_scores(boxes, labels, found), "s": seconds}


if __name__ == "__main__":
    compare({"bccd": (bccd, {"mAP50": "eval_map_50", "mAP": "eval_map"})})
