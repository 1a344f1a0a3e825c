#include "train/ignored_options.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

struct UsedOptions {
  std::vector<Input> by;  ///< and by no other kind of input
  std::vector<const char*> names;
};

const std::vector<UsedOptions>& used_options() {
  using enum Input;
  static const std::vector<UsedOptions> all = {
      {{text},
       {"replay", "replay_ratio", "ewc_lambda", "old_validation_file", "triplet_margin", "negative_column_name"}},
      {{text, masked_image}, {"loss"}},
      {{question}, {"doc_stride", "max_answer_length", "n_best_size"}},
      {{image}, {"mixup_alpha", "cutmix", "cutmix_alpha", "crop_padding", "erasing"}},
      {{image, boxed_image}, {"mixup"}},
      {{image, boxed_image, keypoint_image, masked_image},
       {"hsv_h", "hsv_s", "hsv_v", "brightness", "contrast", "saturation"}},
      {{image, boxed_image, keypoint_image, masked_image, plain_image}, {"scale", "flipud", "fliplr"}},
      {{boxed_image, keypoint_image, masked_image}, {"degrees", "translate", "shear"}},
      {{boxed_image, masked_image}, {"mosaic"}},
      {{masked_image}, {"instance_masks"}},
      {{boxed_image, interactions}, {"backbone_name_or_path"}},
      {{interactions},
       {"items_file", "history_length", "temperature", "item_dropout", "least_rating", "cold_item_share"}},
      {{generated_image}, {"feature_model"}},
  };
  return all;
}

}  // namespace

void refuse_ignored_options(const Config& config, const TaskKind& kind) {
  for (const UsedOptions& used : used_options()) {
    if (std::ranges::find(used.by, kind.input) != used.by.end()) continue;
    for (const char* name : used.names) {
      if (config.is_given(name)) {
        throw UserError(name, concat("expected no value, got one, which ", kind.name, " has no use for; leave it out"));
      }
    }
  }
}

}  // namespace suanli
