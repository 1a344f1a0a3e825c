#include "audio/spectrum.h"

#include <kiss_fftr.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

constexpr double kLinearMels = 15, kLinearHertz = 1000;  // Slaney: linear up to here, then logarithmic
const double kSlaneyStep = 27 / std::log(6.4);

}  // namespace

double hertz_to_mel(double hertz, MelScale scale) {
  switch (scale) {
    case MelScale::htk:
      return 2595 * std::log10(1 + hertz / 700);
    case MelScale::kaldi:
      return 1127 * std::log(1 + hertz / 700);
    case MelScale::slaney:
      break;
  }
  return hertz < kLinearHertz ? 3 * hertz / 200 : kLinearMels + std::log(hertz / kLinearHertz) * kSlaneyStep;
}

double mel_to_hertz(double mels, MelScale scale) {
  switch (scale) {
    case MelScale::htk:
      return 700 * (std::pow(10, mels / 2595) - 1);
    case MelScale::kaldi:
      return 700 * (std::exp(mels / 1127) - 1);
    case MelScale::slaney:
      break;
  }
  return mels < kLinearMels ? 200 * mels / 3 : kLinearHertz * std::exp((mels - kLinearMels) / kSlaneyStep);
}

std::vector<double> window_function(WindowKind kind, int64_t length, bool periodic) {
  const double steps = static_cast<double>(periodic ? length : length - 1);
  std::vector<double> window(static_cast<size_t>(length), 1.0);
  for (int64_t i = 0; i < length && steps > 0 && kind != WindowKind::boxcar; ++i) {
    const double cosine = std::cos(2 * std::numbers::pi * static_cast<double>(i) / steps);
    const double hann = 0.5 - 0.5 * cosine;
    window[static_cast<size_t>(i)] = kind == WindowKind::hamming ? 0.54 - 0.46 * cosine
                                     : kind == WindowKind::povey ? std::pow(hann, 0.85)
                                                                 : hann;
  }
  return window;
}

std::vector<double> mel_filter_bank(const MelOptions& o) {
  if (o.frequency_bins < 2 || o.bands < 1 || !(o.min_frequency >= 0 && o.min_frequency < o.max_frequency)) {
    throw UserError("mel", concat("expected at least 2 bins, 1 band and rising frequencies, got ", o.frequency_bins,
                                  " bins, ", o.bands, " bands, ", o.min_frequency, " to ", o.max_frequency, " Hz"));
  }
  const double low = hertz_to_mel(o.min_frequency, o.scale), high = hertz_to_mel(o.max_frequency, o.scale);
  std::vector<double> edges(static_cast<size_t>(o.bands + 2));
  for (size_t i = 0; i < edges.size(); ++i) {
    edges[i] = low + (high - low) * static_cast<double>(i) / static_cast<double>(o.bands + 1);
    if (!o.in_mel_space) edges[i] = mel_to_hertz(edges[i], o.scale);
  }
  std::vector<double> filters(static_cast<size_t>(o.frequency_bins * o.bands));
  // The last bin lies at half the rate; over Hz transformers rounds that down to a whole number.
  const double rate = static_cast<double>(o.sampling_rate);
  const double last = o.in_mel_space ? rate / 2 : std::floor(rate / 2);
  for (int64_t f = 0; f < o.frequency_bins; ++f) {
    double at = last * static_cast<double>(f) / static_cast<double>(o.frequency_bins - 1);
    if (o.in_mel_space) at = hertz_to_mel(at, o.scale);
    for (int64_t m = 0; m < o.bands; ++m) {
      const auto i = static_cast<size_t>(m);
      const double up = (at - edges[i]) / (edges[i + 1] - edges[i]);
      const double down = (edges[i + 2] - at) / (edges[i + 2] - edges[i + 1]);
      double weight = std::max(0.0, std::min(up, down));
      if (o.slaney_norm) weight *= 2 / (edges[i + 2] - edges[i]);
      filters[static_cast<size_t>(f * o.bands + m)] = weight;
    }
  }
  return filters;
}

int64_t frame_count(int64_t samples, const SpectrumOptions& o) {
  const int64_t padded = samples + (o.center ? o.frame_length / 2 * 2 : 0);
  return padded < o.frame_length ? 0 : 1 + (padded - o.frame_length) / o.hop_length;
}

