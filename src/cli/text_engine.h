/// A model folder ready to answer lines of text: tokenizer, network and the options that predict and embed share.
#pragma once

#include <functional>

#include "base/config.h"
#include "cli/json_text.h"
#include "cli/text_lines.h"
#include "infer/engine.h"
#include "text/tokenizer.h"

namespace suanli::cli {

/// The options --model, --input, --output, --device, --precision, --max_length, --window, --tokens_per_batch and
/// --cuda_graphs.
std::vector<Option> text_engine_options(const char* default_precision);

struct TextEngine {
  Tokenizer tokenizer;
  infer::Engine engine;
  EncodeOptions encode_options;

  /// The tokens of each line, cut to encode_options.max_length.
  std::vector<Encoding> encode(const std::vector<TextLine>& lines) const;
};

/// Loads the folder that --model names; `head` as config.json says, or none. `longest` (0: no limit) caps the length of
/// sequences beside the tokenizer's and the model's own limits. Throws UserError.
TextEngine load_text_engine(const Config& config, models::Head head, const infer::Pooling& pooling, int64_t longest);

/// Reads --input in windows, gives each window to `answer` and writes the text it returns to --output.
void answer_lines(const Config& config, const std::function<std::string(const std::vector<TextLine>&)>& answer);

/// Ids and types of encodings as the engine takes them.
std::vector<infer::TokenSequence> token_sequences(const std::vector<Encoding>& encodings);

}  // namespace suanli::cli
