"""Makes the golden values of the real all-MiniLM-L6-v2 (README.md says what each tensor is).

usage: make_minilm.py MODEL_DIR     (writes minilm/sentences.txt, minilm/golden.safetensors and versions.json)
"""
import os
import sys

import numpy as np
import torch
from golden_common import (HERE, deterministic, model_inputs, normal, pack, record, save, sha256, train, unpad)
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

PEOPLE = ["Anna", "Mr. O'Neill", "the night nurse", "José", "our landlord", "Dr. Nguyễn", "my sister", "两位老师"]
VERBS = ["repaired", "lost", "praised", "could hardly recognise"]
THINGS = ["an old bicycle", "the keys (all 17 of them)", "a photograph of Zürich", "the résumé", "a 3.5% discount"]
ENDINGS = ["before breakfast", "and nobody noticed", "in spite of the rain", "while the train to São Paulo waited",
           "again",
           "because the battery of the lamp had died two days earlier and the shops were closed for the holidays"]
CLOSINGS = [".", "!", "?", "...", " :-)", ""]
EXTRA = ["ok", "Not bad, not bad at all.", "The film is worse than its poster, which is saying something.",
         "https://example.org/a?b=c&d=e is unreachable", "Schadenfreude & déjà vu: untranslatable?", "1,234,567.89",
         "Straße, naïve, coöperate, ĳsselmeer, ﬁne", "🙂 great value for money 🙂"]
LABELS, STEPS, BATCH, RATE, DECAY = 3, 20, 8, 1e-4, 0.01
SAMPLES, HIDDEN_ROWS = 16, 24


def sentences():
    """24 sentences from templates and eight of other kinds: 3 to 33 tokens, several scripts."""
    made = [f"{PEOPLE[i % 8]} {VERBS[i % 4]} {THINGS[i % 5]} {ENDINGS[i % 6]}{CLOSINGS[i * 7 % 6]}" for i in range(24)]
    return made + EXTRA


def classifier(model_dir, dtype=torch.float32):
    """MiniLM with its own pooler and a new head of known weights, without dropout."""
    model = AutoModelForSequenceClassification.from_pretrained(
        model_dir, num_labels=LABELS, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        attn_implementation="eager")
    with torch.no_grad():
        model.classifier.weight.copy_(normal((LABELS, 384), "minilm/classifier.weight", 0.05))
        model.classifier.bias.copy_(normal((LABELS,), "minilm/classifier.bias", 0.05))
    return model.to(dtype).eval()


def sampled(name, gradient, used_ids, rng):
    """Flat positions of the largest element and of random ones (of rows in use, for the word embeddings)."""
    g = gradient.flatten()
    at = rng.randint(0, g.numel(), SAMPLES)
    if name.endswith("word_embeddings.weight"):
        at = rng.choice(used_ids, SAMPLES) * gradient.shape[1] + at % gradient.shape[1]
    at[0] = int(g.abs().argmax())
    return torch.from_numpy(at.astype(np.int32)), g[torch.from_numpy(at)]


def main():
    model_dir = sys.argv[1]
    deterministic()
    folder = os.path.join(HERE, "minilm")
    os.makedirs(folder, exist_ok=True)
    lines = sentences()
    with open(os.path.join(folder, "sentences.txt"), "w", encoding="utf-8") as f:
        f.write("".join(line + "\n" for line in lines))
    ids = AutoTokenizer.from_pretrained(model_dir)(lines)["input_ids"]
    lengths = [len(s) for s in ids]
    types = [[0] * n for n in lengths]
    flat, offsets = pack(ids)
    rng = np.random.RandomState(1)
    golden = {"ids": flat, "offsets": offsets}

    encoder = AutoModel.from_pretrained(model_dir, attn_implementation="eager").eval()
    with torch.no_grad():
        hidden = unpad(encoder(**model_inputs(ids, types, 0)).last_hidden_state, lengths)
    rows = np.sort(rng.choice(len(hidden), HIDDEN_ROWS, replace=False))
    rows[0] = 0
    golden["hidden_rows"] = torch.from_numpy(rows.astype(np.int32))
    golden["hidden"] = hidden[torch.from_numpy(rows)]

    from sentence_transformers import SentenceTransformer
    own = SentenceTransformer(model_dir, device="cpu")
    golden["embeddings"] = torch.from_numpy(own.encode(lines, convert_to_numpy=True))
    means = torch.stack([hidden[a:b].mean(0) for a, b in zip(offsets.tolist(), offsets.tolist()[1:])])
    agree = (torch.nn.functional.normalize(means, dim=1) - golden["embeddings"]).abs().max()
    assert agree < 1e-6, f"sentence-transformers and the mean of our hidden states differ by {agree}"

    labels = rng.randint(0, LABELS, len(lines))
    golden["labels"] = torch.from_numpy(labels.astype(np.int32))
    batch = lambda at: {**model_inputs([ids[i] for i in at], [types[i] for i in at], 0),
                        "labels": torch.from_numpy(labels[at])}
    model = classifier(model_dir)
    golden |= {f"head/{n}": p.clone() for n, p in model.classifier.named_parameters(prefix="classifier")}
    out = model(**batch(np.arange(len(lines))))
    out.loss.backward()
    golden["loss"], golden["logits"] = out.loss, out.logits
    for name, p in model.named_parameters():
        golden[f"grad_norm/{name}"] = p.grad.double().norm().float()
        golden[f"grad_index/{name}"], golden[f"grad_sample/{name}"] = sampled(name, p.grad, np.unique(flat), rng)

    order = np.stack([rng.choice(len(lines), BATCH, replace=False) for _ in range(STEPS)])
    golden["train/order"] = torch.from_numpy(order.astype(np.int32))
    model.zero_grad()
    losses, norms, rates = train(model, [batch(at) for at in order], RATE, DECAY)
    losses64, _, _ = train(classifier(model_dir, torch.float64), [batch(at) for at in order], RATE, DECAY)
    golden["train_loss"] = torch.tensor(losses, dtype=torch.float32)
    golden["train_loss_f64"] = torch.tensor(losses64, dtype=torch.float64)
    golden["train_grad_norm"] = torch.tensor(norms, dtype=torch.float32)
    golden["train_learning_rate"] = torch.tensor(rates, dtype=torch.float64)
    save(os.path.join(folder, "golden.safetensors"), golden)
    worst = max(abs(a - b) / b for a, b in zip(losses, losses64))
    print(f"  {len(lines)} sentences, {len(flat)} tokens, longest {max(lengths)}; loss {losses[0]:.4f} -> "
          f"{losses[-1]:.4f}; f32 to f64 at most {worst:.1e} relative")
    record("minilm", folder, {"model.safetensors": sha256(os.path.join(model_dir, "model.safetensors")),
                              "train_loss_f32_to_f64": float(f"{worst:.2e}")})


if __name__ == "__main__":
    main()
