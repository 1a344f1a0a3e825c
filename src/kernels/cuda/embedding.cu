// Rows of a table by index, and their gradient: positions are sorted by id, then each run of one id is summed in rising
// order of position; or by atomics, where they are allowed.
#include "kernels/embedding.h"

namespace suanli::kernels::cuda {

constexpr int kTile = 256;     ///< ids that a block of the sort compares at once
constexpr int kChunk = 64;     ///< sorted positions that a block sums
constexpr int kColumns = 128;  ///< columns of a block of sums

/// The gradient's launch: sorted[p] is the position at place p, leading [chunks, width] the sum of each chunk's leading
/// run where that run began in an earlier chunk.
struct EmbeddingRuns {
  EmbeddingBackward args;
  int32_t* sorted;
  void* leading;
};

}  // namespace suanli::kernels::cuda

#ifdef __CUDACC__

#include "kernels/cuda/device.h"

namespace suanli::kernels::cuda {

template <class T>
__device__ void look_up(const EmbeddingForward& args) {
  const int64_t groups = (args.width + kElements - 1) / kElements;
  const int64_t group = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (group >= args.rows * groups) return;
  const int64_t row = group / groups, column = group % groups * kElements, count = args.width - column;
  const int64_t from = static_cast<int64_t>(args.ids[row]) * args.width + column;
  Compute<T> x[kElements];
  if (args.table_dtype == args.dtype) {
    load(static_cast<const T*>(args.table) + from, count, x);
  } else {
    load(static_cast<const Compute<T>*>(args.table) + from, count, x);
  }
  store(static_cast<T*>(args.y) + row * args.width + column, count, x);
}

/// One thread for each position t: its place is the number of positions with a smaller id, or with the same id before
/// t.
extern "C" __global__ void __launch_bounds__(kTile) embedding_sort(const EmbeddingRuns runs) {
  __shared__ int32_t tile[kTile];
  const int64_t rows = runs.args.rows, t = static_cast<int64_t>(blockIdx.x) * kTile + threadIdx.x;
  const int32_t id = t < rows ? runs.args.ids[t] : 0;
  int64_t place = 0;
  for (int64_t start = 0; start < rows; start += kTile) {
    __syncthreads();
    if (start + threadIdx.x < rows) tile[threadIdx.x] = runs.args.ids[start + threadIdx.x];
    __syncthreads();
    const int count = static_cast<int>(min(static_cast<int64_t>(kTile), rows - start));
    for (int i = 0; i < count; ++i) place += tile[i] < id || (tile[i] == id && start + i < t);
  }
  if (t < rows) runs.sorted[place] = static_cast<int32_t>(t);
}

/// Where the positions of a chunk begin and end, and whether their first run began before.
struct Chunk {
  int64_t begin, end;
  bool continues;
};
__device__ inline Chunk chunk_at(const EmbeddingRuns& runs, int64_t chunk) {
  const int64_t begin = chunk * kChunk, end = min(runs.args.rows, begin + kChunk);
  const int32_t* ids = runs.args.ids;
  return {begin, end, begin > 0 && ids[runs.sorted[begin]] == ids[runs.sorted[begin - 1]]};
}

/// leading[chunk] = the sum of the chunk's first run, where it continues one of an earlier chunk.
template <class T>
__device__ void sum_leading_runs(const EmbeddingRuns& runs) {
  using C = Compute<T>;
  const EmbeddingBackward& args = runs.args;
  const int64_t column = static_cast<int64_t>(blockIdx.y) * kColumns + threadIdx.x;
  const Chunk chunk = chunk_at(runs, blockIdx.x);
  if (!chunk.continues || column >= args.width) return;
  const int32_t id = args.ids[runs.sorted[chunk.begin]];
  C sum = 0;
  for (int64_t p = chunk.begin; p < chunk.end && args.ids[runs.sorted[p]] == id; ++p) {
    sum += widen(static_cast<const T*>(args.dy)[runs.sorted[p] * args.width + column]);
  }
  static_cast<C*>(runs.leading)[blockIdx.x * args.width + column] = sum;
}

/// The chunk in which a run begins sums it, up to the chunk's end, then adds what later chunks hold of it.
template <class T>
__device__ void sum_runs(const EmbeddingRuns& runs) {
  using C = Compute<T>;
  const EmbeddingBackward& args = runs.args;
  const int64_t column = static_cast<int64_t>(blockIdx.y) * kColumns + threadIdx.x;
  if (column >= args.width) return;
  const Chunk chunk = chunk_at(runs, blockIdx.x);
  int64_t p = chunk.begin;
  if (chunk.continues) {  // that run belongs to an earlier chunk
    const int32_t id = args.ids[runs.sorted[p]];
    while (p < chunk.end && args.ids[runs.sorted[p]] == id) ++p;
  }
  while (p < chunk.end) {
    const int32_t id = args.ids[runs.sorted[p]];
    C sum = 0;
    for (; p < chunk.end && args.ids[runs.sorted[p]] == id; ++p) {
      sum += widen(static_cast<const T*>(args.dy)[runs.sorted[p] * args.width + column]);
    }
    for (int64_t next = blockIdx.x + 1; p == chunk.end && next < gridDim.x; ++next) {
      if (args.ids[runs.sorted[next * kChunk]] != id) break;
      sum += static_cast<const C*>(runs.leading)[next * args.width + column];
    }
    const int64_t to = id * args.width + column;
    if (args.table_dtype == args.dtype) {
      static_cast<T*>(args.dtable)[to] = narrow<T>(sum);
    } else {
      static_cast<C*>(args.dtable)[to] = sum;
    }
  }
}

/// dtable, which holds zeros, gets every row of dy in the order in which blocks come to it.
template <class T>
__device__ void add_rows(const EmbeddingBackward& args) {
  using C = Compute<T>;
  const int64_t groups = (args.width + kElements - 1) / kElements;
  const int64_t group = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (group >= args.rows * groups) return;
  const int64_t row = group / groups, column = group % groups * kElements, count = args.width - column;
  C dy[kElements];
  load(static_cast<const T*>(args.dy) + row * args.width + column, count, dy);
  C* const to = static_cast<C*>(args.dtable) + static_cast<int64_t>(args.ids[row]) * args.width + column;
#pragma unroll
  for (int e = 0; e < kElements; ++e) {
    if (e < count) atomicAdd(to + e, dy[e]);
  }
}

SUANLI_KERNELS(embedding_forward, look_up, EmbeddingForward, 256)
SUANLI_KERNELS(embedding_leading_runs, sum_leading_runs, EmbeddingRuns, kColumns)
SUANLI_KERNELS(embedding_runs, sum_runs, EmbeddingRuns, kColumns)
SUANLI_KERNELS(embedding_atomics, add_rows, EmbeddingBackward, 256)

}  // namespace suanli::kernels::cuda

