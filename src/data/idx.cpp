#include "data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <memory>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

constexpr int64_t kMost = int64_t{1} << 31;

/// Bytes of a file, unpacked where it is gzipped.
class Source {
 public:
  explicit Source(const std::filesystem::path& file) : name_(file.string()) {
    if (!std::filesystem::is_regular_file(file)) throw UserError(name_, "expected an idx file, found none");
    file_.reset(gzopen(name_.c_str(), "rb"));
    if (!file_) throw EnvironmentError(name_, "cannot open the file");
  }
  /// Appends up to `count` bytes; fewer at the end of the file.
  void read(int64_t count, std::vector<uint8_t>& to) {
    constexpr int64_t kChunk = 1 << 20;
    while (count > 0) {
      const size_t before = to.size();
      const int64_t wanted = std::min(count, kChunk);
      to.resize(before + static_cast<size_t>(wanted));
      const int got = gzread(file_.get(), to.data() + before, static_cast<unsigned>(wanted));
      to.resize(before + static_cast<size_t>(std::max(got, 0)));
      int problem = Z_OK;
      const char* text = gzerror(file_.get(), &problem);
      if (problem == Z_ERRNO) throw EnvironmentError(name_, "cannot read the file");
      if (problem != Z_OK) throw UserError(name_, concat("expected a whole gzip file, got one that ends: ", text));
      if (got <= 0) return;
      count -= got;
    }
  }

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };
  std::string name_;
  std::unique_ptr<gzFile_s, Close> file_;
};

}  // namespace

IdxArray read_idx(const std::filesystem::path& file) {
  const std::string where = file.string();
  Source source(file);
  std::vector<uint8_t> head;
  source.read(4, head);
  if (head.size() < 4 || head[0] != 0 || head[1] != 0 || head[2] != 8 || head[3] < 1 || head[3] > 4) {
    throw UserError(where, "expected an idx file of bytes, beginning with 0, 0, 8 and a rank of 1 to 4");
  }
  const size_t rank = head[3];
  source.read(static_cast<int64_t>(4 * rank), head);
  if (head.size() < 4 + 4 * rank) throw UserError(where, concat("expected ", rank, " sizes, got the end of the file"));
  IdxArray array;
  int64_t count = 1;
  for (size_t i = 0; i < rank; ++i) {
    int64_t size = 0;
    for (size_t byte = 4 + 4 * i; byte < 8 + 4 * i; ++byte) size = size * 256 + head[byte];
    array.shape.push_back(size);
    if (size > 0 && count > kMost / size) throw UserError(where, "expected at most 2^31 bytes, its header has more");
    count *= size;
  }
  source.read(count + 1, array.values);  // one more than there should be
  const auto got = static_cast<int64_t>(array.values.size());
  if (got != count) {
    throw UserError(where, concat("expected ", count, " bytes after the header, got ", got < count ? "" : "at least ",
                                  got, "; fetch the file again"));
  }
  return array;
}

}  // namespace suanli
