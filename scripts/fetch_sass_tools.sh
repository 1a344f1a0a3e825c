#!/usr/bin/env bash
# Fetches cuobjdump and nvdisasm, which show the machine code of CUDA kernels, from PyPI: the toolkit of the build need not have them.
# usage: fetch_sass_tools.sh DIR     Does nothing when DIR already holds them. Needs pip.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -eq 1 ] || { say "usage: fetch_sass_tools.sh DIR"; exit 2; }
dir=${1%/}
version=13.2.51
files="903c5e1324669c1222b13ede0fc7226f48f7db355669f2912f0236031c56e1bf  cuobjdump
723fccdd8a77936df862bf65e3ee4e2925331b396d11978a8c6c301f3e9b979d  nvdisasm"

if folder_is "$dir" "$files"; then say "$dir: cuobjdump and nvdisasm are there"; exit 0; fi

mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$dir.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
say "fetching cuobjdump and nvdisasm $version from PyPI (5 MB)"
mkdir "$work/new"
pip_download nvidia-cuda-cuobjdump $version 95c69d3ddf0c2c1f535ec44c3433a66aeee19f588d9d22f73356e20b25f12b50 "$work" wheel
pip_download nvidia-cuda-nvdisasm $version 5a7acf77c55d6d2911ed6155d4d5bc156ffadf9df7a68a89b0c1155f4b13688c "$work" wheel
for wheel in "$work"/*.whl; do "$(find_pip)" -m zipfile -e "$wheel" "$work/get"; done
mv "$work"/get/nvidia/cu13/bin/{cuobjdump,nvdisasm} "$work/new"
chmod 755 "$work/new" "$work/new"/*
cat > "$work/new/NOTICE" << NOTICE
cuobjdump and nvdisasm $version of NVIDIA's CUDA toolkit, as packaged on PyPI (nvidia-cuda-cuobjdump, nvidia-cuda-nvdisasm).
NOTICE
folder_is "$work/new" "$files" || die "the files in the wheels are not the expected ones"
put_in_place "$work/new" "$dir"
say "$dir: cuobjdump and nvdisasm $version"
