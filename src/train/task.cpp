#include "train/task.h"

#include <algorithm>
#include <charconv>

#include "base/concat.h"
#include "base/error.h"
#include "models/forecast/forecast.h"
#include "models/tabular/config.h"
#include "models/two_tower/two_tower.h"
#include "ops/cast.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

constexpr int64_t kTextLength = 128;  // the default of Hugging Face's run_classification

TaskKind classification(const std::string& problem_type) {
  const LabelKind labels = problem_type == "multi_label_classification" ? LabelKind::multi
                           : problem_type == "regression"               ? LabelKind::score
                                                                        : LabelKind::single;
  return {.name = labels == LabelKind::score ? "regression" : "text-classification",
          .problem_type = problem_type.empty() ? "single_label_classification" : problem_type,
          .head = models::Head::sequence_classification,
          .labels = labels,
          .default_length = kTextLength};
}

/// "tabular-classification" or "tabular-regression".
TaskKind tabular(const std::string& name) {
  const bool regression = name == "tabular-regression";
  return {.name = name,
          .problem_type = regression ? "regression" : "single_label_classification",
          .input = Input::table,
          .labels = regression ? LabelKind::score : LabelKind::single};
}

TaskKind image_segmentation() {
  return {.name = "image-segmentation",
          .problem_type = "",
          .input = Input::masked_image,
          .head = models::Head::semantic_segmentation};
}

TaskKind object_detection() {
  return {.name = "object-detection",
          .problem_type = "",
          .input = Input::boxed_image,
          .head = models::Head::object_detection};
}

TaskKind image_super_resolution() {
  return {.name = "image-super-resolution",
          .problem_type = "",
          .input = Input::plain_image,
          .head = models::Head::image_super_resolution};
}

TaskKind keypoint_detection() {
  return {.name = "keypoint-detection",
          .problem_type = "",
          .input = Input::keypoint_image,
          .head = models::Head::keypoint_detection};
}

TaskKind image_classification() {
  return {.name = "image-classification",
          .problem_type = "single_label_classification",
          .input = Input::image,
          .head = models::Head::image_classification,
          .labels = LabelKind::single};
}

TaskKind question_answering() {
  return {.name = "question-answering",
          .problem_type = "",
          .input = Input::question,
          .head = models::Head::question_answering,
          .default_length = 384};  // of run_qa
}

TaskKind image_generation() {
  return {.name = "image-generation",
          .problem_type = "",
          .input = Input::generated_image,
          .head = models::Head::image_generation};
}

std::string name_for(const Json& config) {
  if (models::is_forecaster(config, "config.json")) return "forecasting";
  if (models::is_two_tower(config, "config.json")) return "recommendation";
  if (models::is_tabular(config, "config.json")) {
    const auto problem = json_get_or<std::string>(config, "problem_type", "", "config.json");
    return problem == "regression" ? "tabular-regression" : "tabular-classification";
  }
  switch (models::head_of(config, "config.json")) {
    case models::Head::masked_lm:
      return "masked-lm";
    case models::Head::causal_lm:
      return "causal-lm";
    case models::Head::sequence_classification:
      return "text-classification";
    case models::Head::token_classification:
      return "token-classification";
    case models::Head::question_answering:
      return "question-answering";
    case models::Head::image_classification:
      return "image-classification";
    case models::Head::semantic_segmentation:
      return "image-segmentation";
    case models::Head::object_detection:
      return "object-detection";
    case models::Head::image_super_resolution:
      return "image-super-resolution";
    case models::Head::keypoint_detection:
      return "keypoint-detection";
    case models::Head::image_generation:
      return "image-generation";
    default:
      break;
  }
  return "";
}

template <class T>
Tensor constant(std::span<const T> values) {
  Tensor tensor = Tensor::from(values, {static_cast<int64_t>(values.size())});
  tensor.make_constant();
  return tensor;
}

}  // namespace

