"""A causal language model in a GGUF file: transformers dequantises and runs it, Suanli converts and runs it.

usage: check_causal.py FILE.gguf SUANLI CAUSAL_LOGITS WORK_DIR [--tolerance 1e-3]
CAUSAL_LOGITS: the program of causal_logits.cpp. Compared are the tokens of some texts, the logits of every place (f32) and
the answers to chat prompts, written greedily. Prints the largest differences; exit code 0 when tokens and answers are
the same and logits differ by at most the tolerance, 1 otherwise. Logits reach 40 here, sums run over 576 to 1536 terms through
30 layers: differences of some 1e-4 are rounding.
"""
import argparse
import json
import os
import subprocess
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

TEXTS = ["The capital of France is", "def fibonacci(n):\n    ", "In 2023, 1,234 na\u00efve caf\u00e9s opened. \U0001f600\U0001f44d",
         "Once upon a time there was a small model. " * 8]
QUESTIONS = ["What is gravity?", "Write a haiku about rain.", "List three colours."]
NEW = 40


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("gguf", "suanli", "causal_logits", "work"):
        parser.add_argument(name)
    parser.add_argument("--tolerance", type=float, default=1e-3)
    args = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    folder, name = os.path.split(os.path.abspath(args.gguf))
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    os.makedirs(args.work, exist_ok=True)
    ours = os.path.join(args.work, "model")
    run(args.suanli, "convert", "--input", args.gguf, "--output_dir", ours)

    ids = {f"text{i}": tokenizer(text)["input_ids"] for i, text in enumerate(TEXTS)}
    lines = "".join(json.dumps({"text": text}) + "\n" for text in TEXTS)
    tokens = [json.loads(line)["ids"] for line in run(args.suanli, "tokenize", "--model", ours, input=lines).splitlines()]
    same_tokens = tokens == list(ids.values())
    save_file({k: torch.tensor(v, dtype=torch.int32) for k, v in ids.items()}, os.path.join(args.work, "ids.safetensors"))
    run(args.causal_logits, ours, os.path.join(args.work, "ids.safetensors"), os.path.join(args.work, "logits.safetensors"))
    logits = load_file(os.path.join(args.work, "logits.safetensors"))
    worst, largest = 0.0, 0.0
    for key, sequence in ids.items():
        with torch.inference_mode():
            theirs = model(input_ids=torch.tensor([sequence])).logits[0]
        worst = max(worst, float((theirs - logits[key]).abs().max()))
        largest = max(largest, float(theirs.abs().max()))

    answers = 0
    for question in QUESTIONS:
        text = tokenizer.apply_chat_template([{"role": "user", "content": question}], add_generation_prompt=True, tokenize=False)
        inputs = tokenizer(text, return_tensors="pt", add_special_tokens=False)
        with torch.inference_mode():
            out = model.generate(**inputs, max_new_tokens=NEW, do_sample=False)
        theirs = tokenizer.decode(out[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True)
        said = run(args.suanli, "generate", "--model", ours, "--chat", "--prompt", question, "--max_new_tokens", str(NEW),
                   "--do_sample", "false")
        if said == theirs + "\n":
            answers += 1
        else:
            print(f"{question}: transformers {theirs!r}, Suanli {said!r}")
    print(f"{name}: tokens of {len(TEXTS)} texts {'equal' if same_tokens else 'DIFFER'}; largest difference of logits {worst:.2e} "
          f"(logits up to {largest:.1f}); {answers} of {len(QUESTIONS)} greedy answers equal")
    sys.exit(0 if same_tokens and worst <= args.tolerance and answers == len(QUESTIONS) else 1)


if __name__ == "__main__":
    main()
