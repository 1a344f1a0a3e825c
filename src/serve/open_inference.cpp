#include "serve/open_inference.h"

#include <algorithm>
#include <cstring>

#include "infer/predictions.h"

namespace suanli::serve {

void wrong_tensor(const InferTensor& tensor, const std::string& what) {
  throw RequestError(Fault::invalid, "input \"" + tensor.name + "\": expected " + what);
}

std::vector<std::string> texts_of(const InferTensor& tensor) {
  if (tensor.datatype != "BYTES") wrong_tensor(tensor, "the datatype BYTES, got " + tensor.datatype);
  if (tensor.shape.empty() || tensor.shape.size() > 2 || (tensor.shape.size() == 2 && tensor.shape[1] != 1)) {
    wrong_tensor(tensor, "the shape [texts] or [texts, 1]");
  }
  std::vector<std::string> texts = bytes_elements(tensor);
  if (static_cast<int64_t>(texts.size()) != element_count(tensor.name, tensor.shape)) {
    wrong_tensor(tensor, "as many texts as its shape says, got " + std::to_string(texts.size()));
  }
  return texts;
}

size_t element_size(const std::string& datatype) {
  struct Row {
    const char* name;
    size_t size;
  };
  constexpr Row kRows[] = {{"BOOL", 1},  {"UINT8", 1}, {"UINT16", 2}, {"UINT32", 4}, {"UINT64", 8}, {"INT8", 1},
                           {"INT16", 2}, {"INT32", 4}, {"INT64", 8},  {"FP32", 4},   {"FP64", 8}};
  const auto* row = std::ranges::find(kRows, datatype, [](const Row& each) { return std::string_view(each.name); });
  return row == std::end(kRows) ? 0 : row->size;
}

namespace {

constexpr int64_t kMostElements = int64_t{1} << 26;

const InferTensor* find(const std::vector<InferTensor>& tensors, const char* name) {
  const auto found = std::ranges::find(tensors, name, &InferTensor::name);
  return found == tensors.end() ? nullptr : &*found;
}

/// INT64 or INT32 [B,T].
std::vector<int64_t> integers_of(const InferTensor& tensor, const std::vector<int64_t>& shape) {
  const size_t size = tensor.datatype == "INT64" ? 8 : tensor.datatype == "INT32" ? 4 : 0;
  if (size == 0) wrong_tensor(tensor, "the datatype INT64 or INT32, got " + tensor.datatype);
  if (tensor.shape.size() != 2 || tensor.shape != shape)
    wrong_tensor(tensor, "the shape [sequences, tokens] of input_ids");
  const auto count = static_cast<size_t>(element_count(tensor.name, tensor.shape));
  if (tensor.data.size() != count * size) {
    wrong_tensor(tensor, std::to_string(count * size) + " bytes, got " + std::to_string(tensor.data.size()));
  }
  std::vector<int64_t> out(count);
  for (size_t i = 0; i < count; ++i) {
    int32_t narrow = 0;
    if (size == 8) {
      std::memcpy(&out[i], tensor.data.data() + 8 * i, 8);
    } else {
      std::memcpy(&narrow, tensor.data.data() + 4 * i, 4);
      out[i] = narrow;
    }
  }
  return out;
}

std::vector<Input> token_inputs(const std::vector<InferTensor>& inputs, const InferTensor& ids_tensor) {
  const auto ids = integers_of(ids_tensor, ids_tensor.shape);
  std::vector<int64_t> mask(ids.size(), 1), types(ids.size(), 0);
  if (const auto* tensor = find(inputs, "attention_mask")) mask = integers_of(*tensor, ids_tensor.shape);
  if (const auto* tensor = find(inputs, "token_type_ids")) types = integers_of(*tensor, ids_tensor.shape);
  const auto length = static_cast<size_t>(ids_tensor.shape[1]);
  std::vector<Input> out(static_cast<size_t>(ids_tensor.shape[0]));
  for (size_t i = 0; i < ids.size(); ++i) {
    if (mask[i] == 0) continue;
    if (ids[i] < 0 || ids[i] > INT32_MAX || types[i] < 0 || types[i] > INT32_MAX) {
      wrong_tensor(ids_tensor, "ids and types of tokens of 0 or more");
    }
    out[i / length].ids.push_back(static_cast<int32_t>(ids[i]));
    out[i / length].types.push_back(static_cast<int32_t>(types[i]));
  }
  return out;
}

void append_floats(std::string& data, std::span<const float> values) {
  data.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

/// The rows as they are, [N, width].
InferTensor rows_tensor(const char* name, const std::vector<std::vector<float>>& rows) {
  InferTensor out{.name = name, .datatype = "FP32", .shape = {static_cast<int64_t>(rows.size()), 0}, .data = {}};
  out.shape[1] = rows.empty() ? 0 : static_cast<int64_t>(rows.front().size());
  for (const auto& row : rows) append_floats(out.data, row);
  return out;
}

/// "answer", "score", "start" and "end" of the best answer to each question.
InferTensor answer_output(const Answers& answers, const std::string& name) {
  InferTensor out{.name = name,
                  .datatype = name == "answer"  ? "BYTES"
                              : name == "score" ? "FP32"
                                                : "INT64",
                  .shape = {static_cast<int64_t>(answers.passages.size())},
                  .data = {}};
  for (size_t i = 0; i < answers.passages.size(); ++i) {
    const AnswerSpan best = spans_of(answers, i, {}).front();
    const auto score = static_cast<float>(best.score);
    const int64_t place = name == "start" ? best.start : best.end;
    if (name == "answer") append_bytes_element(out.data, best.text);
    if (name == "score") append_floats(out.data, {&score, 1});
    if (out.datatype == "INT64") out.data.append(reinterpret_cast<const char*>(&place), sizeof place);
  }
  return out;
}

InferTensor output(const ServedModel& model, const Answers& answers, const std::string& name) {
  if (name == "embedding" || name == "logits") return rows_tensor(name.c_str(), answers.rows);
  if (model.kind() == ModelKind::question_answering) return answer_output(answers, name);
  const auto& labels = model.config().labels;
  const auto count = static_cast<int64_t>(answers.rows.size());
  if (name == "scores") {
    InferTensor out{
        .name = name, .datatype = "FP32", .shape = {count, static_cast<int64_t>(labels.size())}, .data = {}};
    for (const auto& row : answers.rows) {
      const auto scores = infer::label_scores(model.config(), row);
      append_floats(out.data, std::vector<float>(scores.begin(), scores.end()));
    }
    return out;
  }
  InferTensor out{.name = name, .datatype = "BYTES", .shape = {count}, .data = {}};
  for (size_t i = 0; i < answers.rows.size(); ++i) {
    const auto& row = answers.rows[i];
    std::string text;
    if (name == "label") {
      text = labels[static_cast<size_t>(std::ranges::max_element(row) - row.begin())];
    } else if (name == "entities") {
      infer::append_entities(text, model.config(), model.model().tokenizer, answers.encodings[i], row, true);
    } else {
      infer::append_fills(text, model.model().tokenizer, answers.encodings[i], row, 5);
    }
    append_bytes_element(out.data, text);
  }
  return out;
}

}  // namespace

std::vector<TensorInfo> model_inputs(const ServedModel& model) {
  if (model.kind() == ModelKind::question_answering) return {{"question", "BYTES", {-1}}, {"context", "BYTES", {-1}}};
  return {{"text", "BYTES", {-1}},
          {"text_pair", "BYTES", {-1}},
          {"input_ids", "INT64", {-1, -1}},
          {"attention_mask", "INT64", {-1, -1}},
          {"token_type_ids", "INT64", {-1, -1}}};
}

std::vector<TensorInfo> model_outputs(const ServedModel& model) {
  const auto labels = static_cast<int64_t>(model.config().labels.size());
  switch (model.kind()) {
    case ModelKind::embedding:
      return {{"embedding", "FP32", {-1, model.config().hidden_size}}};
    case ModelKind::classification:
      return {{"logits", "FP32", {-1, labels}}, {"scores", "FP32", {-1, labels}}, {"label", "BYTES", {-1}}};
    case ModelKind::token_classification:
      return {{"entities", "BYTES", {-1}}};
    case ModelKind::fill_mask:
      return {{"fills", "BYTES", {-1}}};
    case ModelKind::question_answering:
      return {{"answer", "BYTES", {-1}}, {"score", "FP32", {-1}}, {"start", "INT64", {-1}}, {"end", "INT64", {-1}}};
  }
  return {};
}

int64_t element_count(const std::string& name, const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) {
    if (size < 0 || size > kMostElements || (size > 0 && count > kMostElements / size)) {
      throw RequestError(Fault::invalid, "\"" + name + "\": expected a shape of at most " +
                                             std::to_string(kMostElements) + " elements");
    }
    count *= size;
  }
  return count;
}

void append_bytes_element(std::string& data, std::string_view element) {
  const auto size = static_cast<uint32_t>(element.size());
  data.append(reinterpret_cast<const char*>(&size), sizeof size);
  data += element;
}

std::vector<std::string> bytes_elements(const InferTensor& tensor) {
  std::vector<std::string> out;
  for (size_t at = 0; at < tensor.data.size();) {
    uint32_t size = 0;
    if (tensor.data.size() - at < sizeof size) wrong_tensor(tensor, "the length of each element in 4 bytes");
    std::memcpy(&size, tensor.data.data() + at, sizeof size);
    at += sizeof size;
    if (tensor.data.size() - at < size) wrong_tensor(tensor, "elements that end within its data");
    out.push_back(tensor.data.substr(at, size));
    at += size;
  }
  return out;
}

Question question_of(const ServedModel& model, const std::vector<InferTensor>& inputs) {
  Question question{.inputs = {}, .output = model.output()};
  const auto known = model_inputs(model);
  for (const InferTensor& tensor : inputs) {
    if (std::ranges::count(known, tensor.name, &TensorInfo::name) == 0) wrong_tensor(tensor, "the name of an input");
    if (std::ranges::count(inputs, tensor.name, &InferTensor::name) > 1) wrong_tensor(tensor, "each input once");
  }
  if (model.kind() == ModelKind::question_answering) {
    const InferTensor *asked = find(inputs, "question"), *contexts = find(inputs, "context");
    if (asked == nullptr || contexts == nullptr) {
      throw RequestError(Fault::invalid, "expected the inputs \"question\" and \"context\"");
    }
    auto questions = texts_of(*asked), texts = texts_of(*contexts);
    if (questions.size() != texts.size()) wrong_tensor(*contexts, "as many texts as the input \"question\" has");
    for (size_t i = 0; i < texts.size(); ++i) {
      question.inputs.push_back({.text = std::move(questions[i]), .pair = std::move(texts[i])});
    }
    return question;
  }
  const InferTensor* ids = find(inputs, "input_ids");
  const InferTensor* text = find(inputs, "text");
  if ((ids != nullptr) == (text != nullptr)) {
    throw RequestError(Fault::invalid, "expected either the input \"text\" or the input \"input_ids\"");
  }
  if (ids != nullptr) {
    question.inputs = token_inputs(inputs, *ids);
    return question;
  }
  for (std::string& one : texts_of(*text)) question.inputs.push_back({.text = std::move(one)});
  if (const InferTensor* pair = find(inputs, "text_pair")) {
    auto pairs = texts_of(*pair);
    if (pairs.size() != question.inputs.size()) wrong_tensor(*pair, "as many texts as the input \"text\" has");
    for (size_t i = 0; i < pairs.size(); ++i) question.inputs[i].pair = std::move(pairs[i]);
  }
  return question;
}

void check_output_names(const std::vector<TensorInfo>& known, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (std::ranges::count(known, name, &TensorInfo::name) == 0) {
      throw RequestError(Fault::invalid, "\"" + name + "\": expected the name of an output");
    }
  }
}

