// Pictures over the threads. A pixel has few classes, so that vectors over them would be empty for the most part.
#include "kernels/dice_loss.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/scratch.h"

namespace suanli::kernels {

namespace {

constexpr int64_t kLeastPixels = 1024;  // of a thread

template <class Args>
Refusal refuse_dice(const Args& a, const Machine&) {
  return a.dtype == DType::f32 || a.dtype == DType::bf16 ? nullptr : "dtype is neither f32 nor bf16";
}

/// Sums over a picture: of p where the class is the label, of p, of labels; [classes] each, and the counted pixels.
struct DiceSums {
  double *common, *predicted, *truth;
  double counted = 0;
};

template <class T>
void add_pixels(const DiceLossForward& a, int64_t picture, DiceSums* sums) {
  auto* lse = static_cast<float*>(a.lse);
  for (int64_t i = picture * a.pixels; i < (picture + 1) * a.pixels; ++i) {
    const T* x = static_cast<const T*>(a.logits) + i * a.classes;
    float largest = static_cast<float>(x[0]), total = 0;
    for (int64_t c = 1; c < a.classes; ++c) largest = std::max(largest, static_cast<float>(x[c]));
    for (int64_t c = 0; c < a.classes; ++c) total += std::exp(static_cast<float>(x[c]) - largest);
    lse[i] = largest + std::log(total);
    const int32_t label = a.labels[i];
    if (label == a.ignore) continue;
    sums->counted += 1;
    for (int64_t c = 0; c < a.classes; ++c) {
      const auto p = static_cast<double>(std::exp(static_cast<float>(x[c]) - lse[i]));
      sums->predicted[c] += p;
      if (c == label) sums->common[c] += p;
    }
    sums->truth[label] += 1;
  }
}

template <class T>
void dice_forward_as(const DiceLossForward& a) {
  double* scratch = shared_scratch().get<double>(a.pictures * (3 * a.classes + 1) + 1);
  double *losses = scratch, *all_sums = scratch + a.pictures;
  parallel_for(a.pictures, kLeastPixels / (a.pixels + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      double* place = all_sums + b * 3 * a.classes;
      std::fill_n(place, 3 * a.classes, 0.0);
      DiceSums sums = {.common = place, .predicted = place + a.classes, .truth = place + 2 * a.classes};
      add_pixels<T>(a, b, &sums);
      const double weight = sums.counted / static_cast<double>(a.classes);
      losses[b] = 0;
      for (int64_t c = 0; c < a.classes; ++c) {
        const double overlap = 2 * sums.common[c] + a.smooth, sum = sums.predicted[c] + sums.truth[c] + a.smooth;
        static_cast<float*>(a.all)[b * a.classes + c] = static_cast<float>(weight * overlap / (sum * sum));
        static_cast<float*>(a.own)[b * a.classes + c] = static_cast<float>(2 * weight / sum);
        losses[b] += weight * (1 - overlap / sum);
      }
    }
  });
  double loss = 0;
  for (int64_t b = 0; b < a.pictures; ++b) loss += losses[b];
  *static_cast<float*>(a.loss) = static_cast<float>(a.scale * loss);
}

template <class T>
void dice_backward_as(const DiceLossBackward& a) {
  const float weight = *static_cast<const float*>(a.dloss) * static_cast<float>(a.scale);
  parallel_for(a.pictures * a.pixels, kLeastPixels, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* x = static_cast<const T*>(a.logits) + i * a.classes;
      T* dx = static_cast<T*>(a.dlogits) + i * a.classes;
      const float* all = static_cast<const float*>(a.all) + i / a.pixels * a.classes;
      const float* own = static_cast<const float*>(a.own) + i / a.pixels * a.classes;
      const float lse = static_cast<const float*>(a.lse)[i];
      const int32_t label = a.labels[i];
      if (label == a.ignore) {
        std::fill_n(dx, a.classes, T(0.0F));
        continue;
      }
      float mean = 0;
      for (int64_t c = 0; c < a.classes; ++c) {
        mean += std::exp(static_cast<float>(x[c]) - lse) * (c == label ? all[c] - own[c] : all[c]);
      }
      for (int64_t c = 0; c < a.classes; ++c) {
        const float p = std::exp(static_cast<float>(x[c]) - lse);
        dx[c] = static_cast<T>(weight * p * ((c == label ? all[c] - own[c] : all[c]) - mean));
      }
    }
  });
}

}  // namespace

void add_dice_loss() {
  dice_loss_forward.add({"pictures", DeviceType::cpu, refuse_dice, [](const DiceLossForward& a, Stream&) {
                           a.dtype == DType::f32 ? dice_forward_as<float>(a) : dice_forward_as<bfloat16>(a);
                         }});
  dice_loss_backward.add({"pictures", DeviceType::cpu, refuse_dice, [](const DiceLossBackward& a, Stream&) {
                            a.dtype == DType::f32 ? dice_backward_as<float>(a) : dice_backward_as<bfloat16>(a);
                          }});
}

}  // namespace suanli::kernels
