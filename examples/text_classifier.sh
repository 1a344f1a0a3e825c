#!/usr/bin/env bash
# From nothing to a service that tells good film reviews from bad ones, at http://127.0.0.1:8000 (docs/serving.md): fetches rated
# sentences (VADER's, MIT) and a vocabulary, trains a bidirectional LSTM from random weights (examples/recurrent.json), serves it.
# usage: [SUANLI=build/release/suanli] examples/text_classifier.sh [FOLDER] [-- OPTIONS OF suanli serve]
# FOLDER (build/text_classifier) keeps what is fetched and trained; the next start finds it there. Then:
#   curl -s localhost:8000/v2/models/sentiment/predict -d '{"inputs": ["A warm, funny film.", "Two hours that I will never get back."]}'
#   curl -s localhost:8000/v2/models/sentiment/drift                 # beside the reviews that it was trained on
#   grpcurl -plaintext -d '{"inputs": "A warm, funny film."}' localhost:8001 tei.v1.Predict/Predict
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=build/text_classifier suanli=${SUANLI:-build/release/suanli}
if [ $# -gt 0 ] && [ "$1" != -- ]; then folder=${1%/}; shift; fi
if [ $# -gt 0 ]; then shift; fi

if [ ! -x "$suanli" ]; then scripts/setup.sh && scripts/build.sh release suanli; fi
scripts/fetch_text.sh "$folder/text"
scripts/fetch_model.sh "$folder/model"  # of which the tokenizer alone is taken
if [ ! -e "$folder/sentiment/model.safetensors" ]; then
  "$suanli" train --config examples/recurrent.yaml --tokenizer_name "$folder/model" --output_dir "$folder/sentiment" \
    --train_file "$folder/text/film_train.csv" --validation_file "$folder/text/film_validation.csv" \
    --test_file "$folder/text/film_test.csv" --do_eval --do_predict --save_strategy no
fi
exec "$suanli" serve --model "$folder/sentiment" "$@"
