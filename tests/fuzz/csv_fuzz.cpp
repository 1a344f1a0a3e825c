/// Any bytes as a data file: the first byte chooses the format and what labels are; examples or UserError, with bad
/// rows fatal and skipped.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "base/utf8.h"
#include "data/reader.h"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  suanli::configure_log(suanli::LogLevel::error, false);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using suanli::FileFormat, suanli::LabelKind;
  if (size == 0) return 0;
  constexpr FileFormat formats[] = {FileFormat::csv, FileFormat::tsv, FileFormat::json_lines, FileFormat::text,
                                    FileFormat::conll};
  constexpr LabelKind kinds[] = {LabelKind::none, LabelKind::single, LabelKind::multi, LabelKind::score,
                                 LabelKind::tags};
  suanli::ReaderOptions options;
  options.format = formats[data[0] % 5];
  options.labels = kinds[data[0] / 5 % 5];
  options.labels_required = data[0] / 25 % 2 == 0;
  options.on_bad_row = data[0] / 50 % 2 == 0 ? suanli::OnBadRow::error : suanli::OnBadRow::skip;
  try {
    std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto reader = suanli::open_examples(suanli::ByteSource::from_text(std::move(text), "input"), options);
    suanli::Example example;
    while (reader->next(&example)) {
      for (const std::string& word : example.words) {
        if (suanli::find_invalid_utf8(word) != std::string::npos) __builtin_trap();
      }
      if (suanli::find_invalid_utf8(example.text) != std::string::npos) __builtin_trap();
      if (example.text.find('\0') != std::string::npos) __builtin_trap();
      const bool tags = options.labels == LabelKind::tags && !example.labels.empty();
      if (tags && example.labels.size() != example.words.size()) __builtin_trap();
    }
  } catch (const suanli::UserError&) {
  }
  return 0;
}
