"""Makes the golden values of small random causal language models: GPT-2, and Llama with and without tied embeddings.

usage: make_causal.py     (writes gpt2/, llama/, llama_tied/ and its parts of versions.json beside itself)

A folder holds the model as transformers saves it and golden.safetensors: ids i32 [T] and offsets i32 [B+1] of three
sequences, labels i32 [T] (the next token of each, -100 behind a last one), hidden [T,H] (after the last norm), logits
[T,V], loss, grad/NAME for every parameter; and of generate() for the prompts at prompt/ids, prompt/offsets the new
tokens: greedy, greedy with repetition_penalty 1.3, and 3 beams with and without early stopping, each NAME/ids and
NAME/offsets. The end of a sequence is token 7.
"""
import os
import shutil

import numpy as np
import torch
from golden_common import HERE, deterministic, normal, pack, pad, record, save, unpad
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

VOCAB, LENGTHS, PROMPTS, EOS, NEW = 60, [7, 1, 12], [3, 1, 5, 8], 7, 12
LLAMA = dict(vocab_size=VOCAB, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             head_dim=8, intermediate_size=48, max_position_embeddings=64, attention_dropout=0.0, bos_token_id=1,
             eos_token_id=EOS, pad_token_id=None)
MODELS = {
    "gpt2": (GPT2LMHeadModel, GPT2Config(vocab_size=VOCAB, n_embd=32, n_layer=2, n_head=2, n_positions=64,
                                         resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=1,
                                         eos_token_id=EOS)),
    "llama": (LlamaForCausalLM, LlamaConfig(**LLAMA, tie_word_embeddings=False)),
    "llama_tied": (LlamaForCausalLM, LlamaConfig(**LLAMA, tie_word_embeddings=True, rope_parameters={
        "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32})),
}
GENERATIONS = {"greedy": {}, "penalty": {"repetition_penalty": 1.3}, "beams": {"num_beams": 3},
               "early": {"num_beams": 3, "early_stopping": True, "length_penalty": 0.5}}


def fresh(model_class, config, key):
    """Random weights far from the usual small ones, so that no bias and no norm is idle and logits differ widely."""
    model = model_class(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.ndim == 1 and name.endswith("weight"):
                p.copy_(normal(p.shape, f"{key}/{name}", 0.1, mean=1.0))
            else:
                p.copy_(normal(p.shape, f"{key}/{name}", 0.3 if p.ndim == 2 else 0.1))
    return model


def make(name, model_class, config):
    folder = os.path.join(HERE, name, "causal-lm")
    shutil.rmtree(folder, ignore_errors=True)
    config._attn_implementation = "eager"
    model = fresh(model_class, config, name)
    model.save_pretrained(folder)
    rng = np.random.RandomState(len(name))
    ids = [rng.randint(8, VOCAB, n).tolist() for n in LENGTHS]
    flat, offsets = pack(ids)
    labels = torch.tensor([x for s in ids for x in s[1:] + [-100]])
    golden = {"ids": flat, "offsets": offsets, "labels": labels.to(torch.int32)}
    out = model(input_ids=pad(ids, 0), attention_mask=pad([[1] * n for n in LENGTHS], 0),
                labels=pad(ids, -100), output_hidden_states=True)
    out.loss.backward()
    logits = unpad(out.logits, LENGTHS)
    again = torch.nn.functional.cross_entropy(logits, labels)
    assert abs(float(again - out.loss)) < 1e-6, "the loss of transformers is that of the shifted labels"
    golden |= {"loss": out.loss, "hidden": unpad(out.hidden_states[-1], LENGTHS), "logits": logits}
    golden |= {f"grad/{n}": p.grad for n, p in model.named_parameters() if p.grad is not None}

    prompts = [rng.randint(8, VOCAB, n).tolist() for n in PROMPTS]
    golden["prompt/ids"], golden["prompt/offsets"] = pack(prompts)
    for kind, options in GENERATIONS.items():
        new = []
        for prompt in prompts:
            with torch.no_grad():
                whole = model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.int64),
                                       max_new_tokens=NEW, do_sample=False, pad_token_id=0, **options)[0].tolist()
            added = whole[len(prompt):]
            new.append(added[:added.index(EOS) + 1] if EOS in added else added)
        golden[f"{kind}/ids"], golden[f"{kind}/offsets"] = pack(new)
        print(f"  {kind}: {[len(x) for x in new]} new tokens")
    save(os.path.join(folder, "golden.safetensors"), golden)


def main():
    deterministic()
    for name, (model_class, config) in MODELS.items():
        make(name, model_class, config)
        record(name, os.path.join(HERE, name), {})


if __name__ == "__main__":
    main()
