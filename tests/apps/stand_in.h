/// Stand-ins for models: a text's vector counts its words, so that texts of the same words are near each other.
#pragma once

#include <cmath>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "apps/answer_index.h"
#include "apps/answers.h"

namespace suanli::apps {

constexpr size_t kStandInWidth = 64;

/// Length 1; each word adds to one of 64 places.
inline std::vector<float> stand_in_vector(const std::string& text) {
  std::vector<float> out(kStandInWidth, 1e-3F);
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    uint32_t hash = 2166136261u;
    for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    out[hash % kStandInWidth] += 1;
  }
  double sum = 0;
  for (const float value : out) sum += static_cast<double>(value) * value;
  for (float& value : out) value = static_cast<float>(value / std::sqrt(sum));
  return out;
}

inline AnswerIndex stand_in_index(const std::vector<Answer>& answers) {
  std::vector<float> questions, documents;
  for (const Answer& answer : answers) {
    for (const float value : stand_in_vector(answer.question)) questions.push_back(value);
    for (const float value : stand_in_vector(answer.question + " " + answer.text)) documents.push_back(value);
  }
  return {kStandInWidth, questions, std::move(documents)};
}

}  // namespace suanli::apps
