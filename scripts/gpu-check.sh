#!/usr/bin/env bash
# usage: scripts/gpu-check.sh [--tiny] [--page FILE] [BUILD_FOLDER]
# On a machine with an NVIDIA GPU: runs the kernel and op tests on it, compares the kernels' results with the interpreter's (tests/cuda),
# times products, convolutions, attention and training steps (beside PyTorch where python3 has torch and transformers), and writes FILE
# (docs/results-gpu.md). BUILD_FOLDER holds suanli and tests/; without it they are built. --tiny takes the least of each: a trial of this
# script, whose times mean nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
tiny="" page=docs/results-gpu.md build=""
while [ $# -gt 0 ]; do
  case $1 in
    --tiny) tiny=--tiny ;;
    --page) page=${2:?"--page wants a file"}; shift ;;
    -*) echo "usage: scripts/gpu-check.sh [--tiny] [--page FILE] [BUILD_FOLDER]" >&2; exit 2 ;;
    *) build=$1 ;;
  esac
  shift
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! { : >>"$page"; } 2>/dev/null; then  # known now, not after an hour of tests
  echo "$page cannot be written: the page comes on standard output alone" >&2
  page=$work/page_alone
fi
if [ -z "$build" ]; then
  build=build/release
  scripts/build.sh release suanli kernels_test ops_test models_test train_test
  scripts/build.sh release cuda_stand_in cublaslt_stand_in || echo "no interpreter: it wants libzstd-dev" >&2
fi

gpus=$("$build/suanli" doctor --json | python3 -c 'import json, sys; print("\n".join(json.load(sys.stdin)["gpu"]))')
echo "$gpus"
grep -q '^cuda:0 ' <<<"$gpus" || { echo "no CUDA device can be used" >&2; exit 1; }

# run_tests NAME FILTER: the tests of tests/NAME_test on the device.
run_tests() {
  SUANLI_TEST_DEVICE=cuda "$build/tests/$1_test" --gtest_filter="$2" >"$work/$1" ||
    { grep -v '^\[ *\(RUN\|OK\)' "$work/$1" | tail -60; exit 1; }
}
passed() { sed -n 's/.*PASSED.* \([0-9]*\) tests\?\..*/\1/p' "$work/$1"; }
kernels='*' interpreted='-*LongSequences:Matmul.ModelSizes:Matmul.Epilogues' ops='*'
models='Models/Golden.*' train='Models/GoldenTraining.*:Run.*:Trainer.*'
if [ -n "$tiny" ]; then
  kernels='Activation.EveryCount' interpreted=$kernels ops='Ops.EveryRowOfTheTableIsCovered:Ops.NothingIsRecordedWithoutGradients' models='Models/Golden.HiddenStates*/bert_masked_lm'
  train='Models/GoldenTraining.UsualArguments/bert_text_classification'
fi
SUANLI_TEST_RESULTS=$work/native run_tests kernels "$kernels"
run_tests ops "$ops"
run_tests models "$models"
run_tests train "$train"
summary="$(passed kernels) of kernels, $(passed ops) of ops, $(passed models) of models and $(passed train) of training passed"
if [ -e "$build/tests/cuda/lib/libcuda.so.1" ]; then
  LD_LIBRARY_PATH=$build/tests/cuda/lib SUANLI_ISA=scalar SUANLI_TEST_RESULTS=$work/interpreted run_tests kernels "$interpreted"
fi

{
  echo "# Results on a GPU"
  echo
  echo "Written by \`scripts/gpu-check.sh\`, which first ran the tests on the device: $summary."
  echo
  sed 's/^/- /' <<<"$gpus"
  python3 -B bench/gpu/check.py $tiny "$build/suanli" "$work"
  if [ -e "$work/interpreted" ]; then
    python3 -B bench/gpu/results.py "$work/native" "$work/interpreted"
  else
    printf '\nNot compared with the interpreter, which is not in this build.\n'
  fi
} >"$work/page"
cat "$work/page" >"$page"
cat "$work/page"
