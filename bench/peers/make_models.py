"""Makes what the peers read, from a MiniLM folder, once: make_models.py MODEL_FOLDER TEXTS OUTPUT_FOLDER.

TEXTS is a CSV whose text column calibrates quantisation (scripts/fetch_text.sh fetches some).

OUTPUT/minilm                       the folder itself with onnx/, openvino/ and ctranslate2/ beside its files
OUTPUT/{minilm,bert-base}-TASK      folders to train: all weights there, new heads drawn with a fixed seed; BERT-base
                                    is bert-base-uncased's configuration with random weights and MiniLM's tokenizer
OUTPUT/{gpt2,lstm,resnet18}         random weights: GPT-2 small, an LSTM of two layers of 512, ResNet-18 for ten classes
OUTPUT/pictures                     32 JPEG files of 500 x 375 pixels, smooth noise, about as large as photographs
OUTPUT/...-check                    the same without dropout, so that losses can be compared
"""
import csv
import itertools
import json
import os
import shutil
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import numpy
import torch
import transformers
from export_onnx import export_encoder
from PIL import Image
from recurrent import LstmClassifier
from transformers import (AutoModelForMaskedLM, AutoModelForSequenceClassification, BertConfig, GPT2Config,
                          GPT2LMHeadModel, ResNetConfig, ResNetForImageClassification)

TASKS = {"masked-lm": AutoModelForMaskedLM, "text-classification": AutoModelForSequenceClassification}
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json")
CALIBRATION_TEXTS = 200
PICTURES = 32


def once(folder, make):
    """Makes a folder whole or not at all."""
    if os.path.exists(folder):
        return
    print(f"making {folder}", file=sys.stderr)
    shutil.rmtree(folder + ".part", ignore_errors=True)
    os.makedirs(folder + ".part")
    make(folder + ".part")
    os.rename(folder + ".part", folder)


LSTM = {"model_type": "lstm", "architectures": ["LSTMForSequenceClassification"], "vocab_size": 30522,
        "embedding_dim": 512, "hidden_size": 512, "num_layers": 2, "dropout": 0.1, "num_labels": 2}


def random_model(source, folder, make):
    """With MiniLM's tokenizer, whose ids the cases use."""
    torch.manual_seed(1)
    make().save_pretrained(folder)
    copy_tokenizer(source, folder)


def write_pictures(folder):
    generator = numpy.random.default_rng(1)
    for number in range(PICTURES):
        smooth = Image.fromarray(generator.integers(0, 256, (47, 63, 3), dtype=numpy.uint8)).resize((500, 375), Image.BICUBIC)
        grain = generator.normal(0, 8, (375, 500, 3))
        pixels = numpy.clip(numpy.asarray(smooth) + grain, 0, 255).astype(numpy.uint8)
        Image.fromarray(pixels).save(os.path.join(folder, f"{number}.jpg"), quality=90)


def copy_tokenizer(source, folder):
    for name in TOKENIZER:
        if os.path.exists(os.path.join(source, name)):
            shutil.copy(os.path.join(source, name), folder)


def trainable(source, folder, task, config=None):
    torch.manual_seed(1)
    model = TASKS[task].from_config(config) if config else TASKS[task].from_pretrained(source)
    model.save_pretrained(folder)
    copy_tokenizer(source, folder)


def without_dropout(source, folder):
    for name in os.listdir(source):
        os.link(os.path.join(source, name), os.path.join(folder, name))
    with open(os.path.join(source, "config.json"), encoding="utf-8") as f:
        config = json.load(f)
    config |= {key: 0.0 for key in config if "dropout" in key or key.endswith("_pdrop")}
    os.remove(os.path.join(folder, "config.json"))
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as f:
        json.dump(config, f, indent=2)


def export_onnx(model, folder, _):
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers import optimizer
    file = lambda name: os.path.join(folder, name)
    export_encoder(model, file("encoder.onnx"))
    with open(os.path.join(model, "config.json"), encoding="utf-8") as f:
        config = json.load(f)
    fused = optimizer.optimize_model(file("encoder.onnx"), model_type="bert", num_heads=config["num_attention_heads"],
                                     hidden_size=config["hidden_size"], use_gpu=False)
    fused.save_model_to_file(file("encoder-fused.onnx"))
    quantize_dynamic(file("encoder-fused.onnx"), file("encoder-int8.onnx"), weight_type=QuantType.QInt8,
                     per_channel=True, extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})


def export_openvino(model, folder, texts):
    import nncf
    import openvino
    from inference import padded, tokenizer_of
    converted = openvino.convert_model(os.path.join(model, "onnx", "encoder.onnx"))
    openvino.save_model(converted, os.path.join(folder, "encoder.xml"), compress_to_fp16=False)
    tokenizer = tokenizer_of(model)
    with open(texts, encoding="utf-8", newline="") as f:
        rows = list(itertools.islice(csv.DictReader(f), CALIBRATION_TEXTS))
    samples = [padded([tokenizer.encode(row["text"]).ids]) for row in rows]
    data = nncf.Dataset([{"input_ids": ids, "attention_mask": mask} for ids, mask in samples])
    quantized = nncf.quantize(converted, data, model_type=nncf.ModelType.TRANSFORMER, subset_size=len(samples))
    openvino.save_model(quantized, os.path.join(folder, "encoder-int8.xml"))


def export_ctranslate2(model, folder, _):
    from ctranslate2.converters import TransformersConverter
    TransformersConverter(model).convert(folder, force=True)


def main():
    source, texts, output = sys.argv[1:]
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    at = lambda name: os.path.join(output, name)
    once(at("minilm"), lambda folder: shutil.copytree(source, folder, dirs_exist_ok=True))
    for size, config in (("minilm", None), ("bert-base", BertConfig())):
        for task in TASKS:
            name = at(f"{size}-{task}")
            once(name, lambda folder, task=task, config=config: trainable(source, folder, task, config))
            once(name + "-check", lambda folder, name=name: without_dropout(name, folder))
    gpt2 = lambda: GPT2LMHeadModel(GPT2Config())
    resnet18 = lambda: ResNetForImageClassification(ResNetConfig(
        embedding_size=64, hidden_sizes=[64, 128, 256, 512], depths=[2, 2, 2, 2], layer_type="basic", num_labels=10))
    for name, make in {"gpt2": gpt2, "lstm": lambda: LstmClassifier(LSTM), "resnet18": resnet18}.items():
        once(at(name), lambda folder, make=make: random_model(source, folder, make))
        if name != "resnet18":
            once(at(name + "-check"), lambda folder, name=name: without_dropout(at(name), folder))
    once(at("pictures"), write_pictures)
    exports = {"onnx": export_onnx, "openvino": export_openvino, "ctranslate2": export_ctranslate2}
    for name, export in exports.items():
        once(at(f"minilm/{name}"), lambda folder, export=export: export(at("minilm"), folder, texts))


if __name__ == "__main__":
    main()
