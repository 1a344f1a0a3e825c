#!/usr/bin/env bash
# Fetches questions with answers from the package chatterbot-corpus on PyPI and writes them as a table:
#   answers.tsv   question, answer, source: general knowledge and small talk, to try `suanli app customer-service` with
# usage: fetch_dialogues.sh DIR     Does nothing when DIR already holds them. Needs pip.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

[ $# -eq 1 ] || { say "usage: fetch_dialogues.sh DIR"; exit 2; }
dir=${1%/}
package=chatterbot-corpus version=1.3.3
wheel_sha256=86de5300afb9a80826386339d3bec79c0a72eb0358abb8327e2ecef5ae0ce154
files="d6ecf7cb6b9eb330c1f15d324fdbd92e6b8e8c4474e1b2f00ce26c01999611eb  answers.tsv"

if folder_is "$dir" "$files"; then say "$dir: the answers are there"; exit 0; fi

mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$dir.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
say "fetching $package $version from PyPI (0.3 MB)"
mkdir "$work/get" "$work/new"
unpack_wheel "$package" "$version" "$wheel_sha256" any "$work/get"

# Of each conversation its first line and the answer to it; of several answers to one question the first.
{
  printf 'question\tanswer\tsource\n'
  for name in ai computers food history literature money movies psychology science sports trivia; do
    awk -v name="$name" '
      function clean(text) {
        gsub(/[\t\r]/, " ", text)
        sub(/ +$/, "", text)
        if (text ~ /^".*"$/ || text ~ /^\047.*\047$/) {
          text = substr(text, 2, length(text) - 2)
          gsub(/\047\047/, "\047", text)
        }
        return text
      }
      function write() {
        if (state == 2 && question != "" && answer != "" && !(question in seen)) {
          seen[question] = 1
          print clean(question) "\t" clean(answer) "\tchatterbot-corpus, " name
        }
      }
      /^- - / { write(); question = substr($0, 5); answer = ""; state = 1; next }
      /^  - / { if (state == 2) { write(); state = 3 } if (state == 1) { answer = substr($0, 5); state = 2 } next }
      /^    [^ ]/ { if (state == 1) question = question " " substr($0, 5); if (state == 2) answer = answer " " substr($0, 5) }
      END { write() }' "$work/get/chatterbot_corpus/data/english/$name.yml"
  done
} > "$work/new/answers.tsv"
cat > "$work/new/NOTICE" << NOTICE
Questions and answers of the package $package $version on PyPI, Gunther Cox and others, BSD 3-Clause (SHA-256 of the wheel
$wheel_sha256).
NOTICE
folder_is "$work/new" "$files" || die "the table written is not the expected one; is this awk unlike Debian's?"
chmod 755 "$work/new"
chmod 644 "$work/new"/*
put_in_place "$work/new" "$dir"
say "$dir: answers.tsv"
