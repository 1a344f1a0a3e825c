#!/usr/bin/env bash
# Fails when this tree's kernels are more than 10% slower than those of another commit, in runs that take turns.
# usage: guard.sh [COMMIT]     (default: where this branch left origin/main); exit code 3: slower
# Both are built in build/guard; the second build reuses the compiler cache.
set -euo pipefail
cd "$(dirname "$0")/.."
base=${1:-$(git merge-base HEAD origin/main)}
rm -rf build/guard/base
git worktree prune
git worktree add --detach --force build/guard/base "$base" >/dev/null
trap 'git worktree remove --force build/guard/base' EXIT
for side in base head; do
  source=.
  if [ $side = base ]; then source=build/guard/base; fi
  cmake -S $source -B build/guard/$side.build -G Ninja -DCMAKE_BUILD_TYPE=Release -DSUANLI_TESTS=OFF -DSUANLI_UNITY=ON >/dev/null
  cmake --build build/guard/$side.build --target suanli >/dev/null
done
python3 bench/guard.py build/guard/base.build/suanli build/guard/head.build/suanli
