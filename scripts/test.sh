#!/usr/bin/env bash
# usage: scripts/test.sh [full|soak|cuda-full|tsan|fuzz SECONDS]
#   (nothing)  installs what is needed, builds, runs every test in release and the fast part under address and undefined sanitizers
#   cuda-full  on the PTX interpreter what takes it long: long attention, products of models' sizes, whole runs, the ops
#              with the interpreter under the sanitizers
#   tsan       the threaded part under the thread sanitizer
#   full       what takes longer: a million mutations, long crash and kill runs, the trainer under the sanitizers,
#              two minutes a fuzzer, the Python clients
#   soak       the server for long: a thousand models exchanged, a hundred ends and a million requests under load,
#              five thousand slow clients, a million mutated streams of HTTP
#   fuzz       every fuzzer for so many seconds, two at a time
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

run_release() {
  step "build (release)"
  scripts/build.sh release
  step "tests (release)"
  scripts/fetch_model.sh build/model
  scripts/fetch_text.sh build/text
  if [ -e build/release/fatbin ]; then scripts/fetch_sass_tools.sh build/sass_tools; fi
  SUANLI_MODEL=$PWD/build/model SUANLI_TEXT=$PWD/build/text SUANLI_SASS_TOOLS=$PWD/build/sass_tools ctest --preset release
}

check_style() {
  step "clang-format"
  git ls-files '*.cpp' '*.h' '*.cu' | xargs clang-format-14 --dry-run --Werror
  step "clang-tidy"
  # Files that are compiled together are checked together: their headers are parsed once. Only then is a .cpp included.
  {
    find build/release/CMakeFiles/suanli_*.dir/Unity -name '*.cxx'
    git ls-files 'src/kernels/*.cpp' | grep -v '^src/kernels/cpu/' |
      while read -r file; do  # CUDA's are compiled where nvcc is
        if grep -q "/$file\"" build/release/compile_commands.json; then echo "$file"; fi
      done
    echo src/cli/main.cpp
    echo src/serve/connection.cpp
  } | xargs -P 2 -n 1 clang-tidy-14 -p build/release --quiet --header-filter='src/.*\.(h|cpp)$' \
    --checks=-bugprone-suspicious-include 2>/dev/null
}

check_install() {
  step "install, and a project that uses the installed tree"
  local prefix=$PWD/build/installed
  rm -rf "$prefix" build/find_package
  cmake --install build/release --prefix "$prefix" >/dev/null
  cmake -S examples/find_package -B build/find_package -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
  cmake --build build/find_package >/dev/null
  local cosine
  cosine=$(build/find_package/sentence_similarity build/model "A man plays the guitar." "Someone is playing guitar.")
  echo "cosine of two alike sentences: $cosine"
  awk -v cosine="$cosine" 'BEGIN { exit !(cosine > 0.7 && cosine <= 1) }'
}

run_asan() {
  step "build and tests (address and undefined sanitizers, without CUDA)"
  local folders=$*
  scripts/build.sh asan $(printf '%s_test ' $folders)
  ASAN_OPTIONS=allocator_may_return_null=1 ctest --preset asan -R "^($(echo $folders | tr ' ' '|'))$"
}

# The interpreter and its own tests, planted bugs among them.
run_asan_interpreter() {
  [ -e build/release/fatbin ] || return 0
  step "the PTX interpreter (address and undefined sanitizers)"
  scripts/build.sh asan cuda_test
  ASAN_OPTIONS=allocator_may_return_null=1 ctest --preset asan -R '^cuda$'
}

# The ops of the release build on that interpreter: the program's heap and all that the interpreter does are watched.
run_ops_on_asan_interpreter() {
  step "ops on the PTX interpreter (address and undefined sanitizers)"
  LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" ASAN_OPTIONS=detect_leaks=0 \
    LD_LIBRARY_PATH=build/asan/tests/cuda/lib SUANLI_ISA=scalar SUANLI_POOL=off SUANLI_TEST_DEVICE=cuda build/release/tests/ops_test
}

# on_stand_in PROGRAM FILTER: tests of the release build on the PTX interpreter.
on_stand_in() {
  step "$1 on the PTX interpreter: $2"
  LD_LIBRARY_PATH=build/release/tests/cuda/lib SUANLI_ISA=scalar SUANLI_POOL=off SUANLI_TEST_DEVICE=cuda \
    "build/release/tests/$1" --gtest_filter="$2"
}

# Requests: in one piece (@) or several (A, B), whole, in chunks, two at once, with a body that waits, and wrong ones.
http_seeds() {
  local to=$1 json='{"inputs":"a"}' post
  post=' HTTP/1.1\r\nHost: a\r\n'
  printf '@GET /health HTTP/1.1\r\nHost: a\r\n\r\n' >"$to/get"
  printf "CPOST /embed${post}Content-Length: 14\r\n\r\n$json" >"$to/plain"
  printf "APOST /embed${post}Transfer-Encoding: chunked\r\n\r\n7;x=y\r\n{\"input\r\n7\r\ns\":\"a\"}\r\n0\r\n\r\n" >"$to/chunked"
  printf "@POST /later${post}Content-Length: 2\r\n\r\n{}GET /v2/models/%%41${post}\r\n" >"$to/pipelined"
  printf "BPOST /stream${post}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}" >"$to/expect"
  printf "@POST /stream HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}" >"$to/stream"
  printf "\140POST /stream${post}Content-Length: 2\r\n\r\n{}" >"$to/vanishes"
  printf "@POST /forgets${post}Content-Length: 0\r\n\r\nPOST /breaks_off${post}Content-Length: 0\r\n\r\n" >"$to/forgets"
  printf "PPOST /v2/repository/models/a/load${post}Content-Length: 0\r\nConnection: close\r\n\r\n" >"$to/admin"
  printf "APOST /v2/models/a/infer${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n" >"$to/bad"
}

