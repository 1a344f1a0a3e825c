#include "cli/bench_session.h"

#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "cli/session_work.h"
#include "kernels/cpu/peak.h"
#include "kernels/machine.h"

namespace suanli::cli {

namespace {

constexpr const char* kSession = "bench session";

/// The largest resident size so far, in bytes; 0 where the system does not tell.
int64_t peak_resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmHWM:" && status >> word) return std::stoll(word) * 1024;
  }
  return 0;
}

Json info() { return {{"version", SUANLI_VERSION}, {"threads", machine().threads}, {"isa", name_of(machine().isa)}}; }

Json probe(double seconds) {
  return {{"f32", kernels::measured_peak(DType::f32, seconds)},
          {"bf16", kernels::measured_peak(DType::bf16, seconds)},
          {"int8", kernels::measured_peak(DType::i8, seconds)}};
}

Json run(SessionWork& work, size_t first, size_t count) {
  std::vector<double> seconds;
  for (size_t turn = first; turn < first + count; ++turn) {
    const double start = seconds_now();
    work.run(turn);
    seconds.push_back(seconds_now() - start);
  }
  return {{"seconds", seconds}, {"peak_bytes", peak_resident_bytes()}};
}

Json answer(const Json& request, std::unique_ptr<SessionWork>& work) {
  const std::string what = json_get<std::string>(request, "do", kSession);
  if (what == "info") return info();
  if (what == "probe") return probe(json_get<double>(request, "seconds", kSession));
  if (what == "open") {
    work.reset();
    work = open_work(request);
    return Json::object();
  }
  if (what != "answers" && what != "run") {
    throw UserError(kSession, "expected info, probe, open, answers or run, got \"" + what + "\"");
  }
  if (!work) throw UserError(kSession, "expected an open piece of work before \"" + what + "\"");
  if (what == "run") {
    const int64_t first = json_get<int64_t>(request, "first", kSession);
    const int64_t count = json_get<int64_t>(request, "count", kSession);
    if (first < 0 || count < 1) throw UserError(kSession, "expected first >= 0 and count >= 1");
    return run(*work, static_cast<size_t>(first), static_cast<size_t>(count));
  }
  work->run(0);
  return work->answers();
}

}  // namespace

int bench_session() {
  std::unique_ptr<SessionWork> work;
  for (std::string line; std::getline(std::cin, line);) {
    Json out;
    try {
      out = answer(parse_json(line, kSession), work);
    } catch (const std::exception& error) {
      out = {{"error", error.what()}};
    }
    std::printf("%s\n", out.dump().c_str());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace suanli::cli
