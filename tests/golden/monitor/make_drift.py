"""Reference values for tests/monitor/drift_test.cpp.

Run: python make_drift.py > drift.json     (numpy, scipy, scikit-learn; versions are written into the file)
"""

import json

import numpy
import scipy
import scipy.spatial
import scipy.special
import scipy.stats
import sklearn
import sklearn.metrics.pairwise

rng = numpy.random.default_rng(13)


def psi(p, q):
    """The formula of Evidently's PSI: an empty cell counts as 0.0001."""
    p, q = (numpy.where(v == 0, 0.0001, v) for v in (p, q))
    return float(numpy.sum((q - p) * numpy.log(q / p)))


def binned_psi(a, b, bins=10):
    edges = numpy.unique(numpy.quantile(a, numpy.arange(1, bins) / bins, method="inverted_cdf"))
    shares = [numpy.bincount(numpy.searchsorted(edges, v, side="left"), minlength=len(edges) + 1) / len(v)
              for v in (a, b)]
    value = psi(*shares)
    return value, float(scipy.stats.chi2.sf(value / (1 / len(a) + 1 / len(b)), len(edges)))


def numbers(a, b):
    ks = scipy.stats.ks_2samp(a, b, method="exact")
    n, m = len(a), len(b)
    value, p = binned_psi(a, b)
    return {"baseline": a.tolist(), "window": b.tolist(), "ks": float(ks.statistic), "ks_p_exact": float(ks.pvalue),
            "ks_p": float(scipy.special.kolmogorov(ks.statistic * numpy.sqrt(n * m / (n + m)))),
            "psi": value, "psi_p": p, "wasserstein": float(scipy.stats.wasserstein_distance(a, b))}


def weighted(a, wa, b, wb):
    """Weights are repetitions."""
    return {**numbers(numpy.repeat(a, wa), numpy.repeat(b, wb)), "baseline": a.tolist(), "window": b.tolist(),
            "baseline_weights": wa.tolist(), "window_weights": wb.tolist()}


def categories(a, b):
    """Counts whose expected ones are all 5 or more."""
    chi = scipy.stats.chi2_contingency([a, b], correction=False)
    assert chi.expected_freq.min() >= 5
    return {"baseline": a, "window": b, "chi_square": float(chi.statistic), "chi_square_p": float(chi.pvalue),
            "jensen_shannon": float(scipy.spatial.distance.jensenshannon(a, b, base=2))}


def vectors(a, b):
    a, b = a.astype(numpy.float32), b.astype(numpy.float32)
    both = numpy.concatenate([a, b]).astype(float)
    width = numpy.median(scipy.spatial.distance.pdist(both))
    k = sklearn.metrics.pairwise.rbf_kernel(both, gamma=1 / (2 * width**2))
    n, m = len(a), len(b)
    within = [(g.sum() - numpy.trace(g)) / (len(g) * (len(g) - 1)) for g in (k[:n, :n], k[n:, n:])]
    value = within[0] + within[1] - 2 * k[:n, n:].mean()
    drawn = []
    for _ in range(20000):
        order = rng.permutation(n + m)
        g = k[numpy.ix_(order, order)]
        drawn.append((g[:n, :n].sum() - n) / (n * (n - 1)) + (g[n:, n:].sum() - m) / (m * (m - 1))
                     - 2 * g[:n, n:].mean())
    return {"baseline": a.astype(float).round(8).tolist(), "window": b.astype(float).round(8).tolist(),
            "mmd": float(value), "mmd_p": float(numpy.mean(numpy.array(drawn) >= value - 1e-12))}


def grid(values, digits=3):
    return numpy.round(values, digits)


result = {
    "made_by": {"numpy": numpy.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
    "numbers": [
        numbers(grid(rng.normal(size=150)), grid(rng.normal(size=100))),
        numbers(grid(rng.normal(size=150)), grid(rng.normal(0.4, 1.3, size=120))),
        numbers(grid(rng.normal(size=100)), grid(rng.normal(4, 1, size=100))),
        numbers(rng.integers(0, 5, 200).astype(float), rng.integers(1, 7, 110).astype(float)),
        numbers(numpy.zeros(100), (rng.random(100) < 0.2).astype(float)),
        numbers(numpy.arange(3.0), numpy.array([0.5, 0.5, 7.0])),
        weighted(grid(rng.normal(size=40)), rng.integers(1, 9, 40), grid(rng.normal(0.3, 1, 30)), rng.integers(1, 5, 30)),
    ],
    "categories": [categories([500, 300, 200], [55, 25, 20]), categories([40, 60], [70, 30]),
                   categories([1000, 10, 300, 45], [1000, 30, 200, 61])],
    "vectors": [vectors(rng.normal(size=(20, 4)), rng.normal(size=(15, 4))),
                vectors(rng.normal(size=(20, 4)), rng.normal(0.5, 1, size=(20, 4))),
                vectors(rng.normal(size=(20, 3)), rng.normal(2, 1, size=(12, 3)))],
    "chi_square_beyond": [[x, d, float(scipy.stats.chi2.sf(x, d))]
                          for d in (1, 2, 9, 255) for x in (0.01, 1.0, 6.6, 300.0)],
}
print(json.dumps(result))
