#include "audio/audio.h"

#include <sndfile.h>
#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"

namespace suanli {
namespace {

/// Bytes in memory as libsndfile reads them.
struct SoundBytes {
  std::span<const std::byte> bytes;
  sf_count_t at = 0;

  static SF_VIRTUAL_IO functions() {
    return {[](void* user) -> sf_count_t { return static_cast<sf_count_t>(of(user).bytes.size()); },
            [](sf_count_t offset, int from, void* user) -> sf_count_t {
              SoundBytes& source = of(user);
              const auto size = static_cast<sf_count_t>(source.bytes.size());
              const sf_count_t base = from == SEEK_SET ? 0 : from == SEEK_CUR ? source.at : size;
              source.at = std::clamp<sf_count_t>(base + offset, 0, size);
              return source.at;
            },
            [](void* to, sf_count_t count, void* user) -> sf_count_t {
              SoundBytes& source = of(user);
              const sf_count_t rest = static_cast<sf_count_t>(source.bytes.size()) - source.at;
              const sf_count_t given = std::clamp<sf_count_t>(count, 0, rest);
              if (given > 0) std::memcpy(to, source.bytes.data() + source.at, static_cast<size_t>(given));
              source.at += given;
              return given;
            },
            [](const void*, sf_count_t, void*) -> sf_count_t { return 0; },
            [](void* user) -> sf_count_t { return of(user).at; }};
  }
  static SoundBytes& of(void* user) { return *static_cast<SoundBytes*>(user); }
};

using SoundFile = std::unique_ptr<SNDFILE, int (*)(SNDFILE*)>;

void append_mean(std::span<const float> frames, int channels, std::string_view where, std::vector<float>* samples) {
  for (size_t i = 0; i < frames.size(); i += static_cast<size_t>(channels)) {
    float sum = 0;
    for (int c = 0; c < channels; ++c) sum += frames[i + static_cast<size_t>(c)];
    if (!std::isfinite(sum)) {
      throw UserError(where, concat("expected finite samples, sample ", samples->size(), " is not"));
    }
    samples->push_back(sum / static_cast<float>(channels));
  }
}

}  // namespace

Audio decode_audio(std::span<const std::byte> bytes, const AudioOptions& options, std::string_view where) {
  constexpr int kChannels = 64;
  constexpr sf_count_t kFrames = 4096;  // at a time: a false header takes no memory
  SoundBytes source{bytes};
  SF_VIRTUAL_IO functions = SoundBytes::functions();
  SF_INFO info = {};
  const SoundFile file(sf_open_virtual(&functions, SFM_READ, &info, &source), sf_close);
  if (!file) {
    throw UserError(where, bytes.empty() ? std::string("expected a WAV or FLAC file, got an empty one")
                                         : concat("expected a WAV or FLAC file: ", sf_strerror(nullptr)));
  }
  if (info.channels < 1 || info.channels > kChannels || info.samplerate < 1) {
    throw UserError(where, concat("expected 1 to ", kChannels, " channels at 1 Hz or more, got ", info.channels, " at ",
                                  info.samplerate, " Hz"));
  }
  if (info.frames > options.max_samples) {
    throw UserError(where, concat("expected at most ", options.max_samples, " samples, the header says ",
                                  static_cast<int64_t>(info.frames), "; cut the sound into parts"));
  }
  Audio audio;
  audio.sampling_rate = info.samplerate;
  std::vector<float> frames(static_cast<size_t>(kFrames * info.channels));
  for (;;) {
    const sf_count_t read = sf_readf_float(file.get(), frames.data(), kFrames);
    if (read <= 0) break;
    append_mean(std::span(frames).first(static_cast<size_t>(read * info.channels)), info.channels, where,
                &audio.samples);
    if (static_cast<int64_t>(audio.samples.size()) > options.max_samples) {
      throw UserError(where, concat("expected at most ", options.max_samples, " samples"));
    }
  }
  if (sf_error(file.get()) != SF_ERR_NO_ERROR || static_cast<sf_count_t>(audio.samples.size()) < info.frames) {
    throw UserError(where, concat("expected ", static_cast<int64_t>(info.frames), " samples, found ",
                                  audio.samples.size(), "; is the file complete?"));
  }
  if (audio.samples.empty()) throw UserError(where, "expected sound, got a file without samples");
  return options.sampling_rate > 0 ? resample(audio, options.sampling_rate) : audio;
}

Audio read_audio(const std::filesystem::path& file, const AudioOptions& options) {
  const MappedFile mapped(file);
  return decode_audio(mapped.bytes(), options, file.string());
}

Audio resample(const Audio& audio, int64_t sampling_rate) {
  constexpr int64_t kMost = 10'000'000;
  constexpr double kMostSamples = 1 << 30;  // 4 GiB
  if (sampling_rate < 1 || sampling_rate > kMost) {
    throw UserError("sampling_rate", concat("expected 1 to ", kMost, " Hz, got ", sampling_rate));
  }
  if (sampling_rate == audio.sampling_rate) return audio;
  const double ratio = static_cast<double>(sampling_rate) / static_cast<double>(audio.sampling_rate);
  const double count = std::ceil(static_cast<double>(audio.samples.size()) * ratio);
  if (count > kMostSamples) {
    throw UserError("resample", concat("expected at most ", kMostSamples, " samples, ", audio.sampling_rate, " to ",
                                       sampling_rate, " Hz makes ", count));
  }
  Audio result;
  result.sampling_rate = sampling_rate;
  result.samples.resize(static_cast<size_t>(count));
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  size_t done = 0;
  const char* failure = soxr_oneshot(static_cast<double>(audio.sampling_rate), static_cast<double>(sampling_rate), 1,
                                     audio.samples.data(), audio.samples.size(), nullptr, result.samples.data(),
                                     result.samples.size(), &done, nullptr, &quality, nullptr);
  if (failure != nullptr) throw EnvironmentError("resample", failure);
  std::fill(result.samples.begin() + static_cast<std::ptrdiff_t>(done), result.samples.end(), 0.0f);
  return result;
}

void write_wav(const std::filesystem::path& file, const Audio& audio) {
  SF_INFO info = {};
  info.channels = 1;
  info.samplerate = static_cast<int>(audio.sampling_rate);
  info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  const SoundFile out(sf_open(file.c_str(), SFM_WRITE, &info), sf_close);
  const auto count = static_cast<sf_count_t>(audio.samples.size());
  if (!out || sf_writef_float(out.get(), audio.samples.data(), count) != count) {
    throw EnvironmentError(file.string(), concat("cannot write the sound: ", sf_strerror(out.get())));
  }
}

}  // namespace suanli
