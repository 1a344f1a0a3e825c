#include "train/run_log.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "base/concat.h"
#include "base/env.h"
#include "base/error.h"
#include "base/file.h"
#include "train/trainer_state.h"

namespace suanli {
namespace {

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

bool for_files_alone(const std::string& key) { return key.find('/') != std::string::npos; }

}  // namespace

std::string log_line(const LogRecord& record) {
  std::string line = "{";
  for (const auto& [key, value] : record) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", std::isnan(value) ? std::fabs(value) : value);  // a NaN has no sign
    line += concat(line.size() > 1 ? ", " : "", "'", key, "': ", text);
  }
  return line += "}";
}

RunLog::RunLog(const RunLogOptions& options, const Json& history)
    : file_(options.output_dir / "metrics.jsonl"),
      bar_(options.show_progress && terminal_shows_progress(), options.first_step, options.last_step),
      history_(history) {
  std::string before;
  for (const Json& entry : history_) before += json_text(entry, -1);
  write_file_atomically(file_, before);
  lines_.open(file_, std::ios::app);
  if (!options.events.empty()) events_ = std::make_unique<EventFile>(options.events);
}

void RunLog::record(int64_t step, const LogRecord& record) {
  LogRecord shown;
  Json entry = {{"step", step}};
  for (const auto& [key, value] : record) {
    entry[key] = number(value);
    if (!for_files_alone(key)) shown.emplace_back(key, value);
    if (events_ != nullptr) events_->scalar(tensorboard_tag(key), value, step);
  }
  bar_.print(log_line(shown));
  if (!(lines_ << json_text(entry, -1)).flush()) {
    throw EnvironmentError("log", concat("cannot write ", file_, ": ", std::strerror(errno)));
  }
  if (events_ != nullptr) events_->flush();
  history_.push_back(std::move(entry));
}

void RunLog::text(const std::string& tag, const std::string& content) {
  if (events_ == nullptr) return;
  events_->text(tag, content, 0);
  events_->flush();
}

std::filesystem::path default_logging_dir(const std::filesystem::path& output_dir) {
  if (const auto given = environment("TENSORBOARD_LOGGING_DIR")) return *given;
  char host[256] = "localhost", when[64];
  gethostname(host, sizeof host - 1);
  const time_t now = std::time(nullptr);
  tm local = {};
  std::strftime(when, sizeof when, "%b%d_%H-%M-%S", localtime_r(&now, &local));
  return output_dir / "runs" / concat(when, "_", host);
}

void write_results(const std::filesystem::path& output_dir, const std::string& split, const LogRecord& results) {
  const auto all_file = output_dir / "all_results.json";
  Json one = Json::object(), all = std::filesystem::exists(all_file) ? read_json(all_file) : Json::object();
  for (const auto& [key, value] : results) one[key] = all[key] = number(value);
  write_file_atomically(output_dir / concat(split, "_results.json"), json_text(one, 4));
  write_file_atomically(all_file, json_text(all, 4));
}

}  // namespace suanli
