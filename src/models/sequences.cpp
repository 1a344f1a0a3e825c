#include "models/sequences.h"

namespace suanli::models {

namespace {
Tensor on_device(std::span<const int32_t> values, Device device) {
  const Tensor host = Tensor::from(values, {static_cast<int64_t>(values.size())});
  return device == host.device() ? host : host.to(device);
}
}  // namespace

PackedSequences pack(std::span<const int32_t> ids, std::span<const int32_t> types, std::span<const int32_t> positions,
                     std::span<const int32_t> offsets, Device device) {
  // Offsets stay where they are read: attention checks them on the host.
  return {on_device(ids, device), on_device(types, device), on_device(positions, device), on_device(offsets, {})};
}

Tensor first_tokens(const PackedSequences& sequences) {
  const auto offsets = sequences.offsets.host<int32_t>();
  for (size_t b = 1; b < offsets.size(); ++b) {
    if (offsets[b] == offsets[b - 1]) {
      throw UserError("first_tokens",
                      "expected sequences of at least one token, got none in number " + std::to_string(b - 1));
    }
  }
  return on_device(offsets.first(offsets.size() - 1), sequences.ids.device());
}

}  // namespace suanli::models
