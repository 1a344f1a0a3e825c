"""Reference pictures for tests/image: small JPEG and PNG files, and what Pillow and transformers make of them.

Run: python make_golden.py     (Pillow 11.3, numpy, transformers; versions are written into golden.json)
Pillow 13 resizes along y first where that suits some sizes better: other roundings there, by one step of 255.
Writes files/*, values.bin (all expected numbers one after another) and golden.json (where each lies there).
"""

import hashlib
import io
import json
import pathlib
import struct
import zlib

import numpy
import PIL
from PIL import Image, ImageEnhance, ImageOps
import transformers
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

here = pathlib.Path(__file__).parent
files = here / "files"
files.mkdir(exist_ok=True)
rng = numpy.random.default_rng(11)
values = io.BytesIO()
golden = {"versions": {"Pillow": PIL.__version__, "numpy": numpy.__version__, "transformers": transformers.__version__}}


def keep(array):
    """Appends an array; gives where it lies."""
    array = numpy.ascontiguousarray(array)
    place = {"offset": values.tell(), "shape": list(array.shape)}
    values.write(array.tobytes())
    return place


def scene(height, width, channels):
    """Waves, edges and noise: something of every frequency."""
    y, x = numpy.mgrid[0:height, 0:width]
    planes = []
    for c in range(channels):
        wave = 128 + 100 * numpy.sin(x / (3.0 + c) + c) * numpy.cos(y / (5.0 - c % 3))
        wave[(x + 2 * y) % 17 < 4] = 250 - 60 * c
        planes.append(wave + rng.normal(0, 12, wave.shape))
    return numpy.clip(numpy.stack(planes, -1), 0, 255).astype(numpy.uint8)


