#!/usr/bin/env bash
# Learning more without forgetting: MiniLM learns half of banking77's classes, then the other half in four ways; prints the accuracy
# on the test texts of both halves after each.
# usage: [SEED=1] [EPOCHS=3] [PRECISION=f32] continual.sh SUANLI_BINARY MODEL_DIR BANKING77_DIR [OUTPUT_DIR]
# BANKING77_DIR has train.csv and test.csv (PolyAI). Classes are sorted by name; the first half is every second one.
set -euo pipefail
if [ $# -lt 3 ]; then sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; fi
suanli=$1 model=$2 data=$3 out=${4:-build/continual}
mkdir -p "$out"
python3 - "$data" "$out" <<'END'
import csv, sys
data, out = sys.argv[1:]
rows = {part: list(csv.DictReader(open(f"{data}/{part}.csv", newline=""))) for part in ("train", "test")}
first = set(sorted({row["category"] for row in rows["train"]})[::2])
for part, all_rows in rows.items():
    for half in ("old", "new"):
        with open(f"{out}/{half}_{part}.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, ["text", "category"])
            writer.writeheader()
            writer.writerows(row for row in all_rows if (row["category"] in first) == (half == "old"))
END

# learn NAME ARGUMENTS...: trains into OUT/NAME and prints its scores.
learn() {
  local folder=$out/$1
  rm -rf "$folder"
  mkdir -p "$folder"
  "$suanli" train --output_dir "$folder" --seed "${SEED:-1}" --precision "${PRECISION:-bf16}" --task text-classification \
    --label_column_name category --learning_rate 1e-4 --num_train_epochs "${EPOCHS:-3}" --per_device_train_batch_size 32 \
    --do_train --do_eval --save_strategy no --logging_steps 100 --max_seq_length 128 "${@:2}" >"$folder/log" 2>&1 ||
    { tail -5 "$folder/log" >&2; exit 1; }
  python3 - "$folder/all_results.json" "$1" <<'END'
import json, sys
results, name = json.load(open(sys.argv[1])), sys.argv[2]
shown = {"eval": "on its own half", "eval_old": "on the old half"}
print(name + ": " + ", ".join(f"{results[key + '_accuracy']:.4f} {text}" for key, text in shown.items()
                              if key + "_accuracy" in results), flush=True)
END
}

learn old --model_name_or_path "$model" --train_file "$out/old_train.csv" --validation_file "$out/old_test.csv"
more=(--continue_from "$out/old" --train_file "$out/new_train.csv" --validation_file "$out/new_test.csv"
      --old_validation_file "$out/old_test.csv")
learn new "${more[@]}"
learn new_replay "${more[@]}" --replay "$out/old_train.csv" --replay_ratio 0.2
learn new_ewc "${more[@]}" --replay "$out/old_train.csv" --replay_ratio 0 --ewc_lambda "${LAMBDA:-1000}"
learn new_replay_ewc "${more[@]}" --replay "$out/old_train.csv" --replay_ratio 0.2 --ewc_lambda "${LAMBDA:-1000}"
