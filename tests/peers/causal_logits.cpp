// Writes the logits of a causal language model for check_causal.py.
// usage: causal_logits MODEL_DIR IDS.safetensors OUT.safetensors     (each tensor i32 [T] of IDS -> f32 [T,V] of OUT)
#include <cstdio>
#include <numeric>

#include "models/load.h"
#include "ops/initialize.h"

int main(int count, char** words) try {
  using namespace suanli;
  if (count != 4) {
    std::fputs("usage: causal_logits MODEL_DIR IDS.safetensors OUT.safetensors\n", stderr);
    return 2;
  }
  initialize();
  const models::Model model = models::load_model(words[1], {.head = models::Head::causal_lm});
  const SafetensorsFile inputs = SafetensorsFile::open(words[2]);
  std::vector<NamedTensor> out;
  for (const SafetensorsEntry& entry : inputs.entries()) {
    const Tensor ids = inputs.tensor(entry);
    const auto length = static_cast<int32_t>(ids.dim(0));
    std::vector<int32_t> places(static_cast<size_t>(length));
    std::iota(places.begin(), places.end(), 0);
    const std::vector<int32_t> types(places.size()), offsets = {0, length};
    const models::PackedSequences sequence = models::pack(ids.host<int32_t>(), types, places, offsets);
    const Tensor rows = Tensor::from(places, {length});
    out.push_back({std::string(entry.name), model.network->next_token_logits(sequence, rows, {}, nullptr)});
  }
  write_safetensors(words[3], out);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
