"""Makes the golden values of the small random BERT, RoBERTa and DistilBERT (README.md says what each tensor is).

usage: make_golden.py     (writes bert/, roberta/, distilbert/ and versions.json beside itself)
"""
import os
import shutil

import numpy as np
import torch
from golden_common import HERE, deterministic, model_inputs, normal, pack, pad, record, save, train, unpad
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import (BertForMaskedLM, BertForSequenceClassification,
                                                    BertForTokenClassification)
from transformers.models.distilbert.configuration_distilbert import DistilBertConfig
from transformers.models.distilbert.modeling_distilbert import (DistilBertForMaskedLM,
                                                                DistilBertForSequenceClassification,
                                                                DistilBertForTokenClassification)
from transformers.models.roberta.configuration_roberta import RobertaConfig
from transformers.models.roberta.modeling_roberta import (RobertaForMaskedLM, RobertaForSequenceClassification,
                                                          RobertaForTokenClassification)

VOCAB, STEPS, BATCH = 120, 20, 4
LENGTHS = [7, 1, 12]           # one sequence of a single token
SEQUENCE_LABELS, TOKEN_LABELS = 3, 5

COMMON = dict(vocab_size=VOCAB, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
              hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
FAMILIES = {
    "bert": (lambda labels: BertConfig(**COMMON, max_position_embeddings=40, num_labels=labels),
             (BertForMaskedLM, BertForSequenceClassification, BertForTokenClassification)),
    "roberta": (lambda labels: RobertaConfig(**COMMON, max_position_embeddings=42, type_vocab_size=1,
                                             layer_norm_eps=1e-5, num_labels=labels),
                (RobertaForMaskedLM, RobertaForSequenceClassification, RobertaForTokenClassification)),
    "distilbert": (lambda labels: DistilBertConfig(vocab_size=VOCAB, dim=32, n_layers=2, n_heads=2, hidden_dim=64,
                                                   max_position_embeddings=40, dropout=0.0, attention_dropout=0.0,
                                                   seq_classif_dropout=0.0, num_labels=labels),
                   (DistilBertForMaskedLM, DistilBertForSequenceClassification, DistilBertForTokenClassification)),
}
# Name of a training run -> learning rate, weight decay. The strong one is there because a wrong schedule, clipping or
# decay moves the losses of the first by hardly more than 1e-4.
RUNS = {"train": (1e-3, 0.01), "train_strong": (1e-2, 0.5)}
TASKS = ("masked-lm", "text-classification", "token-classification")


def fresh(model_class, config, key):
    """A model with random weights far from the usual small ones, so that no bias and no LayerNorm weight is idle."""
    model = model_class(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.ndim == 1 and name.endswith("weight"):
                p.copy_(normal(p.shape, f"{key}/{name}", 0.1, mean=1.0))
            else:
                p.copy_(normal(p.shape, f"{key}/{name}", 0.2 if p.ndim == 2 else 0.1))
    return model


def sequences(rng, lengths, two_types):
    """Random token ids (5 and up, so never padding) and, where the model has them, a second segment."""
    ids = [rng.randint(5, VOCAB, n).tolist() for n in lengths]
    types = [[int(i >= (n + 1) // 2) for i in range(n)] for n in lengths] if two_types else None
    return ids, types


def make_labels(rng, task, lengths):
    if task == "text-classification":
        return rng.randint(0, SEQUENCE_LABELS, len(lengths)).tolist()
    classes = VOCAB if task == "masked-lm" else TOKEN_LABELS
    share = 0.4 if task == "masked-lm" else 0.8
    labels = [np.where(rng.random_sample(n) < share, rng.randint(0, classes, n), -100).tolist() for n in lengths]
    labels[0][0] = int(rng.randint(0, classes))  # never a batch without any label
    return labels


def batch_of(ids, types, labels, pad_id):
    y = torch.tensor(labels) if isinstance(labels[0], int) else pad(labels, -100)
    return {**model_inputs(ids, types, pad_id), "labels": y}


def flat_labels(labels):
    return torch.tensor(labels, dtype=torch.int32) if isinstance(labels[0], int) else pack(labels)[0]


def packed(prefix, ids, types, labels):
    flat, offsets = pack(ids)
    zeros = torch.zeros_like(flat)
    return {prefix + "ids": flat, prefix + "offsets": offsets, prefix + "labels": flat_labels(labels),
            prefix + "types": zeros if types is None else pack(types)[0]}


def make(family, task, model_class, config):
    key = f"{family}/{task}"
    folder = os.path.join(HERE, family, task)
    shutil.rmtree(folder, ignore_errors=True)
    config._attn_implementation = "eager"
    model = fresh(model_class, config, key)
    model.save_pretrained(folder)
    rng = np.random.RandomState(int.from_bytes(key.encode(), "little") % 2**32)
    two_types, pad_id = family == "bert", config.pad_token_id
    ids, types = sequences(rng, LENGTHS, two_types)
    labels = make_labels(rng, task, LENGTHS)
    golden = packed("", ids, types, labels)

    out = model(**batch_of(ids, types, labels, pad_id), output_hidden_states=True)
    out.loss.backward()
    golden["loss"] = out.loss
    golden["hidden"] = unpad(out.hidden_states[-1], LENGTHS)
    golden["logits"] = out.logits if task == "text-classification" else unpad(out.logits, LENGTHS)
    golden |= {f"grad/{n}": p.grad for n, p in model.named_parameters() if p.grad is not None}
    norms = {n: float(p.grad.double().norm()) for n, p in model.named_parameters() if p.grad is not None}

    lengths = rng.randint(2, 16, STEPS * BATCH).tolist()
    ids, types = sequences(rng, lengths, two_types)
    labels = []
    for s in range(STEPS):
        labels += make_labels(rng, task, lengths[s * BATCH:(s + 1) * BATCH])
    golden |= packed("train/", ids, types, labels)
    part = lambda x, s: None if x is None else x[s * BATCH:(s + 1) * BATCH]
    batches = [batch_of(part(ids, s), part(types, s), part(labels, s), pad_id) for s in range(STEPS)]
    worst = 0.0
    for name, (rate, decay) in RUNS.items():
        losses, grad_norms, rates = train(fresh(model_class, config, key), batches, rate, decay)
        losses64, _, _ = train(fresh(model_class, config, key).double(), batches, rate, decay)
        golden[f"{name}_loss"] = torch.tensor(losses, dtype=torch.float32)
        golden[f"{name}_loss_f64"] = torch.tensor(losses64, dtype=torch.float64)
        golden[f"{name}_grad_norm"] = torch.tensor(grad_norms, dtype=torch.float32)
        golden[f"{name}_learning_rate"] = torch.tensor(rates, dtype=torch.float64)
        worst = max([worst] + [abs(a - b) / b for a, b in zip(losses, losses64)])
    save(os.path.join(folder, "golden.safetensors"), golden)
    print(f"  training losses, f32 to f64: at most {worst:.1e} relative; smallest gradient norm "
          f"{min(norms.values()):.1e} ({min(norms, key=norms.get)})")
    return worst


def main():
    deterministic()
    worst = {}
    for family, (config, classes) in FAMILIES.items():
        for task, model_class in zip(TASKS, classes):
            labels = TOKEN_LABELS if task == "token-classification" else SEQUENCE_LABELS
            worst[f"{family}/{task}"] = float(f"{make(family, task, model_class, config(labels)):.2e}")
        record(family, os.path.join(HERE, family),
               {"train_loss_f32_to_f64": {k: v for k, v in worst.items() if k.startswith(family + "/")}})


if __name__ == "__main__":
    main()