#else

#include "kernels/atomics.h"
#include "kernels/cuda/add.h"
#include "kernels/cuda/launch.h"

namespace suanli::kernels::cuda {

namespace {

SUANLI_DEVICE_CODE(embedding);

template <class Args>
Refusal can_run(const Args& args, const Machine&) {
  if (!is_mixed(args.dtype, args.table_dtype)) return "the table is neither of dtype nor of the dtype of sums";
  return refuse_not_floating(args.dtype);
}

template <class Args>
Grid thread_for_eight_columns(const Args& args) {
  return {.x = blocks_for(args.rows * blocks_for(args.width, 8), 256)};
}

void run_forward(const EmbeddingForward& args, Stream& stream) {
  code.launch("embedding_forward", args.dtype, thread_for_eight_columns(args), stream, args);
}

Refusal can_run_atomics(const EmbeddingBackward& args, const Machine& machine) {
  if (!atomics_allowed) return "atomics are not allowed";
  if (args.table_dtype != accumulation_dtype(args.dtype)) return "the table cannot hold the sums";
  return can_run(args, machine);
}

void clear_table(const EmbeddingBackward& args, Stream& stream) {
  backend(stream.device).fill_zero(args.dtable, args.vocab * args.width * size_of(args.table_dtype), stream);
}

void run_atomics(const EmbeddingBackward& args, Stream& stream) {
  clear_table(args, stream);
  code.launch("embedding_atomics", args.dtype, thread_for_eight_columns(args), stream, args);
}

void run_backward(const EmbeddingBackward& args, Stream& stream) {
  clear_table(args, stream);
  const int64_t chunks = blocks_for(args.rows, kChunk);
  const Scratch sorted(stream, args.rows * size_of(DType::i32));
  const Scratch leading(stream, chunks * args.width * size_of(accumulation_dtype(args.dtype)));
  const EmbeddingRuns runs = {args, static_cast<int32_t*>(sorted.memory()), leading.memory()};
  const Grid grid = {.x = chunks, .y = blocks_for(args.width, kColumns), .threads = kColumns};
  code.launch("embedding_sort", {.x = blocks_for(args.rows, kTile), .threads = kTile}, stream, runs);
  code.launch("embedding_leading_runs", args.dtype, grid, stream, runs);
  code.launch("embedding_runs", args.dtype, grid, stream, runs);
}

}  // namespace

void add_embedding() {
  add(embedding_forward, can_run<EmbeddingForward>, run_forward);
  embedding_backward.add({"atomics", DeviceType::cuda, can_run_atomics, run_atomics});
  add(embedding_backward, can_run<EmbeddingBackward>, run_backward);
}

}  // namespace suanli::kernels::cuda

#endif
