#include "formats/generation_config.h"

#include <limits>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {

namespace {

/// One value or a list of them; null or missing: none.
template <class T>
std::vector<T> one_or_many(const Json& json, const char* key, const std::string& where) {
  if (!json.contains(key) || json[key].is_null()) return {};
  if (json[key].is_array()) return json_get<std::vector<T>>(json, key, where);
  return {json_get<T>(json, key, where)};
}

std::vector<int32_t> ids_at(const Json& json, const char* key, const std::string& where) {
  std::vector<int32_t> ids;
  for (const int64_t id : one_or_many<int64_t>(json, key, where)) {
    if (id < 0 || id > std::numeric_limits<int32_t>::max()) {
      throw UserError(where, concat("expected \"", key, "\" as token ids, got ", id));
    }
    ids.push_back(static_cast<int32_t>(id));
  }
  return ids;
}

void demand(bool holds, const char* key, const char* expected, double got) {
  if (!holds) throw UserError(key, concat("expected ", expected, ", got ", got));
}

}  // namespace

void GenerationConfig::check() const {
  demand(max_new_tokens >= 1, "max_new_tokens", "at least 1", static_cast<double>(max_new_tokens));
  demand(temperature > 0, "temperature", "a number above 0 (or do_sample false)", temperature);
  demand(top_k >= 0, "top_k", "at least 0", static_cast<double>(top_k));
  demand(top_p > 0 && top_p <= 1, "top_p", "a number above 0 and at most 1", top_p);
  demand(min_p >= 0 && min_p <= 1, "min_p", "a number of 0 to 1", min_p);
  demand(repetition_penalty > 0, "repetition_penalty", "a number above 0", repetition_penalty);
  demand(num_beams >= 1, "num_beams", "at least 1", static_cast<double>(num_beams));
  demand(num_beams == 1 || !do_sample, "num_beams", "1 where do_sample is true", static_cast<double>(num_beams));
}

GenerationConfig read_generation_config(const std::filesystem::path& folder) {
  GenerationConfig config;
  const auto file = folder / "generation_config.json";
  const bool given = std::filesystem::exists(file);
  const Json json = given ? read_json(file) : Json::object();
  const std::string where = file.string();
  config.max_new_tokens = json_get_or<int64_t>(json, "max_new_tokens", config.max_new_tokens, where);
  config.do_sample = json_get_or<bool>(json, "do_sample", config.do_sample, where);
  config.temperature = json_get_or<double>(json, "temperature", config.temperature, where);
  config.top_k = json_get_or<int64_t>(json, "top_k", config.top_k, where);
  config.top_p = json_get_or<double>(json, "top_p", config.top_p, where);
  config.min_p = json_get_or<double>(json, "min_p", config.min_p, where);
  config.repetition_penalty = json_get_or<double>(json, "repetition_penalty", config.repetition_penalty, where);
  config.num_beams = json_get_or<int64_t>(json, "num_beams", config.num_beams, where);
  config.length_penalty = json_get_or<double>(json, "length_penalty", config.length_penalty, where);
  config.early_stopping = json_get_or<bool>(json, "early_stopping", config.early_stopping, where);
  config.stop_strings = one_or_many<std::string>(json, "stop_strings", where);
  config.eos_token_id = ids_at(json, "eos_token_id", where);
  if (config.eos_token_id.empty()) {
    const auto model = folder / "config.json";
    config.eos_token_id = ids_at(read_json(model), "eos_token_id", model.string());
  }
  return config;
}

}  // namespace suanli
