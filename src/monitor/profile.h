/// What a model's inputs and answers looked like where it was trained: a sketch for each feature, in a file beside the
/// model, baseline_profile.json.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "monitor/sketch.h"

namespace suanli::monitor {

constexpr const char* kBaselineProfile = "baseline_profile.json";

/// Features that training writes and a service observes alike. Those of a table have the names of its columns behind
/// kColumnPrefix.
constexpr std::string_view kTextCharacters = "text_characters";  ///< code points of a text, or of both of a pair
constexpr std::string_view kTextTokens = "text_tokens";      ///< of the sequence that the model gets, special ones too
constexpr std::string_view kUnknownShare = "unknown_share";  ///< of its tokens: that of the unknown token
constexpr std::string_view kLabel = "label";                 ///< the truth: names, or numbers where these are learned
constexpr std::string_view kPrediction = "prediction";       ///< the answer, alike
constexpr std::string_view kScore = "score";                 ///< probability of the class that was chosen
constexpr std::string_view kEmbedding = "embedding";         ///< pooled vector of a text, of length 1
constexpr std::string_view kPictureHeight = "picture_height", kPictureWidth = "picture_width";  ///< pixels, as it came
constexpr std::string_view kPictureBrightness = "picture_brightness";                           ///< mean, 0 to 1
constexpr std::string_view kPictureContrast = "picture_contrast";                               ///< deviation
constexpr std::string_view kColumnPrefix = "column.";

/// One value of one feature: a number (NaN: missing), a category or a vector.
struct Observed {
  std::string_view feature;
  std::variant<double, std::string_view, std::span<const float>> value;
};

/// What is seen of a text: `tokens` of its sequence, `unknown` of them the unknown token.
std::array<Observed, 3> observed_text(int64_t characters, int64_t tokens, int64_t unknown);

/// Code points of UTF-8.
int64_t characters_of(std::string_view text);

using FeatureSketch = std::variant<NumberSketch, CategorySketch, VectorSketch>;

/// Adds a value to a sketch of its kind; false where the sketch is of another kind, or of vectors of another width.
bool add_to(FeatureSketch& sketch, const Observed& observed);

class BaselineProfile {
 public:
  static constexpr int kVersion = 1;
  static constexpr size_t kMostFeatures = 1024;
  static constexpr uint64_t kMostBytes = uint64_t{16} << 20;  ///< of the file

  /// The first value of a feature says of what kind it is. Throws UserError for a value of another kind and for more
  /// than kMostFeatures.
  void add(const Observed& observed);
  void add(std::span<const Observed> observed);

  const std::map<std::string, FeatureSketch, std::less<>>& features() const { return features_; }

  Json to_json() const;
  /// Throws UserError at `where` for another version and anything malformed.
  static BaselineProfile from_json(const Json& json, std::string_view where);

  /// Throws UserError for more than kMostBytes, EnvironmentError where it cannot be written.
  void save(const std::filesystem::path& file) const;
  /// Throws UserError, also for a file of more than kMostBytes.
  static BaselineProfile load(const std::filesystem::path& file);

 private:
  std::map<std::string, FeatureSketch, std::less<>> features_;
};

}  // namespace suanli::monitor
