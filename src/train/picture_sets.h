/// The pictures that the rows of a task name: each is decoded when a batch is made.
#pragma once

#include <span>
#include <vector>

#include "data/batch.h"
#include "data/image_dataset.h"

namespace suanli {

class PictureSets {
 public:
  /// Keeps a further set and returns a row for each of its pictures, with its class, if it has one, as the target.
  std::vector<EncodedExample> add(std::vector<ImageExample> pictures);
  /// The set of a row, in which row.row is its picture.
  std::span<const ImageExample> of(const EncodedExample& row) const { return sets_[static_cast<size_t>(row.set)]; }

 private:
  std::vector<std::vector<ImageExample>> sets_;
};

}  // namespace suanli
