/// The short-time spectrum of a sound and its summary in bands, as transformers.audio_utils computes them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace suanli {

enum class MelScale { htk, slaney, kaldi };
enum class WindowKind { boxcar, hann, hamming, povey };

/// `length` weights, as NumPy's hanning and hamming; periodic: of one more, without the last. f64.
std::vector<double> window_function(WindowKind kind, int64_t length, bool periodic);

struct MelOptions {
  int64_t frequency_bins = 0;                   ///< F = fft_length / 2 + 1
  int64_t bands = 0;                            ///< M
  double min_frequency = 0, max_frequency = 0;  ///< Hz
  int64_t sampling_rate = 0;
  MelScale scale = MelScale::htk;
  bool slaney_norm = false;   ///< each triangle times 2 / its width, so that its area is 1
  bool in_mel_space = false;  ///< triangles are straight over mels, not over Hz; the norm too counts mels
};

/// Triangles that overlap by half, evenly spaced in mels: [F, M] (mel_filter_bank). Throws UserError for fewer than two
/// bins, no band, or frequencies that do not rise.
std::vector<double> mel_filter_bank(const MelOptions& options);

double hertz_to_mel(double hertz, MelScale scale);
double mel_to_hertz(double mels, MelScale scale);

struct SpectrumOptions {
  int64_t frame_length = 0, hop_length = 0;
  int64_t fft_length = 0;         ///< even, at least frame_length; frames are filled with 0
  std::vector<double> window;     ///< [frame_length]
  bool center = true;             ///< frame t is around sample t hop: half a frame is reflected at both ends
  double preemphasis = 0;         ///< x[i] - p x[i-1] within a frame, x[0] (1 - p); 0: none
  bool remove_dc_offset = false;  ///< each frame less its mean, before that
};

/// The power |STFT|^2 of all whole frames, [T, fft_length / 2 + 1]; transforms in f32. Throws UserError where the sound
/// is shorter than a frame (centred: half a frame and one sample), or fft_length is odd or too small.
std::vector<float> power_spectrum(std::span<const float> samples, const SpectrumOptions& options);

/// The number of frames that it has.
int64_t frame_count(int64_t samples, const SpectrumOptions& options);

/// power [T, F] times filters [F, M], at least `floor`: [T, M].
std::vector<float> mel_spectrum(std::span<const float> power, std::span<const double> filters, int64_t bands,
                                double floor);

}  // namespace suanli
