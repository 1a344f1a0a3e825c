#include "train/picture_sets.h"

#include <utility>

namespace suanli {

std::vector<EncodedExample> PictureSets::add(std::vector<ImageExample> pictures) {
  std::vector<EncodedExample> rows(pictures.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].row = static_cast<int64_t>(i);
    rows[i].set = static_cast<int64_t>(sets_.size());
    if (pictures[i].label >= 0) rows[i].targets = {static_cast<float>(pictures[i].label)};
  }
  sets_.push_back(std::move(pictures));
  return rows;
}

}  // namespace suanli
