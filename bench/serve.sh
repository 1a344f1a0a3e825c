#!/usr/bin/env bash
# Times `suanli serve` beside other servers of the same model in one run; bench/README.md explains it.
# usage: serve.sh [SUANLI_BINARY [MODEL_DIR]] [--quick] [--parts load,overhead,overload] [--repeats N] [--seconds S]
#                 [--json FILE] [--markdown FILE]
# The binary is build/release/suanli and the model MiniLM in build/model unless named. What is missing is installed: wrk
# (as root), the model and its texts, and the peers into two virtual environments: PEERS (default build/peers, that of
# compare.sh) and INFINITY (default build/peers_infinity; 6 GB). TORCH_INDEX names an index of CPU wheels of PyTorch.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
peers=${PEERS:-$root/build/peers} infinity=${INFINITY:-$root/build/peers_infinity}
suanli=$root/build/release/suanli model=$root/build/model work=$root/build/serve

if [[ "${1:-}" = --help || "${1:-}" = -h ]]; then sed -n '2,7s/^# //p' "${BASH_SOURCE[0]}"; python3 "$here/serve.py" --help; exit; fi
if [[ "${1:-}" != "" && "$1" != --* ]]; then suanli=$1; shift; fi
if [[ "${1:-}" != "" && "$1" != --* ]]; then model=$1; shift; fi
[ -x "$suanli" ] || { echo "error: $suanli is no program; build it first (scripts/build.sh release)" >&2; exit 2; }

# install FOLDER REQUIREMENTS...
install() {
  local folder=$1 wanted
  shift
  wanted=$(cat "$@")
  if [ "$wanted" = "$(cat "$folder/installed_serve.txt" 2>/dev/null)" ]; then return; fi
  echo "installing peers into $folder" >&2
  [ -x "$folder/bin/python" ] || python3 -m venv "$folder" ||
    { echo "error: python3 cannot make one; on Debian: apt-get install python3-venv" >&2; exit 2; }
  "$folder/bin/python" -m pip install --quiet ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} "${@/#/--requirement=}" || return 1
  echo "$wanted" >"$folder/installed_serve.txt"
}

install_wrk() {
  if command -v wrk >/dev/null; then return; fi
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get install -y -qq wrk >&2; fi
  command -v wrk >/dev/null || { echo "error: wrk is not installed; on Debian: apt-get install wrk" >&2; exit 2; }
}

install_wrk
install "$peers" "$here/peers/requirements.txt" "$here/peers/requirements_serve.txt"
with_infinity=()
if install "$infinity" "$here/peers/requirements_infinity.txt"; then with_infinity=(--infinity "$infinity/bin/infinity_emb")
else echo "note: infinity cannot be installed here (it needs a Python below 3.14): the others are timed without it" >&2; fi
[ -f "$model/model.safetensors" ] || "$root/scripts/fetch_model.sh" "$model"
"$root/scripts/fetch_text.sh" "$root/build/text"
mkdir -p "$work"
if [ ! -f "$work/encoder.onnx" ]; then
  "$peers/bin/python" -W ignore "$here/peers/export_onnx.py" "$model" "$work/encoder.onnx.part"
  mv "$work/encoder.onnx.part" "$work/encoder.onnx"
fi
python3 "$root/tests/peers/sentences_from_csv.py" 512 "$work/sentences.txt" \
  "$root"/build/text/{film_train,tweets,products,editorials}.csv
exec python3 "$here/serve.py" --suanli "$suanli" --model "$model" --onnx "$work/encoder.onnx" --work "$work" \
  --python "$peers/bin/python" "${with_infinity[@]}" --sentences "$work/sentences.txt" "$@"
