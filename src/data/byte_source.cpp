#include "data/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/concat.h"
#include "base/error.h"
#include "base/utf8.h"

namespace suanli {
namespace {

constexpr size_t kBlock = size_t{64} << 10;

}  // namespace

ByteSource::ByteSource(const std::filesystem::path& file) : name_(file.string()) {
  if (name_ == "-") {
    name_ = "standard input";
    descriptor_ = STDIN_FILENO;
  } else {
    descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    owned_ = true;
    if (descriptor_ < 0) {
      const int error = errno;
      if (error == ENOENT || error == ENOTDIR) throw UserError(name_, "no such file; check the path");
      throw EnvironmentError(name_, concat("cannot be opened: ", std::strerror(error)));
    }
    struct stat status = {};
    if (::fstat(descriptor_, &status) == 0 && S_ISDIR(status.st_mode)) {
      ::close(descriptor_);
      throw UserError(name_, "expected a file, found a folder");
    }
  }
  drop_byte_order_mark();
}

ByteSource ByteSource::from_text(std::string text, std::string name) {
  ByteSource source;
  source.name_ = std::move(name);
  source.buffer_ = std::move(text);
  source.filled_ = static_cast<int64_t>(source.buffer_.size());
  source.drop_byte_order_mark();
  return source;
}

ByteSource::ByteSource(ByteSource&& other) noexcept
    : name_(std::move(other.name_)),
      buffer_(std::move(other.buffer_)),
      at_(std::exchange(other.at_, 0)),
      line_(other.line_),
      filled_(other.filled_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      owned_(std::exchange(other.owned_, false)) {
  other.buffer_.clear();
}

ByteSource::~ByteSource() {
  if (owned_) ::close(descriptor_);
}

bool ByteSource::fill() {
  if (descriptor_ < 0) return false;
  buffer_.resize(kBlock);
  at_ = 0;
  ssize_t got = 0;
  do {
    got = ::read(descriptor_, buffer_.data(), buffer_.size());
  } while (got < 0 && errno == EINTR);
  const int error = errno;
  buffer_.resize(got > 0 ? static_cast<size_t>(got) : 0);
  if (got < 0) throw EnvironmentError(name_, concat("cannot be read: ", std::strerror(error)));
  filled_ += got;
  return got > 0;
}

void ByteSource::drop_byte_order_mark() {
  // The three bytes lie in the first block: a pipe that delivers fewer at once has none worth dropping.
  if (peek() == 0xEF && std::string_view(buffer_).starts_with("\xEF\xBB\xBF")) at_ = 3;
}

void ByteSource::take_until(std::string_view stops, size_t limit, std::string* to) {
  while (limit > 0 && peek() >= 0) {
    const std::string_view rest = std::string_view(buffer_).substr(at_, limit);
    const size_t stop = rest.find_first_of(stops);
    const std::string_view part = rest.substr(0, stop);
    to->append(part);
    line_ += std::count(part.begin(), part.end(), '\n');
    at_ += part.size();
    limit -= part.size();
    if (stop != std::string_view::npos) return;
  }
}

std::string ByteSource::place(int64_t line) const { return concat(name_, ':', line); }

void check_text(std::string_view text, std::string_view what, const std::string& place) {
  if (const size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    throw UserError(place, concat(what, " is not valid UTF-8 (byte ", bad + 1, "); convert the file to UTF-8"));
  }
  if (text.find('\0') != std::string_view::npos) {
    throw UserError(place, concat(what, " holds a NUL byte; is it a text file, in UTF-8?"));
  }
}

bool next_line(ByteSource& source, std::string* line) {
  line->clear();
  if (source.peek() < 0) return false;
  const int64_t begin = source.line();
  source.take_until("\n", kFieldLimit, line);
  if (const int next = source.peek(); next >= 0 && next != '\n') {
    std::string ignored;
    while (source.peek() >= 0 && source.peek() != '\n') {
      ignored.clear();
      source.take_until("\n", size_t{1} << 16, &ignored);
    }
    source.get();
    throw UserError(source.place(begin), concat("the line is longer than ", kFieldLimit, " bytes; split it"));
  }
  source.get();
  if (!line->empty() && line->back() == '\r') line->pop_back();
  return true;
}

}  // namespace suanli
