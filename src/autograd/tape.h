/// Reverse-mode differentiation on a tape: ops leave a node with their gradient rule, backward() walks them once.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tensor/tensor.h"

namespace suanli {

/// From the gradient of an op's output to those of its inputs, in their order; undefined where none is wanted.
using BackwardRule = std::function<std::vector<Tensor>(const Tensor& dy)>;

/// A tensor's place on the tape: a leaf (no rule) keeps its gradient, an inner node passes it on and forgets it.
struct TapeEntry {
  const char* op = nullptr;
  uint64_t sequence = 0;  // order of recording: a node's inputs have smaller numbers
  std::vector<std::shared_ptr<TapeEntry>> inputs;
  BackwardRule rule;
  Tensor gradient;
  bool done = false;  // backward has passed and released what the rule held
};

/// False inside a NoGradient scope of this thread.
bool gradient_enabled();

/// While it lives, ops of this thread record nothing.
class NoGradient {
 public:
  NoGradient();
  ~NoGradient();
  NoGradient(const NoGradient&) = delete;
  NoGradient& operator=(const NoGradient&) = delete;

 private:
  bool before_;
};

/// Makes `tensor` a leaf whose gradient backward() accumulates.
void require_gradient(Tensor& tensor);
/// True when gradients are enabled and `tensor` is on the tape: an op asks before it keeps anything for backward.
bool wants_gradient(const Tensor& tensor);
/// The gradient accumulated in a leaf; undefined before the first backward(). Throws UserError when it is no leaf.
Tensor& gradient_of(const Tensor& leaf);
/// The same values off the tape; shares storage.
Tensor detach(const Tensor& tensor);

/// Puts `output` on the tape as the result of `op` from `inputs`, if any of these wants a gradient.
void record(const char* op, Tensor& output, std::initializer_list<Tensor> inputs, BackwardRule rule);

/// Adds d output / d leaf, times `dy`, to the gradient of every leaf below `output`, then releases the tape behind it.
/// dy has the shape and dtype of `output`; undefined means 1 for a tensor of one element. Gradients have the dtype of
/// their tensor. Sums run in the order of recording, so that equal runs give equal bits.
/// Throws UserError when `output` is not on the tape, was walked before, or needs a dy.
void backward(const Tensor& output, Tensor dy = {});

/// y = segment(x) without keeping what lies between: backward runs the segment again (Chen et al. 2016). The segment
/// must give the same values both times, which counted randomness does by itself. Throws UserError when the segment
/// uses the result of an op from outside other than x: its gradient would be lost.
Tensor recompute(std::function<Tensor(const Tensor&)> segment, const Tensor& x);

/// Sum of two gradients of one tensor; `a` may be overwritten when it is unique. Set once at start-up by the ops.
using GradientSum = Tensor (*)(Tensor a, const Tensor& b);
void set_gradient_sum(GradientSum sum);

}  // namespace suanli
