// Rows over the threads. A row has few classes, so that vectors over them would be empty for the most part.
#include "kernels/focal_loss.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/scratch.h"

namespace suanli::kernels {

namespace {

constexpr int64_t kLeastElements = 4096;  // of a thread

int64_t least_rows(int64_t classes) { return kLeastElements / (classes + 1) + 1; }

Refusal refuse(DType dtype) {
  return dtype == DType::f32 || dtype == DType::bf16 ? nullptr : "dtype is neither f32 nor bf16";
}

float weight_of(const void* weights, int32_t label) {
  return weights == nullptr ? 1.0F : static_cast<const float*>(weights)[label];
}

template <class T>
void forward_as(const FocalLossForward& a) {
  const auto gamma = static_cast<float>(a.gamma);
  float* lse = static_cast<float*>(a.lse);
  double* losses = shared_scratch().get<double>(a.rows + 1);
  parallel_for(a.rows, least_rows(a.classes), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const T* x = static_cast<const T*>(a.logits) + t * a.classes;
      float largest = static_cast<float>(x[0]), total = 0;
      for (int64_t v = 1; v < a.classes; ++v) largest = std::max(largest, static_cast<float>(x[v]));
      for (int64_t v = 0; v < a.classes; ++v) total += std::exp(static_cast<float>(x[v]) - largest);
      lse[t] = largest + std::log(total);
      const float log_p = static_cast<float>(x[a.labels[t]]) - lse[t];
      const float q_gamma = gamma == 0 ? 1.0F : std::pow(-std::expm1(log_p), gamma);
      losses[t] = -static_cast<double>(weight_of(a.weights, a.labels[t]) * q_gamma * log_p);
    }
  });
  double sum = 0;
  for (int64_t t = 0; t < a.rows; ++t) sum += losses[t];
  *static_cast<float*>(a.loss) = static_cast<float>(a.scale * sum);
}

template <class T>
void backward_as(const FocalLossBackward& a) {
  const auto gamma = static_cast<float>(a.gamma);
  const float factor = *static_cast<const float*>(a.dloss) * static_cast<float>(a.scale);
  parallel_for(a.rows, least_rows(a.classes), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const T* x = static_cast<const T*>(a.logits) + t * a.classes;
      T* dx = static_cast<T*>(a.dlogits) + t * a.classes;
      const int32_t label = a.labels[t];
      const float lse = static_cast<const float*>(a.lse)[t], log_p = static_cast<float>(x[label]) - lse;
      const float q = -std::expm1(log_p), q_gamma = gamma == 0 ? 1.0F : std::pow(q, gamma);
      const float modulated = q > 0 ? gamma * std::exp(log_p) * log_p * q_gamma / q : 0.0F;
      const float slope = factor * weight_of(a.weights, label) * (modulated - q_gamma);
      for (int64_t v = 0; v < a.classes; ++v) {
        const float p = std::exp(static_cast<float>(x[v]) - lse);
        dx[v] = static_cast<T>(slope * (v == label ? q : -p));
      }
    }
  });
}

}  // namespace

void add_focal_loss() {
  focal_loss_forward.add({"rows", DeviceType::cpu,
                          [](const FocalLossForward& a, const Machine&) { return refuse(a.dtype); },
                          [](const FocalLossForward& a, Stream&) {
                            a.dtype == DType::f32 ? forward_as<float>(a) : forward_as<bfloat16>(a);
                          }});
  focal_loss_backward.add({"rows", DeviceType::cpu,
                           [](const FocalLossBackward& a, const Machine&) { return refuse(a.dtype); },
                           [](const FocalLossBackward& a, Stream&) {
                             a.dtype == DType::f32 ? backward_as<float>(a) : backward_as<bfloat16>(a);
                           }});
}

}  // namespace suanli::kernels
