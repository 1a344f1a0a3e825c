#!/usr/bin/env bash
# Fine-tunes MiniLM on four public sets with three seeds each and prints one line a run: set, seed, score, seconds.
# usage: [SEEDS="1 2"] [PRECISION=f32] finetune.sh SUANLI_BINARY MODEL_DIR DATA_DIR [OUTPUT_DIR]
# DATA_DIR has mr/ (Pang and Lee), banking77/ (PolyAI), fin_tweets/ (Twitter financial news) and wnut17/ (WNUT-17) as
# published: CSV with text and label, or CoNLL. tests/peers/finetune_reference.py is the same run in PyTorch.
set -euo pipefail
if [ $# -lt 3 ]; then sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; fi
suanli=$1 model=$2 data=$3 out=${4:-build/finetune}

# fine_tune NAME SEED SCORE ARGUMENTS...: trains, scores the last weights on the test file.
fine_tune() {
  local name=$1 seed=$2 score=$3 folder=$out/$1-$2
  shift 3
  rm -rf "$folder"
  mkdir -p "$folder"
  "$suanli" train --model_name_or_path "$model" --output_dir "$folder" --seed "$seed" --precision "${PRECISION:-bf16}" \
    --do_train --do_predict --save_strategy no --logging_steps 100 --max_seq_length 128 "$@" >"$folder/log" 2>&1 ||
    { tail -5 "$folder/log" >&2; exit 1; }
  python3 - "$folder/all_results.json" "$name" "$seed" "$score" <<'END'
import json, sys
results, name, seed, score = json.load(open(sys.argv[1])), *sys.argv[2:]
print(f"{name} seed {seed}: {score} {results[score]:.4f}, train {results['train_runtime']:.0f} s", flush=True)
END
}

for seed in ${SEEDS:-1 2 3}; do
  classify=(--task text-classification --learning_rate 1e-4 --num_train_epochs 3 --per_device_train_batch_size 32)
  fine_tune mr "$seed" predict_accuracy "${classify[@]}" \
    --train_file "$data/mr/train.csv" --test_file "$data/mr/test.csv"
  fine_tune banking77 "$seed" predict_accuracy "${classify[@]}" --label_column_name category \
    --train_file "$data/banking77/train.csv" --test_file "$data/banking77/test.csv"
  fine_tune fin_tweets "$seed" predict_accuracy "${classify[@]}" \
    --train_file "$data/fin_tweets/sent_train.csv" --test_file "$data/fin_tweets/sent_valid.csv"
  fine_tune wnut17 "$seed" predict_f1 --task token-classification --learning_rate 2e-4 --num_train_epochs 5 \
    --per_device_train_batch_size 16 --train_file "$data/wnut17/wnut17train.conll" \
    --test_file "$data/wnut17/emerging.test.annotated"
done
