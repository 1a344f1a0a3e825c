#!/usr/bin/env bash
# Fetches two time series from the package statsmodels on PyPI and writes them as CSV, one value a row in order of time:
#   sunspots.csv   309 years, 1700 to 2008: year,sunspots (National Geophysical Data Center)
#   co2.csv        2284 weeks, 1958 to 2001: date,co2 in ppm at Mauna Loa, 59 of them missing (Keeling and Whorf)
# usage: fetch_series.sh DIR     Does nothing when DIR already holds them. Needs pip.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

[ $# -eq 1 ] || { say "usage: fetch_series.sh DIR"; exit 2; }
dir=${1%/}
package=statsmodels version=0.15.0
wheel_sha256=b67886b66d9c7ca118526accedb5c6de7ffd74c015dc0492ea0b1690192b65da
files="2737f74222cf1fb702d41058927d2b8d2a34778d519bfa6b1dea2f1b47c234f4  co2.csv
74b8e3acb9886b68abe9c56f6081257d522e2cb2470f17dbf597b396f4ea1706  sunspots.csv"

if folder_is "$dir" "$files"; then say "$dir: the series are there"; exit 0; fi

mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$dir.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
say "fetching $package $version from PyPI (12 MB)"
mkdir "$work/get" "$work/new"
unpack_wheel "$package" "$version" "$wheel_sha256" manylinux_2_28_x86_64 "$work/get"

new="$work/new" data="$work/get/statsmodels/datasets"
awk -F, 'NR == 1 { print "year,sunspots"; next } { print }' "$data/sunspots/sunspots.csv" | tr -d '\r' > "$new/sunspots.csv"
awk -F, 'NR == 1 { print; next } { print substr($1, 1, 4) "-" substr($1, 5, 2) "-" substr($1, 7, 2) "," $2 }' \
  "$data/co2/co2.csv" | tr -d '\r' > "$new/co2.csv"
cp "$work/get/statsmodels-$version.dist-info/licenses/LICENSE.txt" "$new/LICENSE"
cat > "$new/NOTICE" << NOTICE
Two series as the package $package $version on PyPI holds them (BSD 3-Clause, LICENSE; SHA-256 of the wheel
$wheel_sha256); the data are in the public domain:
yearly sunspots, National Geophysical Data Center; atmospheric CO2 at Mauna Loa, C.D. Keeling and T.P. Whorf, Carbon
Dioxide Information Analysis Center.
NOTICE
folder_is "$new" "$files" || die "the series written are not the expected ones; is this awk unlike Debian's?"
chmod 755 "$new"
chmod 644 "$new"/*
put_in_place "$new" "$dir"
say "$dir: sunspots and CO2"
