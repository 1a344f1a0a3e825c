#!/usr/bin/env bash
# Fetches Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) from Debian: 60,000 and 10,000 pictures of clothes, 28x28, ten classes.
# usage: fetch_fashion_mnist.sh DIR     Does nothing when DIR already holds it. Needs apt-get with its package lists.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

[ $# -eq 1 ] || { say "usage: fetch_fashion_mnist.sh DIR"; exit 2; }
dir=${1%/}
package=dataset-fashion-mnist
files="b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7  train-images-idx3-ubyte.gz
0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056  train-labels-idx1-ubyte.gz
cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa  t10k-images-idx3-ubyte.gz
8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05  t10k-labels-idx1-ubyte.gz"

if folder_is "$dir" "$files"; then say "$dir: Fashion-MNIST is there"; exit 0; fi

mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$(cd "$(dirname "$dir")" && pwd)/$(basename "$dir").tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
say "fetching $package from Debian (31 MB)"
mkdir "$work/get" "$work/new"
(cd "$work/get" && apt-get download --quiet "$package" >"$work/log" 2>&1) ||
  { cat "$work/log" >&2; die "apt-get could not fetch $package; run apt-get update first"; }
dpkg-deb --extract "$work"/get/*.deb "$work/get"
cp "$work"/get/usr/share/datasets/fashion-mnist/*.gz "$work/new"
cp "$work/get/usr/share/doc/$package/copyright" "$work/new/LICENSE"
cat >"$work/new/NOTICE" <<NOTICE
Fashion-MNIST of Zalando SE as Debian's package $package holds it (MIT, LICENSE).
NOTICE
folder_is "$work/new" "$files" || die "$package does not hold the expected files"
chmod 755 "$work/new"
chmod 644 "$work"/new/*
put_in_place "$work/new" "$dir"
say "$dir: Fashion-MNIST"
