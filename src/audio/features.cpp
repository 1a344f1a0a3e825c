#include "audio/features.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "audio/spectrum.h"
#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

constexpr std::array<const char*, 3> kNames = {"WhisperFeatureExtractor", "ASTFeatureExtractor", "MFCC"};

int64_t positive(const Json& json, std::string_view key, int64_t otherwise, int64_t least, std::string_view where) {
  constexpr int64_t kMost = 10'000'000;
  const auto value = json_get_or(json, key, otherwise, where);
  if (value < least || value > kMost) {
    throw UserError(where, concat("expected \"", key, "\" from ", least, " to ", kMost, ", got ", value));
  }
  return value;
}

/// transformers.WhisperFeatureExtractor._np_extract_fbank_features.
AudioFeatures whisper_features(const FeatureExtractor& e, std::vector<float> samples) {
  constexpr double kTop = 8000;  // Hz
  if (e.chunk_length > 0) samples.resize(static_cast<size_t>(e.chunk_length * e.sampling_rate));
  SpectrumOptions spectrum;
  spectrum.frame_length = spectrum.fft_length = e.n_fft;
  spectrum.hop_length = e.hop_length;
  spectrum.window = window_function(WindowKind::hann, e.n_fft, true);
  const auto filters =
      mel_filter_bank({e.n_fft / 2 + 1, e.num_mel_bins, 0, kTop, e.sampling_rate, MelScale::slaney, true, false});
  AudioFeatures f;
  f.values = mel_spectrum(power_spectrum(samples, spectrum), filters, e.num_mel_bins, 1e-10);
  f.width = e.num_mel_bins;
  f.frames = static_cast<int64_t>(f.values.size()) / f.width - 1;  // the last is half outside
  f.values.resize(static_cast<size_t>(f.frames * f.width));
  if (f.frames == 0) throw UserError("features", "expected sound of at least one frame");
  for (float& value : f.values) value = std::log10(value);
  const float floor = *std::max_element(f.values.begin(), f.values.end()) - 8;
  for (float& value : f.values) value = (std::max(value, floor) + 4) / 4;
  return f;
}

/// transformers.ASTFeatureExtractor._extract_fbank_features, without torchaudio.
AudioFeatures ast_features(const FeatureExtractor& e, const std::vector<float>& samples) {
  constexpr double kFloor = 1.192092955078125e-07, kLowest = 20;
  constexpr int64_t kFrame = 400, kHop = 160, kTransform = 512;
  SpectrumOptions spectrum;
  spectrum.frame_length = kFrame;
  spectrum.hop_length = kHop;
  spectrum.fft_length = kTransform;
  spectrum.window = window_function(WindowKind::hann, kFrame, false);
  spectrum.center = false;
  spectrum.preemphasis = 0.97;
  spectrum.remove_dc_offset = true;
  const auto filters = mel_filter_bank({kTransform / 2 + 1, e.num_mel_bins, kLowest,
                                        std::floor(static_cast<double>(e.sampling_rate) / 2), e.sampling_rate,
                                        MelScale::kaldi, false, true});
  AudioFeatures f;
  f.values = mel_spectrum(power_spectrum(samples, spectrum), filters, e.num_mel_bins, kFloor);
  f.width = e.num_mel_bins;
  for (float& value : f.values) value = std::log(value);
  if (e.max_length > 0) f.values.resize(static_cast<size_t>(e.max_length * f.width));
  f.frames = static_cast<int64_t>(f.values.size()) / f.width;
  if (e.do_normalize) {
    const auto mean = static_cast<float>(e.mean), spread = static_cast<float>(2 * e.std);
    for (float& value : f.values) value = (value - mean) / spread;
  }
  return f;
}

