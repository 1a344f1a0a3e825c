#!/usr/bin/env bash
# Starts the sentiment watch at http://127.0.0.1:8000 (docs/sentiment-watch.md).
# usage: [SUANLI=build/release/suanli] examples/sentiment_watch.sh [DATA [FOLDER]] [-- OPTIONS OF THE APPLICATION]
# Without DATA: a classifier of tweets, trained on those that PyPI's vaderSentiment brings. DATA may hold fin_tweets/sent_train.csv
# (Twitter financial news sentiment, MIT): a classifier of financial messages. Both are trained once, some minutes on two cores.
# FOLDER (build/sentiment_watch) keeps what is fetched and trained; the next start finds it there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
data="" folder=build/sentiment_watch suanli=${SUANLI:-build/release/suanli}
if [ $# -gt 0 ] && [ "$1" != -- ]; then data=${1%/}; shift; fi
if [ $# -gt 0 ] && [ "$1" != -- ]; then folder=${1%/}; shift; fi
if [ $# -gt 0 ]; then shift; fi

if [ ! -x "$suanli" ]; then scripts/setup.sh && scripts/build.sh release suanli; fi
scripts/fetch_model.sh "$folder/model"
kind=financial label=0 train=$data/fin_tweets/sent_train.csv
if [ -z "$data" ] || [ ! -e "$train" ]; then
  scripts/fetch_text.sh "$folder/text"
  kind=tweets label=negative train=$folder/text/tweets.csv
fi
if [ ! -e "$folder/$kind/model.safetensors" ]; then
  "$suanli" train --task text-classification --model_name_or_path "$folder/model" --output_dir "$folder/$kind" \
    --train_file "$train" --num_train_epochs 2 --learning_rate 2e-4 --warmup_steps 0.06 --per_device_train_batch_size 32 \
    --max_seq_length 64 --group_by_length true --precision auto --do_train --save_strategy no --logging_steps 50 --seed 1
fi
exec "$suanli" app sentiment-watch --model "$folder/$kind" --negative_label "$label" "$@"
