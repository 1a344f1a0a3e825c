#!/usr/bin/env bash
# Starts customer service at http://127.0.0.1:8000 (docs/customer-service.md).
# usage: [SUANLI=build/release/suanli] examples/customer_service.sh [DATA [FOLDER]] [-- OPTIONS OF THE APPLICATION]
# Without DATA: answers to general questions (PyPI chatterbot-corpus), no intents. DATA may hold medquad/faq.tsv (MedQuAD, CC BY 4.0):
# the answers; and banking77/train.csv (BANKING77, CC BY 4.0): the intents, a classifier trained once, some minutes on two cores.
# FOLDER (build/customer_service) keeps what is fetched and trained; the next start finds it there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
data="" folder=build/customer_service suanli=${SUANLI:-build/release/suanli}
if [ $# -gt 0 ] && [ "$1" != -- ]; then data=${1%/}; shift; fi
if [ $# -gt 0 ] && [ "$1" != -- ]; then folder=${1%/}; shift; fi
if [ $# -gt 0 ]; then shift; fi

if [ ! -x "$suanli" ]; then scripts/setup.sh && scripts/build.sh release suanli; fi
scripts/fetch_model.sh "$folder/model"
answers=$data/medquad/faq.tsv options=()
if [ -z "$data" ] || [ ! -e "$answers" ]; then
  scripts/fetch_dialogues.sh "$folder/dialogues"
  answers=$folder/dialogues/answers.tsv
fi
if [ -n "$data" ] && [ -e "$data/banking77/train.csv" ]; then
  if [ ! -e "$folder/intents/model.safetensors" ]; then
    "$suanli" train --task text-classification --model_name_or_path "$folder/model" --output_dir "$folder/intents" \
      --train_file "$data/banking77/train.csv" --label_column_name category --num_train_epochs 3 --learning_rate 3e-4 \
      --warmup_steps 0.06 --per_device_train_batch_size 32 --max_seq_length 64 --group_by_length true --precision auto \
      --do_train --save_strategy no --logging_steps 50 --seed 1
  fi
  options=(--intents "$folder/intents")
fi
exec "$suanli" app customer-service --answers "$answers" --encoder "$folder/model" --index_dir "$folder/index" "${options[@]}" "$@"
