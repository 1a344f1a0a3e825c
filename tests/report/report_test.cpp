// A page comes of every run: whole, empty, cut off, diverged, or with hostile names; it is well-formed and says so.
#include "report/report.h"

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>
#include <pugixml.hpp>

#include "base/concat.h"
#include "expect_error.h"
#include "image/png.h"
#include "train/answers.h"
#include "train/scored_pictures.h"

namespace suanli {
namespace {

const std::string kHostile = "</td><script>alert(1)</script>&\"'|,\n";

class Report : public testing::Test {
 protected:
  Report() : folder_(std::filesystem::temp_directory_path() / ("suanli_report_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~Report() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }

  /// The page, once it has been parsed as XML and found free of scripts and addresses.
  std::string page() const {
    std::string html = to_html(read_run(folder_));
    pugi::xml_document document;
    const auto result = document.load_string(html.c_str(), pugi::parse_full);
    EXPECT_TRUE(result) << result.description() << " at " << html.substr(static_cast<size_t>(result.offset), 80);
    for (const char* foreign : {"<script", "http", "url("}) EXPECT_EQ(html.find(foreign), std::string::npos);
    constexpr std::string_view kOwn = "src=\"data:image/png;base64,";
    for (size_t at = html.find("src="); at != std::string::npos; at = html.find("src=", at + 1)) {
      EXPECT_EQ(html.substr(at, kOwn.size()), kOwn);
    }
    return html;
  }

  std::filesystem::path folder_;
};

bool holds(const std::string& html, const std::string& text) { return html.find(text) != std::string::npos; }

/// Two classes; 3 of 4 answers are right.
Answers two_classes(const std::string& one, const std::string& other) {
  return {.classes = {one, other},
          .several = false,
          .rows = {{.row = 0, .label = one, .prediction = one, .probabilities = {0.9F, 0.1F}, .input = "a"},
                   {.row = 1, .label = other, .prediction = other, .probabilities = {0.2F, 0.8F}, .input = "b"},
                   {.row = 2, .label = other, .prediction = one, .probabilities = {0.7F, 0.3F}, .input = kHostile},
                   {.row = 3, .label = one, .prediction = one, .probabilities = {0.6F, 0.4F}}}};
}

TEST_F(Report, AWholeRunShowsItsSettingCurvesScoresAndMistakes) {
  write("run_manifest.json",
        R"({"configuration": {"learning_rate": 0.25, "seed": 42}, "computation": {"task": "text-classification",
            "precision": "bf16", "device": "cpu"}, "hardware": {"cpu": "Some CPU"},
            "inputs": {"train_file": [{"path": "a.csv", "bytes": 3000000, "sha256": "00ff"}]}})");
  write("metrics.jsonl",
        "{\"step\": 10, \"loss\": 2.5, \"learning_rate\": 0.1, \"grad_norm\": 1.5}\n"
        "{\"step\": 10, \"eval_loss\": 2.25}\n{\"step\": 20, \"loss\": 1.5, \"learning_rate\": 0.05}\n"
        "{\"step\": 20, \"eval_loss\": 1.75}\n{\"step\": 20, \"train_runtime\": 1.0}\n");
  write("trainer_state.json", R"({"max_steps": 20})");
  write("eval_results.json", R"({"eval_loss": 1.75, "eval_accuracy": 0.75, "epoch": 1.0})");
  write_answers(folder_ / "eval_answers.csv", two_classes("no", "yes"));
  const std::string html = page();
  EXPECT_FALSE(holds(html, "class=\"alert\""));
  for (const char* text :
       {"Some CPU", "bf16", "<td>learning_rate</td><td>0.25</td>", "2.861 MiB", "00ff",
        "training from 2.5 at step 10 to 1.5 at step 20; evaluation from 2.25", "<td>accuracy</td><td>0.75</td>",
        "yes: area 0.75", "&lt;/td&gt;&lt;script&gt;", "1 of 1 wrong answers"}) {
    EXPECT_TRUE(holds(html, text)) << text;
  }
  EXPECT_FALSE(holds(html, "<td>seed</td>")) << "42 is the default";
}

TEST_F(Report, PicturesStandInThePageItself) {
  write("metrics.jsonl", "{\"step\": 1, \"loss\": 1}\n");
  const std::vector<CaptionedImage> pictures = {{kHostile, Image(3, 4, 3, 7)}, {"second", Image(2, 2, 1, 9)}};
  write_pictures(folder_ / "eval_pictures", pictures);
  write_png(folder_ / "samples.png", Image(5, 5, 3, 1));
  std::string html = page();
  EXPECT_TRUE(holds(html, "Pictures: eval")) << html;
  EXPECT_TRUE(holds(html, "second"));
  EXPECT_TRUE(holds(html, "base64,iVBORw0KGgo")) << "the first bytes of a PNG";
  EXPECT_TRUE(holds(html, "Pictures: samples"));

  write("eval_pictures/1.png", "no picture");
  html = page();
  EXPECT_TRUE(holds(html, "1.png is missing or no PNG"));
  EXPECT_TRUE(holds(html, "second"));
  write("eval_pictures/metadata.jsonl", "{\"file_name\": 5}\n");
  EXPECT_TRUE(holds(page(), "a line without file_name and text"));
}

TEST_F(Report, AnInterruptedRunSaysWhereItStands) {
  write("metrics.jsonl", "{\"step\": 5, \"loss\": 2.5}\n{\"step\": 10, \"lo");
  write("checkpoint-4/trainer_state.json", R"({"max_steps": 30})");
  write("checkpoint-8/trainer_state.json", R"({"max_steps": 40})");
  const std::string html = page();
  EXPECT_TRUE(holds(html, "The last record is of step 5 of 40.")) << html;
  EXPECT_TRUE(holds(html, "Line 2 of metrics.jsonl is not a whole record"));
}

TEST_F(Report, LossesThatAreNotFiniteAreGapsThatThePageNames) {
  write("metrics.jsonl",
        "{\"step\": 1, \"loss\": 2.5}\n{\"step\": 2, \"loss\": null}\n{\"step\": 3, \"loss\": null}\n"
        "{\"step\": 3, \"train_runtime\": 1.0}\n");
  write("trainer_state.json",
        R"({"max_steps": 9, "stateful_callbacks": {"NotFiniteSteps": {"attributes": {"skipped": 2}}}})");
  const std::string html = page();
  EXPECT_TRUE(holds(html, "The loss was not finite in 2 records"));
  EXPECT_TRUE(holds(html, "2 steps were left out"));
  EXPECT_TRUE(holds(html, "The training stopped at step 3 of 9."));
}

TEST_F(Report, AnEmptyLogAndBrokenFilesAreNotes) {
  write("metrics.jsonl", "");
  write("eval_results.json", "[1, 2");
  write("run_manifest.json", "[]");
  write("eval_answers.csv", "a,b\n1,2\n");
  const std::string html = page();
  EXPECT_TRUE(holds(html, "The run has logged nothing"));
  for (const char* name : {"eval_results.json", "run_manifest.json", "eval_answers.csv"}) {
    EXPECT_TRUE(holds(html, name)) << name;
  }
}

TEST_F(Report, AFolderThatIsNoRunIsAMistakeOfTheUser) {
  EXPECT_TRUE(holds(error_of([&] { read_run(folder_); }), "run_manifest.json, metrics.jsonl"));
  EXPECT_TRUE(holds(error_of([&] { read_run(folder_ / "none"); }), "no such folder"));
}

TEST_F(Report, AnswersComeBackAsTheyWereWritten) {
  Answers written = two_classes(kHostile, "");
  written.rows[0].input = "say \"x\",\r\nthen y";
  written.rows[1].probabilities[0] = std::numeric_limits<float>::quiet_NaN();
  write_answers(folder_ / "x_answers.csv", written);
  const Answers read = read_answers(folder_ / "x_answers.csv");
  EXPECT_EQ(read.classes, written.classes);
  ASSERT_EQ(read.rows.size(), written.rows.size());
  for (size_t i = 0; i < read.rows.size(); ++i) {
    EXPECT_EQ(read.rows[i].row, written.rows[i].row);
    EXPECT_EQ(read.rows[i].label, written.rows[i].label);
    EXPECT_EQ(read.rows[i].prediction, written.rows[i].prediction);
    EXPECT_EQ(read.rows[i].input, written.rows[i].input);
    if (i == 1) continue;  // holds a NaN
    EXPECT_EQ(read.rows[i].probabilities, written.rows[i].probabilities);
  }
  EXPECT_TRUE(std::isnan(read.rows[1].probabilities[0]));
  EXPECT_TRUE(holds(page(), "1 rows have no probabilities"));
}

TEST_F(Report, NumbersAreScatteredAndTheLargestErrorComesFirst) {
  write_answers(folder_ / "predict_answers.csv", {.rows = {{.row = 0, .label = "1", .prediction = "1.5"},
                                                           {.row = 1, .label = "2", .prediction = "9"},
                                                           {.row = 2, .label = "3", .prediction = "nan"}}});
  const std::string html = page();
  EXPECT_TRUE(holds(html, "2 rows; on the dashed line"));
  const std::string worst = html.substr(html.find("Worst mistakes"));
  EXPECT_LT(worst.find("<td>2</td><td>9</td>"), worst.find("<td>1</td><td>1.5</td>"));
}

TEST_F(Report, ManyClassesAreListedByTheirConfusionsAndSeveralLabelsByTheirOwn) {
  Answers many;
  for (int c = 0; c < 25; ++c) many.classes.push_back(concat("c", c));
  for (int i = 0; i < 50; ++i) {
    std::vector<float> p(25, 0.01F);
    p[static_cast<size_t>(i / 2)] = 0.76F;
    many.rows.push_back({.row = i,
                         .label = i == 4 ? "c7" : many.classes[static_cast<size_t>(i / 2)],
                         .prediction = many.classes[static_cast<size_t>(i / 2)],
                         .probabilities = p});
  }
  EXPECT_TRUE(holds(confusion_part(many), "<td>c7</td><td>c2</td><td>1</td>"));
  EXPECT_TRUE(holds(answers_part("eval", many), "Curves of the first 8 of 25 classes."));

  const Answers several = {.classes = {"a", "b"},
                           .several = true,
                           .rows = {{.row = 0, .label = "a|b", .prediction = "a|b", .probabilities = {0.9F, 0.8F}},
                                    {.row = 1, .label = "", .prediction = "b", .probabilities = {0.2F, 0.7F}}}};
  EXPECT_EQ(truths_of(several), (std::vector<std::vector<bool>>{{true, true}, {false, false}}));
  const std::string html = answers_part("eval", several);
  EXPECT_TRUE(holds(html, "a: area 1")) << "each label is ranked for itself";
  EXPECT_TRUE(holds(html, "b: area 1"));
}

}  // namespace
}  // namespace suanli
