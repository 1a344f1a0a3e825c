// Entity scores equal seqeval's, also for stray I- tags, changes of type and IOBES tags.
#include "train/entities.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "golden.h"

namespace suanli {
namespace {

using Tags = std::vector<std::string_view>;

TEST(Entities, StrayInsideTagBeginsAnEntity) {
  const Tags tags = {"I-PER", "I-PER", "O", "B-LOC", "I-PER", "B-PER", "B-PER"};
  const std::vector<Entity> wanted = {{"PER", 0, 1}, {"LOC", 3, 3}, {"PER", 4, 4}, {"PER", 5, 5}, {"PER", 6, 6}};
  EXPECT_EQ(entities_of(tags), wanted);
}

TEST(Entities, ScoresEqualThoseOfSeqeval) {
  constexpr double kTolerance = 1e-12;  // ratios of small integers, summed in another order
  const Json cases = golden("metrics/values.json")["entities"];
  ASSERT_FALSE(cases.empty());
  for (const Json& c : cases) {
    EntityCounts counts;
    for (size_t i = 0; i < c["truth"].size(); ++i) {
      const auto truth = c["truth"][i].get<std::vector<std::string>>();
      const auto predicted = c["predicted"][i].get<std::vector<std::string>>();
      counts.add(Tags(truth.begin(), truth.end()), Tags(predicted.begin(), predicted.end()));
    }
    for (const auto& [name, kind] :
         {std::pair{"macro", Average::macro}, {"micro", Average::micro}, {"weighted", Average::weighted}}) {
      const PrecisionRecall got = counts.average(kind);
      EXPECT_NEAR(got.precision, c[name][0].get<double>(), kTolerance) << name;
      EXPECT_NEAR(got.recall, c[name][1].get<double>(), kTolerance) << name;
      EXPECT_NEAR(got.f1, c[name][2].get<double>(), kTolerance) << name;
    }
    EXPECT_NEAR(*find_score(counts.scores(), "accuracy"), c["accuracy"].get<double>(), kTolerance);
  }
}

TEST(Entities, SentencesOfUnequalLengthAreRefused) {
  EntityCounts counts;
  EXPECT_THROW(counts.add(Tags{"O"}, Tags{"O", "O"}), UserError);
}

}  // namespace
}  // namespace suanli
