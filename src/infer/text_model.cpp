#include "infer/text_model.h"

#include <algorithm>

#include "base/error.h"
#include "formats/lora_folder.h"
#include "formats/sentence_files.h"
#include "nn/precision.h"
#include "ops/initialize.h"

namespace suanli::infer {

namespace {

/// What the folder says of sentences, where it does; `longest` becomes its limit of tokens.
Pooling sentence_pooling(const std::filesystem::path& folder, const TextModelOptions& options, int64_t& longest) {
  Pooling pooling;
  if (const auto files = read_sentence_files(folder_with(folder, {"modules.json"}))) {
    if (files->pooling == SentencePooling::max || !files->transformer_folder.empty()) {
      throw UserError(folder.string(), "expected mean or cls pooling and the weights in the folder itself");
    }
    pooling = {.mean = files->pooling == SentencePooling::mean, .normalize = files->normalize};
    longest = files->max_length;
  }
  pooling.mean = options.mean.value_or(pooling.mean);
  pooling.normalize = options.normalize.value_or(pooling.normalize);
  return pooling;
}

}  // namespace

TextModel load_text_model(const std::filesystem::path& folder, const TextModelOptions& options) {
  if (options.tokens_per_batch < 1 || options.max_length < 0) {
    throw UserError("options", "expected tokens_per_batch of at least 1 and max_length of at least 0");
  }
  initialize();
  const Device device = device_named(options.device);
  const nn::InferencePrecision precision = nn::inference_precision_named(options.precision, device);
  int64_t longest = 0;
  const Pooling pooling = options.head == models::Head::none ? sentence_pooling(folder, options, longest) : Pooling();
  Tokenizer tokenizer = Tokenizer::load(folder_with(folder, {"tokenizer.json", "vocab.txt"}));
  models::Model model = models::load_model(
      folder, {.head = options.head, .matrix_dtype = precision.dtype, .int8 = precision.int8, .device = device});
  if (options.head != models::Head::none && !model.initialized.empty()) {
    throw UserError(folder.string(), "expected a model with a trained head, missing " + model.initialized.front() +
                                         "; train it first, or use `suanli embed`");
  }
  EncodeOptions encode;
  encode.max_length = model.config().longest_sequence;
  for (const int64_t limit : {tokenizer.model_max_length(), longest, options.max_length}) {
    if (limit > 0) encode.max_length = std::min(encode.max_length, limit);
  }
  const EngineOptions engine{.dtype = precision.dtype,
                             .tokens_per_batch = options.tokens_per_batch,
                             .pooling = pooling,
                             .mask_id = tokenizer.special_ids().mask.value_or(-1),
                             .cuda_graphs = options.cuda_graphs};
  return {std::move(tokenizer), Engine(std::move(model), engine), encode, pooling, precision.name()};
}

CausalModel load_causal_model(const std::filesystem::path& folder, const std::string& device,
                              const std::string& precision) {
  initialize();
  const Device place = device_named(device);
  const auto [dtype, int8] = nn::inference_precision_named(precision, place);
  Tokenizer tokenizer = Tokenizer::load(folder_with(folder, {"tokenizer.json", "vocab.txt"}));
  models::Model model = models::load_model(
      folder, {.head = models::Head::causal_lm, .matrix_dtype = dtype, .int8 = int8, .device = place});
  if (!model.initialized.empty()) {
    throw UserError(folder.string(), "expected a trained causal language model, missing " + model.initialized.front() +
                                         "; train it first");
  }
  return {std::move(tokenizer), std::move(model), dtype};
}

std::vector<TokenSequence> token_sequences(const std::vector<Encoding>& encodings) {
  std::vector<TokenSequence> out;
  for (const Encoding& encoding : encodings) out.push_back({encoding.ids, encoding.types});
  return out;
}

}  // namespace suanli::infer
