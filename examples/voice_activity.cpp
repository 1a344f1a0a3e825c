// Where somebody speaks in a sound file: the network of Silero VAD 6 (16 kHz) from ops alone, all frames at once.
//
//   scripts/fetch_voice_activity.sh DIR && voice_activity DIR/model.safetensors SOUND.wav
//
// Prints a line for each 32 ms: the time in seconds where they begin, and the probability of speech.

#include <cmath>
#include <cstdio>
#include <exception>

#include "audio/audio.h"
#include "autograd/tape.h"
#include "formats/safetensors.h"
#include "ops/activation.h"
#include "ops/conv2d.h"
#include "ops/initialize.h"
#include "ops/linear.h"
#include "ops/recurrence.h"

using namespace suanli;

namespace {

constexpr int64_t kRate = 16000, kFrame = 512, kContext = 64, kReflected = 64;  // samples
constexpr int64_t kWidth = kContext + kFrame + kReflected;

/// A frame a row, behind the end of the one before it, its own end reflected: [F, 1, 640, 1].
Tensor frames_of(const std::vector<float>& samples) {
  const int64_t frames = (static_cast<int64_t>(samples.size()) + kFrame - 1) / kFrame;
  Tensor x = Tensor::empty({frames, 1, kWidth, 1}, DType::f32, Device{});
  const auto out = x.host<float>();
  for (int64_t f = 0; f < frames; ++f) {
    for (int64_t i = 0; i < kWidth; ++i) {
      const int64_t inside = i < kContext + kFrame ? i : 2 * (kContext + kFrame - 1) - i;
      const int64_t at = f * kFrame + inside - kContext;
      const bool there = at >= 0 && at < static_cast<int64_t>(samples.size());
      out[static_cast<size_t>(f * kWidth + i)] = there ? samples[static_cast<size_t>(at)] : 0;
    }
  }
  return x;
}

/// A convolution along time with PyTorch's weight [O, I, K], as one of images of height 1: [O, 1, K, I].
Tensor convolution(const SafetensorsFile& file, const std::string& name, const Tensor& x, int64_t stride) {
  const Tensor weight = file.tensor(name + ".weight");
  const int64_t outputs = weight.dim(0), inputs = weight.dim(1), kernel = weight.dim(2);
  Tensor turned = Tensor::empty({outputs, 1, kernel, inputs}, DType::f32, Device{});
  const auto from = weight.host<float>();
  const auto to = turned.host<float>();
  for (int64_t o = 0; o < outputs; ++o) {
    for (int64_t i = 0; i < inputs; ++i) {
      for (int64_t k = 0; k < kernel; ++k) {
        to[static_cast<size_t>((o * kernel + k) * inputs + i)] =
            from[static_cast<size_t>((o * inputs + i) * kernel + k)];
      }
    }
  }
  const bool spectrum = kernel > 3;  // the Fourier transform as a convolution: neither bias nor padding
  return ops::conv2d(x, turned, spectrum ? Tensor() : file.tensor(name + ".bias"),
                     {.stride = {1, stride}, .padding = {0, spectrum ? 0 : 1}});
}

/// [F, 1, W, 2 n] real parts, then imaginary ones -> [F, 1, W, n] magnitudes.
Tensor magnitudes(const Tensor& parts) {
  const int64_t n = parts.dim(3) / 2, rows = parts.elements() / parts.dim(3);
  Tensor out = Tensor::empty({parts.dim(0), 1, parts.dim(2), n}, DType::f32, Device{});
  const auto from = parts.host<float>();
  const auto to = out.host<float>();
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < n; ++c) {
      const float re = from[static_cast<size_t>(2 * r * n + c)], im = from[static_cast<size_t>((2 * r + 1) * n + c)];
      to[static_cast<size_t>(r * n + c)] = std::sqrt(re * re + im * im);
    }
  }
  return out;
}

std::vector<float> speech_probabilities(const SafetensorsFile& file, const std::vector<float>& samples) {
  const NoGradient guard;
  const auto relu = [](const Tensor& x) { return ops::activate(ops::Activation::relu, x); };
  Tensor x = magnitudes(convolution(file, "stft_conv", frames_of(samples), 128));
  x = relu(convolution(file, "conv1", x, 1));
  x = relu(convolution(file, "conv2", x, 2));
  x = relu(convolution(file, "conv3", x, 2));
  x = relu(convolution(file, "conv4", x, 1));
  const int64_t frames = x.dim(0), width = x.dim(3);
  const Tensor gates =
      ops::linear(x.reshape({frames, width}), file.tensor("lstm_cell.weight_ih"), file.tensor("lstm_cell.bias_ih"));
  const Tensor one_sequence = Tensor::from(std::vector<int32_t>{0, static_cast<int32_t>(frames)}, {2});
  const Tensor h =
      ops::lstm(gates, file.tensor("lstm_cell.weight_hh"), file.tensor("lstm_cell.bias_hh"), one_sequence).y;
  const Tensor logits =
      ops::linear(relu(h), file.tensor("final_conv.weight").reshape({1, width}), file.tensor("final_conv.bias"));
  std::vector<float> p;
  for (const float logit : logits.host<float>()) p.push_back(1 / (1 + std::exp(-logit)));
  return p;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: voice_activity MODEL.safetensors SOUND.wav\n");
    return 2;
  }
  try {
    initialize();
    const Audio sound = read_audio(argv[2], {.sampling_rate = kRate});
    const std::vector<float> p = speech_probabilities(SafetensorsFile::open(argv[1]), sound.samples);
    for (size_t f = 0; f < p.size(); ++f) {
      std::printf("%.3f %.7f\n", static_cast<double>(f) * kFrame / kRate, static_cast<double>(p[f]));
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
