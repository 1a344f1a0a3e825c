#include "monitor/profile.h"

#include <algorithm>
#include <cmath>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"

namespace suanli::monitor {
namespace {

constexpr const char* kFormat = "suanli baseline profile";
constexpr std::array<const char*, 3> kKinds = {"number", "category", "vector"};  // in the order of FeatureSketch

/// An empty sketch of the kind of a value; `stream` tells its random numbers from those of other features.
FeatureSketch empty_sketch(const Observed& observed, uint32_t stream) {
  if (std::holds_alternative<double>(observed.value)) return NumberSketch(stream);
  if (std::holds_alternative<std::string_view>(observed.value)) return CategorySketch();
  return VectorSketch(stream);
}

FeatureSketch read_sketch(const Json& json, const std::string& where) {
  const auto kind = json_get<std::string>(json, "kind", where);
  const auto at = json.find("sketch");
  if (at == json.end() || !at->is_object()) throw UserError(where, "expected an object \"sketch\"");
  if (kind == kKinds[0]) return NumberSketch::from_json(*at, where);
  if (kind == kKinds[1]) return CategorySketch::from_json(*at, where);
  if (kind == kKinds[2]) return VectorSketch::from_json(*at, where);
  throw UserError(where, concat("expected the kind number, category or vector, got \"", kind.substr(0, 40), "\""));
}

}  // namespace

std::array<Observed, 3> observed_text(int64_t characters, int64_t tokens, int64_t unknown) {
  const double share = tokens > 0 ? static_cast<double>(unknown) / static_cast<double>(tokens) : 0;
  return {Observed{kTextCharacters, static_cast<double>(characters)},
          {kTextTokens, static_cast<double>(tokens)},
          {kUnknownShare, share}};
}

int64_t characters_of(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
}

bool add_to(FeatureSketch& sketch, const Observed& observed) {
  if (sketch.index() != observed.value.index()) return false;
  if (auto* numbers = std::get_if<NumberSketch>(&sketch)) {
    const double value = std::get<double>(observed.value);
    std::isnan(value) ? numbers->add_missing() : numbers->add(value);
  } else if (auto* categories = std::get_if<CategorySketch>(&sketch)) {
    categories->add(std::get<std::string_view>(observed.value));
  } else {
    auto& vectors = std::get<VectorSketch>(sketch);
    const auto value = std::get<std::span<const float>>(observed.value);
    if (value.empty() || value.size() > VectorSketch::kWidest) return false;
    if (vectors.width() > 0 && value.size() != vectors.width()) return false;
    vectors.add(value);
  }
  return true;
}

void BaselineProfile::add(const Observed& observed) {
  auto at = features_.find(observed.feature);
  if (at == features_.end()) {
    if (features_.size() == kMostFeatures || find_invalid_utf8(observed.feature) != std::string_view::npos) {
      throw UserError("baseline profile", concat("expected at most ", kMostFeatures, " features with names of UTF-8"));
    }
    at = features_.emplace(observed.feature, empty_sketch(observed, static_cast<uint32_t>(features_.size()))).first;
  }
  if (!add_to(at->second, observed)) {
    throw UserError("baseline profile", concat("expected values of one kind of \"", observed.feature, "\", a ",
                                               kKinds[at->second.index()], ", got a ", kKinds[observed.value.index()]));
  }
}

void BaselineProfile::add(std::span<const Observed> observed) {
  for (const Observed& one : observed) add(one);
}

Json BaselineProfile::to_json() const {
  Json features = Json::object();
  for (const auto& [name, sketch] : features_) {
    features[name] = {{"kind", kKinds[sketch.index()]},
                      {"sketch", std::visit([](const auto& kind) { return kind.to_json(); }, sketch)}};
  }
  return {{"format", kFormat}, {"version", kVersion}, {"features", std::move(features)}};
}

BaselineProfile BaselineProfile::from_json(const Json& json, std::string_view where) {
  if (json_get<std::string>(json, "format", where) != kFormat) {
    throw UserError(where, concat("expected the format \"", kFormat, "\"; the file is something else"));
  }
  if (const auto version = json_get<int64_t>(json, "version", where); version != kVersion) {
    throw UserError(where,
                    concat("expected version ", kVersion, ", got ", version, "; train again to write a new one"));
  }
  const auto features = json.find("features");
  if (features == json.end() || !features->is_object() || features->size() > kMostFeatures) {
    throw UserError(where, concat("expected an object of at most ", kMostFeatures, " features as \"features\""));
  }
  BaselineProfile profile;
  for (const auto& [name, value] : features->items()) {
    profile.features_.emplace(name, read_sketch(value, concat(where, ": feature \"", name, "\"")));
  }
  return profile;
}

void BaselineProfile::save(const std::filesystem::path& file) const {
  const std::string text = to_json().dump() + "\n";
  if (text.size() > kMostBytes) {
    throw UserError(file.string(), concat("expected a profile of at most ", kMostBytes, " bytes, got ", text.size(),
                                          "; leave features out"));
  }
  write_file_atomically(file, text);
}

BaselineProfile BaselineProfile::load(const std::filesystem::path& file) {
  return from_json(read_json(file, kMostBytes), file.string());
}

}  // namespace suanli::monitor