TaskKind task_kind(const std::string& name, const std::string& problem_type, const Json& model_config) {
  const std::string task = name.empty() ? name_for(model_config) : name;
  std::string problem = problem_type;
  if (problem.empty() && model_config.contains("problem_type") && model_config["problem_type"].is_string()) {
    problem = model_config["problem_type"].get<std::string>();
  }
  if (task == "text-classification") return classification(problem);
  if (task == "regression") return classification("regression");
  if (task == "tabular-classification" || task == "tabular-regression") return tabular(task);
  if (task == "question-answering") return question_answering();
  if (task == "image-classification") return image_classification();
  if (task == "image-generation") return image_generation();
  if (task == "image-segmentation") return image_segmentation();
  if (task == "object-detection") return object_detection();
  if (task == "image-super-resolution") return image_super_resolution();
  if (task == "keypoint-detection") return keypoint_detection();
  if (task == "forecasting") {
    return {.name = task, .problem_type = "regression", .input = Input::series, .labels = LabelKind::score};
  }
  if (task == "recommendation") return {.name = task, .problem_type = "", .input = Input::interactions};
  if (task == "causal-lm") {
    return {.name = task, .problem_type = "", .head = models::Head::causal_lm, .labels = LabelKind::none};
  }
  if (task == "masked-lm") {
    return {.name = task, .problem_type = "", .head = models::Head::masked_lm, .labels = LabelKind::none};
  }
  if (task == "token-classification") {
    return {.name = task, .problem_type = "", .head = models::Head::token_classification, .labels = LabelKind::tags};
  }
  if (task == "sentence-similarity" || task == "sentence-retrieval") {
    return {.name = task,
            .problem_type = "",
            .head = models::Head::none,
            .labels = task == "sentence-similarity" ? LabelKind::score : LabelKind::none,
            .default_length = kTextLength,
            .embeds = true};
  }
  throw UserError("task",
                  concat("expected causal-lm, forecasting, image-classification, image-generation, image-segmentation, "
                         "image-super-resolution, keypoint-detection, masked-lm, object-detection, "
                         "question-answering, recommendation, text-classification, token-classification, "
                         "sentence-similarity, sentence-retrieval, "
                         "regression, tabular-classification or tabular-regression, got ",
                         task.empty() ? "none, and the model's config.json names no head" : task));
}

std::unique_ptr<Task> make_task(const TaskKind& kind, const models::Model& model, Tokenizer tokenizer,
                                const LabelTable& labels, const TaskOptions& options) {
  TaskParts parts = {&model, std::move(tokenizer), labels, kind, options};
  if (kind.name == "causal-lm") return make_causal_lm(std::move(parts));
  if (kind.name == "masked-lm") return make_masked_lm(std::move(parts));
  if (kind.name == "token-classification") return make_token_classification(std::move(parts));
  if (kind.name == "sentence-retrieval" && options.triplets) return make_sentence_triplets(std::move(parts));
  if (kind.name == "sentence-retrieval") return make_sentence_retrieval(std::move(parts));
  if (kind.name == "sentence-similarity") return make_sentence_similarity(std::move(parts));
  return make_sequence_classification(std::move(parts));
}

LossInputs tokens_of(const Batch& batch) {
  return {.packed = models::packed_array(batch.ids, batch.types, batch.positions, batch.offsets),
          .tokens = batch.tokens()};
}

EncodedExample tokenized(Encoding encoding) {
  EncodedExample example;
  example.ids = std::move(encoding.ids);
  example.types = std::move(encoding.types);
  example.special = std::move(encoding.special);
  return example;
}

Encoding encoded_text(const TaskParts& parts, const Example& example) {
  const EncodeOptions options = {.max_length = parts.options.max_length};
  return example.has_pair ? parts.tokenizer.encode_pair(example.text, example.text_pair, options)
                          : parts.tokenizer.encode(example.text, options);
}

float number_of(const Tensor& tensor) { return tensor.to(Device{}).host<float>()[0]; }

Tensor integers(std::span<const int32_t> values) { return constant(values); }

Tensor numbers(std::span<const float> values) { return constant(values); }

std::vector<float> host_values(const Tensor& tensor) {
  const Tensor f32 = ops::cast(tensor, DType::f32).to(Device{});
  const auto values = f32.host<float>();
  return {values.begin(), values.end()};
}

int64_t largest(std::span<const float> values, int64_t row, int64_t width) {
  const auto begin = values.begin() + row * width;
  return std::max_element(begin, begin + width) - begin;
}

std::string number_text(float value) {
  char digits[32];
  return std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace suanli
