/// Sound to the numbers that a model takes, as Hugging Face's feature extractors do it; and masks over them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audio/audio.h"
#include "base/json.h"
#include "base/random.h"

namespace suanli {

/// [T, M] numbers: T frames of M features.
struct AudioFeatures {
  int64_t frames = 0, width = 0;
  std::vector<float> values;
  float* row(int64_t t) { return values.data() + t * width; }
};

/// Which recipe the numbers follow.
enum class FeatureKind {
  whisper,  ///< WhisperFeatureExtractor: log10 mel, 8 decades below the loudest, (x + 4) / 4, chunk_length seconds
  ast,      ///< ASTFeatureExtractor: Kaldi's log mel, max_length frames, less mean, over 2 std
  mfcc,  ///< torchaudio.transforms.MFCC: DCT-II (orthonormal) of the decibels of the HTK mel powers, 80 below the peak
};

/// The preprocessor_config.json of an audio model. Defaults are those of WhisperFeatureExtractor.
struct FeatureExtractor {
  FeatureKind kind = FeatureKind::whisper;
  int64_t sampling_rate = 16'000;  ///< Hz
  int64_t num_mel_bins = 80;       ///< M; "feature_size" of Whisper, "n_mels" of MFCC
  int64_t n_mfcc = 40;             ///< M of mfcc
  int64_t hop_length = 160, n_fft = 400;
  int64_t chunk_length = 30;  ///< seconds that sound is cut or filled to (whisper); 0: as long as it is
  int64_t max_length = 1024;  ///< frames that they are cut or filled to (ast); 0: as many as there are
  bool do_normalize = true;   ///< ast
  double mean = -4.2677393, std = 4.5689974;

  /// By "feature_extractor_type" (without one: whisper); missing keys keep the defaults of that type. Throws UserError.
  static FeatureExtractor from_json(const Json& json, std::string_view where);
  static FeatureExtractor read(const std::filesystem::path& file);
  Json to_json() const;

  /// The features of `audio`, which is resampled where its rate differs. Throws UserError for sound under one frame.
  AudioFeatures features(const Audio& audio) const;
};

/// Random stretches of time and of bands set to 0 (Park et al. 2019); names and defaults of Whisper's configuration.
struct SpecAugmentOptions {
  bool apply_spec_augment = false;
  double mask_time_prob = 0.05;     ///< part of the frames that starts a stretch, times its length
  int64_t mask_time_length = 10;    ///< frames
  int64_t mask_time_min_masks = 2;  ///< stretches at least
  double mask_feature_prob = 0.0;
  int64_t mask_feature_length = 10;
  int64_t mask_feature_min_masks = 0;
};

/// Masks `features` in place: floor(prob * T / length + a uniform number) stretches, at least min_masks, of `length`
/// frames at distinct random starts, they may overlap (transformers' _compute_mask_indices); bands alike.
void spec_augment(AudioFeatures* features, const SpecAugmentOptions& options, RandomGenerator& random);

/// The numbers of one example: the same in every run, whatever the threads do.
RandomGenerator spec_augment_random(uint64_t seed, int64_t epoch, int64_t index);

}  // namespace suanli
