#!/usr/bin/env bash
# Fetches VADER's rated English sentences (Hutto and Gilbert, ICWSM 2014, MIT) from PyPI and writes them as CSV:
#   film_train.csv film_validation.csv film_test.csv tweets.csv products.csv   text,label,rating  (positive, negative)
#   editorials.csv                                                             text,score         (-4 to 4)
# usage: fetch_text.sh DIR     Does nothing when DIR already holds them. Needs pip; vader_to_csv.pl says what is kept.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

[ $# -eq 1 ] || { say "usage: fetch_text.sh DIR"; exit 2; }
dir=${1%/}
package=vaderSentiment version=3.3.2
archive_sha256=5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9
inner_sha256=d5bb07d87474b3eb8d30b4deccbc23f19d742a6c5718fbacc65485b70b95c5fa
files="32412ff7c803d9a0a60086db97c78ca8277acaf12f44714febde728dde0047c6  editorials.csv
ccd0f89f99681a1853a31ff6f0198ad306727383be8e41fc82ddc06a61da1a97  film_test.csv
2e2e76769fefc6bd9fc92b53fe55ca0cac12fd8802ce90c5f3fb2a402126f137  film_train.csv
8e43f2d745d3eae157f6480dd336f85039a1e13fb6ad6def92a3138f1ac8daf3  film_validation.csv
682f900cce36ee48dc546da0244a54b0e1aac3e917c7ef6be267cb4214d01a44  products.csv
101466ecde02cbd6544e40926fdc7c831680c708bc1566b4e274f407fc188ed1  tweets.csv"

if folder_is "$dir" "$files"; then say "$dir: VADER's sentences are there"; exit 0; fi

mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$dir.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
say "fetching $package $version from PyPI (2.5 MB)"
mkdir "$work/get" "$work/new"
pip_download "$package" "$version" "$archive_sha256" "$work/get" source
archive="$work/get/$package-$version.tar.gz"
inner="$package-$version/additional_resources/hutto_ICWSM_2014.tar.gz"
sha256_is "$archive" "$archive_sha256" || die "$archive does not have the expected SHA-256 $archive_sha256"
tar -xzf "$archive" --no-same-owner -C "$work/get" "$inner" "$package-$version/LICENSE.txt"
sha256_is "$work/get/$inner" "$inner_sha256" || die "$inner does not have the expected SHA-256 $inner_sha256"
tar -xzf "$work/get/$inner" --no-same-owner -C "$work/get"

new="$work/new"
"$here/vader_to_csv.pl" "$work/get/hutto_ICWSM_2014" "$new" >&2
cp "$work/get/$package-$version/LICENSE.txt" "$new/LICENSE"
cat > "$new/NOTICE" << NOTICE
Sentences rated by people: C.J. Hutto and E.E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis
of Social Media Text", ICWSM 2014. MIT License (LICENSE). From hutto_ICWSM_2014.tar.gz inside the source archive of
$package $version on PyPI, SHA-256 $archive_sha256.
NOTICE
folder_is "$new" "$files" || die "the sentences written are not the expected ones; is this perl unlike Debian's?"
chmod 755 "$new"
chmod 644 "$new"/*
put_in_place "$new" "$dir"
say "$dir: VADER's sentences, MIT"
