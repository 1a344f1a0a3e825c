/// Sound files to samples, and samples at another rate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace suanli {

/// One channel of sound in [-1, 1].
struct Audio {
  std::vector<float> samples;
  int64_t sampling_rate = 0;  ///< Hz
};

struct AudioOptions {
  int64_t sampling_rate = 0;                      ///< resampled to it; 0: as stored
  int64_t max_samples = int64_t{16'000} * 3'600;  ///< a channel; a longer file is refused
};

/// The samples of a WAV, FLAC or Ogg file (libsndfile); several channels are averaged. `where` names the source in
/// messages. Throws UserError for other formats, damaged data, no samples, samples that are not finite, or a header
/// that promises more than max_samples or than 64 channels.
Audio decode_audio(std::span<const std::byte> bytes, const AudioOptions& options, std::string_view where);

/// The same from a file.
Audio read_audio(const std::filesystem::path& file, const AudioOptions& options = {});

/// The same sound at another rate (soxr, high quality): ceil(samples to / from) samples.
Audio resample(const Audio& audio, int64_t sampling_rate);

/// A 16-bit WAV file, for tests and reports.
void write_wav(const std::filesystem::path& file, const Audio& audio);

}  // namespace suanli
