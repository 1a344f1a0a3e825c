// Attributions: complete, of the right tokens, and those of captum.
#include "infer/attribution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "autograd/tape.h"
#include "base/error.h"
#include "base/json.h"
#include "models/golden.h"
#include "ops/initialize.h"

namespace suanli::infer {
namespace {

Encoding text_of(std::vector<int32_t> ids) {
  Encoding encoding;
  encoding.ids = std::move(ids);
  encoding.types.resize(encoding.ids.size());
  encoding.special.resize(encoding.ids.size());
  encoding.special.front() = encoding.special.back() = 1;
  return encoding;
}

class Attributions : public testing::TestWithParam<const char*> {};

TEST_P(Attributions, AddUpToTheDifferenceFromTheBaseline) {
  initialize();
  const models::GoldenCase golden{GetParam(), "text-classification"};
  const models::Model model = models::load_model(golden.folder(), {.head = models::Head::sequence_classification});
  const Encoding text = text_of({6, 40, 77, 13, 99, 21, 55, 8});
  for (const int64_t label : {0, 1, 2}) {
    const Attribution found = attribute(model, text, 3, {.label = label});
    const double sum = std::accumulate(found.tokens.begin(), found.tokens.end(), 0.0);
    // 50 nodes integrate smooth paths beyond f32; logits of size 1 carry 1e-6, 50 gradients added 1e-5. The ReLU of
    // DistilBERT's classifier has corners on the way, between two nodes that are at most 1/32 apart.
    const double tolerance = std::string(GetParam()) == "distilbert" ? 1e-2 : 1e-4;
    EXPECT_NEAR(sum, found.output - found.baseline_output, tolerance * (1 + std::abs(found.output)));
    EXPECT_GT(std::abs(found.output - found.baseline_output), 1e-2) << "there is something to explain";
    EXPECT_EQ(found.tokens.front(), 0);
    EXPECT_EQ(found.tokens.back(), 0);
    // One node is not enough: the test would see an integral that is not computed.
    const Attribution rough = attribute(model, text, 3, {.n_steps = 1, .label = label});
    EXPECT_GT(std::abs(std::accumulate(rough.tokens.begin(), rough.tokens.end(), 0.0) -
                       (rough.output - rough.baseline_output)),
              1e-3);
  }
}

TEST_P(Attributions, AreThoseOfCaptum) {
  initialize();
  const Json golden = read_json(std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/attribution.json");
  const models::GoldenCase folder{GetParam(), "text-classification"};
  const models::Model model = models::load_model(folder.folder(), {.head = models::Head::sequence_classification});
  const Encoding text = text_of(golden["ids"].get<std::vector<int32_t>>());
  for (int64_t label = 0; label < 3; ++label) {
    const Attribution found = attribute(model, text, golden["baseline"], {.label = label});
    const auto expected = golden[GetParam()][static_cast<size_t>(label)].get<std::vector<double>>();
    ASSERT_EQ(found.tokens.size(), expected.size());
    // Sums of 50 * 32 products of f32 gradients of size 1.
    for (size_t t = 0; t < expected.size(); ++t) EXPECT_NEAR(found.tokens[t], expected[t], 5e-5) << label << ' ' << t;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Attributions, testing::Values("bert", "roberta", "distilbert"));

TEST(Occlusion, IsTheLogitWithoutTheToken) {
  initialize();
  const models::GoldenCase golden{"bert", "text-classification"};
  const models::Model model = models::load_model(golden.folder(), {.head = models::Head::sequence_classification});
  const Encoding text = text_of({6, 40, 77, 8});
  const auto logit = [&](const std::vector<int32_t>& ids, size_t label) {
    const NoGradient guard;
    const std::vector<int32_t> types(ids.size()), positions = {0, 1, 2, 3}, offsets = {0, 4};
    return model.network->sequence_logits(models::pack(ids, types, positions, offsets), {}).host<float>()[label];
  };
  const Attribution found = attribute(model, text, 3, {.method = AttributionMethod::occlusion});
  const auto label = static_cast<size_t>(found.label);
  EXPECT_NEAR(found.tokens[1], logit({6, 40, 77, 8}, label) - logit({6, 3, 77, 8}, label), 1e-5);
  EXPECT_NEAR(found.tokens[2], logit({6, 40, 77, 8}, label) - logit({6, 40, 3, 8}, label), 1e-5);
  EXPECT_NEAR(found.baseline_output, logit({6, 3, 3, 8}, label), 1e-5);
  EXPECT_EQ(found.tokens[0], 0);
  EXPECT_THROW(attribute(model, text, 3, {.label = 3}), UserError);
  EXPECT_THROW(attribute(model, text, 3, {.n_steps = 0}), UserError);
}

TEST(GaussLegendre, IntegratesPolynomials) {
  for (const int64_t n : {1, 2, 5, 50}) {
    const Quadrature rule = gauss_legendre(n);
    for (const int64_t degree : {int64_t{0}, 2 * n - 2, 2 * n - 1}) {
      double sum = 0;
      for (size_t i = 0; i < rule.nodes.size(); ++i) sum += rule.weights[i] * std::pow(rule.nodes[i], degree);
      EXPECT_NEAR(sum, 1.0 / static_cast<double>(degree + 1), 1e-13) << n << ' ' << degree;
    }
  }
}

}  // namespace
}  // namespace suanli::infer
