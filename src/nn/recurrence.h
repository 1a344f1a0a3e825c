/// Layers of recurrent cells with PyTorch's parameters, over packed sequences.
#pragma once

#include <vector>

#include "nn/mode.h"
#include "nn/parameters.h"
#include "ops/recurrence.h"

namespace suanli::nn {

using kernels::Cell;

struct RecurrenceOptions {
  Cell cell = Cell::lstm;
  int64_t input = 0, hidden = 0, layers = 1;
  bool bidirectional = false;
  float dropout = 0;  ///< of what goes from one layer to the next

  int64_t directions() const { return bidirectional ? 2 : 1; }
};

/// torch.nn.LSTM, GRU or RNN. Parameters of layer k, D directions and G gates: weight_ih_lk [D G H, I], weight_hh_lk
/// [D G H, H], bias_ih_lk and bias_hh_lk [D G H]; the rows of PyTorch's ..._reverse stand below those of the forward
/// direction. Uniform within 1 / sqrt(H) at first.
class Recurrence {
 public:
  struct Output {
    Tensor y;                               ///< [T, D H] of the last layer
    std::vector<ops::RecurrentState> last;  ///< of each layer, [B, D H]
  };

  Recurrence(ParameterScope scope, const RecurrenceOptions& options);
  /// x [T, input], offsets [B+1] i32; `initial` empty, or a state for each layer. Throws UserError for another number.
  Output operator()(const Tensor& x, const Tensor& offsets, const Mode& mode,
                    const std::vector<ops::RecurrentState>& initial = {}) const;

 private:
  struct Layer {
    Tensor weight_ih, weight_hh, bias_ih, bias_hh;
    Dropout dropout;  ///< of its input
  };
  Cell cell_;
  std::vector<Layer> layers_;
};

}  // namespace suanli::nn
