#!/usr/bin/env bash
# Fetches Silero VAD 6.2.3 (Silero Team, MIT) from PyPI: model.safetensors (16 kHz), and silero_vad.jit to check it with.
# usage: fetch_voice_activity.sh DIR     Does nothing when DIR already holds them. Needs pip.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

[ $# -eq 1 ] || { say "usage: fetch_voice_activity.sh DIR"; exit 2; }
dir=${1%/}
package=silero-vad version=6.2.3
wheel_sha256=7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8
files="c59271c284ae9c8335d795d60e0bfdb71aaaceec578d9bd9ffc1b8153c319ea1  model.safetensors
e1122837f4154c511485fe0b9c64455f7b929c96fbb8d79fbdb336383ebd3720  silero_vad.jit"

if folder_is "$dir" "$files"; then say "$dir: Silero VAD is there"; exit 0; fi

mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$dir.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
say "fetching $package $version from PyPI"
mkdir "$work/get" "$work/new"
pip_download "$package" "$version" "$wheel_sha256" "$work/get" wheel
wheel=$(echo "$work"/get/*.whl)
sha256_is "$wheel" "$wheel_sha256" || die "$wheel does not have the expected SHA-256 $wheel_sha256"
"$(find_pip)" -m zipfile -e "$wheel" "$work/get"
new="$work/new"
cp "$work/get/silero_vad/data/silero_vad_16k.safetensors" "$new/model.safetensors"
cp "$work/get/silero_vad/data/silero_vad.jit" "$new/silero_vad.jit"
cp "$work/get/silero_vad-$version.dist-info/licenses/LICENSE" "$new/LICENSE"
cat > "$new/NOTICE" << NOTICE
Silero VAD, Copyright Silero Team, MIT License (LICENSE), from $package $version on PyPI; SHA-256 of the wheel:
$wheel_sha256
NOTICE
folder_is "$new" "$files" || die "the files in $wheel are not the expected ones"
chmod 755 "$new"
chmod 644 "$new"/*
put_in_place "$new" "$dir"
say "$dir: Silero VAD, MIT"
