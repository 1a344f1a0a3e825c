"""Reference scores for tests/train/metrics_test.cpp and entities_test.cpp.

Run: python make_golden.py > values.json     (numpy, scipy, scikit-learn, seqeval; versions are written into the file)
"""

import json
import warnings

import numpy
import scipy
import scipy.stats
import sklearn
import sklearn.metrics as m
import seqeval.metrics as se

warnings.filterwarnings("ignore")
rng = numpy.random.default_rng(7)


def prf(truth, predicted, average):
    return [float(v) for v in m.precision_recall_fscore_support(truth, predicted, average=average, zero_division=0)[:3]]


def classification(classes, n, right, seen):
    """n pairs over `classes` classes of which only `seen` occur, about `right` of them correct."""
    truth = rng.integers(0, seen, n)
    predicted = numpy.where(rng.random(n) < right, truth, rng.integers(0, seen, n))
    return {
        "classes": classes,
        "truth": truth.tolist(),
        "predicted": predicted.tolist(),
        "accuracy": float(m.accuracy_score(truth, predicted)),
        "matthews": float(m.matthews_corrcoef(truth, predicted)),
        **{a: prf(truth, predicted, a) for a in ("macro", "micro", "weighted")},
        **({"binary": prf(truth, predicted, "binary")} if classes == 2 else {}),
    }


def multi_label(labels, n):
    truth = (rng.random((n, labels)) < 0.3).astype(int)
    predicted = numpy.where(rng.random((n, labels)) < 0.8, truth, 1 - truth)
    truth[:, -1] = predicted[:, -1] = 0  # a label that never occurs
    return {
        "truth": truth.tolist(),
        "predicted": predicted.tolist(),
        "accuracy": float(m.accuracy_score(truth, predicted)),
        **{a: prf(truth, predicted, a) for a in ("macro", "micro", "weighted")},
    }


def regression(n, digits):
    """Rounding makes ties, which the ranks must share."""
    truth = numpy.round(rng.normal(3.0, 1.5, n), digits).astype(numpy.float32)
    predicted = numpy.round(0.7 * truth + rng.normal(0, 0.8, n), digits).astype(numpy.float32)
    t, p = truth.astype(float), predicted.astype(float)
    return {
        "truth": truth.tolist(),
        "predicted": predicted.tolist(),
        "mse": float(m.mean_squared_error(t, p)),
        "mae": float(m.mean_absolute_error(t, p)),
        "r2": float(m.r2_score(t, p)),
        "pearson": float(scipy.stats.pearsonr(t, p)[0]),
        "spearman": float(scipy.stats.spearmanr(t, p)[0]),
    }


def probability(n, share, digits):
    """Probabilities of a rare or common class; rounding makes ties."""
    truth = (rng.random(n) < share).astype(int)
    p = numpy.clip(rng.beta(2, 3, n) + 0.25 * truth, 0, 1).round(digits).astype(numpy.float32)
    most = n / 10  # rows above the tenth; of a group of ties across the border a part
    recall = sum(min(max(most - (p > v).sum(), 0), (p == v).sum()) * truth[p == v].mean() for v in numpy.unique(p))
    place = numpy.minimum((p.astype(float) * 15).astype(int), 14)
    bins = [place == b for b in range(15) if (place == b).any()]
    fpr, tpr, _ = m.roc_curve(truth, p)
    return {
        "truth": truth.tolist(),
        "probability": p.tolist(),
        "roc_auc": float(m.roc_auc_score(truth, p)),
        "ks": float(scipy.stats.ks_2samp(p[truth == 1], p[truth == 0]).statistic),
        "pr_auc": float(m.average_precision_score(truth, p)),
        "recall_at_10": float(recall / truth.sum()),
        "brier": float(m.brier_score_loss(truth, p.astype(float))),
        "calibration_error": float(sum(b.mean() * abs(p[b].astype(float).mean() - truth[b].mean()) for b in bins)),
        "best_f1": float(max(m.f1_score(truth, p >= v) for v in numpy.unique(p))),
        "best_youden": float((tpr - fpr).max()),
    }


def entities(sentences, tags):
    """Random tags: stray I-, changes of type inside a run, runs that touch the end; half of the predictions copied."""
    truth = [[str(rng.choice(tags)) for _ in range(rng.integers(1, 12))] for _ in range(sentences)]
    predicted = [[t if rng.random() < 0.8 else str(rng.choice(tags)) for t in s] for s in truth]
    score = lambda average: [
        float(f(truth, predicted, average=average)) for f in (se.precision_score, se.recall_score, se.f1_score)
    ]
    return {
        "truth": truth,
        "predicted": predicted,
        "accuracy": float(se.accuracy_score(truth, predicted)),
        **{a: score(a) for a in ("macro", "micro", "weighted")},
    }


json.dump(
    {
        "versions": {
            "numpy": numpy.__version__,
            "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__,
            "seqeval": "1.2.2",
        },
        "classification": [
            classification(2, 60, 0.7, 2),
            classification(5, 80, 0.6, 5),
            classification(7, 40, 0.5, 4),
            classification(3, 10, 1.0, 3),
            classification(3, 10, 1.0, 1),
        ],
        "multi_label": [multi_label(4, 30)],
        "regression": [regression(50, 3), regression(50, 0)],
        "entities": [
            entities(30, ["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC"]),
            entities(30, ["O", "B-A", "I-A", "E-A", "S-A", "I-B", "B-x-y", "I-x-y"]),
        ],
        "probability": [probability(200, 0.4, 6), probability(150, 0.1, 1)],
    },
    __import__("sys").stdout,
)
print()
