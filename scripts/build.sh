#!/usr/bin/env bash
# usage: scripts/build.sh PRESET [TARGET ...]: configures and builds a preset of CMakePresets.json into build/PRESET.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
cmake --preset "$preset" ${SUANLI_CMAKE_ARGUMENTS:-} >"/dev/null"
cmake --build --preset "$preset" ${1:+--target "$@"} | { grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)' || true; }
