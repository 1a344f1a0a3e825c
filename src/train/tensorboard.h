/// TensorBoard event files: scalars and texts that TensorBoard reads while the run goes on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace suanli {

/// CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected), as RFC 3720 uses it.
uint32_t crc32c(std::string_view bytes);

/// The tag of a log key, as Hugging Face's callback rewrites it: eval_x -> eval/x, test_x -> test/x, all else train/x;
/// a key that holds a slash (perf/tokens_per_second) stays as it is.
std::string tensorboard_tag(std::string_view key);

/// Appends records to one event file. A record is length (u64), masked CRC of the length, an Event message in
/// protobuf's wire format, masked CRC of the message; all little-endian.
class EventFile {
 public:
  /// Creates `folder` and in it `events.out.tfevents.<seconds>.<host>.<pid>.<count>`. Throws EnvironmentError.
  explicit EventFile(const std::filesystem::path& folder);
  const std::filesystem::path& path() const { return path_; }
  void scalar(std::string_view tag, double value, int64_t step);
  /// Markdown text for TensorBoard's Text page, tag `<tag>/text_summary`.
  void text(std::string_view tag, std::string_view content, int64_t step);
  /// Hands everything to the system, so that a reader sees it. Throws EnvironmentError when writing failed.
  void flush();

 private:
  void record(std::string_view event);
  std::filesystem::path path_;
  std::ofstream out_;
};

}  // namespace suanli
