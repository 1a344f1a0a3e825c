"""Pixels and photographs beside PyTorch: the same networks, the same recipe, three seeds (objects.py: Faster R-CNN).

Run: python bench/pixels.py SUANLI DATA [NAME ...] [KEY=VALUE ...]
     DATA: a folder with nuclei/ and pictures/ as examples/nuclei.yaml and examples/super_resolution.yaml say.
     KEY=VALUE changes the recipe of both sides; seed=1 seed=2 are the seeds in place of all three.

The recipes are those of examples/NAME.yaml in f32: AdamW, a cosine after a warm-up, gradients cut to the norm 1; PyTorch
holds all pictures in memory. The last weights are scored on the test part. Prints a table in Markdown: mean and standard
deviation over the seeds of each score and the seconds of training; each seed's numbers go to stderr.
"""
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import numpy
import torch
import yaml
from PIL import Image
from skimage.metrics import structural_similarity
from torch import nn
from torch.nn import functional
from torchvision import tv_tensors
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as move

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests/golden/models"))
from make_images import UNet  # noqa: E402

SEEDS = (1, 2, 3)
MARGIN = 4  # small pixels around a crop, which bicubic resizing looks at
GREY, SHIFT = 114 / 255, 0.1  # what lies beside a moved picture; the share of its side that it moves by at most


def suanli(program, name, changes, seed, data, folder):
    for each in (REPOSITORY / "examples", *data.iterdir()):
        (folder / each.name).symlink_to(each.resolve())
    subprocess.run([program, "train", "--config", f"examples/{name}.yaml", "precision=f32", f"seed={seed}", "output_dir=out",
                    *changes], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return json.loads((folder / "out/all_results.json").read_text())


def train(recipe, model, count, parameters, loss_of):
    """Trains on batches of `count` rows, whose loss is loss_of(rows), and returns the seconds."""
    found = sum(p.numel() for p in model.parameters())
    assert found == parameters, f"{found} parameters, Suanli {parameters}"
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]
    decay = float(recipe.get("weight_decay", 0))
    optimizer = torch.optim.AdamW([{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0}],
                                  float(recipe["learning_rate"]))
    batch = recipe["per_device_train_batch_size"]
    steps = int(recipe.get("max_steps") or recipe["num_train_epochs"] * math.ceil(count / batch))
    warmup = math.ceil(recipe["warmup_steps"] * steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: step / warmup if step < warmup else
                                                 (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2)
    model.train()
    start, done = time.time(), 0
    while done < steps:
        for rows in torch.randperm(count).split(batch)[:steps - done]:
            optimizer.zero_grad()
            loss_of(rows.tolist()).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()
            schedule.step()
            done += 1
    model.eval()
    return time.time() - start


def recolored(x, hue, saturation, value):
    """The saturation and value of HSV times a factor each, the hue turned by a part of the circle."""
    x = move.adjust_hue(x, hue)
    most, least = x.amax(0, keepdim=True), x.amin(0, keepdim=True)
    factor = (most / (most - least).clamp(min=1e-6)).clamp(max=saturation)
    return ((most - (most - x) * factor) * value).clamp(0, 1)


def augmented(recipe, picture, more):
    """A picture [3, side, side] in 0..1 with its mask or its boxes: rotated, scaled, shifted, mirrored, recoloured."""
    both, side = lambda gain: random.uniform(-gain, gain), picture.shape[-1]
    angle, size = both(recipe.get("degrees", 0)), 1 + both(recipe["scale"])
    shift = [both(SHIFT * side), both(SHIFT * side)]
    picture = move.affine(picture, angle, shift, size, [0, 0], InterpolationMode.BILINEAR, fill=[GREY] * 3)
    more = move.affine(more, angle, shift, size, [0, 0])
    for key, flip in (("flipud", move.vertical_flip), ("fliplr", move.horizontal_flip)):
        if random.random() < recipe[key]:
            picture, more = flip(picture), flip(more)
    gains = (recipe.get(key, gain) for key, gain in (("hsv_h", 0.015), ("hsv_s", 0.7), ("hsv_v", 0.4)))
    hue, saturation, value = (both(gain) for gain in gains)
    return recolored(picture, hue, 1 + saturation, 1 + value), more


def normalization(pictures):
    mean, deviation = (f(torch.stack(pictures), dim=(0, 2, 3)).view(3, 1, 1) for f in (torch.mean, torch.std))
    return lambda x: (x - mean) / deviation


def numbers(image):
    return move.to_dtype(move.pil_to_tensor(image), scale=True)


def picture_in(file, size=None):
    image = Image.open(file).convert("RGB")
    return numbers(image.resize(size, Image.Resampling.BILINEAR) if size else image)


def nuclei(recipe, data):
    def read(part):
        files = sorted(file for file in (data / "nuclei" / part).glob("*.png") if not file.stem.endswith("_mask"))
        masks = [numpy.asarray(Image.open(file.with_stem(file.stem + "_mask"))) > 0 for file in files]
        return [picture_in(file) for file in files], [tv_tensors.Mask(torch.tensor(mask).long()) for mask in masks]

    pictures, masks = read("train")
    normal = normalization(pictures)
    model = UNet([16, 32, 64, 128])
    model.outc.conv = nn.Conv2d(16, 2, 1)
    for m in model.modules():
        if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3):
            nn.init.kaiming_normal_(m.weight, mode="fan_out")

    def loss_of(rows):
        drawn, truth = zip(*(augmented(recipe, pictures[i], masks[i]) for i in rows))
        return functional.cross_entropy(model(normal(torch.stack(drawn))), torch.stack(truth).flatten())

    seconds = train(recipe, model, len(pictures), 482754, loss_of)
    pictures, masks = read("test")
    with torch.no_grad():
        said = torch.cat([model(normal(picture)[None]).argmax(1) for picture in pictures])
    truth = torch.stack(masks).flatten()
    iou = [float(((said == c) & (truth == c)).sum() / ((said == c) | (truth == c)).sum()) for c in (0, 1)]
    return {"mean IoU of both classes": sum(iou) / 2, "IoU of the nuclei": iou[1], "s": seconds}


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1))

    def forward(self, x):
        return x + self.body(x)


