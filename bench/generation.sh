#!/usr/bin/env bash
# Times texts that `suanli serve` writes beside llama-cpp-python's server: SmolLM2-135M, the same weights in f32 and in 8 bits.
# usage: generation.sh [SUANLI_BINARY] [--clients 1,8] [--tokens N] [--repeats N]
# The binary is build/release/suanli unless named. The model and llama-cpp-python (which is compiled: it needs cmake and a
# compiler) are installed; PEERS is the virtual environment (default build/peers, that of compare.sh).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
peers=${PEERS:-$root/build/peers} suanli=$root/build/release/suanli work=$root/build/generation
if [[ "${1:-}" != "" && "$1" != --* ]]; then suanli=$1; shift; fi
[ -x "$suanli" ] || { echo "error: $suanli is no program; build it first (scripts/build.sh release)" >&2; exit 2; }
[ -x "$peers/bin/python" ] || python3 -m venv "$peers"
"$peers/bin/python" -c 'import gguf, llama_cpp.server.app' 2>/dev/null ||
  "$peers/bin/python" -m pip install --quiet gguf 'llama-cpp-python[server]'
mkdir -p "$work"
"$root/scripts/fetch_smollm2.sh" "$work/smollm2"
gguf=$work/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
[ -f "$work/model/config.json" ] || "$suanli" convert --input "$gguf" --output_dir "$work/model"
for format in F32 Q8_0; do
  if [ ! -f "$work/$format.gguf" ]; then
    "$peers/bin/python" "$here/peers/requantize_gguf.py" "$gguf" "$work/$format.part" "$format"
    mv "$work/$format.part" "$work/$format.gguf"
  fi
  "$peers/bin/python" "$here/serving/generation.py" --suanli "$suanli" --python "$peers/bin/python" --model "$work/model" \
    --gguf "$work/$format.gguf" --format "$format" --json "$work/$format.json" "$@"
done
