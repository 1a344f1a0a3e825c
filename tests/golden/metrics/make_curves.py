"""Reference curves for tests/train/probability_scores_test.cpp.

Run: python make_curves.py > curves.json     (numpy, scikit-learn; versions are written into the file)
"""

import json

import numpy
import sklearn
import sklearn.calibration
import sklearn.metrics as m

rng = numpy.random.default_rng(11)


def case(probability, truth):
    fpr, tpr, _ = m.roc_curve(truth, probability, drop_intermediate=False)
    precision, recall, _ = m.precision_recall_curve(truth, probability)
    share, mean = sklearn.calibration.calibration_curve(truth, probability, n_bins=10)
    return {name: numpy.asarray(values).tolist() for name, values in
            {"probability": probability, "truth": truth, "fpr": fpr, "tpr": tpr, "precision": precision,
             "recall": recall, "calibration_share": share, "calibration_mean": mean}.items()}


def drawn(rows, digits):
    """Probabilities that f32 holds exactly; `digits` makes ties, none of them on the edge of a bin."""
    truth = rng.integers(0, 2, rows)
    p = numpy.clip(rng.normal(0.35 + 0.3 * truth, 0.25), 0.01, 0.99)
    if digits:
        p = numpy.round(p, digits) * 0.9 + 0.037
    return case(p.astype(numpy.float32).astype(float), truth)


print(json.dumps({"made_by": {"numpy": numpy.__version__, "scikit-learn": sklearn.__version__},
                  "cases": [drawn(60, None), drawn(80, 1)]}, indent=1))
