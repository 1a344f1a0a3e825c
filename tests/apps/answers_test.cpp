// The answers file names its mistakes by line; an index that is read back answers as the one that was built.
#include "apps/answers.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "apps/answer_index.h"
#include "apps/stand_in.h"
#include "base/random.h"
#include "expect_error.h"

namespace suanli::apps {
namespace {

namespace fs = std::filesystem;

class AnswersTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("suanli_apps_answers_" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }
  fs::path folder_;
};

TEST_F(AnswersTest, ColumnsAreTakenByName) {
  const auto answers =
      read_answers(write("a.tsv", "url\tanswer\tquestion\tintent\nhttp://x\tYes.\tIs it?\t\n\tNo.\tWhy?\tgreeting\n"));
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].question, "Is it?");
  EXPECT_EQ(answers[0].text, "Yes.");
  EXPECT_EQ(answers[0].source, "http://x");
  EXPECT_EQ(answers[1].intent, "greeting");
  const auto lines = read_answers(write("a.jsonl", R"({"question": "q", "answer": "a", "source": "book"})"
                                                   "\n"));
  EXPECT_EQ(lines[0].source, "book");
}

TEST_F(AnswersTest, AMistakeIsToldWithItsLine) {
  const auto message = [&](const std::string& content) {
    const fs::path file = write("bad.tsv", content);
    return error_of([&] { read_answers(file); });
  };
  EXPECT_NE(message("question\tanswer\nq\ta\nq\t \n").find("bad.tsv:3"), std::string::npos);
  EXPECT_NE(message("question\tanswer\nq\ta\nq\n").find("bad.tsv:3"), std::string::npos);
  EXPECT_NE(message("question\tanswer\n").find("rows"), std::string::npos);
  EXPECT_NE(message("question\treply\nq\ta\n").find("answer"), std::string::npos);
}

std::vector<float> random_rows(size_t rows, uint32_t site) {
  RandomGenerator random({.seed = 7, .site = site});
  std::vector<float> out;
  for (size_t row = 0; row < rows; ++row) {
    double sum = 0;
    for (size_t i = 0; i < kStandInWidth; ++i) {
      out.push_back(random.next_normal());
      sum += static_cast<double>(out.back()) * out.back();
    }
    for (size_t i = out.size() - kStandInWidth; i < out.size(); ++i) out[i] /= static_cast<float>(std::sqrt(sum));
  }
  return out;
}

void expect_same(const AnswerIndex& a, const AnswerIndex& b, const std::vector<float>& queries) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t q = 0; q + kStandInWidth <= queries.size(); q += kStandInWidth) {
    const std::span<const float> query(queries.data() + q, kStandInWidth);
    const auto first = a.nearest(query, 20), second = b.nearest(query, 20);
    ASSERT_EQ(first.size(), second.size());
    for (size_t i = 0; i < first.size(); ++i) {
      EXPECT_EQ(first[i].row, second[i].row);
      EXPECT_EQ(first[i].cosine, second[i].cosine);
      EXPECT_EQ(a.document_cosine(first[i].row, query), b.document_cosine(first[i].row, query));
    }
  }
}

TEST_F(AnswersTest, AnIndexThatIsReadBackEqualsOneThatIsBuiltAnew) {
  const auto questions = random_rows(500, 1), documents = random_rows(500, 2), queries = random_rows(50, 3);
  const AnswerIndex built(kStandInWidth, questions, documents), again(kStandInWidth, questions, documents);
  expect_same(built, again, queries);
  const Json key = {{"answers", "1"}};
  built.save(folder_ / "index", key);
  std::string reason;
  const auto read = AnswerIndex::load(folder_ / "index", key, &reason);
  ASSERT_TRUE(read) << reason;
  expect_same(built, *read, queries);
}

TEST_F(AnswersTest, TheGraphFindsWhatALookAtAllFinds) {
  const auto questions = random_rows(500, 1), queries = random_rows(100, 3);
  const AnswerIndex index(kStandInWidth, questions, questions);
  int found = 0;
  for (size_t q = 0; q < 100; ++q) {
    const std::span<const float> query(queries.data() + q * kStandInWidth, kStandInWidth);
    size_t best = 0;
    for (size_t row = 0; row < 500; ++row) {
      if (index.document_cosine(row, query) > index.document_cosine(best, query)) best = row;
    }
    found += index.nearest(query, 5).front().row == best ? 1 : 0;
  }
  EXPECT_GE(found, 99) << "of 100";
}

TEST_F(AnswersTest, AnIndexOfOtherDataOrWithADamagedPartIsNotTaken) {
  const auto rows = random_rows(50, 1);
  const AnswerIndex index(kStandInWidth, rows, rows);
  const Json key = {{"answers", "1"}};
  index.save(folder_ / "index", key);
  std::string reason;
  EXPECT_FALSE(AnswerIndex::load(folder_ / "index", {{"answers", "2"}}, &reason));
  EXPECT_NE(reason.find("changed"), std::string::npos);
  EXPECT_FALSE(AnswerIndex::load(folder_ / "none", key, &reason));
  for (const char* extension : {".hnsw", ".f32"}) {
    index.save(folder_ / "index", key);
    for (const auto& entry : fs::directory_iterator(folder_ / "index")) {
      if (entry.path().extension() != extension) continue;
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(100);
      file << "?!";
    }
    EXPECT_FALSE(AnswerIndex::load(folder_ / "index", key, &reason)) << extension;
    EXPECT_NE(reason.find("damaged"), std::string::npos) << reason;
  }
  index.save(folder_ / "index", key);
  EXPECT_TRUE(AnswerIndex::load(folder_ / "index", key, &reason)) << "a new one stands in its place";
  std::ofstream(folder_ / "index" / "manifest.json") << "{";
  EXPECT_FALSE(AnswerIndex::load(folder_ / "index", key, &reason)) << "a manifest that was cut off";
}

}  // namespace
}  // namespace suanli::apps
