// Attention over packed sequences: lengths 0 to 300, head sizes of models, fused and separate operands, dropout masks.
#include "kernels/attention.h"

#include <memory>

#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::AttentionBackward;
using kernels::AttentionForward;
using kernels::DropoutKey;

const DropoutKey kDropout = {0.2F, {.seed = 5, .step = 77, .site = 3}};

struct AttentionShape {
  std::vector<int64_t> lengths;
  int64_t heads, head_size;
  bool causal = false;
  int64_t group = 1;  // query heads of one head of keys and values
};
const std::vector<AttentionShape> kShapes = {
    {{}, 2, 8},           {{0}, 1, 8},           {{1}, 1, 1},       {{1, 0, 1, 2}, 3, 8}, {{16, 17}, 2, 32},
    {{33, 0, 16}, 3, 32}, {{7, 31, 64}, 1, 128}, {{15, 5}, 12, 64}, {{65}, 2, 20},        {{9}, 2, 40},
    {{17}, 1, 80},        {{3, 33}, 1, 96},      {{5, 7}, 1, 256}};
const std::vector<AttentionShape> kLongShapes = {
    {{128, 129}, 2, 64}, {{300}, 1, 32}, {{100, 64, 0}, 2, 32}, {{50, 81}, 1, 128}, {{1024}, 1, 32}};
// Lengths around the blocks of queries and keys: 16, 32, 48 and 64 rows.
const std::vector<AttentionShape> kCausalShapes = {
    {{1}, 1, 1, true},           {{2, 0, 1, 9}, 3, 8, true}, {{15, 16, 17}, 1, 32, true}, {{31, 33}, 1, 32, true},
    {{47, 48, 49}, 1, 20, true}, {{64}, 1, 64, true},        {{65}, 1, 32, true},         {{34}, 1, 80, true},
    {{33}, 1, 96, true},         {{33}, 1, 128, true},       {{17}, 1, 256, true}};
const std::vector<AttentionShape> kLongCausalShapes = {
    {{95, 96, 97}, 1, 32, true}, {{127, 0, 129}, 2, 64, true}, {{300, 20}, 1, 96, true}, {{1024}, 1, 32, true}};

// Four and six heads of queries over two of keys, and all over one.
const std::vector<AttentionShape> kGroupedShapes = {
    {{5, 0, 17}, 4, 8, true, 2}, {{33, 2}, 6, 20, false, 3}, {{49}, 3, 64, true, 3}, {{50, 34}, 2, 32, true, 2}};

/// One attention worked out in f64 from unrounded inputs, with what the bounds need.
struct Exact {
  int64_t tokens, width, key_width, stride, longest = 0;
  size_t worst = 0;  // the row with the largest scores
  Values offsets = {0}, qkv, dout, out, lse;
  // Per head and packed row: error factors and sums named after the derivations below.
  Values score_size, v_size, g_query, g_key, dout_key;
};

