/// What a list of timed calls is made of: sizes, operands that live as long as the program, and the list; internal to
/// timing/.
#pragma once

#include <string>
#include <vector>

#include "base/concat.h"
#include "kernels/registry.h"
#include "kernels/timing/timing.h"
#include "tensor/dtype.h"

namespace suanli::kernels {

inline constexpr int64_t kTokens = 1024, kHidden = 384, kInner = 1536, kHeads = 12, kVocabulary = 30522;

/// The calls that match a filter.
class Calls {
 public:
  /// Of `device`, in whose memory the operands are.
  Calls(std::string_view filter, Device device) : filter_(filter), device_(device) {}

  /// One call for every implementation that can run but the reference.
  template <class Args>
  void add(const Kernel<Args>& kernel, const std::string& label, DType dtype, const Args& args) {
    const Work work = work_of(args);
    for (const Implementation<Args>& implementation : kernel.implementations()) {
      const bool runs = implementation.device == device_.type && implementation.can_run(args, machine()) == nullptr;
      if (!runs || std::string(implementation.name) == "ref") continue;
      const KernelTiming timing = {.kernel = kernel.name(),
                                   .label = label,
                                   .dtype = name_of(dtype),
                                   .implementation = implementation.name,
                                   .flops = work.flops,
                                   .bytes = work.bytes};
      const std::string name = concat(timing.kernel, "/", label, "/", timing.dtype, "/", timing.implementation);
      if (name.find(filter_) == std::string::npos) continue;
      all.push_back(
          {timing, [args, &kernel, &implementation](Stream& stream) { kernel.run(implementation, args, stream); }});
    }
  }

  /// A tensor of small numbers, kept for the life of the program, as are the others.
  void* values(int64_t count, DType dtype) const;
  /// Indices 0..bound-1 in scattered order.
  const int32_t* indices(int64_t count, int64_t bound) const;
  /// Offsets of sequences of `length` tokens each.
  const int32_t* offsets(int64_t sequences, int64_t length) const;
  /// Bytes of zeros.
  void* zeros(int64_t bytes) const;
  Stream& stream() const { return backend(device_).default_stream(); }

  std::vector<TimedCall> all;

 private:
  std::string_view filter_;
  Device device_;
};

void time_products(Calls& calls, DType t);
/// Products of i8 with results in `t`.
void time_quantized(Calls& calls, DType t);
void time_attention(Calls& calls, DType t, int64_t sequences, int64_t length, float probability);
/// A convolution of 3x3 over 8 images of 56 x 56 pixels and 64 channels, and what stands around it.
void time_images(Calls& calls, DType t);
void time_rows(Calls& calls, DType t);
/// What causal and recurrent networks add.
void time_sequences(Calls& calls, DType t);
void time_optimizers(Calls& calls);

}  // namespace suanli::kernels
