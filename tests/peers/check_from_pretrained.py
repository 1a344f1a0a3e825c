"""Loads a folder that Suanli saved as transformers' users do, without a warning, and compares the answers. Of an adapter
PEFT loads the folder and transformers its base, whose head is new.

usage: check_from_pretrained.py DIR TASK ANSWERS.jsonl [--tolerance 1e-4]
TASK: masked-lm, text-classification, token-classification, encoder (hidden states).
ANSWERS: one JSON object a line, the input as "text" (and "text_pair") or as "ids" (and "types"), and Suanli's "logits":
[labels] for a sequence, [tokens][classes] for tokens and hidden states (special tokens included). With
--sentences FILE a line may also be what `suanli predict` answers for a class of one sentence:
[{"label", "score"}, ...] with every label
(top_k at least their number); then the logarithms of the scores are compared, which are the logits but for a constant.
Exit code 0: no message, nothing missing or left over, largest difference within the tolerance. 1: otherwise.
"""
import argparse
import json
import logging
import math
import os
import sys
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
import transformers
from transformers import (AutoConfig, AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification,
                          AutoModelForTokenClassification, AutoTokenizer)

CLASSES = {"masked-lm": AutoModelForMaskedLM, "text-classification": AutoModelForSequenceClassification,
           "token-classification": AutoModelForTokenClassification, "encoder": AutoModel}


class Collector(logging.Handler):
    """Keeps every record of warning level or above."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


def load(folder, task):
    """(model, complaints): from_pretrained with every way of complaining watched."""
    collector = Collector()
    transformers.logging.set_verbosity_warning()
    transformers.logging.disable_progress_bar()
    for name in ("", "transformers", "huggingface_hub", "safetensors"):
        logging.getLogger(name).addHandler(collector)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        adapter = os.path.join(folder, "adapter_config.json")
        if os.path.exists(adapter):
            with open(adapter, encoding="utf-8") as f:
                model, info = load_adapter(folder, json.load(f), task, collector)
        else:
            model, info = CLASSES[task].from_pretrained(folder, attn_implementation="eager", output_loading_info=True)
    complaints = collector.messages + [str(w.message) for w in caught if "deprecated" not in str(w.message)]
    complaints += [f"{key}: {sorted(map(str, value))}" for key, value in info.items() if value]
    return model.eval().float(), complaints


def load_adapter(folder, adapter, task, collector):
    """(model, {}): the base with as many labels as the adapter's config.json says, and PEFT's adapter over it."""
    from peft import PeftModel
    config = AutoConfig.from_pretrained(folder)
    base = CLASSES[task].from_pretrained(adapter["base_model_name_or_path"], config=config, attn_implementation="eager")
    collector.messages.clear()  # the base lacks the head, and says so
    return PeftModel.from_pretrained(base, folder), {}


def encode(line, tokenizer):
    if "ids" in line:
        inputs = {"input_ids": torch.tensor([line["ids"]])}
        if "types" in line:
            inputs["token_type_ids"] = torch.tensor([line["types"]])
        return inputs
    return tokenizer(line["text"], line.get("text_pair"), truncation=True, return_tensors="pt")


def compare(line, model, task, inputs, where):
    """Largest difference of one answer."""
    theirs = answer(model, task, inputs)
    if isinstance(line, list):
        names, theirs = model.config.label2id, theirs.double().log_softmax(-1)
        ours = torch.full_like(theirs, float("nan"))
        for item in line:
            ours[names[item["label"]]] = math.log(item["score"])
    else:
        ours = torch.tensor(line["logits"], dtype=torch.float32)
    if ours.shape != theirs.shape:
        sys.exit(f"{where}: Suanli has shape {tuple(ours.shape)}, transformers {tuple(theirs.shape)}")
    return float((ours - theirs).abs().max())


def answer(model, task, inputs):
    if "token_type_ids" in inputs and model.config.model_type == "distilbert":
        inputs = {k: v for k, v in inputs.items() if k != "token_type_ids"}
    with torch.inference_mode():
        out = model(**inputs)
    return (out.last_hidden_state if task == "encoder" else out.logits)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    parser.add_argument("task", choices=CLASSES)
    parser.add_argument("answers")
    parser.add_argument("--sentences")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    args = parser.parse_args()

    model, complaints = load(args.dir, args.task)
    for text in complaints:
        print(f"complaint while loading {args.dir}: {text}")
    with open(args.answers, encoding="utf-8") as f:
        lines = [json.loads(line) for line in f if line.strip()]
    sentences = []
    if args.sentences:
        with open(args.sentences, encoding="utf-8", newline="\n") as f:
            sentences = f.read().splitlines()
    if any(isinstance(line, list) for line in lines) and len(sentences) != len(lines):
        sys.exit(f"{len(lines)} answers of predict, {len(sentences)} sentences (--sentences)")
    if not lines:
        sys.exit(f"{args.answers}: no lines to compare")
    tokenizer = None
    if any(isinstance(line, list) or "text" in line for line in lines):
        tokenizer = AutoTokenizer.from_pretrained(args.dir)
    worst, where = 0.0, 0
    for number, line in enumerate(lines, 1):
        source = {"text": sentences[number - 1]} if isinstance(line, list) else line
        difference = compare(line, model, args.task, encode(source, tokenizer), f"{args.answers}:{number}")
        if not difference <= worst:  # also when it is NaN
            worst, where = difference, number
    print(f"{args.dir} ({args.task}): {len(lines)} answers, largest difference {worst:.2e} (line {where}), "
          f"{len(complaints)} complaints")
    sys.exit(0 if worst <= args.tolerance and not complaints else 1)


if __name__ == "__main__":
    main()
