#include "cli/text_lines.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/json.h"

namespace suanli::cli {

namespace {
constexpr size_t kLongestLine = size_t{16} << 20;
}

TextLines::TextLines(const std::string& file) : name_(file.empty() || file == "-" ? "standard input" : file) {
  if (name_ == "standard input") return;
  file_ = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) throw UserError(file, std::string("expected a readable file: ") + std::strerror(errno));
}

TextLines::~TextLines() {
  if (file_ != STDIN_FILENO) close(file_);
}

bool TextLines::read_more() {
  buffer_.erase(0, used_);
  used_ = 0;
  if (buffer_.size() > kLongestLine) {
    throw UserError(name_ + ":" + std::to_string(line_number_ + 1), "expected lines of at most 16 MiB");
  }
  const size_t before = buffer_.size();
  buffer_.resize(before + (size_t{64} << 10));
  ssize_t count;
  do {
    count = read(file_, buffer_.data() + before, buffer_.size() - before);
  } while (count < 0 && errno == EINTR);
  if (count < 0) throw UserError(name_, std::string("cannot be read: ") + std::strerror(errno));
  buffer_.resize(before + static_cast<size_t>(count));
  ended_ = count == 0;
  return !ended_;
}

bool TextLines::take_line(std::string& line) {
  const size_t end = buffer_.find('\n', used_);
  if (end == std::string::npos && !(ended_ && used_ < buffer_.size())) return false;
  line = buffer_.substr(used_, end == std::string::npos ? std::string::npos : end - used_);
  used_ = end == std::string::npos ? buffer_.size() : end + 1;
  if (line.ends_with('\r')) line.pop_back();
  ++line_number_;
  return true;
}

bool TextLines::input_waits() const {
  pollfd descriptor{file_, POLLIN, 0};
  return poll(&descriptor, 1, 0) > 0;
}

TextLine TextLines::parse(const std::string& line) {
  if (line_number_ == 1 && line.starts_with('{')) {
    try {
      const Json first = parse_json(line, name_);
      json_ = first.is_object() && (first.contains("text") || first.contains("question"));
    } catch (const UserError&) {
      json_ = false;  // a plain line that happens to start with a brace
    }
  }
  if (!json_) return {line, "", false};
  const std::string where = name_ + ":" + std::to_string(line_number_);
  const Json row = parse_json(line, where);
  if (row.contains("question") && row.contains("context")) {
    return {json_get<std::string>(row, "question", where), json_get<std::string>(row, "context", where), true};
  }
  TextLine out{json_get<std::string>(row, "text", where), "", row.contains("text_pair")};
  if (out.has_pair) out.text_pair = json_get<std::string>(row, "text_pair", where);
  return out;
}

std::vector<TextLine> TextLines::next(size_t limit) {
  std::vector<TextLine> out;
  std::string line;
  while (out.size() < limit) {
    if (take_line(line)) {
      out.push_back(parse(line));
    } else if (ended_ || (!out.empty() && !input_waits()) || !read_more()) {
      if (!ended_ || used_ >= buffer_.size()) break;
    }
  }
  return out;
}

}  // namespace suanli::cli