std::vector<InferTensor> outputs_of(const ServedModel& model, const Answers& answers,
                                    const std::vector<std::string>& names) {
  std::vector<InferTensor> out;
  if (names.empty()) {
    for (const TensorInfo& info : model_outputs(model)) out.push_back(output(model, answers, info.name));
  }
  for (const std::string& name : names) out.push_back(output(model, answers, name));
  return out;
}

std::shared_ptr<LoadedModel> any_of_version(const Service& service, const std::string& name,
                                            const std::string& version) {
  auto model = service.models.any(name);
  if (!version.empty() && version != std::to_string(model->version())) {
    throw RequestError(Fault::not_found, "no such version of the model");
  }
  return model;
}

bool model_is_ready(const Service& service, const std::string& name) {
  for (const auto& entry : service.models.index()) {
    if (entry.name == name) return entry.ready && service.ready();
  }
  throw RequestError(Fault::not_found, "no model of that name");
}

void load_in_background(const Service& service, const ExchangePointer& exchange, const std::string& name,
                        ErrorForm form, Response done) {
  service.models.in_background([service, exchange, name, form, done = std::move(done)] {
    try {
      service.models.load(name);
      exchange->counts_for(name);
      exchange->answer(done);
    } catch (const RequestError& error) {
      exchange->answer(error_answer(form, error));
    } catch (const std::exception&) {
      exchange->answer(form(Fault::invalid, "the model cannot be loaded; the server's log says why"));
      throw;
    }
  });
}

}  // namespace suanli::serve
