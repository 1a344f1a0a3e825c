"""Makes the golden values of question answering: small random BERT, RoBERTa and DistilBERT with two outputs a token
(FAMILY/question-answering), and answers of the question-answering pipeline (question_pipeline/).

usage: make_question.py TRANSFORMERS4     (writes beside itself)

TRANSFORMERS4: a folder of `pip install --target` with transformers 4.57.1, huggingface_hub 0.36.0 and tokenizers 0.22.1,
without dependencies: version 5 has the models, but no longer the pipeline.

golden.safetensors: ids, types [T], offsets [B+1] as of the other heads; labels [2B] i32: start and end of each sequence;
hidden [T,32]; logits [T,2]; loss: the mean over the sequences of the loss of each alone, since transformers' own loss of
a batch counts padding among the tokens; grad/NAME.
question_pipeline: a tiny BERT with a vocabulary of words and pieces, and answers.json: per case question, context and
top 5 answers without and with that there is none, windows of 32 tokens sharing 8.
"""
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import torch
from golden_common import HERE, deterministic, pack, record, save, unpad
from make_golden import COMMON, LENGTHS, fresh, sequences
from transformers import (BertConfig, BertForQuestionAnswering, DistilBertConfig, DistilBertForQuestionAnswering,
                          RobertaConfig, RobertaForQuestionAnswering)

FAMILIES = {
    "bert": (BertConfig(**COMMON, max_position_embeddings=40), BertForQuestionAnswering),
    "roberta": (RobertaConfig(**COMMON, max_position_embeddings=42, type_vocab_size=1, layer_norm_eps=1e-5),
                RobertaForQuestionAnswering),
    "distilbert": (DistilBertConfig(vocab_size=COMMON["vocab_size"], dim=32, n_layers=2, n_heads=2, hidden_dim=64,
                                    max_position_embeddings=40, dropout=0.0, attention_dropout=0.0, qa_dropout=0.0),
                   DistilBertForQuestionAnswering),
}
PIPELINE = """
import json, sys
from transformers import AutoModelForQuestionAnswering, BertTokenizerFast, QuestionAnsweringPipeline, __version__
folder, cases = sys.argv[1], json.loads(sys.argv[2])
pipe = QuestionAnsweringPipeline(model=AutoModelForQuestionAnswering.from_pretrained(folder),
                                 tokenizer=BertTokenizerFast(folder + "/vocab.txt", model_max_length=64, strip_accents=False), framework="pt")
out = []
for question, context in cases:
    row = {"question": question, "context": context}
    for name, impossible in (("answers", False), ("answers_or_none", True)):
        row[name] = pipe(question=question, context=context, top_k=5, max_seq_len=32, doc_stride=8, max_answer_len=30,
                         handle_impossible_answer=impossible)
    out.append(row)
print(json.dumps({"transformers": __version__, "cases": out}))
"""


def make(family, config, model_class):
    key = f"{family}/question-answering"
    folder = os.path.join(HERE, family, "question-answering")
    shutil.rmtree(folder, ignore_errors=True)
    config._attn_implementation = "eager"
    model = fresh(model_class, config, key)
    model.save_pretrained(folder)
    rng = np.random.RandomState(int.from_bytes(key.encode(), "little") % 2**32)
    ids, types = sequences(rng, LENGTHS, family == "bert")
    starts = [int(rng.randint(0, n)) for n in LENGTHS]
    ends = [int(rng.randint(s, n)) for s, n in zip(starts, LENGTHS)]
    loss, hidden, logits = 0, [], []
    for i, row in enumerate(ids):
        inputs = {"input_ids": torch.tensor([row]), "attention_mask": torch.ones((1, len(row)), dtype=torch.long)}
        if types is not None:
            inputs["token_type_ids"] = torch.tensor([types[i]])
        out = model(**inputs, start_positions=torch.tensor([starts[i]]), end_positions=torch.tensor([ends[i]]),
                    output_hidden_states=True)
        loss = loss + out.loss / len(ids)
        hidden.append(out.hidden_states[-1][0])
        logits.append(torch.stack([out.start_logits[0], out.end_logits[0]], dim=-1))
    loss.backward()
    flat, offsets = pack(ids)
    golden = {"ids": flat, "offsets": offsets, "types": torch.zeros_like(flat) if types is None else pack(types)[0],
              "labels": torch.tensor([x for pair in zip(starts, ends) for x in pair], dtype=torch.int32),
              "loss": loss, "hidden": torch.cat(hidden), "logits": torch.cat(logits)}
    golden |= {f"grad/{n}": p.grad for n, p in model.named_parameters() if p.grad is not None}
    save(os.path.join(folder, "golden.safetensors"), golden)


def make_pipeline(transformers4):
    folder = os.path.join(HERE, "question_pipeline")
    shutil.rmtree(folder, ignore_errors=True)
    words = ("what who where when is was the a of in by and born built color tower river city king queen paris london "
             "anna bob red blue green old new big on to from . , ? ' - café 北 京").split()
    pieces = "##s ##ed ##ing ##er ##town ##ville ##land ##ton".split()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + words + pieces
    config = BertConfig(vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=64, max_position_embeddings=64, hidden_dropout_prob=0.0,
                        attention_probs_dropout_prob=0.0)
    fresh(BertForQuestionAnswering, config, "question_pipeline").save_pretrained(folder)
    with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(vocabulary) + "\n")
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as file:
        json.dump({"do_lower_case": True, "strip_accents": False, "model_max_length": 64}, file)
    rng = np.random.RandomState(7)
    fill = [w for w in words if w.isalpha()]
    suffix = ["", "", "", "s", "ed", "town", "ville", "ton"]
    text = lambda n: " ".join(fill[rng.randint(len(fill))].title() + suffix[rng.randint(len(suffix))] for _ in range(n))
    cases = [["who was born in paris ?", "Anna was born in Paris. Bob was born in London."],
             ["what color is the tower ?", "The old tower of the city is red, the new café tower is blue-green."],
             ["where is 北京 ?", "北京 is a big city. 🙂 Londonville is by the river."],
             ["who built the tower ?", text(60)], ["when ?", text(90)], ["what is by the river ?", text(25)]]
    answers = subprocess.run([sys.executable, "-c", PIPELINE, folder, json.dumps(cases)], check=True,
                             capture_output=True, text=True, env={**os.environ, "PYTHONPATH": transformers4}).stdout
    with open(os.path.join(folder, "answers.json"), "w", encoding="utf-8") as file:
        json.dump(json.loads(answers.splitlines()[-1]), file, indent=1)


def main():
    deterministic()
    for family, (config, model_class) in FAMILIES.items():
        make(family, config, model_class)
        record(f"{family}/question-answering", os.path.join(HERE, family, "question-answering"), {})
    make_pipeline(sys.argv[1])
    record("question_pipeline", os.path.join(HERE, "question_pipeline"), {})


if __name__ == "__main__":
    main()
