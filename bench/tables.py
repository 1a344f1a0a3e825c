"""Tables beside scikit-learn: the same split, the same recipe, three seeds; and its gradient boosting.

Run: python bench/tables.py SUANLI DATA      (SUANLI: the program; DATA: a folder with german.data, UCI_Credit_Card.csv.gz,
     creditcard_sample.csv and what scripts/fetch_tables.sh writes; sets that are not there are left out)

Each seed splits 60 / 20 / 20, stratified. Both networks: one hidden layer of 100 ReLU units, Adam at 1e-3 without decay,
the same batches and epochs, numbers standardised and categories one-hot by the training part. Prints a table in Markdown:
mean and standard deviation over the seeds of scores on the test part, and seconds of training.
"""
import csv
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import (average_precision_score, brier_score_loss, mean_absolute_error, r2_score, roc_auc_score,
                             root_mean_squared_error)
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from scipy.stats import ks_2samp

SEEDS = (1, 2, 3)
SETS = [  # name, file, label, columns left out, columns of categories, batch, epochs
    ("breast cancer", "breast_cancer.csv", "label", [], [], 32, 30),
    ("German credit", "german.data", "CLASSIFICATION", [], None, 32, 15),
    ("card fraud", "creditcard_sample.csv", "Class", ["row"], [], 32, 20),
    ("credit default", "UCI_Credit_Card.csv.gz", "default.payment.next.month", ["ID"],
     ["SEX", "EDUCATION", "MARRIAGE"], 200, 10),
    ("diabetes", "diabetes.csv", "label", [], ["sex"], 32, 60),
]


def read(path):
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else open(path)
    with opened as lines:
        rows = list(csv.reader(lines, delimiter=" " if path.name == "german.data" else ","))
    names = [name or "row" for name in rows[0]]
    return names, numpy.array([row for row in rows[1:] if len(row) == len(names)], dtype=object)


def is_number(column):
    try:
        column.astype(float)
        return True
    except ValueError:
        return False


def scores(truth, p, regression):
    if regression:
        return {"MAE": mean_absolute_error(truth, p), "RMSE": root_mean_squared_error(truth, p), "R2": r2_score(truth, p)}
    top = numpy.argsort(-p)[: round(len(p) / 10)]
    bins = numpy.minimum((p * 15).astype(int), 14)
    calibration = sum((bins == b).mean() * abs(p[bins == b].mean() - truth[bins == b].mean()) for b in set(bins))
    return {"ROC AUC": roc_auc_score(truth, p), "KS": ks_2samp(p[truth == 1], p[truth == 0]).statistic,
            "PR AUC": average_precision_score(truth, p), "recall at 10%": truth[top].sum() / truth.sum(),
            "Brier": brier_score_loss(truth, p), "calibration error": calibration}


def write(path, names, rows):
    with open(path, "w", newline="") as out:
        csv.writer(out).writerows([names, *rows])


def suanli(program, folder, names, parts, label, categories, regression, batch, epochs, seed):
    for part, rows in parts.items():
        write(folder / f"{part}.csv", names, rows)
    encodings = ",".join(f"{name}=one_hot" for name in categories)
    arguments = [program, "train", f"task=tabular-{'regression' if regression else 'classification'}",
                 *(f"{part}_file={folder / part}.csv" for part in parts), f"output_dir={folder / 'out'}",
                 f"label_column_name={label}", f"column_encodings={encodings}", "hidden_sizes=100", "learning_rate=1e-3",
                 "lr_scheduler_type=constant", f"per_device_train_batch_size={batch}", f"num_train_epochs={epochs}",
                 "max_grad_norm=0", "per_device_eval_batch_size=1024", "save_strategy=no", f"seed={seed}"]
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seconds = json.loads((folder / "out/train_results.json").read_text())["train_runtime"]
    answers = subprocess.run([program, "predict", "--model", folder / "out", "--input", folder / "test.csv"], check=True,
                             capture_output=True, text=True).stdout.splitlines()
    answers = [json.loads(answer) for answer in answers]
    if regression:
        return numpy.array([a["value"] for a in answers]), seconds
    positive = sorted({row[names.index(label)] for row in parts["train"]})[1]
    return numpy.array([a["score"] if a["label"] == positive else 1 - a["score"] for a in answers]), seconds