/// The shape, its packed rows and its attention. `size` scales queries and so the scores.
std::shared_ptr<Exact> work_out(const AttentionShape& s, const DropoutKey& key, double size) {
  auto e = std::make_shared<Exact>();
  for (const int64_t length : s.lengths) {
    e->offsets.push_back(e->offsets.back() + static_cast<double>(length));
    e->longest = std::max(e->longest, length);
  }
  e->tokens = static_cast<int64_t>(e->offsets.back());
  e->width = s.heads * s.head_size;
  e->key_width = e->width / s.group;
  e->stride = e->width + 2 * e->key_width;
  e->qkv = normal(e->tokens * e->stride, 90);
  for (int64_t t = 0; t < e->tokens; ++t) {
    for (int64_t c = 0; c < e->width; ++c) e->qkv[static_cast<size_t>(t * e->stride + c)] *= size;
  }
  e->dout = normal(e->tokens * e->width, 91);
  e->out.assign(static_cast<size_t>(e->tokens * e->width), 0);
  const auto per_row = static_cast<size_t>(s.heads * e->tokens);
  for (Values* values : {&e->lse, &e->score_size, &e->v_size, &e->g_query, &e->g_key, &e->dout_key}) {
    values->assign(per_row, 0);
  }
  const double scale = 1 / std::sqrt(static_cast<double>(s.head_size));
  const int64_t d = s.head_size;
  for (size_t b = 0; b < s.lengths.size(); ++b) {
    const auto first = static_cast<int64_t>(e->offsets[b]), length = s.lengths[b];
    for (int64_t a = 0; a < s.heads; ++a) {
      const auto row = [&](int part, int64_t i) {
        const int64_t column = part == 0 ? a * d : e->width + (part - 1) * e->key_width + a / s.group * d;
        return e->qkv.data() + (first + i) * e->stride + column;
      };
      const auto at = [&](int64_t i) { return static_cast<size_t>(a * e->tokens + first + i); };
      double k_norm = 0, v_norm = 0, k_most = 0, q_most = 0;
      for (int64_t j = 0; j < length; ++j) {
        k_norm = std::max(k_norm, norm(row(1, j), d));
        v_norm = std::max(v_norm, norm(row(2, j), d));
        k_most = std::max(k_most, largest(row(1, j), d));
        q_most = std::max(q_most, largest(row(0, j), d));
      }
      for (int64_t i = 0; i < length; ++i) {
        const int64_t keys = s.causal ? i + 1 : length;
        Values p(static_cast<size_t>(keys));
        double most = -std::numeric_limits<double>::infinity(), total = 0;
        for (int64_t j = 0; j < keys; ++j) {
          double score = 0;
          for (int64_t c = 0; c < d; ++c) score += row(0, i)[c] * row(1, j)[c];
          p[static_cast<size_t>(j)] = score * scale;
          most = std::max(most, score * scale);
        }
        for (double& value : p) total += value = std::exp(value - most);
        e->lse[at(i)] = most + std::log(total);
        double* out = e->out.data() + (first + i) * e->width + a * d;
        const double* dout = e->dout.data() + (first + i) * e->width + a * d;
        for (int64_t j = 0; j < keys; ++j) {
          const uint64_t element = (static_cast<uint64_t>(at(i)) << 20) + static_cast<uint64_t>(j);
          const double weight =
              p[static_cast<size_t>(j)] / total * static_cast<double>(kernels::dropout_factor(key, element));
          for (int64_t c = 0; c < d; ++c) out[c] += weight * row(2, j)[c];
        }
        if (std::abs(e->lse[at(i)]) + e->score_size[at(i)] > std::abs(e->lse[e->worst]) + e->score_size[e->worst]) {
          e->worst = at(i);
        }
        e->score_size[at(i)] = scale * norm(row(0, i), d) * k_norm;
        for (int64_t j = 0; j < keys; ++j) {
          const double weight = p[static_cast<size_t>(j)] / total;
          const double g = weight * norm(dout, d) * (1.25 * v_norm + norm(out, d));
          e->g_query[at(i)] += scale * g * k_most;
          e->g_key[at(j)] += scale * g * q_most;
          e->dout_key[at(j)] += 1.25 * weight * largest(dout, d);
        }
        for (int64_t j = 0; j < keys; ++j) e->v_size[at(i)] = std::max(e->v_size[at(i)], largest(row(2, j), d));
      }
    }
  }
  return e;
}

/// Error of one score: its dot product, the scale, the difference to the largest.
double score_error(const AttentionShape& s, const Exact& e, size_t at, DType dtype) {
  return sum_error(sum_dtype(dtype), s.head_size + 4, e.score_size[at]);
}
/// A kernel that multiplies in 16 bits rounds the probabilities (and their gradients) to the dtype of its operands.
double operand_rounding(DType dtype) { return size_of(dtype) == 2 ? 2 * unit_roundoff(dtype) : 0; }
/// Relative error of one probability or sum over them: exp turns an absolute error into a relative one.
double probability_error(const AttentionShape& s, const Exact& e, size_t at, DType dtype) {
  const DType sums = sum_dtype(dtype);
  return 2 * score_error(s, e, at, dtype) + 4 * unit_roundoff(sums) * std::abs(e.lse[at]) +
         2 * function_error(sums, 1) + sum_error(sums, e.longest, 2) + operand_rounding(dtype);
}
/// The place (head, packed row) of an element of out or dout.
size_t place(const AttentionShape& s, const Exact& e, size_t i) {
  const auto token = static_cast<int64_t>(i) / e.width, head = static_cast<int64_t>(i) % e.width / s.head_size;
  return static_cast<size_t>(head * e.tokens + token);
}

/// Element `elements` of an array of `dtype`.
void* shifted(void* base, int64_t elements, DType dtype) {
  return static_cast<std::byte*>(base) + elements * size_of(dtype);
}

std::string label(const AttentionShape& s, const DropoutKey& key) {
  std::string text = s.causal ? "causal, lengths" : "lengths";
  for (const int64_t length : s.lengths) text.append(1, ' ').append(std::to_string(length));
  return text + ", " + std::to_string(s.heads) + " heads of " + std::to_string(s.head_size) +
         (s.group > 1 ? " in groups of " + std::to_string(s.group) : "") + (key.probability > 0 ? ", dropout" : "");
}

