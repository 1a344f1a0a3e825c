#include "report/report.h"

#include <algorithm>
#include <set>

#include "base/concat.h"
#include "base/config.h"
#include "page/html.h"
#include "page/picture.h"
#include "page/plot.h"
#include "train/arguments.h"

namespace suanli {
namespace {

using page::escaped;

std::string plain(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

/// `json[a][b]` as text; "" where it is not there.
std::string text_at(const Json& json, const char* a, const char* b) {
  if (!json.is_object() || !json.contains(a) || !json[a].is_object() || !json[a].contains(b)) return "";
  return json[a][b].is_null() ? "" : plain(json[a][b]);
}

std::string bytes_text(const Json& bytes) {
  if (!bytes.is_number()) return "";
  constexpr double kKibi = 1024, kMebi = kKibi * kKibi, kGibi = kKibi * kMebi;
  const auto value = bytes.get<double>();
  if (value < kMebi) return concat(page::number(value, 7), " bytes");
  return value < kGibi ? concat(page::number(value / kMebi, 4), " MiB")
                       : concat(page::number(value / kGibi, 4), " GiB");
}

/// Options of the run that are not the defaults of the program.
std::vector<page::Cells> changed_options(const Json& configuration) {
  const Json defaults = Config(train_options()).to_json();
  std::vector<page::Cells> rows;
  if (!configuration.is_object()) return rows;
  for (const auto& [name, value] : configuration.items()) {
    const bool known = defaults.contains(name);
    if (value.is_null() || (known && defaults[name] == value)) continue;
    rows.push_back({name, plain(value), known ? (defaults[name].is_null() ? "not set" : plain(defaults[name])) : ""});
  }
  return rows;
}

std::vector<page::Cells> input_files(const Json& manifest) {
  std::vector<page::Cells> rows;
  if (!manifest.contains("inputs") || !manifest["inputs"].is_object()) return rows;
  for (const auto& [role, files] : manifest["inputs"].items()) {
    if (!files.is_array()) continue;
    for (const Json& file : files) {
      if (!file.is_object()) continue;
      rows.push_back({role, file.value("path", ""), file.contains("bytes") ? bytes_text(file["bytes"]) : "",
                      file.value("sha256", "")});
    }
  }
  return rows;
}

std::string alerts(const RunRecord& run) {
  std::string out;
  for (const std::string& note : run.notes) out += concat("<p class=\"alert\">", escaped(note), "</p>\n");
  return out;
}

/// One or two curves over the steps; "" where the run logged none.
std::string step_plot(const RunRecord& run, const std::string& title, const std::string& label,
                      const std::vector<std::pair<std::string, std::string>>& names_and_keys) {
  page::Plot plot = {
      .title = title, .description = "", .x = {.label = "optimizer step"}, .y = {.label = label}, .series = {}};
  for (const auto& [name, key] : names_and_keys) {
    Curve points = run.curve(key);
    const bool counted = std::any_of(points.begin(), points.end(), [](const auto& p) { return p.second != 0; });
    if (!counted) continue;  // such as tokens of a table
    plot.description +=
        concat(plot.description.empty() ? "" : "; ", name, " from ", page::number(points.front().second), " at step ",
               page::number(points.front().first, 12), " to ", page::number(points.back().second), " at step ",
               page::number(points.back().first, 12));
    plot.series.push_back({.name = name, .points = std::move(points)});
  }
  return plot.series.empty() ? "" : page::figure(plot);
}

}  // namespace

std::string setting_part(const RunRecord& run) {
  const Json& m = run.manifest;
  std::vector<page::Cells> rows;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) rows.push_back({name, value});
  };
  add("task", text_at(m, "computation", "task"));
  if (run.model.is_object() && run.model.contains("architectures") && run.model["architectures"].is_array() &&
      !run.model["architectures"].empty() && run.model["architectures"][0].is_string()) {
    add("model", run.model["architectures"][0].get<std::string>());
  }
  add("parameters", text_at(m, "computation", "parameters"));
  add("precision", text_at(m, "computation", "precision"));
  add("device", text_at(m, "computation", "device"));
  add("CPU", text_at(m, "hardware", "cpu"));
  add("instruction set", text_at(m, "hardware", "isa"));
  add("threads", text_at(m, "hardware", "threads"));
  if (m.is_object()) {
    add("host", text_at(m, "hardware", "host"));
    add("memory", m.contains("hardware") && m["hardware"].is_object() && m["hardware"].contains("memory_bytes")
                      ? bytes_text(m["hardware"]["memory_bytes"])
                      : "");
    for (const char* key : {"started", "suanli_version"}) {
      if (m.contains(key) && m[key].is_string()) add(key, m[key].get<std::string>());
    }
  }
  if (run.last_step > 0) {
    add("steps", run.planned_steps > 0 ? concat(run.last_step, " of ", run.planned_steps) : concat(run.last_step));
  }
  std::string out = rows.empty() ? "" : concat("<h2>What was run</h2>", page::table({"property", "value"}, rows));
  if (!m.is_object()) return out;
  const auto files = input_files(m);
  if (!files.empty()) out += concat("<h2>Data and model</h2>", page::table({"role", "file", "size", "SHA-256"}, files));
  const auto options = changed_options(m.contains("configuration") ? m["configuration"] : Json());
  if (!options.empty()) {
    out += concat("<h2>Options</h2><p>Those that differ from their defaults.</p>",
                  page::table({"option", "value", "default"}, options));
  }
  return out;
}

