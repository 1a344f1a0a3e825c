#!/usr/bin/env bash
# From nothing to a sentiment classifier: installs what is needed, builds, fetches a model and film reviews, fine-tunes, tests, classifies.
# usage: scripts/quickstart.sh [FOLDER]     everything it makes goes to FOLDER (default: quickstart)
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-quickstart}

step() { printf '\n== %s\n' "$*"; }

step "install what is needed"
scripts/setup.sh
step "build"
scripts/build.sh release suanli
suanli=build/release/suanli

step "fetch a pre-trained model and rated sentences"
scripts/fetch_model.sh "$folder/model"
scripts/fetch_text.sh "$folder/text"

step "fine-tune on film reviews, test on film reviews"
"$suanli" train --config examples/quickstart.yaml \
  --model_name_or_path "$folder/model" --output_dir "$folder/sentiment" \
  --train_file "$folder/text/film_train.csv" --validation_file "$folder/text/film_validation.csv" \
  --test_file "$folder/text/film_test.csv"

for other in tweets products; do
  step "test on $other, which it never saw"
  "$suanli" eval --model_name_or_path "$folder/sentiment" --validation_file "$folder/text/$other.csv" \
    --output_dir "$folder/eval_$other"
done

step "classify three sentences"
printf '%s\n' "A warm, funny film with a wonderful cast." "Two hours of my life that I will never get back." \
  "Not bad at all; the ending surprised me." | "$suanli" predict --model "$folder/sentiment"
printf '\nThe model is a Hugging Face folder: %s\n' "$folder/sentiment"
