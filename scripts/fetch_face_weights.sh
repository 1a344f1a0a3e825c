#!/usr/bin/env bash
# Fetches the weights of MTCNN from facenet-pytorch 2.6.0 (Timothy Esler, MIT) on PyPI: model.safetensors with pnet, rnet and onet.
# usage: fetch_face_weights.sh DIR     Does nothing when DIR already holds them. Needs pip.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

[ $# -eq 1 ] || { say "usage: fetch_face_weights.sh DIR"; exit 2; }
dir=${1%/}
package=facenet-pytorch version=2.6.0
wheel_sha256=ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca
files="5981776204e032faec79e7c10c2b9c67ad96dbacf5e39d8e82d9477e0a43bfa0  model.safetensors"

if folder_is "$dir" "$files"; then say "$dir: MTCNN is there"; exit 0; fi

mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$dir.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
say "fetching $package $version from PyPI"
mkdir "$work/get" "$work/new"
unpack_wheel "$package" "$version" "$wheel_sha256" any "$work/get"
python=$(find_pip) || exit 1
data="$work/get/facenet_pytorch/data" new="$work/new"
"$python" "$here/pt_to_safetensors.py" "$new/model.safetensors" "pnet=$data/pnet.pt" "rnet=$data/rnet.pt" "onet=$data/onet.pt"
cp "$work/get/facenet_pytorch-$version.dist-info/LICENSE.md" "$new/LICENSE"
cat > "$new/NOTICE" << NOTICE
MTCNN (Zhang et al. 2016) as trained for facenet, Copyright Timothy Esler, MIT License (LICENSE), from $package $version on
PyPI; SHA-256 of the wheel: $wheel_sha256
NOTICE
folder_is "$new" "$files" || die "the weights in the wheel are not the expected ones"
chmod 755 "$new"
chmod 644 "$new"/*
put_in_place "$new" "$dir"
say "$dir: MTCNN, MIT"
