// The product's flash attention with a bug planted: PLANT_BARRIER, PLANT_WAIT, PLANT_LANE or PLANT_TAIL; without, as it
// is. What the headers define is kept; only the kernel's own text is changed.
#include "kernels/cuda/attention_flash.h"

#undef SUANLI_EACH_FLASH
#define SUANLI_EACH_FLASH(F) F(32, bf16, bfloat16)

namespace suanli::kernels::cuda {

template <int kPending>
__device__ void meet_without_waiting() {
  __syncthreads();
}

template <class T, int D, int kBlocks>
__device__ void multiply_the_neighbours_rows(float (&sums)[kBlocks][4], uint32_t x, int row, uint32_t y) {
  multiply_rows<T, D, kBlocks>(sums, x, row + 1, y);
}

template <class Args>
__device__ Part one_row_too_many(const Args& args, int rows) {
  Part part = part_of_block(args, rows);
  ++part.end;
  return part;
}

}  // namespace suanli::kernels::cuda

#if defined(PLANT_BARRIER)
#define __syncthreads() ((void)0)
#elif defined(PLANT_WAIT)
#define await_fetch meet_without_waiting
#elif defined(PLANT_LANE)
#define multiply_rows multiply_the_neighbours_rows
#elif defined(PLANT_TAIL)
#define part_of_block one_row_too_many
#endif

#include "kernels/cuda/attention_flash_forward.cu"
