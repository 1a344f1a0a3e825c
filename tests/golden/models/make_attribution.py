"""Integrated gradients of captum over the small classifiers bert, roberta and distilbert (attribution.json).

usage: make_attribution.py [CAPTUM]     (writes beside itself; CAPTUM: a folder of `pip install --target captum matplotlib`)

Per family: ids, the first and the last of them special, and for each label the attributions of the tokens: the label's
logit by the word embeddings, from a baseline that has the token 3 in the place of every other one, 50 steps of the
Gauss-Legendre rule.
"""
import json
import os
import sys

import torch
from golden_common import HERE, deterministic
from transformers import AutoModelForSequenceClassification

sys.path[:0] = sys.argv[1:2]
import captum  # noqa: E402
from captum.attr import LayerIntegratedGradients  # noqa: E402

IDS, BASELINE = [6, 40, 77, 13, 99, 21, 55, 8], 3


def main():
    deterministic()
    out = {"captum": captum.__version__, "ids": IDS, "baseline": BASELINE}
    for family in ("bert", "roberta", "distilbert"):
        model = AutoModelForSequenceClassification.from_pretrained(os.path.join(HERE, family, "text-classification")).eval()
        ids = torch.tensor([IDS])
        baseline = torch.tensor([[IDS[0]] + [BASELINE] * (len(IDS) - 2) + [IDS[-1]]])
        layer = model.get_input_embeddings()
        explain = LayerIntegratedGradients(lambda x: model(x, attention_mask=torch.ones_like(x)).logits, layer)
        out[family] = []
        for label in range(model.config.num_labels):
            found = explain.attribute(ids, baselines=baseline, target=label, n_steps=50, method="gausslegendre")
            out[family].append(found.sum(-1)[0].tolist())
    with open(os.path.join(HERE, "attribution.json"), "w", encoding="utf-8") as file:
        json.dump(out, file, indent=1)


main()
