#!/usr/bin/env bash
# Times Suanli and its peers side by side in one run, from training steps to start-up; bench/README.md explains it.
# usage: compare.sh [SUANLI_BINARY [MODEL_DIR]] [--quick] [--filter TEXT] [--repeats N] [--isa avx2|avx512]
#                   [--data DIR] [--json FILE] [--markdown FILE] [more options of compare.py: see compare.sh --help]
# The binary is build/release/suanli and the model MiniLM in build/model unless named. What is missing is installed:
# the peers into a virtual environment of their own (PEERS, default build/peers: 7 GB, since PyPI's PyTorch comes with
# CUDA; TORCH_INDEX names an index of CPU wheels, a tenth of that), tcmalloc (as root), the model and its texts.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
peers=${PEERS:-$root/build/peers}
suanli=$root/build/release/suanli model=$root/build/model

if [[ "${1:-}" = --help || "${1:-}" = -h ]]; then sed -n '2,7s/^# //p' "${BASH_SOURCE[0]}"; python3 "$here/compare.py" --help; exit; fi
if [[ "${1:-}" != "" && "$1" != --* ]]; then suanli=$1; shift; fi
if [[ "${1:-}" != "" && "$1" != --* ]]; then model=$1; shift; fi
[ -x "$suanli" ] || { echo "error: $suanli is no program; build it first (scripts/build.sh release)" >&2; exit 2; }

install_peers() {
  local wanted=$here/peers/requirements.txt
  if cmp -s "$wanted" "$peers/installed.txt"; then return; fi
  echo "installing the peers into $peers" >&2
  python3 -m venv "$peers" || { echo "error: python3 cannot make one; on Debian: apt-get install python3-venv" >&2; exit 2; }
  "$peers/bin/python" -m pip install --quiet ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} --requirement "$wanted"
  cp "$wanted" "$peers/installed.txt"
}

install_tcmalloc() {
  if compgen -G '/usr/lib/*/libtcmalloc_minimal.so.4' >/dev/null; then return; fi
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get install -y -qq libtcmalloc-minimal4 >&2 || true
  fi
  compgen -G '/usr/lib/*/libtcmalloc_minimal.so.4' >/dev/null ||
    echo "note: tcmalloc is not installed (libtcmalloc-minimal4): PyTorch is timed with glibc's malloc alone" >&2
}

install_peers
install_tcmalloc
[ -f "$model/model.safetensors" ] || "$root/scripts/fetch_model.sh" "$model"
"$root/scripts/fetch_text.sh" "$root/build/text"
models=$root/build/peers_models  # the folder of CTranslate2 is the last to be made
[ -d "$models/minilm/ctranslate2" ] ||
  "$peers/bin/python" "$here/peers/make_models.py" "$model" "$root/build/text/film_train.csv" "$models"
exec python3 "$here/compare.py" --suanli "$suanli" --model "$model" --models "$models" \
  --python "$peers/bin/python" --data "$root/build/text" --work "$root/build/compare" "$@"
