"""Reference values for tests/image/quality_test.cpp.

Run: python make_quality.py > quality.json     (numpy, scikit-image; versions are written into the file)

Pictures are made of their places by whole numbers, so that the test makes the same.
"""

import json

import numpy
import skimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


def picture(height, width, channels, factor):
    y, x, c = numpy.mgrid[0:height, 0:width, 0:channels]
    return (128 + (x * 3 + y * factor) % 101 - (x * y) % 37 + 5 * c).astype(numpy.uint8)


def changed(image):
    y, x, c = numpy.mgrid[0 : image.shape[0], 0 : image.shape[1], 0 : image.shape[2]]
    return (image + (5 * x + 11 * y + 3 * c) % 17 - 8).astype(numpy.uint8)


def luma(image, border):
    if image.shape[2] == 3:
        image = 16 + image.astype(float) @ numpy.array([65.481, 128.553, 24.966]) / 255
    else:
        image = image[:, :, 0].astype(float)
    return image[border : image.shape[0] - border, border : image.shape[1] - border]


cases = []
for height, width, channels, factor, border in [(30, 41, 3, 7, 2), (25, 19, 1, 2, 0), (17, 19, 3, 5, 3)]:
    image = picture(height, width, channels, factor)
    a, b = luma(image, border), luma(changed(image), border)
    cases.append({"height": height, "width": width, "channels": channels, "factor": factor, "border": border,
                  "psnr": peak_signal_noise_ratio(a, b, data_range=255),
                  "ssim": structural_similarity(a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                                                data_range=255)})
print(json.dumps({"made_by": {"numpy": numpy.__version__, "scikit-image": skimage.__version__}, "cases": cases}, indent=1))