def png(name, samples, depth, color_type, interlaced=False, palette=None, transparency=None, exif=None):
    """Writes [H, W, C] samples in any of the forms of the standard (Pillow writes a few of them alone)."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    def packed(part):
        rows = b""
        for row in part.reshape(part.shape[0], -1):
            bits = "".join(format(int(v), f"0{depth}b") for v in row)
            bits += "0" * (-len(bits) % 8)
            rows += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
        return rows

    height, width = samples.shape[:2]
    adam7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    passes = adam7 if interlaced else [(0, 0, 1, 1)]
    content = b"".join(packed(samples[a::c, b::d]) for a, b, c, d in passes if samples[a::c, b::d].size)
    data = b"\x89PNG\r\n\x1a\n"
    data += chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced)))
    if palette is not None:
        data += chunk(b"PLTE", palette.astype(numpy.uint8).tobytes())
    if transparency is not None:
        data += chunk(b"tRNS", transparency)
    if exif is not None:
        data += chunk(b"eXIf", exif)
    data += chunk(b"IDAT", zlib.compress(content, 9)) + chunk(b"IEND", b"")
    (files / f"{name}.png").write_bytes(data)


def make_files():
    rgb = scene(21, 30, 3)
    exif = Image.Exif()
    for quality, subsampling in ((90, 0), (75, 1), (60, 2)):
        Image.fromarray(rgb).save(files / f"rgb_{subsampling}.jpg", quality=quality, subsampling=subsampling)
    Image.fromarray(rgb).save(files / "progressive.jpg", quality=80, progressive=True)
    Image.fromarray(rgb[..., 0]).save(files / "grey.jpg", quality=80)
    Image.fromarray(scene(16, 19, 4), "CMYK").save(files / "cmyk.jpg", quality=85)
    for orientation in range(1, 9):
        exif[0x0112] = orientation
        Image.fromarray(rgb[:9, :14]).save(files / f"turned_{orientation}.jpg", quality=80, exif=exif)
    exif[0x0112] = 6
    png("turned_6", rgb[:9, :14], 8, 2, exif=exif.tobytes()[6:])
    small = scene(11, 13, 4)
    for depth in (1, 2, 4, 8, 16):
        high = 2**depth - 1
        grey = rng.integers(0, high + 1, (11, 13, 1))
        png(f"grey_{depth}", grey, depth, 0)
        png(f"grey_{depth}_interlaced", grey, depth, 0, interlaced=True)
        if depth <= 8:
            colors = min(high + 1, 50)
            index = rng.integers(0, colors, (11, 13, 1))
            palette = rng.integers(0, 256, (colors, 3))
            png(f"palette_{depth}", index, depth, 3, palette=palette)
            png(f"palette_{depth}_alpha", index, depth, 3, palette=palette, transparency=bytes(range(0, 2 * colors, 2)))
    for depth, samples in ((8, small), (16, small.astype(int) * 257 - rng.integers(0, 200, small.shape).clip(0, 1))):
        samples = samples.clip(0, 2**depth - 1)
        png(f"rgb_{depth}", samples[..., :3], depth, 2)
        png(f"rgb_{depth}_interlaced", samples[..., :3], depth, 2, interlaced=True)
        png(f"rgba_{depth}", samples, depth, 6)
        png(f"grey_alpha_{depth}", samples[..., 2:], depth, 4)
    png("rgb_8_key", small[..., :3] // 128 * 255, 8, 2, transparency=struct.pack(">HHH", 255, 0, 255))


def upper_byte(image):
    """Pillow gives 16-bit grey as 16 bits; a picture is their upper 8."""
    if image.mode.startswith("I"):
        return Image.fromarray((numpy.asarray(image).astype(numpy.uint32) >> 8).astype(numpy.uint8))
    return image


def decode_cases():
    cases = []
    for file in sorted(files.iterdir()):
        image = ImageOps.exif_transpose(upper_byte(Image.open(file)))
        case = {"file": file.name}
        for mode, name in (("L", "grey"), ("RGB", "rgb"), ("RGBA", "rgba")):
            if mode == "L" and image.mode in ("P", "CMYK"):
                continue  # Pillow makes grey of these in other steps
            if mode == "RGBA" and "key" in file.name:
                continue
            case[name] = keep(numpy.asarray(image.convert(mode)).reshape(image.height, image.width, -1))
        if file.name.startswith(("grey_", "palette_")) and "alpha" not in file.name:
            stored = numpy.asarray(Image.open(file)).astype(numpy.uint16)
            if file.name.startswith("grey_") and stored.max() > 0:
                depth = int(file.stem.split("_")[1])
                stored = stored // {1: 1, 2: 85, 4: 17, 8: 1, 16: 1}[depth]
            case["mask"] = keep(stored)
        cases.append(case)
    return cases


def resize_cases():
    cases = []
    for channels, mode in ((1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")):
        pixels = scene(23, 37, channels)
        image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels, mode)
        source = keep(pixels)
        for height, width in ((11, 16), (23, 10), (30, 37), (31, 45), (1, 1), (5, 60)):
            for filter in range(6):  # nearest, lanczos, bilinear, bicubic, box, hamming
                result = numpy.asarray(image.resize((width, height), filter)).reshape(height, width, channels)
                cases.append({"image": source, "filter": filter, "result": keep(result)})
    return cases


def color_cases():
    pixels = scene(15, 18, 3)
    image = Image.fromarray(pixels)
    cases = []
    for name, kind in (("brightness", "Brightness"), ("contrast", "Contrast"), ("saturation", "Color")):
        for factor in (0.0, 0.4, 0.75, 1.0, 1.3, 2.5):
            result = numpy.asarray(getattr(ImageEnhance, kind)(image).enhance(factor))
            cases.append({"change": name, "factor": factor, "image": keep(pixels), "result": keep(result)})
    return cases


def processor_cases():
    cases = []
    for processor in (
        ViTImageProcessorPil(size={"height": 20, "width": 24}),
        ViTImageProcessorPil(size={"height": 16, "width": 16}, resample=3, image_mean=[0.485, 0.456, 0.406],
                             image_std=[0.229, 0.224, 0.225]),
        ViTImageProcessorPil(size={"shortest_edge": 18}, do_center_crop=True, crop_size={"height": 15, "width": 22}),
        ViTImageProcessorPil(size={"shortest_edge": 18, "longest_edge": 25}, do_normalize=False),
        ViTImageProcessorPil(do_resize=False, do_center_crop=True, crop_size={"height": 30, "width": 31}),
        ConvNextImageProcessorPil(size={"shortest_edge": 20}),
        ConvNextImageProcessorPil(size={"shortest_edge": 384}, do_rescale=False, do_normalize=False),
    ):
        config = json.loads(processor.to_json_string())
        for pixels in (scene(27, 33, 3), scene(40, 21, 3)):
            if config["size"].get("shortest_edge") == 384:
                pixels = pixels[:2, :2]
            result = processor(Image.fromarray(pixels), return_tensors="np")["pixel_values"][0]
            case = {"config": config, "image": keep(pixels)}
            if config["size"].get("shortest_edge") == 384:
                case["sha256"] = hashlib.sha256(result.astype(numpy.float32).tobytes()).hexdigest()
                result = result[:, :2, :]
            case["result"] = keep(result.astype(numpy.float32))
            cases.append(case)
    return cases


make_files()
golden |= {"decode": decode_cases(), "resize": resize_cases(), "color": color_cases(), "processor": processor_cases()}
(here / "values.bin").write_bytes(values.getvalue())
golden["sha256"] = hashlib.sha256(values.getvalue()).hexdigest()
(here / "golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
