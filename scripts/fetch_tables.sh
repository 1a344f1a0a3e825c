#!/usr/bin/env bash
# Fetches two tables from the package scikit-learn on PyPI and writes them as CSV:
#   breast_cancer.csv   569 rows, 30 measures of cell nuclei, label benign or malignant (Street, Wolberg, Mangasarian 1993)
#   diabetes.csv        442 rows, 10 measures, label: progress of the disease after a year (Efron et al. 2004)
# usage: fetch_tables.sh DIR     Does nothing when DIR already holds them. Needs pip.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

[ $# -eq 1 ] || { say "usage: fetch_tables.sh DIR"; exit 2; }
dir=${1%/}
package=scikit-learn version=1.6.1
wheel_sha256=25fc636bdaf1cc2f4a124a116312d837148b5e10872147bdaf4887926b8c03d8
files="6f3eff0e0f37b736b8f6002c7b5651ec364298daf594bbfeb82a4b53294bbd99  breast_cancer.csv
c3437a213c2e948497c88f3a7ccd745d4db34c3f89bb0a6b358d605fb1412773  diabetes.csv"

if folder_is "$dir" "$files"; then say "$dir: the tables are there"; exit 0; fi

mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$dir.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
say "fetching $package $version from PyPI (13.5 MB)"
mkdir "$work/get" "$work/new"
unpack_wheel "$package" "$version" "$wheel_sha256" manylinux2014_x86_64 "$work/get"

new="$work/new" data="$work/get/sklearn/datasets/data"
measures="radius texture perimeter area smoothness compactness concavity concave_points symmetry fractal_dimension"
awk -F, -v OFS=, -v names="$measures" '
  NR == 1 { split("mean error worst", kind, " ")
            n = split(names, name, " ")
            for (k = 1; k <= 3; ++k) for (i = 1; i <= n; ++i) printf "%s_%s,", kind[k], name[i]
            print "label"
            next }
  { $NF = $NF == 1 ? "benign" : "malignant"; print }' "$data/breast_cancer.csv" > "$new/breast_cancer.csv"
{
  echo age,sex,bmi,blood_pressure,s1,s2,s3,s4,s5,s6,label
  paste -d ' ' <(gzip -dc "$data/diabetes_data_raw.csv.gz") <(gzip -dc "$data/diabetes_target.csv.gz" | awk '{ print $1 + 0 }') |
    tr ' ' ,
} > "$new/diabetes.csv"
cp "$work/get/scikit_learn-$version.dist-info/COPYING" "$new/LICENSE"
cat > "$new/NOTICE" << NOTICE
Two data sets as the package $package $version on PyPI holds them (BSD 3-Clause, LICENSE; SHA-256 of the wheel
$wheel_sha256): Breast Cancer Wisconsin (Diagnostic), UCI, CC BY 4.0; diabetes of Efron, Hastie, Johnstone and
Tibshirani, "Least Angle Regression", Annals of Statistics 2004.
NOTICE
folder_is "$new" "$files" || die "the tables written are not the expected ones; is this awk unlike Debian's?"
chmod 755 "$new"
chmod 644 "$new"/*
put_in_place "$new" "$dir"
say "$dir: breast cancer and diabetes"
