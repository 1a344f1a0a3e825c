"""Reference scores for tests/train/detection_scores_test.cpp.

Run: python make_golden.py > values.json     (numpy, pycocotools; versions are written into the file)
"""

import contextlib
import io
import json
from importlib.metadata import version

import numpy
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

rng = numpy.random.default_rng(11)


def boxes(count, size):
    corner = rng.uniform(0, size, (count, 2))
    sides = rng.choice([12.0, 40.0, 130.0], (count, 1)) * rng.uniform(0.7, 1.4, (count, 2))
    return numpy.concatenate([corner, sides], 1).round(1)


def case(images, classes, objects, noise, crowds, ties):
    """Pictures with objects, and predictions around them: moved, of a wrong class, missing, doubled or invented."""
    truth, found = [], []
    for image in range(images):
        things = boxes(int(rng.integers(0, objects)), 500)
        for box in things:
            label, crowd = int(rng.integers(classes)), bool(rng.random() < crowds)
            truth.append({"image": image, "box": box.tolist(), "label": label, "ignored": crowd})
            for _ in range(int(rng.integers(0, 3))):
                moved = box + rng.normal(0, noise, 4) * numpy.tile(box[2:], 2)
                guess = label if rng.random() < 0.85 else int(rng.integers(classes))
                found.append({"image": image, "box": moved.round(1).tolist(), "label": guess})
        for box in boxes(int(rng.integers(0, 3)), 500):
            found.append({"image": image, "box": box.tolist(), "label": int(rng.integers(classes))})
    for each in found:
        each["score"] = float(numpy.float32(round(rng.random(), 1 if ties else 4)))
    return {"images": images, "classes": classes, "truth": truth, "found": found}


def scores(data):
    coco = COCO()
    coco.dataset = {
        "images": [{"id": i + 1} for i in range(data["images"])],
        "categories": [{"id": c + 1, "name": str(c)} for c in range(data["classes"])],
        "annotations": [
            {"id": i + 1, "image_id": t["image"] + 1, "category_id": t["label"] + 1, "bbox": t["box"],
             "area": t["box"][2] * t["box"][3], "iscrowd": int(t["ignored"])}
            for i, t in enumerate(data["truth"])],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        found = coco.loadRes([{"image_id": f["image"] + 1, "category_id": f["label"] + 1, "bbox": f["box"],
                               "score": f["score"]} for f in data["found"]])
        evaluation = COCOeval(coco, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    names = ["map", "map_50", "map_75", "map_small", "map_medium", "map_large",
             "mar_1", "mar_10", "mar_100", "mar_small", "mar_medium", "mar_large"]
    return dict(zip(names, [float(s) for s in evaluation.stats]))


cases = [case(12, 3, 9, 0.05, 0.0, False), case(10, 4, 14, 0.12, 0.2, False), case(8, 2, 10, 0.08, 0.1, True),
         case(3, 1, 160, 0.03, 0.0, False), case(2, 5, 2, 0.1, 0.5, False)]
for each in cases:
    each["scores"] = scores(each)
print(json.dumps({"versions": {"numpy": numpy.__version__, "pycocotools": version("pycocotools")}, "cases": cases}))
