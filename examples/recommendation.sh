#!/usr/bin/env bash
# Trains a recommender where there is none and starts its service at http://127.0.0.1:8000 (docs/recommendation.md).
# usage: [SUANLI=build/release/suanli] examples/recommendation.sh DATA [FOLDER] [-- OPTIONS OF THE APPLICATION]
# DATA holds ratings.csv (user,item,rating,timestamp) and items.csv or movies.csv (id,title,genres), such as MovieLens' files,
# which are not ours to give and not for commercial use. FOLDER (build/recommendation) keeps what is fetched and trained.
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ $# -eq 0 ] || [ "$1" = -- ]; then sed -n '3,5s/^# //p' "examples/recommendation.sh" >&2; exit 2; fi
data=$(cd "$here" && realpath "$1"); shift
folder=build/recommendation suanli=${SUANLI:-build/release/suanli}
if [ $# -gt 0 ] && [ "$1" != -- ]; then folder=${1%/}; shift; fi
if [ $# -gt 0 ]; then shift; fi
items=$data/items.csv
if [ ! -e "$items" ]; then items=$data/movies.csv; fi
for file in "$items" "$data/ratings.csv"; do
  if [ ! -e "$file" ]; then echo "expected $file, found none" >&2; exit 2; fi
done

if [ ! -x "$suanli" ]; then scripts/setup.sh && scripts/build.sh release suanli; fi
if [ ! -e "$folder/recommender/model.safetensors" ]; then
  scripts/fetch_model.sh "$folder/model"
  # Prints the scores beside those of popularity and of item neighbours, on each user's last like.
  "$suanli" train --config examples/recommendation.yaml --train_file "$data/ratings.csv" --items_file "$items" \
    --backbone_name_or_path "$folder/model" --output_dir "$folder/recommender" --resume_from_checkpoint true
fi
exec "$suanli" app recommendation --model "$folder/recommender" --items "$items" --interactions "$data/ratings.csv" "$@"