std::string curves_part(const RunRecord& run) {
  const std::string plots =
      step_plot(run, "Loss", "loss", {{"training", "loss"}, {"evaluation", "eval_loss"}}) +
      step_plot(run, "Learning rate", "learning rate", {{"learning rate", "learning_rate"}}) +
      step_plot(run, "Gradient norm", "norm of all gradients, before clipping", {{"gradient norm", "grad_norm"}}) +
      step_plot(run, "Speed", "tokens per second", {{"tokens per second", "perf/tokens_per_second"}});
  std::string scores;
  std::set<std::string> keys;
  for (const Json& record : run.log) {
    for (const auto& [key, value] : record.items()) keys.insert(key);
  }
  for (const std::string& key : keys) {
    const bool timing = key.ends_with("_runtime") || key.ends_with("_per_second");
    if (!key.starts_with("eval_") || key == "eval_loss" || timing || run.curve(key).size() < 2) continue;
    scores += step_plot(run, key, key.substr(5), {{key, key}});
  }
  std::string out;
  if (!plots.empty()) out += concat("<h2>Training</h2><div class=\"plots\">", plots, "</div>\n");
  if (!scores.empty()) {
    out += concat("<details><summary>Scores over the training</summary><div class=\"plots\">", scores,
                  "</div></details>\n");
  }
  return out;
}

std::string scores_part(const RunRecord& run) {
  if (run.results.empty()) return "";
  page::Cells head = {"score"};
  std::set<std::string> names;
  const auto short_name = [](const std::string& set, const std::string& key) {
    return key.starts_with(set + "_") ? key.substr(set.size() + 1) : key;
  };
  for (const auto& [set, results] : run.results) {
    head.push_back(set);
    for (const auto& [key, value] : results.items()) names.insert(short_name(set, key));
  }
  std::vector<page::Cells> rows;
  for (const std::string& name : names) {
    page::Cells& row = rows.emplace_back(page::Cells{name});
    for (const auto& [set, results] : run.results) {
      const auto own = results.find(concat(set, "_", name)), plain = results.find(name);
      const auto found = own != results.end() ? own : plain;
      row.push_back(found == results.end() ? "" : found->is_number() ? page::number(found->get<double>()) : "none");
    }
  }
  return concat("<h2>Scores</h2>", page::table(head, rows));
}

std::string pictures_part(const std::string& set, const std::vector<ReportedPicture>& pictures) {
  std::string figures;
  for (const ReportedPicture& each : pictures) {
    if (!each.png.empty()) figures += page::picture(each.png, each.caption);
  }
  if (figures.empty()) return "";
  return concat("<h2>Pictures: ", escaped(set), "</h2><div class=\"plots\">", figures, "</div>\n");
}

std::string to_html(const RunRecord& run) {
  std::string body =
      concat("<h1>", escaped(run.name), "</h1>\n", alerts(run), setting_part(run), curves_part(run), scores_part(run));
  for (const auto& [set, answers] : run.answers) body += answers_part(set, answers);
  for (const auto& [set, pictures] : run.pictures) body += pictures_part(set, pictures);
  return page::document(run.name, body);
}

}  // namespace suanli