// Arrays: 0 qkv, 1 offsets, 2 out, 3 lse.
Problem<AttentionForward> forward_problem(const AttentionShape& s, const DropoutKey& key, bool keep_lse,
                                          double size = 1) {
  const auto e = work_out(s, key, size);
  const auto out_bound = [=](size_t i, const std::vector<Values>&, DType dtype) {
    const size_t at = place(s, *e, i);
    return 1.25 * probability_error(s, *e, at, dtype) * e->v_size[at];
  };
  const auto lse_bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
    return score_error(s, *e, i, dtype) + function_error(sum_dtype(dtype), std::abs(v[3][i]) + 1) +
           sum_error(sum_dtype(dtype), e->longest, 1);
  };
  return {label(s, key) + (keep_lse ? "" : ", lse not kept"),
          {Array::input("qkv", e->qkv), Array::input("offsets", e->offsets, Kind::index),
           Array::output("out", e->tokens * e->width, out_bound),
           keep_lse ? Array::output("lse", s.heads * e->tokens, lse_bound, Kind::statistic) : Array::absent("lse")},
          [=](DType dtype, const Pointers& p) {
            return AttentionForward{.q = p[0],
                                    .k = shifted(p[0], e->width, dtype),
                                    .v = shifted(p[0], e->width + e->key_width, dtype),
                                    .offsets = static_cast<const int32_t*>(p[1]),
                                    .out = p[2],
                                    .lse = p[3],
                                    .tokens = e->tokens,
                                    .sequences = static_cast<int64_t>(s.lengths.size()),
                                    .longest = e->longest,
                                    .heads = s.heads,
                                    .head_size = s.head_size,
                                    .stride = e->stride,
                                    .scale = 1 / std::sqrt(static_cast<double>(s.head_size)),
                                    .dropout = key,
                                    .dtype = dtype,
                                    .causal = s.causal,
                                    .group = s.group};
          }};
}

// Arrays: 0 dout, 1 out, 2 lse, 3 qkv, 4 offsets, 5 dqkv.
Problem<AttentionBackward> backward_problem(const AttentionShape& s, const DropoutKey& key) {
  const auto e = work_out(s, key, 1);
  const auto bound = [=](size_t i, const std::vector<Values>&, DType dtype) {
    const auto token = static_cast<int64_t>(i) / e->stride, column = static_cast<int64_t>(i) % e->stride;
    const Values& of_keys = column < e->width + e->key_width ? e->g_key : e->dout_key;
    double terms = 0;
    if (column < e->width) {
      terms = e->g_query[static_cast<size_t>(column / s.head_size * e->tokens + token)];
    } else {  // the sum over the heads of a group
      const int64_t first = (column - e->width) % e->key_width / s.head_size * s.group;
      for (int64_t a = first; a < first + s.group; ++a) terms += of_keys[static_cast<size_t>(a * e->tokens + token)];
    }
    // dq = sum_j ds k, |ds| <= p g; dk = sum_i ds q; dv = sum_i p dout: relative errors of p, of the products inside g,
    // and of the sums. 1.5: p of the rounded inputs beside lse of the unrounded ones.
    const double sums = sum_error(sum_dtype(dtype), s.group * e->longest + s.head_size, 1);
    const double relative = probability_error(s, *e, e->worst, dtype) + operand_rounding(dtype) + sums;
    return 1.5 * relative * terms;
  };
  return {label(s, key),
          {Array::input("dout", e->dout), Array::input("out", e->out), Array::input("lse", e->lse, Kind::statistic),
           Array::input("qkv", e->qkv), Array::input("offsets", e->offsets, Kind::index),
           Array::output("dqkv", e->tokens * e->stride, bound)},
          [=](DType dtype, const Pointers& p) {
            return AttentionBackward{.dout = p[0],
                                     .out = p[1],
                                     .lse = p[2],
                                     .q = p[3],
                                     .k = shifted(p[3], e->width, dtype),
                                     .v = shifted(p[3], e->width + e->key_width, dtype),
                                     .offsets = static_cast<const int32_t*>(p[4]),
                                     .dq = p[5],
                                     .dk = shifted(p[5], e->width, dtype),
                                     .dv = shifted(p[5], e->width + e->key_width, dtype),
                                     .tokens = e->tokens,
                                     .sequences = static_cast<int64_t>(s.lengths.size()),
                                     .longest = e->longest,
                                     .heads = s.heads,
                                     .head_size = s.head_size,
                                     .stride = e->stride,
                                     .scale = 1 / std::sqrt(static_cast<double>(s.head_size)),
                                     .dropout = key,
                                     .dtype = dtype,
                                     .causal = s.causal,
                                     .group = s.group};
          }};
}