std::vector<float> power_spectrum(std::span<const float> samples, const SpectrumOptions& o) {
  SUANLI_ASSERT(static_cast<int64_t>(o.window.size()) == o.frame_length && o.frame_length >= 1 && o.hop_length >= 1);
  if (o.fft_length < o.frame_length || o.fft_length % 2 != 0) {
    throw UserError("spectrum",
                    concat("expected an even transform of at least ", o.frame_length, " samples, got ", o.fft_length));
  }
  const auto count = static_cast<int64_t>(samples.size());
  const int64_t half = o.center ? o.frame_length / 2 : 0, frames = frame_count(count, o);
  if (frames < 1 || count <= half) {
    throw UserError("spectrum", concat("expected sound of at least ", std::max(o.frame_length - 2 * half, half + 1),
                                       " samples, got ", count));
  }
  const auto sample = [&](int64_t i) -> double {  // reflected at both ends
    if (i < 0) i = -i;
    if (i >= count) i = 2 * (count - 1) - i;
    return samples[static_cast<size_t>(i)];
  };
  const std::unique_ptr<void, void (*)(void*)> plan(
      kiss_fftr_alloc(static_cast<int>(o.fft_length), 0, nullptr, nullptr), free);
  if (!plan) throw EnvironmentError("spectrum", "no memory for the Fourier transform");
  const int64_t bins = o.fft_length / 2 + 1;
  std::vector<float> power(static_cast<size_t>(frames * bins)), input(static_cast<size_t>(o.fft_length));
  std::vector<double> frame(static_cast<size_t>(o.frame_length));
  std::vector<kiss_fft_cpx> output(static_cast<size_t>(bins));
  for (int64_t t = 0; t < frames; ++t) {
    double mean = 0;
    for (int64_t i = 0; i < o.frame_length; ++i) {
      frame[static_cast<size_t>(i)] = sample(t * o.hop_length - half + i);
      mean += frame[static_cast<size_t>(i)];
    }
    mean = o.remove_dc_offset ? mean / static_cast<double>(o.frame_length) : 0;
    for (size_t i = frame.size(); i-- > 0;) {
      const double before = (i > 0 ? frame[i - 1] : frame[0]) - mean;
      input[i] = static_cast<float>((frame[i] - mean - o.preemphasis * before) * o.window[i]);
    }
    kiss_fftr(static_cast<kiss_fftr_cfg>(plan.get()), input.data(), output.data());
    for (int64_t f = 0; f < bins; ++f) {
      const kiss_fft_cpx z = output[static_cast<size_t>(f)];
      power[static_cast<size_t>(t * bins + f)] = z.r * z.r + z.i * z.i;
    }
  }
  return power;
}

std::vector<float> mel_spectrum(std::span<const float> power, std::span<const double> filters, int64_t bands,
                                double floor) {
  const int64_t bins = static_cast<int64_t>(filters.size()) / bands;
  const int64_t frames = static_cast<int64_t>(power.size()) / bins;
  struct Band {
    int64_t begin = 0, end = 0;  ///< the bins that are not 0
  };
  std::vector<Band> nonzero(static_cast<size_t>(bands));
  for (int64_t m = 0; m < bands; ++m) {
    Band& band = nonzero[static_cast<size_t>(m)];
    for (int64_t f = 0; f < bins; ++f) {
      if (filters[static_cast<size_t>(f * bands + m)] == 0) continue;
      if (band.end == 0) band.begin = f;
      band.end = f + 1;
    }
  }
  std::vector<float> mels(static_cast<size_t>(frames * bands));
  for (int64_t t = 0; t < frames; ++t) {
    for (int64_t m = 0; m < bands; ++m) {
      const Band& band = nonzero[static_cast<size_t>(m)];
      double sum = 0;
      for (int64_t f = band.begin; f < band.end; ++f) {
        sum += filters[static_cast<size_t>(f * bands + m)] * power[static_cast<size_t>(t * bins + f)];
      }
      mels[static_cast<size_t>(t * bands + m)] = static_cast<float>(std::max(sum, floor));
    }
  }
  return mels;
}

}  // namespace suanli
