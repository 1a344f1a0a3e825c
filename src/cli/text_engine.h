/// Lines of text and the model that answers them: the options that predict and embed share.
#pragma once

#include <functional>

#include "base/config.h"
#include "cli/output.h"
#include "cli/text_lines.h"
#include "infer/text_model.h"

namespace suanli::cli {

/// The options --model, --input, --output, --device, --precision, --max_length, --window, --tokens_per_batch and
/// --cuda_graphs.
std::vector<Option> text_engine_options(const char* default_precision);

/// The model that --model names, as these options say; `head` as config.json says, or none. Throws UserError.
infer::TextModel load_text_model(const Config& config, infer::TextModelOptions options);

/// The tokens of each line, cut to encode_options.max_length.
std::vector<Encoding> encode(const infer::TextModel& model, const std::vector<TextLine>& lines);

/// Reads --input in windows, gives each window to `answer` and writes the text it returns to --output.
void answer_lines(const Config& config, const std::function<std::string(const std::vector<TextLine>&)>& answer);

}  // namespace suanli::cli