def peers(numbers, categories, regression, batch, epochs, seed):
    encoder = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), categories))
    ordinal = make_column_transformer((OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), categories),
                                      remainder="passthrough")
    network = {"hidden_layer_sizes": (100,), "alpha": 0, "batch_size": batch, "learning_rate_init": 1e-3,
               "max_iter": epochs, "n_iter_no_change": epochs, "random_state": seed}
    if regression:
        return {"scikit-learn MLP": make_pipeline(encoder, MLPRegressor(**network)),
                "scikit-learn gradient boosting": make_pipeline(ordinal, HistGradientBoostingRegressor(random_state=seed))}
    return {"scikit-learn MLP": make_pipeline(encoder, MLPClassifier(**network)),
            "scikit-learn gradient boosting": make_pipeline(ordinal, HistGradientBoostingClassifier(random_state=seed))}


def run(program, data, name, file, label, left_out, categories, batch, epochs):
    names, rows = read(data / file)
    keep = [i for i, column in enumerate(names) if column not in left_out]
    names, rows = [names[i] for i in keep], rows[:, keep]
    target = names.index(label)
    regression = name == "diabetes"
    inputs = [i for i in range(len(names)) if i != target]
    if categories is None:
        categories = [names[i] for i in inputs if not is_number(rows[:, i])]
    found = {}
    for seed in SEEDS:
        strata = None if regression else rows[:, target]
        train, rest = train_test_split(rows, test_size=0.4, random_state=seed, stratify=strata)
        validation, test = train_test_split(rest, test_size=0.5, random_state=seed,
                                            stratify=None if regression else rest[:, target])
        parts = {"train": train, "validation": validation, "test": test}
        truth = test[:, target].astype(float) if regression else (test[:, target] == sorted(set(rows[:, target]))[1]).astype(int)
        with tempfile.TemporaryDirectory() as folder:
            p, seconds = suanli(program, pathlib.Path(folder), names, parts, label, categories, regression, batch, epochs, seed)
        found.setdefault("Suanli", []).append(scores(truth, p, regression) | {"s": seconds})

        places = [j for j, i in enumerate(inputs) if names[i] in categories]
        numeric = [j for j in range(len(inputs)) if j not in places]

        def matrix(part):
            table = part[:, inputs].copy()
            table[:, numeric] = table[:, numeric].astype(float)
            return table

        y = train[:, target].astype(float) if regression else (train[:, target] == sorted(set(rows[:, target]))[1]).astype(int)
        mean, deviation = (y.mean(), y.std()) if regression else (0, 1)
        for peer, model in peers(numeric, places, regression, batch, epochs, seed).items():
            start = time.time()
            model.fit(matrix(train), (y - mean) / deviation if regression else y)
            seconds = time.time() - start
            x = matrix(test)
            p = model.predict(x) * deviation + mean if regression else model.predict_proba(x)[:, 1]
            found.setdefault(peer, []).append(scores(truth, p, regression) | {"s": seconds})
    keys = list(found["Suanli"][0])
    print(f"\n{name}, {len(rows)} rows, batch {batch}, {epochs} epochs\n\n| | {' | '.join(keys)} |\n|{' --- |' * (len(keys) + 1)}")
    for who, all_scores in found.items():
        cells = []
        for key in keys:
            values = [s[key] for s in all_scores]
            cells.append(f"{numpy.mean(values):.4g} ± {numpy.std(values):.2g}")
        print(f"| {who} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    for one in SETS:
        if (pathlib.Path(sys.argv[2]) / one[1]).exists():
            run(sys.argv[1], pathlib.Path(sys.argv[2]), *one)
