"""Makes the golden values of low-rank adapters (PEFT) over the small models of make_golden.py and make_causal.py.

usage: make_lora.py     (writes lora/ and its part of versions.json beside itself; needs those models and PyPI peft)

A folder lora/NAME is an adapter as PEFT saves it, its base given by a path from there, and golden.safetensors: logits
of the sequences in the base's golden.safetensors, their loss, and grad/TENSOR for every tensor of
adapter_model.safetensors. Adapters are random, both matrices far from zero; no dropout.
"""
import json
import os
import shutil

import peft
import torch
from golden_common import HERE, deterministic, model_inputs, normal, pad, record, save, unpad
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import BertForSequenceClassification, GPT2LMHeadModel, LlamaForCausalLM

ADAPTERS = {
    # Queries and values without keys: a part of what is one matrix elsewhere; the classifier whole.
    "bert": (BertForSequenceClassification, "bert/text-classification",
             LoraConfig(task_type="SEQ_CLS", r=4, lora_alpha=6, target_modules=["query", "value", "intermediate.dense"])),
    "llama": (LlamaForCausalLM, "llama/causal-lm",
              LoraConfig(task_type="CAUSAL_LM", r=3, lora_alpha=5, use_rslora=True, target_modules="all-linear")),
    # Weights stored as [in, out].
    "gpt2": (GPT2LMHeadModel, "gpt2/causal-lm",
             LoraConfig(task_type="CAUSAL_LM", r=2, lora_alpha=2, fan_in_fan_out=True,
                        target_modules=["c_attn", "mlp.c_proj"])),
}


def sequences(golden, name):
    bounds = golden["offsets"].tolist()
    return [golden[name][a:b].tolist() for a, b in zip(bounds, bounds[1:])]


def make(name, model_class, base, config):
    folder = os.path.join(HERE, "lora", name)
    shutil.rmtree(folder, ignore_errors=True)
    model = get_peft_model(model_class.from_pretrained(os.path.join(HERE, base), attn_implementation="eager"), config)
    model.eval()
    with torch.no_grad():
        for key, p in model.named_parameters():
            if p.requires_grad:
                p.copy_(normal(p.shape, f"lora/{name}/{key}", 0.3))
    golden = load_file(os.path.join(HERE, base, "golden.safetensors"))
    ids = sequences(golden, "ids")
    if name == "bert":
        out = model(**model_inputs(ids, sequences(golden, "types"), 0), labels=golden["labels"].long())
        logits = out.logits
    else:
        lengths = [len(x) for x in ids]
        out = model(input_ids=pad(ids, 0), attention_mask=pad([[1] * n for n in lengths], 0), labels=pad(ids, -100))
        logits = unpad(out.logits, lengths)
    out.loss.backward()
    # The state's keys are those of the file; the same call over gradients gives theirs.
    state = {key: p.grad for key, p in model.named_parameters(remove_duplicate=False) if p.grad is not None}
    gradients = get_peft_model_state_dict(model, state_dict=state)
    model.save_pretrained(folder)
    os.remove(os.path.join(folder, "README.md"))
    path = os.path.join(folder, "adapter_config.json")
    written = json.load(open(path)) | {"base_model_name_or_path": f"../../{base}"}
    written["target_modules"] = sorted(written["target_modules"])  # a set before
    with open(path, "w", encoding="utf-8") as f:
        json.dump(written, f, indent=2, sort_keys=True)
        f.write("\n")
    saved = load_file(os.path.join(folder, "adapter_model.safetensors"))
    assert set(saved) == set(gradients), set(saved) ^ set(gradients)
    save(os.path.join(folder, "golden.safetensors"),
         {"logits": logits, "loss": out.loss} | {f"grad/{key}": g for key, g in gradients.items()})


def main():
    deterministic()
    for name, (model_class, base, config) in ADAPTERS.items():
        make(name, model_class, base, config)
    record("lora", os.path.join(HERE, "lora"), {"peft": peft.__version__})


if __name__ == "__main__":
    main()