# Sound files to start from: a fuzzer finds the inside of a format sooner when it need not guess its first bytes.
fuzz_seeds() {
  local seeds=build/fuzz/seeds file number=0
  rm -rf "$seeds"
  mkdir -p "$seeds"/{config_json,tokenizer_json,safetensors,yaml,csv,gguf,image_decode,audio_decode,http,metrics_text}_fuzz
  for file in $(git ls-files 'tests/golden/*config.json'); do cp "$file" "$seeds/config_json_fuzz/$((number += 1))"; done
  for file in tests/golden/tokenizer/*.json; do cp "$file" "$seeds/tokenizer_json_fuzz"; done
  SUANLI_CORPUS=$PWD/build/fuzz/corpus build/release/tests/formats_test --gtest_filter='*CorpusIsWritten*' >/dev/null
  cp build/fuzz/corpus/*.safetensors "$seeds/safetensors_fuzz"
  cp examples/*.yaml "$seeds/yaml_fuzz"
  { cat examples/alert_rules.yaml; printf '\0suanli_queue_size{model="m"} 3\nsuanli_predictions_total{label="negative"} 7\n'; } \
    >"$seeds/metrics_text_fuzz/1"
  for file in tests/golden/image/files/*; do { printf '\0'; cat "$file"; } >"$seeds/image_decode_fuzz/$(basename "$file")"; done
  cp tests/golden/gguf/*.gguf "$seeds/gguf_fuzz"
  cp tests/golden/audio/{sound,stereo}.* "$seeds/audio_decode_fuzz"
  http_seeds "$seeds/http_fuzz"
  printf 'text,label\n"a ""quoted"", text",positive\nplain,negative\n' >"$seeds/csv_fuzz/1"
}

build_fuzzers() {
  cmake -S . -B build/fuzz -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER=clang++-14 \
    -DCMAKE_C_COMPILER=clang-14 -DSUANLI_TESTS=OFF -DSUANLI_CUDA=OFF -DSUANLI_FUZZERS=ON -DSUANLI_UNITY=ON >/dev/null
  cmake --build build/fuzz --target suanli_fuzzers >/dev/null
  fuzz_seeds
}

run_fuzzers() {
  step "fuzzers, ${1} seconds each"
  build_fuzzers
  ls build/fuzz/tests/fuzz/ | grep '_fuzz$' | SECONDS_EACH=$1 xargs -P 2 -I {} bash -c '
    build/fuzz/tests/fuzz/{} build/fuzz/seeds/{} -max_total_time=$SECONDS_EACH -rss_limit_mb=2560 -timeout=25 -print_final_stats=1 \
      2>build/fuzz/{}.log || { tail -50 build/fuzz/{}.log; exit 1; }
    echo "{}: no finding in $(sed -n "s/^stat::number_of_executed_units: *//p" build/fuzz/{}.log) inputs"'
}

scripts/setup.sh
case ${1:-} in
  "")
    run_release
    check_style
    check_install
    run_asan base tensor autograd ops text image audio data formats
    run_asan_interpreter
    run_fuzzers 20
    ;;
  cuda-full)
    scripts/build.sh release cuda_stand_in cublaslt_stand_in kernels_test ops_test train_test
    on_stand_in kernels_test '*LongSequences:Matmul.ModelSizes:Matmul.Epilogues'
    on_stand_in train_test 'Run.*:Trainer.*'
    run_asan_interpreter
    run_ops_on_asan_interpreter
    ;;
  tsan)
    step "build and tests (thread sanitizer)"
    folders="base tensor autograd data infer train"
    scripts/build.sh tsan $(printf '%s_test ' $folders)
    TSAN_OPTIONS="halt_on_error=1 allocator_may_return_null=1" ctest --preset tsan -R "^($(echo $folders | tr ' ' '|'))$"
    ;;
  soak)
    scripts/build.sh release serve_test formats_test
    step "a thousand models, a hundred ends, a million requests, five thousand slow clients"
    SUANLI_SOAK=1 build/release/tests/serve_test --gtest_filter='Soak.*'
    step "a million mutated streams of HTTP (address and undefined sanitizers)"
    build_fuzzers
    build/fuzz/tests/fuzz/http_fuzz build/fuzz/seeds/http_fuzz -runs=1000000 -rss_limit_mb=2560 -timeout=25 2>&1 | tail -3
    ;;
  full)
    run_release
    SUANLI_MUTATIONS=1000000 SUANLI_KILLS=100 ctest --preset release -R '^(formats|train|e2e)$'
    run_asan train
    run_fuzzers 120
    tests/peers/run.sh
    ;;
  fuzz)
    [ -x build/release/tests/formats_test ] || scripts/build.sh release
    run_fuzzers "${2:?seconds for each}"
    ;;
  *)
    echo "usage: scripts/test.sh [full|soak|cuda-full|tsan|fuzz SECONDS]" >&2
    exit 2
    ;;
esac
step "all tests passed"
