#!/usr/bin/env bash
# How good customer service is: intents of banking77, answers of medquad asked in other words, messages of clinc150 that nothing fits.
# Thresholds are chosen on the part held out (at most 5% of its messages answered wrongly), figures are those of the test part.
# usage: [EPOCHS=3] [PRECISION=bf16] customer_service.sh SUANLI_BINARY MODEL_DIR DATA_DIR [OUTPUT_DIR]
# DATA_DIR has banking77/, clinc150/ and medquad/. OUTPUT_DIR keeps the trained classifier (intents/) for the next run.
set -euo pipefail
if [ $# -lt 3 ]; then sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
suanli=$1 model=$2 data=$3 out=${4:-build/customer_service} precision=${PRECISION:-bf16}
mkdir -p "$out"
python3 "$here/customer_service.py" "$data" "$out" >&2
if [ ! -e "$out/intents/model.safetensors" ]; then
  "$suanli" train --task text-classification --model_name_or_path "$model" --output_dir "$out/intents" \
    --train_file "$out/intents_train.csv" --num_train_epochs "${EPOCHS:-3}" --learning_rate 3e-4 --warmup_steps 0.06 \
    --per_device_train_batch_size 32 --max_seq_length 64 --group_by_length true --precision "$precision" --do_train \
    --save_strategy no --seed 1 > "$out/train.log" 2>&1 || { tail -5 "$out/train.log" >&2; exit 1; }
fi
"$suanli" app customer-service --answers "$data/medquad/faq.tsv" --encoder "$model" --intents "$out/intents" \
  --index_dir "$out/index" --precision "$precision" \
  --intent_holdout "$out/intents_holdout.csv" --intent_test "$out/intents_test.csv" \
  --question_holdout "$out/questions_holdout.csv" --question_test "$out/questions_test.csv" > "$out/figures.json"
python3 - "$out/figures.json" <<'END'
import json, sys
figures = json.load(open(sys.argv[1]))
intents, questions = figures["intents"], figures["questions"]
print(f"intent accuracy {intents['accuracy']:.4f}")
print("questions: " + ", ".join(f"recall@{k} {questions[f'recall@{k}']:.4f}" for k in (1, 5, 20)))
for name, part in figures.items():
    for row in [part["test"]] + part["curve"]:
        print(f"{name}: threshold {row['threshold']:.4f}  answered {row['coverage']:.4f} of {row['in_scope']}  "
              f"wrong {row['answered_wrong']}  out of scope answered {row['answered_out_of_scope']} of {row['out_of_scope']}  "
              f"wrong and confident {row['wrong_confident_rate']:.4f} of all  wrong of the answers {row['error_of_answers']:.4f}")
END
