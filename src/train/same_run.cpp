#include "train/same_run.h"

#include <utility>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"

namespace suanli {

void begin_same_run(dist::Communicator& ranks, const RunPosition& position, const TrainerState& state,
                    const nn::Parameters& parameters) {
  const std::pair<const char*, int64_t> run[] = {{"training rows", position.train_rows},
                                                 {"rows of a batch", position.batch_size},
                                                 {"gradient_accumulation_steps", position.accumulation},
                                                 {"data_seed", static_cast<int64_t>(position.data_seed)},
                                                 {"steps in all", state.max_steps},
                                                 {"steps done", state.global_step},
                                                 {"parameters", parameters.elements()},
                                                 {"bits of activations", position.dtype == "f32" ? 32 : 16}};
  std::vector<int64_t> mine;
  for (const auto& [name, value] : run) mine.push_back(value);
  const std::vector<int64_t> all = ranks.gather(mine);
  for (size_t i = 0; i < all.size(); ++i) {
    const size_t which = i % mine.size();
    if (all[i] == all[which]) continue;
    throw UserError("train", concat("expected the same run on all ranks, got ", all[i], " ", run[which].first,
                                    " on rank ", i / mine.size(), " and ", all[which],
                                    " on rank 0; give all processes the same options and files"));
  }
  std::vector<Tensor> weights;
  for (const auto* each : {&parameters.all(), &parameters.buffers()}) {
    for (const nn::Parameter& parameter : *each) weights.push_back(detach(parameter.value));
  }
  ranks.broadcast(weights);
  ranks.join();
  ranks.wait();
}

}  // namespace suanli
