#!/usr/bin/env bash
# Fails (exit code 3) where one commit is more than 10% slower than another, in runs that take turns; guard.py says how.
# usage: guard.sh [BASE [HEAD]]     (default: HEAD, and where it left main); under five minutes with a filled ccache
# Both are built below build/guard, one after the other in the same tree, so that what they share is compiled once;
# changes that are not committed do not take part. It times the CPU: both are built without CUDA.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
head=$(git rev-parse --verify "${2:-HEAD}^{commit}")
main=$(git rev-parse --verify --quiet main || git rev-parse --verify origin/main)
base=$(git rev-parse --verify "${1:-$(git merge-base "$head" "$main")}^{commit}")
echo "base $(git log -1 --format='%h %s' "$base")"
echo "head $(git log -1 --format='%h %s' "$head")"

tree=$PWD/build/guard/tree
mkdir -p build/guard
if [ ! -e "$tree/.git" ]; then
  git worktree prune
  git worktree add --quiet --detach --force "$tree" "$base"
fi

# build NAME COMMIT
build() {
  git -C "$tree" checkout --quiet --detach --force "$2"
  (cd "$tree" &&
    SUANLI_CMAKE_ARGUMENTS=-DSUANLI_CUDA=OFF CCACHE_BASEDIR=$tree CCACHE_NOHASHDIR=1 scripts/build.sh release suanli)
  cp "$tree/build/release/suanli" "build/guard/$1"
}

build base "$base"
build head "$head"
[ -f build/model/model.safetensors ] || scripts/fetch_model.sh build/model
python3 "$here/guard.py" build/guard/base build/guard/head build/model
