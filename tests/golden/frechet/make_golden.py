"""Frechet distances of small sets of features by scipy.linalg.sqrtm, as FID is commonly computed.

usage: make_golden.py > values.json
"""
import json

import numpy
import scipy
from scipy.linalg import sqrtm

rng = numpy.random.default_rng(20240801)


def distance(a, b):
    s, t = (numpy.atleast_2d(numpy.cov(x, rowvar=False)) for x in (a, b))
    step = a.mean(0) - b.mean(0)
    return float(step @ step + numpy.trace(s) + numpy.trace(t) - 2 * numpy.trace(sqrtm(s @ t)).real)


def case(rows, others, width, shift, spread):
    mixing = rng.standard_normal((width, width))
    a = rng.standard_normal((rows, width)) @ mixing
    b = (rng.standard_normal((others, width)) * spread + shift) @ rng.standard_normal((width, width))
    a, b = a.astype(numpy.float32).astype(numpy.float64), b.astype(numpy.float32).astype(numpy.float64)
    return {"width": width, "a": a.reshape(-1).tolist(), "b": b.reshape(-1).tolist(), "distance": distance(a, b)}


cases = [case(20, 30, 1, 0.5, 2.0), case(40, 25, 2, 0.0, 1.0), case(40, 40, 8, 1.0, 0.5)]
print(json.dumps({"versions": {"numpy": numpy.__version__, "scipy": scipy.__version__}, "cases": cases}))