class Edsr(nn.Module):
    """Pixels in 0..1 to twice the sides."""

    def __init__(self):
        super().__init__()
        conv = lambda inputs, outputs: nn.Conv2d(inputs, outputs, 3, padding=1)
        self.head, self.body = nn.Sequential(conv(3, 32)), nn.Sequential(*(Residual() for _ in range(4)), conv(32, 32))
        self.tail = nn.Sequential(nn.Sequential(conv(32, 128), nn.PixelShuffle(2)), conv(32, 3))

    def forward(self, x):
        mean = torch.tensor([0.4488, 0.4371, 0.4040]).view(3, 1, 1)
        x = self.head(255 * (x - mean))
        return self.tail(x + self.body(x)) / 255 + mean


def bicubic(image, width, height):
    return image.resize((width, height), Image.Resampling.BICUBIC)


def crop(recipe, image):
    """A square of the picture shrunk to 1 - scale to 1 of its sides: half as large, and as it is."""
    side = 2 * (recipe["image_size"] + 2 * MARGIN)
    taken = round(min(side / (1 - recipe["scale"] * random.random()), *image.size))
    left, top = random.randint(0, image.width - taken), random.randint(0, image.height - taken)
    large = image.crop((left, top, left + taken, top + taken))
    for key, flip in (("flipud", Image.Transpose.FLIP_TOP_BOTTOM), ("fliplr", Image.Transpose.FLIP_LEFT_RIGHT)):
        if random.random() < recipe[key]:
            large = large.transpose(flip)
    large = bicubic(large, side, side)
    small = bicubic(large, side // 2, side // 2)
    return tuple(numbers(each)[:, margin:-margin, margin:-margin] for each, margin in ((small, MARGIN), (large, 2 * MARGIN)))


def luma(image):
    """Y of ITU-R BT.601 as MATLAB has it, without two pixels at the border."""
    return (16 + numpy.asarray(image).astype(float) @ [65.481, 128.553, 24.966] / 255)[2:-2, 2:-2]


def super_resolution(recipe, data):
    def read(part):
        return [Image.open(file).convert("RGB") for file in sorted((data / "pictures" / part).iterdir())]

    pictures = read("train")
    room = [max(1, p.width * p.height // (2 * recipe["image_size"]) ** 2) for p in pictures]
    owner = numpy.repeat(numpy.arange(len(pictures)), room)
    model = Edsr()

    def loss_of(rows):
        small, large = zip(*(crop(recipe, pictures[owner[i]]) for i in rows))
        return functional.l1_loss(model(torch.stack(small)), torch.stack(large))

    seconds, found = train(recipe, model, len(owner), 121987, loss_of), []
    for picture in read("test"):
        width, height = picture.width // 2, picture.height // 2
        truth = picture.crop((0, 0, 2 * width, 2 * height))
        with torch.no_grad():
            said = model(numbers(bicubic(truth, width, height))[None])[0]
        a, b = luma(truth), luma((said * 255 + 0.5).clamp(0, 255).byte().permute(1, 2, 0))
        found.append((10 * math.log10(255**2 / ((a - b) ** 2).mean()),
                      structural_similarity(a, b, gaussian_weights=True, use_sample_covariance=False, data_range=255)))
    psnr, ssim = numpy.mean(found, 0)
    return {"PSNR": float(psnr), "SSIM": float(ssim), "s": seconds}


SETS = {  # what: PyTorch's side, the names of Suanli's scores
    "nuclei": (nuclei, {"mean IoU of both classes": "eval_mean_iou", "IoU of the nuclei": "eval_mean_iou_foreground"}),
    "super_resolution": (super_resolution, {"PSNR": "eval_psnr", "SSIM": "eval_ssim"}),
}


def compare(sets):
    program, data, *more = sys.argv[1:]
    seeds = [int(each[len("seed="):]) for each in more if each.startswith("seed=")] or SEEDS
    changes = [each for each in more if "=" in each and not each.startswith("seed=")]
    names = [each for each in more if "=" not in each]
    data = pathlib.Path(data).resolve()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    print("| data | score | Suanli | PyTorch |\n| --- | --- | --- | --- |", flush=True)
    for name, (pytorch, keys) in sets.items():
        if names and name not in names:
            continue
        recipe = yaml.safe_load((REPOSITORY / f"examples/{name}.yaml").read_text())
        recipe |= {key: yaml.safe_load(value) for key, value in (each.split("=") for each in changes)}
        ours, theirs = [], []
        for seed in seeds:
            with tempfile.TemporaryDirectory() as work:
                results = suanli(os.path.abspath(program), name, changes, seed, data, pathlib.Path(work))
            ours.append({key: results[ours_key] for key, ours_key in {**keys, "s": "train_runtime"}.items()})
            print(name, seed, "Suanli", ours[-1], file=sys.stderr, flush=True)
            torch.manual_seed(seed)
            random.seed(seed)
            theirs.append(pytorch(recipe, data))
            print(name, seed, "PyTorch", theirs[-1], file=sys.stderr, flush=True)
        for key in ours[0]:
            cells = [f"{numpy.mean(v):.4g} ± {numpy.std(v):.2g}" for v in ([s[key] for s in ours], [s[key] for s in theirs])]
            print(f"| {name} | {key} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    compare(SETS)