/// One run, in f32 and in bf16, of each implementation but the plain ones (loops; a warp for each row), which take the
/// interpreter of CUDA minutes: many blocks and tiles for a price that every run of the tests can pay.
template <class Args>
void check_tiles_once(const kernels::Kernel<Args>& kernel, const Problem<Args>& problem) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    std::vector<Values> inputs, exact;
    for (const Array& array : problem.arrays) {
      inputs.push_back(array.values);
      for (double& value : inputs.back()) value = round_to(dtype_of_kind(array.kind, dtype), value);
    }
    for (auto& buffer : run_implementation(*kernel.find("ref"), problem, inputs, DType::f64, 0)) {
      exact.push_back(buffer.read());
    }
    for (const auto& implementation : kernel.implementations()) {
      const std::string_view name = implementation.name;
      if (name == "ref" || name == "cuda" || device_count(implementation.device) == 0) continue;
      const auto buffers = run_implementation(implementation, problem, inputs, dtype, 0);
      if (!buffers.empty()) compare(run_name(kernel, implementation), problem.arrays, buffers, inputs, exact, dtype);
    }
  }
}

void check_forward(const std::vector<AttentionShape>& shapes) {
  for (const AttentionShape& shape : shapes) {
    for (const DropoutKey& key : {DropoutKey{}, kDropout}) {
      check_all(kernels::attention_forward, forward_problem(shape, key, true));
      if (::testing::Test::HasFailure()) return;
    }
    check_all(kernels::attention_forward, forward_problem(shape, {}, false));
  }
}
TEST(AttentionForward, EveryLengthAndHeadSize) { check_forward(kShapes); }
TEST(AttentionForward, OneLongSequence) {
  for (const bool causal : {false, true}) {
    check_tiles_once(kernels::attention_forward, forward_problem({{512}, 1, 64, causal}, kDropout, true));
  }
}
TEST(AttentionForward, CausalAroundBlocks) { check_forward(kCausalShapes); }
TEST(AttentionForward, HeadsThatShareKeys) { check_forward(kGroupedShapes); }
TEST(AttentionForward, LongSequences) { check_forward(kLongShapes); }
TEST(AttentionForward, CausalLongSequences) { check_forward(kLongCausalShapes); }

// Scores in the hundreds, of both signs: the softmax is nearly a choice and must not overflow.
TEST(AttentionForward, LargeScoresDoNotOverflow) {
  const auto problem = forward_problem({{33, 17}, 2, 32}, {}, true, 300);
  check(kernels::attention_forward, problem, DType::f32);
  check(kernels::attention_forward, problem, DType::f64);
}

TEST(AttentionForward, NanStaysInItsSequenceAndHead) {
  auto problem = forward_problem({{17, 33, 5}, 2, 32}, {}, true);
  problem.arrays[0].values[20 * 192 + 128 + 40] = std::numeric_limits<double>::quiet_NaN();  // v, sequence 1, head 1
  problem.arrays[0].values[52 * 192 + 3] = std::numeric_limits<double>::quiet_NaN();         // q, sequence 2, head 0
  check_all(kernels::attention_forward, problem);
}

void check_backward(const std::vector<AttentionShape>& shapes) {
  for (const AttentionShape& shape : shapes) {
    for (const DropoutKey& key : {DropoutKey{}, kDropout}) {
      check_all(kernels::attention_backward, backward_problem(shape, key));
      if (::testing::Test::HasFailure()) return;
    }
  }
}
TEST(AttentionBackward, EveryLengthAndHeadSize) { check_backward(kShapes); }
TEST(AttentionBackward, OneLongSequence) {
  check_tiles_once(kernels::attention_backward, backward_problem({{260}, 1, 32, true}, kDropout));
}
TEST(AttentionBackward, CausalAroundBlocks) { check_backward(kCausalShapes); }
TEST(AttentionBackward, HeadsThatShareKeys) { check_backward(kGroupedShapes); }
TEST(AttentionBackward, LongSequences) { check_backward(kLongShapes); }
TEST(AttentionBackward, CausalLongSequences) { check_backward(kLongCausalShapes); }

