/// Any bytes as a sound file: UserError, or finite samples and their features.
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "audio/audio.h"
#include "audio/features.h"
#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    suanli::AudioOptions options;
    options.max_samples = 1 << 18;
    suanli::Audio audio = suanli::decode_audio(std::as_bytes(std::span(data, size)), options, "input");
    if (audio.samples.empty()) __builtin_trap();
    for (const float sample : audio.samples) {
      if (!std::isfinite(sample)) __builtin_trap();
    }
    audio.sampling_rate = 16'000;  // from 1 Hz it would become 16,000 times as long
    suanli::FeatureExtractor extractor;
    extractor.chunk_length = 0;
    if (extractor.features(audio).frames < 1) __builtin_trap();
  } catch (const suanli::UserError&) {
  }
  return 0;
}
