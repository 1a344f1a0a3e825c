// Sound files read exactly, resampling keeps tones, features equal transformers'.
#include "audio/audio.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <numbers>
#include <string>

#include <unistd.h>

#include <gtest/gtest.h>

#include "audio/features.h"
#include "audio/spectrum.h"
#include "base/file.h"
#include "expect_error.h"

namespace suanli {
namespace {

namespace fs = std::filesystem;

fs::path folder() { return fs::path(SUANLI_TESTS_DIR) / "golden/audio"; }

const Json& golden() {
  static const Json json = read_json(folder() / "golden.json");
  return json;
}

std::vector<float> golden_array(const Json& place) {
  static const std::string values = read_file(folder() / "values.bin");
  size_t count = 1;
  for (const Json& side : place.at("shape")) count *= side.get<size_t>();
  std::vector<float> array(count);
  std::memcpy(array.data(), values.data() + place.at("offset").get<size_t>(), count * sizeof(float));
  return array;
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(Audio, WavAndFlacGiveTheSamplesThatWereWritten) {
  for (const char* name : {"sound.wav", "sound.flac"}) {
    const Audio audio = read_audio(folder() / name);
    EXPECT_EQ(audio.sampling_rate, 16'000);
    EXPECT_EQ(audio.samples, golden_array(golden().at("samples"))) << name;
  }
  const Audio stereo = read_audio(folder() / "stereo.wav");
  const std::vector<float> samples = golden_array(golden().at("samples"));
  ASSERT_EQ(stereo.samples.size(), 500u);
  for (size_t i = 0; i < 500; ++i) {
    EXPECT_EQ(stereo.samples[i], (samples[i] + samples[samples.size() - 1 - i]) / 2);
  }
}

TEST(Audio, WhatIsWrittenIsReadBack) {
  const fs::path file = fs::temp_directory_path() / ("suanli_audio_" + std::to_string(getpid()) + ".wav");
  const Audio audio = read_audio(folder() / "sound.wav");
  write_wav(file, audio);
  // libsndfile scales by 32,767 when it writes and by 1 / 32,768 when it reads.
  const Audio again = read_audio(file);
  fs::remove(file);
  ASSERT_EQ(again.samples.size(), audio.samples.size());
  for (size_t i = 0; i < audio.samples.size(); ++i) EXPECT_NEAR(again.samples[i], audio.samples[i], 1.5 / 32'768);
}

TEST(Audio, DamagedFilesAreOneMessage) {
  EXPECT_NE(error_of([] { decode_audio({}, {}, "none"); }).find("an empty one"), std::string::npos);
  const std::string text = "this is no sound at all, whatever its name";
  EXPECT_NE(error_of([&] { decode_audio(bytes_of(text), {}, "text"); }).find("expected a WAV or FLAC"),
            std::string::npos);
  std::string flac = read_file(folder() / "sound.flac");
  flac.resize(flac.size() / 2);
  EXPECT_NE(error_of([&] { decode_audio(bytes_of(flac), {}, "cut"); }).find("[cut] expected"), std::string::npos);
  const std::string wav = read_file(folder() / "sound.wav");
  const std::string limit = error_of([&] { decode_audio(bytes_of(wav), {0, 100}, "long"); });
  EXPECT_NE(limit.find("expected at most 100 samples, the header says 9600"), std::string::npos) << limit;
  std::string infinite = read_file(folder() / "stereo.wav");
  const float infinity = INFINITY;
  std::memcpy(infinite.data() + infinite.size() - 8, &infinity, 4);
  EXPECT_NE(error_of([&] { decode_audio(bytes_of(infinite), {}, "inf"); }).find("finite"), std::string::npos);
}

Audio tone(double hertz, int64_t rate, int64_t samples) {
  Audio audio{{}, rate};
  for (int64_t i = 0; i < samples; ++i) {
    audio.samples.push_back(static_cast<float>(
        0.5 * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / static_cast<double>(rate))));
  }
  return audio;
}

TEST(Resampling, KeepsATone) {
  for (const auto& [from, to] : {std::pair<int64_t, int64_t>{8'000, 16'000}, {44'100, 16'000}, {16'000, 11'025}}) {
    const Audio result = resample(tone(440, from, from), to);
    const Audio expected = tone(440, to, to);
    ASSERT_EQ(result.samples.size(), expected.samples.size());
    // Beyond the filter's ends, which the beginning and the end of the sound reach, 16 bits are exact (SOXR_HQ: 20).
    for (size_t i = 2'000; i + 2'000 < result.samples.size(); ++i) {
      ASSERT_NEAR(result.samples[i], expected.samples[i], 1.0 / 32'768) << from << " to " << to << ", sample " << i;
    }
  }
  EXPECT_EQ(resample(tone(440, 3, 10), 7).samples.size(), 24u);
  EXPECT_NE(error_of([] { resample(tone(1, 8, 8), 0); }).find("expected 1 to"), std::string::npos);
}

TEST(Spectrum, WindowsAndBanksEqualTransformers) {
  const std::vector<std::string> kinds = {"boxcar", "hann", "hamming", "povey"};
  for (const Json& expected : golden().at("windows")) {
    const auto kind = std::find(kinds.begin(), kinds.end(), expected.at("kind")) - kinds.begin();
    const auto window = window_function(static_cast<WindowKind>(kind), 10, expected.at("periodic"));
    const auto values = golden_array(expected.at("window"));
    ASSERT_EQ(window.size(), values.size());
    for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(window[i], values[i], 1e-7) << expected.at("kind");
  }
  const std::vector<std::string> scales = {"htk", "slaney", "kaldi"};
  for (const Json& expected : golden().at("banks")) {
    const auto scale = std::find(scales.begin(), scales.end(), expected.at("scale")) - scales.begin();
    const auto bank = mel_filter_bank({65, 11, 30, 7'000, 16'001, static_cast<MelScale>(scale),
                                       expected.at("slaney_norm"), expected.at("in_mel_space")});
    const auto values = golden_array(expected.at("bank"));
    ASSERT_EQ(bank.size(), values.size());
    for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(bank[i], values[i], 1e-7) << expected.dump();
  }
}

TEST(Features, EqualTransformers) {
  const Audio audio = read_audio(folder() / "sound.flac");
  for (const Json& expected : golden().at("features")) {
    const FeatureExtractor extractor = FeatureExtractor::from_json(expected.at("config"), "golden");
    const AudioFeatures features = extractor.features(audio);
    const auto values = golden_array(expected.at("features"));
    ASSERT_EQ(features.frames, expected.at("features").at("shape").at(0).get<int64_t>()) << expected.at("config");
    ASSERT_EQ(features.values.size(), values.size());
    // An f32 transform of 512 samples is off by about 1e-7 of the loudest bin, 1e-4 of a bin 60 dB below it; its
    // logarithm as much. Decibels are 4.3 times a natural logarithm, and a sum of 128 of them keeps its root mean
    // square.
    const double bound = extractor.kind == FeatureKind::mfcc ? 4e-3 : 4e-4;
    for (size_t i = 0; i < values.size(); ++i)
      ASSERT_NEAR(features.values[i], values[i], bound) << expected.at("config") << i;
    EXPECT_EQ(FeatureExtractor::from_json(extractor.to_json(), "again").to_json(), extractor.to_json());
  }
}

TEST(Features, NonsenseIsRefused) {
  const auto message = [](const char* json) {
    return error_of([&] { FeatureExtractor::from_json(parse_json(json, "p"), "p"); });
  };
  EXPECT_NE(message(R"({"feature_extractor_type": "X"})").find("WhisperFeatureExtractor"), std::string::npos);
  EXPECT_NE(message(R"({"hop_length": 0})").find("\"hop_length\" from 1"), std::string::npos);
  EXPECT_NE(message(R"({"feature_extractor_type": "MFCC", "n_mfcc": 200})").find("at most 128"), std::string::npos);
  FeatureExtractor extractor;
  extractor.chunk_length = 0;
  EXPECT_NE(error_of([&] {
              extractor.features({{0.5f, 0.5f}, 16'000});
            }).find("expected sound of at least 201 samples"),
            std::string::npos);
}

TEST(SpecAugment, MasksTheShareInStretches) {
  SpecAugmentOptions options;
  options.apply_spec_augment = true;
  options.mask_time_prob = 0.2;
  options.mask_feature_prob = 0.1;
  options.mask_feature_length = 4;
  double time = 0;
  for (int64_t index = 0; index < 200; ++index) {
    AudioFeatures f{100, 80, std::vector<float>(8'000, 1.0f)};
    RandomGenerator random = spec_augment_random(1, 0, index);
    spec_augment(&f, options, random);
    AudioFeatures again{100, 80, std::vector<float>(8'000, 1.0f)};
    random = spec_augment_random(1, 0, index);
    spec_augment(&again, options, random);
    ASSERT_EQ(f.values, again.values);
    int64_t run = 0, masked = 0;
    for (int64_t t = 0; t <= 100; ++t) {
      const bool off = t < 100 && std::all_of(f.row(t), f.row(t) + 80, [](float v) { return v == 0; });
      masked += off;
      if (!off && run > 0) {
        ASSERT_GE(run, 10) << "a stretch is whole";
      }
      run = off ? run + 1 : 0;
    }
    time += static_cast<double>(masked) / 100 / 200;
    if (index == 0) {
      RandomGenerator other = spec_augment_random(1, 1, index);
      AudioFeatures later{100, 80, std::vector<float>(8'000, 1.0f)};
      spec_augment(&later, options, other);
      EXPECT_NE(f.values, later.values);
    }
  }
  EXPECT_GT(time, 0.15);  // 0.2 less where two stretches overlap, by 1 - (1 - 0.1)^2 = 0.19
  EXPECT_LT(time, 0.2);
}

}  // namespace
}  // namespace suanli