// Head sizes of models: which kernel a GPU runs for each.
TEST(Attention, EveryHeadSizeHasItsKernelOnCuda) {
  if (kernels::attention_forward.find("cuda", DeviceType::cuda) == nullptr) return;  // a build without nvcc
  struct Row {
    int64_t head_size;
    const char *of_f32, *of_16_bits;
  };
  const auto expect_choice = [](const auto& kernel, auto args, const Row& row) {
    args.head_size = row.head_size;
    args.stride = 3 * row.head_size;
    for (const DType dtype : {DType::f32, DType::bf16, DType::f16, DType::f64}) {
      args.dtype = dtype;
      const char* expected = dtype == DType::f32 ? row.of_f32 : dtype == DType::f64 ? "cuda" : row.of_16_bits;
      EXPECT_STREQ(kernel.choose(args, Device{DeviceType::cuda, 0}).name, expected)
          << kernel.name() << " " << name_of(dtype) << " " << row.head_size;
    }
  };
  for (const Row& row :
       {Row{20, "tiled", "cuda"}, Row{32, "tiled", "flash"}, Row{40, "tiled", "cuda"}, Row{64, "tiled", "flash"},
        Row{80, "tiled", "flash"}, Row{96, "tiled", "flash"}, Row{128, "tiled", "flash"}, Row{160, "cuda", "cuda"},
        Row{256, "cuda", "cuda"}, Row{30, "cuda", "cuda"}}) {
    expect_choice(kernels::attention_forward, AttentionForward{}, row);
    expect_choice(kernels::attention_backward, AttentionBackward{}, row);
  }
}

// With q = 0 every probability is 1 / length. Then unit vectors as values show the mask itself in the output, and unit
// vectors as dout show it, transposed, in dv: both must be dropout_factor, element by element.
TEST(Attention, MaskIsTheCountedOneBitByBit) {
  const int64_t length = 31, heads = 2, d = 32, width = heads * d, tokens = 2 * length;
  std::vector<int32_t> offsets = {0, 31, 62};
  std::vector<float> q(tokens * width, 0), v(tokens * width, 0), lse(heads * tokens, std::log(31.0F)), zero = q;
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t a = 0; a < heads; ++a) v[static_cast<size_t>(t * width + a * d + t % length)] = 1;
  }
  const auto expect_mask = [&](const char* name, const std::vector<float>& got, bool transposed) {
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t a = 0; a < heads; ++a) {
        for (int64_t c = 0; c < length; ++c) {
          const int64_t query = transposed ? t / length * length + c : t, key = transposed ? t % length : c;
          const uint64_t element = (static_cast<uint64_t>(a * tokens + query) << 20) + static_cast<uint64_t>(key);
          const float factor = kernels::dropout_factor(kDropout, element);
          const float value = got[static_cast<size_t>(t * width + a * d + c)];
          ASSERT_EQ(value == 0, factor == 0) << name << " query " << query << " key " << key << " head " << a;
          ASSERT_NEAR(value, factor / 31, sum_error(DType::f32, 31, 1)) << name;
        }
      }
    }
  };
  for (const auto& implementation : kernels::attention_forward.implementations()) {
    std::vector<float> out(tokens * width);
    Arrays arrays(implementation.device);
    if (!arrays.usable()) continue;
    const float* queries = arrays(q);
    const AttentionForward args{queries, queries, arrays(v), arrays(offsets), arrays(out), nullptr,  tokens,    2,
                                length,  heads,   d,         width,           1.0,         kDropout, DType::f32};
    if (implementation.can_run(args, machine()) != nullptr) continue;
    arrays.run([&](Stream& stream) { implementation.run(args, stream); });
    expect_mask(implementation.name, out, false);
  }
  for (const auto& implementation : kernels::attention_backward.implementations()) {
    std::vector<float> dq(tokens * width), dk = dq, dv = dq;
    Arrays arrays(implementation.device);
    if (!arrays.usable()) continue;
    const float *queries = arrays(q), *zeros = arrays(zero);
    const AttentionBackward args{.dout = arrays(v),
                                 .out = zeros,
                                 .lse = arrays(lse),
                                 .q = queries,
                                 .k = queries,
                                 .v = zeros,
                                 .offsets = arrays(offsets),
                                 .dq = arrays(dq),
                                 .dk = arrays(dk),
                                 .dv = arrays(dv),
                                 .tokens = tokens,
                                 .sequences = 2,
                                 .longest = length,
                                 .heads = heads,
                                 .head_size = d,
                                 .stride = width,
                                 .scale = 1,
                                 .dropout = kDropout,
                                 .dtype = DType::f32};
    if (implementation.can_run(args, machine()) != nullptr) continue;
    arrays.run([&](Stream& stream) { implementation.run(args, stream); });
    expect_mask(implementation.name, dv, true);
  }
}

}  // namespace
}  // namespace suanli::testing
