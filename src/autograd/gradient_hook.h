/// A call when backward() has finished the gradient of a leaf, so that work with it can begin before the rest is done.
#pragma once

#include <functional>

#include "autograd/tape.h"

namespace suanli {

/// While it lives, backward() of this thread calls `finished` with each leaf (Tensor::tape()) below its output that has
/// a gradient, when that pass will change it no more. Nothing is called where a segment of recompute() lies below: its
/// leaves show when it runs again. The gradient may share its storage with others. One at a time for a thread.
class GradientHook {
 public:
  using Finished = std::function<void(const TapeEntry& leaf)>;
  explicit GradientHook(Finished finished);
  ~GradientHook();
  GradientHook(const GradientHook&) = delete;
  GradientHook& operator=(const GradientHook&) = delete;

 private:
  Finished finished_;
};

}  // namespace suanli
