# shellcheck shell=bash
# Shared by the scripts of this folder; source it. Messages go to stderr, results to stdout.

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# sha256_is FILE HASH: true when FILE exists and has that SHA-256.
sha256_is() { [ -f "$1" ] && [ "$(sha256sum < "$1" | cut -d ' ' -f 1)" = "$2" ]; }

# folder_is DIR HASHES: true when every file listed in HASHES (sha256sum's format, names relative to DIR) matches.
folder_is() { [ -d "$1" ] && (cd "$1" && printf '%s\n' "$2" | sha256sum --check --status --strict 2>/dev/null); }

# find_pip: prints the Python that has pip (the client of PyPI; only the fetching needs it).
find_pip() {
  local python
  for python in ${PYTHON:-} /usr/bin/python3 python3; do
    if "$python" -m pip --version >/dev/null 2>&1; then printf '%s\n' "$python"; return; fi
  done
  die "no Python with pip, which fetches packages from PyPI. Install it: apt-get install python3-pip"
}

# pip_download PACKAGE VERSION SHA256 FOLDER wheel|source: fetches one file of PyPI without its dependencies.
# pip compares the hash before it opens the file. To read the name of a source archive pip runs its setup.py, here of
# known content; the setuptools at hand are used for that and only where there are none does pip fetch its own.
pip_download() {
  local package=$1 version=$2 sha256=$3 folder=$4 kind=--no-binary python
  if [ "$5" = wheel ]; then kind=--only-binary; fi
  python=$(find_pip) || exit 1
  printf '%s==%s --hash=sha256:%s\n' "$package" "$version" "$sha256" > "$folder/requirements.txt"
  local command=("$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes
                 "$kind" "$package" --dest "$folder" --requirement "$folder/requirements.txt")
  if "${command[@]}" --no-build-isolation > /dev/null 2>&1; then return; fi
  "${command[@]}" >&2 ||
    die "pip could not fetch $package $version with the expected SHA-256 (its message is above). Is PyPI reachable?"
}

# unpack_wheel PACKAGE VERSION SHA256 PLATFORM FOLDER: the content of a wheel of PyPI for Python 3.11 on PLATFORM, such as
# manylinux2014_x86_64: one file whatever Python is here, nothing of it is run.
unpack_wheel() {
  local package=$1 version=$2 sha256=$3 platform=$4 folder=$5 python wheel
  python=$(find_pip) || exit 1
  printf '%s==%s --hash=sha256:%s\n' "$package" "$version" "$sha256" > "$folder/requirements.txt"
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
    --python-version 3.11 --implementation cp --platform "$platform" \
    --dest "$folder" --requirement "$folder/requirements.txt" > /dev/null ||
    die "pip could not fetch $package $version with the expected SHA-256 (its message is above). Is PyPI reachable?"
  wheel=$(echo "$folder"/*.whl)
  sha256_is "$wheel" "$sha256" || die "$wheel does not have the expected SHA-256 $sha256"
  "$python" -m zipfile -e "$wheel" "$folder"
}

# put_in_place NEW DIR: renames the finished folder NEW to DIR, over an earlier one that has the same NOTICE.
put_in_place() {
  if [ -e "$2" ] && [ -n "$(ls -A "$2")" ]; then
    cmp -s "$1/NOTICE" "$2/NOTICE" || die "$2 exists and is not what this script made; remove it or name another folder"
    rm -rf "$2.old"
    mv "$2" "$2.old"
  elif [ -e "$2" ]; then
    rmdir "$2"
  fi
  mv "$1" "$2"
  rm -rf "$2.old"
}
