/// Which tokens of a text a classifier's answer rests on.
#pragma once

#include <cstdint>
#include <vector>

#include "infer/engine.h"
#include "text/encoding.h"

namespace suanli::infer {

enum class AttributionMethod : uint8_t {
  integrated_gradients,  ///< Sundararajan et al. 2017
  occlusion,             ///< Zeiler and Fergus 2014: what the logit loses without the token
};

struct AttributionOptions {
  AttributionMethod method = AttributionMethod::integrated_gradients;
  int64_t n_steps = 50;  ///< of the integral, by the rule of Gauss and Legendre, 1 to 1000
  int64_t label = -1;    ///< whose logit is explained; -1: that of the largest
};

struct Attribution {
  int64_t label = 0;
  double output = 0, baseline_output = 0;  ///< the label's logit of the text, and of the baseline
  std::vector<double> tokens;              ///< [tokens]; special ones have 0
};

/// The baseline has the embedding of `pad_id` in the place of every token that is not special. Integrated gradients:
///   a[t] = sum_h (e[t,h] - b[t,h]) * integral over s in 0..1 of d logit / d e[t,h] at b + s (e - b),
/// whose sum is output - baseline_output but for the error of the integral. Computed in f32 on the calling thread
/// beside other users of the model, which must be on the CPU. Throws UserError for a model that has no such classifier,
/// weights in 8 bits for gradients, or options out of range.
Attribution attribute(const models::Model& model, const Encoding& encoding, int32_t pad_id,
                      const AttributionOptions& options);

/// The n nodes and weights of the rule of Gauss and Legendre on [0, 1]: exact for polynomials of degree 2 n - 1.
struct Quadrature {
  std::vector<double> nodes, weights;
};
Quadrature gauss_legendre(int64_t n);

}  // namespace suanli::infer
