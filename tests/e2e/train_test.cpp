/// A whole training run from the command line: what it writes, that it learns, that it resumes to the bit.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "e2e/program.h"

namespace suanli::e2e {
namespace {

namespace fs = std::filesystem;

class Training : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = scratch(testing::UnitTest::GetInstance()->current_test_info()->name());
    write(folder_ / "train.csv", separable_csv(240, 1));
    write(folder_ / "test.csv", separable_csv(60, 2));
  }
  std::string arguments(const std::string& output) const {
    return "train --task text-classification --do_train --do_eval --do_predict --model_name_or_path " +
           small_classifier().string() + " --train_file " + (folder_ / "train.csv").string() + " --validation_file " +
           (folder_ / "test.csv").string() + " --test_file " + (folder_ / "test.csv").string() + " --output_dir " +
           (folder_ / output).string() +
           " --learning_rate 5e-3 --per_device_train_batch_size 8 --gradient_accumulation_steps 2 --save_steps 10"
           " --logging_steps 5 --seed 7 --precision f32";
  }
  fs::path folder_;
};

TEST_F(Training, LearnsAndWritesWhatHuggingFaceUsersExpect) {
  const ProgramRun run = suanli(arguments("out") + " --num_train_epochs 6");
  ASSERT_EQ(run.code, 0) << run.err;
  const fs::path out = folder_ / "out";
  for (const char* file : {"config.json", "model.safetensors", "vocab.txt", "all_results.json", "eval_results.json",
                           "predict_results.json", "trainer_state.json"}) {
    EXPECT_TRUE(fs::exists(out / file)) << file;
  }
  const Json results = read_json(out / "all_results.json");
  EXPECT_GT(results["eval_accuracy"].get<double>(), 0.9) << "a word in the text is the label";
  const ProgramRun predicted = suanli("predict --model " + out.string(), "film story scene music bad\n");
  EXPECT_EQ(Json::parse(predicted.out)["label"], "bad");
  const ProgramRun evaluated =
      suanli("eval --model_name_or_path " + out.string() + " --validation_file " + (folder_ / "test.csv").string());
  EXPECT_EQ(evaluated.code, 0) << evaluated.err;
}

TEST_F(Training, Int8IsForInferenceAlone) {
  const ProgramRun refused = suanli(arguments("out") + " --max_steps 2 --precision int8");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("[precision] expected auto, f32, bf16 or f16 for training, got int8"), std::string::npos)
      << refused.err;
  EXPECT_FALSE(fs::exists(folder_ / "out"));

  ASSERT_EQ(suanli(arguments("out") + " --num_train_epochs 6").code, 0);
  const auto accuracy = [&](const std::string& precision) {
    const fs::path results = folder_ / ("eval_" + precision);
    const ProgramRun run =
        suanli("eval --model_name_or_path " + (folder_ / "out").string() + " --validation_file " +
               (folder_ / "test.csv").string() + " --output_dir " + results.string() + " --precision " + precision);
    EXPECT_EQ(run.code, 0) << run.err;
    return read_json(results / "eval_results.json")["eval_accuracy"].get<double>();
  };
  EXPECT_NEAR(accuracy("int8"), accuracy("f32"), 1.5 / 60) << "of 60 answers at most one is another";
}

TEST_F(Training, ResumesToTheBit) {
  ASSERT_EQ(suanli(arguments("whole") + " --max_steps 25").code, 0);
  ASSERT_EQ(suanli(arguments("cut") + " --max_steps 25 --save_steps 10").code, 0);
  for (const auto& entry : fs::directory_iterator(folder_ / "cut")) {
    if (entry.path().filename() != "checkpoint-10") fs::remove_all(entry.path());
  }
  const ProgramRun resumed = suanli(arguments("cut") + " --max_steps 25 --resume_from_checkpoint true");
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(sha256_file(folder_ / "cut/model.safetensors"), sha256_file(folder_ / "whole/model.safetensors"));
  EXPECT_EQ(sha256_file(folder_ / "cut/checkpoint-25/optimizer.safetensors"),
            sha256_file(folder_ / "whole/checkpoint-25/optimizer.safetensors"));
}

TEST_F(Training, DryRunWritesNothing) {
  const ProgramRun run = suanli(arguments("dry") + " --dry_run");
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_FALSE(fs::exists(folder_ / "dry"));
}

TEST_F(Training, ABadRowNamesFileAndLine) {
  write(folder_ / "train.csv", "text,label\ngood film,good\nonly one column\n");
  const ProgramRun run = suanli(arguments("bad"));
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.err.find("train.csv:3"), std::string::npos) << run.err;
}

}  // namespace
}  // namespace suanli::e2e
