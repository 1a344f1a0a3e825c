#!/usr/bin/env bash
# Times Suanli and eager PyTorch side by side on MiniLM (bench/peers/compare.py says how).
# usage: compare.sh SUANLI_BINARY MODEL_DIR [more arguments of compare.py, such as --repeats 30 --json FILE]
# PYTHON names a Python that has the packages of tests/peers/requirements.txt (default: python3).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [ $# -lt 2 ]; then sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; fi
suanli=$1 model=$2
shift 2
[ -x "$suanli" ] || { echo "error: $suanli is no program; build it first" >&2; exit 2; }
[ -f "$model/model.safetensors" ] || {
  echo "error: $model has no model.safetensors; see scripts/fetch_model.sh" >&2
  exit 2
}
python=${PYTHON:-python3}
"$python" -c 'import torch, transformers' 2> /dev/null || {
  echo "error: $python has no torch and transformers. python3 -m venv ENV && ENV/bin/pip install -r" \
    "$here/../tests/peers/requirements.txt, then PYTHON=ENV/bin/python $0 ..." >&2
  exit 2
}
exec "$python" "$here/peers/compare.py" --suanli "$suanli" --model "$model" "$@"
