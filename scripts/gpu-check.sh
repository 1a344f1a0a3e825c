#!/usr/bin/env bash
# usage: scripts/gpu-check.sh [BUILD_FOLDER]: on a machine with an NVIDIA GPU, runs the kernel and op tests on it, times
# products, attention and training steps (beside PyTorch where python3 has torch and transformers), and writes
# docs/results-gpu.md. BUILD_FOLDER holds suanli, tests/kernels_test, ops_test, models_test
# and train_test; without it they are built.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
[ $# -gt 0 ] || scripts/build.sh release suanli kernels_test ops_test models_test train_test

gpus=$("$build/suanli" doctor --json | python3 -c 'import json, sys; print("\n".join(json.load(sys.stdin)["gpu"]))')
echo "$gpus"
grep -q '^cuda:0 ' <<<"$gpus" || { echo "no CUDA device can be used" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
run_tests() {
  SUANLI_TEST_DEVICE=cuda "$build/tests/$1_test" "${@:2}" >"$work/$1" ||
    { grep -v '^\[ *\(RUN\|OK\)' "$work/$1" | tail -60; exit 1; }
}
run_tests kernels
run_tests ops
run_tests models --gtest_filter='Models/Golden.*'
run_tests train --gtest_filter='Models/GoldenTraining.*:Run.*:Trainer.*'
passed() { sed -n 's/.*PASSED.* \([0-9]*\) tests.*/\1/p' "$work/$1"; }

{
  echo "# Results on a GPU"
  echo
  echo "Written by \`scripts/gpu-check.sh\`, which first ran the tests on the device: $(passed kernels) of kernels," \
    "$(passed ops) of ops, $(passed models) of models and $(passed train) of training passed."
  echo
  sed 's/^/- /' <<<"$gpus"
  python3 bench/gpu/check.py "$build/suanli" "$work"
} >"$work/page"
mv "$work/page" docs/results-gpu.md
cat docs/results-gpu.md
