/// Kernels over many tensors in one launch: the list is a parameter of the kernel, in the constant bank, and every
/// block finds its tensor there. Read by both halves of a .cu file.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace suanli::kernels::cuda {

/// A part of a list, within the 4 KiB that parameters may take. Tensor i has the blocks first_block[i] to
/// first_block[i + 1] of the launch.
template <class Tensor>
struct Many {
  static constexpr int kMost = 48;
  int count = 0;
  int first_tensor = 0;  ///< its place in the whole list
  int first_block[kMost + 1] = {};
  Tensor tensors[kMost] = {};
};

#ifdef __CUDACC__

/// The place of this block's tensor: the last one whose blocks begin at or before it.
template <class Tensor>
__device__ int tensor_of_block(const Many<Tensor>& many) {
  const int block = static_cast<int>(blockIdx.x);
  int low = 0, high = many.count;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (many.first_block[middle] <= block ? low : high) = middle;
  }
  return low;
}

/// The number of this block among those of its tensor.
template <class Tensor>
__device__ int64_t block_of_tensor(const Many<Tensor>& many, int tensor) {
  return static_cast<int>(blockIdx.x) - many.first_block[tensor];
}

#else

/// Calls launch(many, blocks) for parts that cover the list, a block for every `each` elements.
template <class Tensor, class F>
void for_each_part(std::span<const Tensor> list, int64_t each, const F& launch) {
  for (size_t first = 0; first < list.size(); first += Many<Tensor>::kMost) {
    Many<Tensor> many;
    many.count = static_cast<int>(std::min<size_t>(list.size() - first, Many<Tensor>::kMost));
    many.first_tensor = static_cast<int>(first);
    for (int i = 0; i < many.count; ++i) {
      many.tensors[i] = list[first + static_cast<size_t>(i)];
      many.first_block[i + 1] = many.first_block[i] + static_cast<int>((many.tensors[i].count + each - 1) / each);
    }
    launch(many, int64_t{many.first_block[many.count]});
  }
}

#endif

}  // namespace suanli::kernels::cuda
