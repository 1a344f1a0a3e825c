#!/usr/bin/env bash
# Fails (exit code 3) where one commit is more than 10% slower than another, in runs that take turns; guard.py says how.
# usage: guard.sh [BASE [HEAD]]     (default: HEAD, and where it left main); under five minutes with a filled ccache
# Both are checked out and built below build/guard; changes that are not committed do not take part.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
head=$(git rev-parse --verify "${2:-HEAD}^{commit}")
base=$(git rev-parse --verify "${1:-$(git merge-base "$head" main)}^{commit}")
echo "base $(git log -1 --format='%h %s' "$base")"
echo "head $(git log -1 --format='%h %s' "$head")"

# build NAME COMMIT: trees and build folders stay, so that a next run builds little.
build() {
  local tree=$PWD/build/guard/$1
  if [ -e "$tree/.git" ]; then
    git -C "$tree" checkout --quiet --detach --force "$2"
  else
    git worktree prune
    git worktree add --quiet --detach --force "$tree" "$2"
  fi
  (cd "$tree" && CCACHE_BASEDIR=$tree CCACHE_NOHASHDIR=1 scripts/build.sh release suanli)
}

mkdir -p build/guard
build base "$base"
build head "$head"
[ -f build/model/model.safetensors ] || scripts/fetch_model.sh build/model
python3 "$here/guard.py" build/guard/base/build/release/suanli build/guard/head/build/release/suanli build/model
