#include "base/concat.h"
#include "base/error.h"
#include "data/readers.h"

namespace suanli {
namespace {

/// Line n of one file with line n of the other.
class ParallelReader : public ExampleReader {
 public:
  ParallelReader(ByteSource first, ByteSource second, const ReaderOptions& options)
      : ExampleReader(options), first_(std::move(first)), second_(std::move(second)) {}

 private:
  bool read(Example* example) override {
    for (;;) {
      example->line = first_.line();
      const bool one = next_line(first_, &example->text), other = next_line(second_, &example->text_pair);
      if (one != other) {
        throw UserError((one ? second_ : first_).name(),
                        concat("ends before line ", example->line, ", but ", (one ? first_ : second_).name(),
                               " goes on; parallel files have a line for each line"));
      }
      if (!one) return false;
      const bool blank = is_blank(example->text), pair_blank = is_blank(example->text_pair);
      if (blank && pair_blank && options_.skip_blank_lines) continue;
      if (blank != pair_blank) {
        throw UserError((blank ? first_ : second_).place(example->line),
                        concat("the line is blank, but not that of ", (blank ? second_ : first_).name()));
      }
      check_text(example->text, "the line", first_.place(example->line));
      check_text(example->text_pair, "the line", second_.place(example->line));
      example->has_pair = true;
      return true;
    }
  }

  static bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\f\v") == std::string_view::npos; }

  ByteSource first_, second_;
};

}  // namespace

std::unique_ptr<ExampleReader> open_parallel_text(ByteSource first, ByteSource second, const ReaderOptions& options) {
  if (options.labels != LabelKind::none && options.labels_required) {
    throw UserError(first.name(), "parallel text holds no labels; use CSV, TSV or JSON lines with two columns of text");
  }
  return std::make_unique<ParallelReader>(std::move(first), std::move(second), options);
}

}  // namespace suanli