/// torchaudio.transforms.MFCC with its defaults: HTK mels without norm, decibels 80 below the peak at most, DCT-II.
AudioFeatures mfcc_features(const FeatureExtractor& e, const std::vector<float>& samples) {
  SpectrumOptions spectrum;
  spectrum.frame_length = spectrum.fft_length = e.n_fft;
  spectrum.hop_length = e.hop_length;
  spectrum.window = window_function(WindowKind::hann, e.n_fft, true);
  const int64_t bands = e.num_mel_bins;
  const auto filters = mel_filter_bank({e.n_fft / 2 + 1, bands, 0, std::floor(static_cast<double>(e.sampling_rate) / 2),
                                        e.sampling_rate, MelScale::htk, false, false});
  std::vector<float> decibels = mel_spectrum(power_spectrum(samples, spectrum), filters, bands, 1e-10);
  for (float& value : decibels) value = 10 * std::log10(value);
  const float floor = *std::max_element(decibels.begin(), decibels.end()) - 80;
  for (float& value : decibels) value = std::max(value, floor);
  std::vector<double> cosines(static_cast<size_t>(e.n_mfcc * bands));  // [n_mfcc, M], orthonormal
  for (int64_t k = 0; k < e.n_mfcc; ++k) {
    for (int64_t m = 0; m < bands; ++m) {
      const double angle = std::numbers::pi * static_cast<double>(k) * (static_cast<double>(m) + 0.5);
      cosines[static_cast<size_t>(k * bands + m)] =
          std::cos(angle / static_cast<double>(bands)) * std::sqrt((k == 0 ? 1.0 : 2.0) / static_cast<double>(bands));
    }
  }
  AudioFeatures f;
  f.width = e.n_mfcc;
  f.frames = static_cast<int64_t>(decibels.size()) / bands;
  f.values.resize(static_cast<size_t>(f.frames * f.width));
  for (int64_t t = 0; t < f.frames; ++t) {
    for (int64_t k = 0; k < f.width; ++k) {
      double sum = 0;
      for (int64_t m = 0; m < bands; ++m) {
        sum += cosines[static_cast<size_t>(k * bands + m)] * decibels[static_cast<size_t>(t * bands + m)];
      }
      f.row(t)[k] = static_cast<float>(sum);
    }
  }
  return f;
}

}  // namespace

FeatureExtractor FeatureExtractor::from_json(const Json& json, std::string_view where) {
  FeatureExtractor e;
  const auto type = json_get_or<std::string>(json, "feature_extractor_type", kNames[0], where);
  const auto name = std::find(kNames.begin(), kNames.end(), type);
  if (name == kNames.end()) {
    throw UserError(where, concat("expected \"feature_extractor_type\" ", kNames[0], ", ", kNames[1], " or ", kNames[2],
                                  ", got \"", type, "\""));
  }
  e.kind = static_cast<FeatureKind>(name - kNames.begin());
  if (e.kind == FeatureKind::ast) e.num_mel_bins = 128;
  if (e.kind == FeatureKind::mfcc) {
    e.num_mel_bins = 128;
    e.hop_length = 200;
  }
  const char* bands = e.kind == FeatureKind::whisper ? "feature_size"
                      : e.kind == FeatureKind::ast   ? "num_mel_bins"
                                                     : "n_mels";
  e.sampling_rate = positive(json, "sampling_rate", e.sampling_rate, 1, where);
  e.num_mel_bins = positive(json, bands, e.num_mel_bins, 1, where);
  e.n_mfcc = positive(json, "n_mfcc", e.n_mfcc, 1, where);
  e.hop_length = positive(json, "hop_length", e.hop_length, 1, where);
  e.n_fft = positive(json, "n_fft", e.n_fft, 2, where);
  e.chunk_length = positive(json, "chunk_length", e.chunk_length, 0, where);
  e.max_length = positive(json, "max_length", e.max_length, 0, where);
  e.do_normalize = json_get_or(json, "do_normalize", e.do_normalize, where);
  e.mean = json_get_or(json, "mean", e.mean, where);
  e.std = json_get_or(json, "std", e.std, where);
  if (!(e.std > 0)) throw UserError(where, concat("expected \"std\" above 0, got ", e.std));
  if (e.kind == FeatureKind::mfcc && e.n_mfcc > e.num_mel_bins) {
    throw UserError(where, concat("expected at most ", e.num_mel_bins, " (n_mels) for \"n_mfcc\", got ", e.n_mfcc));
  }
  return e;
}

FeatureExtractor FeatureExtractor::read(const std::filesystem::path& file) {
  return from_json(read_json(file), file.string());
}

Json FeatureExtractor::to_json() const {
  Json json = {{"feature_extractor_type", kNames[static_cast<size_t>(kind)]}, {"sampling_rate", sampling_rate}};
  switch (kind) {
    case FeatureKind::whisper:
      json.update({{"feature_size", num_mel_bins},
                   {"hop_length", hop_length},
                   {"n_fft", n_fft},
                   {"chunk_length", chunk_length}});
      break;
    case FeatureKind::ast:
      json.update({{"num_mel_bins", num_mel_bins},
                   {"max_length", max_length},
                   {"do_normalize", do_normalize},
                   {"mean", mean},
                   {"std", std}});
      break;
    case FeatureKind::mfcc:
      json.update({{"n_mels", num_mel_bins}, {"n_mfcc", n_mfcc}, {"hop_length", hop_length}, {"n_fft", n_fft}});
      break;
  }
  return json;
}

AudioFeatures FeatureExtractor::features(const Audio& audio) const {
  const Audio at_rate = resample(audio, sampling_rate);
  switch (kind) {
    case FeatureKind::whisper:
      return whisper_features(*this, at_rate.samples);
    case FeatureKind::ast:
      return ast_features(*this, at_rate.samples);
    case FeatureKind::mfcc:
      break;
  }
  return mfcc_features(*this, at_rate.samples);
}

}  // namespace suanli
