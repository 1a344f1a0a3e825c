#include "report/run_record.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"

namespace suanli {
namespace {

namespace fs = std::filesystem;

/// The file as JSON; null where it is missing, with a note where it is broken.
Json json_of(const fs::path& file, RunRecord& run) {
  if (!fs::is_regular_file(file)) return nullptr;
  try {
    Json json = read_json(file);
    if (json.is_object()) return json;
    run.notes.push_back(concat(file.filename().string(), " is not a JSON object and has been left out."));
  } catch (const UserError& error) {
    run.notes.push_back(concat(file.filename().string(), " cannot be read and has been left out: ", error.what()));
  }
  return nullptr;
}

void read_log(const fs::path& file, RunRecord& run) {
  if (!fs::is_regular_file(file)) return;
  const std::string text = read_file(file);
  int64_t not_finite = 0, line = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view one = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    ++line;
    Json record;
    try {
      record = parse_json(one, "metrics.jsonl");
    } catch (const UserError&) {
    }
    const auto step = record.is_object() ? record.find("step") : record.end();
    if (!record.is_object() || step == record.end() || !step->is_number()) {
      run.notes.push_back(concat("Line ", line, " of metrics.jsonl is not a whole record; the log ends before it."));
      break;
    }
    run.last_step = std::max(run.last_step, step->get<int64_t>());
    run.finished = run.finished || record.contains("train_runtime");
    for (const char* key : {"loss", "eval_loss", "train_loss"}) {
      not_finite += record.contains(key) && record[key].is_null() ? 1 : 0;
    }
    run.log.push_back(std::move(record));
  }
  if (run.log.empty()) run.notes.emplace_back("The run has logged nothing: it ended before its first logging step.");
  if (not_finite > 0) {
    run.notes.push_back(
        concat("The loss was not finite in ", not_finite,
               not_finite == 1 ? " record: its curve has a gap there." : " records: its curve has gaps there."));
  }
}

/// trainer_state.json of the run, or of its checkpoint with the largest step.
Json state_of(const fs::path& folder, RunRecord& run) {
  constexpr std::string_view kCheckpoint = "checkpoint-";
  fs::path newest = folder / "trainer_state.json";
  int64_t most = -1;
  if (!fs::exists(newest)) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with(kCheckpoint)) continue;
      const int64_t step = std::atoll(name.c_str() + kCheckpoint.size());
      if (step > most) most = step, newest = entry.path() / "trainer_state.json";
    }
  }
  return json_of(newest, run);
}

void note_the_end(const Json& state, RunRecord& run) {
  const bool trained = run.manifest.is_object() || !run.log.empty();
  if (!trained) return;
  const std::string of = run.planned_steps > 0 ? concat(" of ", run.planned_steps) : "";
  if (!run.finished) {
    run.notes.push_back(
        concat("The training has not come to its end: it is still running or was interrupted. The last "
               "record is of step ",
               run.last_step, of, "."));
    return;
  }
  if (!state.is_object()) return;
  const auto skipped = state.value(Json::json_pointer("/stateful_callbacks/NotFiniteSteps/attributes/skipped"), 0);
  if (skipped > 0) run.notes.push_back(concat(skipped, " steps were left out: loss or gradients were not finite."));
  if (run.planned_steps > 0 && run.last_step < run.planned_steps) {
    run.notes.push_back(concat("The training stopped at step ", run.last_step, of, "."));
  }
}

constexpr size_t kMostPictures = 24;
constexpr uintmax_t kMostPictureBytes = 4 << 20;

/// A PNG file; "" where it is missing, too large or something else, with a note.
std::string png_of(const fs::path& file, RunRecord& run) {
  constexpr std::string_view kSignature = "\x89PNG";
  std::string bytes;
  if (fs::is_regular_file(file) && fs::file_size(file) <= kMostPictureBytes) bytes = read_file(file);
  if (bytes.starts_with(kSignature)) return bytes;
  run.notes.push_back(concat(file.filename().string(), " is missing or no PNG of up to 4 MiB and has been left out."));
  return "";
}

/// The pictures that metadata.jsonl of a folder names.
std::vector<ReportedPicture> pictures_of(const fs::path& folder, RunRecord& run) {
  std::vector<ReportedPicture> out;
  std::istringstream lines(fs::is_regular_file(folder / "metadata.jsonl") ? read_file(folder / "metadata.jsonl") : "");
  for (std::string line; out.size() < kMostPictures && std::getline(lines, line);) {
    Json row;
    try {
      row = parse_json(line, "metadata.jsonl");
    } catch (const UserError&) {
    }
    if (!row.is_object() || !row.value("file_name", Json()).is_string() || !row.value("text", Json()).is_string()) {
      run.notes.push_back(concat(folder.filename().string(), "/metadata.jsonl has a line without file_name and text."));
      break;
    }
    const fs::path file = folder / fs::path(row["file_name"].get<std::string>()).filename();
    std::string png = png_of(file, run);
    if (!png.empty()) out.push_back({row["text"].get<std::string>(), std::move(png)});
  }
  return out;
}

}  // namespace

Curve RunRecord::curve(const std::string& key) const {
  Curve points;
  for (const Json& record : log) {
    const auto value = record.find(key);
    if (value == record.end()) continue;
    points.emplace_back(record["step"].get<double>(),
                        value->is_number() ? value->get<double>() : std::numeric_limits<double>::quiet_NaN());
  }
  return points;
}

RunRecord read_run(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    throw UserError(folder.string(), "expected the output_dir of a run, found no such folder");
  }
  RunRecord run;
  run.name = fs::weakly_canonical(folder).filename().string();
  run.manifest = json_of(folder / "run_manifest.json", run);
  run.model = json_of(folder / "config.json", run);
  read_log(folder / "metrics.jsonl", run);
  const Json state = state_of(folder, run);
  if (state.is_object() && state.contains("max_steps") && state["max_steps"].is_number()) {
    run.planned_steps = state["max_steps"].get<int64_t>();
  }
  note_the_end(state, run);

  constexpr std::string_view kResults = "_results.json", kAnswers = "_answers.csv", kPictures = "_pictures";
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    const std::string name = file.filename().string();
    if (name.ends_with(kResults) && name != "all_results.json") {
      Json results = json_of(file, run);
      const std::string set = name.substr(0, name.size() - kResults.size());
      if (results.is_object()) run.results.emplace_back(set, std::move(results));
    }
    if (name.ends_with(kPictures) && fs::is_directory(file)) {
      run.pictures.emplace_back(name.substr(0, name.size() - kPictures.size()), pictures_of(file, run));
    }
    if (name == "samples.png") run.pictures.push_back({"samples", {{"made from random numbers", png_of(file, run)}}});
    if (!name.ends_with(kAnswers)) continue;
    try {
      run.answers.emplace_back(name.substr(0, name.size() - kAnswers.size()), read_answers(file));
    } catch (const UserError& error) {
      run.notes.push_back(concat(name, " cannot be read and has been left out: ", error.what()));
    }
  }
  const bool empty =
      run.manifest.is_null() && !fs::exists(folder / "metrics.jsonl") && run.results.empty() && run.answers.empty();
  if (empty) {
    throw UserError(folder.string(),
                    "expected the output_dir of a run, with run_manifest.json, metrics.jsonl or *_results.json, "
                    "found none of them");
  }
  return run;
}

}  // namespace suanli
