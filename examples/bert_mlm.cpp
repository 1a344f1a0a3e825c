// Masked-language modelling with BERT on lines of text: the run of bert_mlm.yaml written in C++.
//
//   bert_mlm MODEL_DIR TRAIN.txt VALIDATION.txt OUTPUT_DIR [EPOCHS]

#include <cstdio>
#include <cstdlib>

#include "data/loader.h"
#include "nn/precision.h"
#include "ops/initialize.h"
#include "optim/schedule.h"
#include "train/dataset.h"
#include "train/evaluate.h"
#include "train/train_step.h"

using namespace suanli;

namespace {

void print_evaluation(const Task& task, const Dataset& data, DType dtype, int64_t epoch) {
  const Evaluation evaluation = evaluate(task, data, dtype, {.batch_size = 32});
  std::printf("epoch %lld ", static_cast<long long>(epoch));
  for (const auto& [name, value] : evaluation.scores) std::printf(" %s %.4f", name.c_str(), value);
  std::printf("\n");
}

int run(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: bert_mlm MODEL_DIR TRAIN.txt VALIDATION.txt OUTPUT_DIR [EPOCHS]\n");
    return 2;
  }
  initialize();
  const DType dtype = nn::precision_named("auto");
  const int64_t epochs = argc > 5 ? std::atoll(argv[5]) : 5;

  // Model and tokenizer from a Hugging Face folder; the masked-LM head is new where the folder has none.
  const Tokenizer tokenizer = Tokenizer::load(argv[1]);
  const models::Model model = models::load_model(argv[1], {.head = models::Head::masked_lm, .trainable = true});
  const TaskKind kind = task_kind("masked-lm", "", model.config().json);
  const auto task = make_task(kind, model, tokenizer, {}, {.max_length = 128, .mlm_probability = 0.15});

  // Lines of text to rows of at most 128 tokens.
  TrainArguments files;
  files.task = "masked-lm";
  files.train_file = argv[2];
  files.validation_file = argv[3];
  files.do_train = files.do_eval = true;
  const RunData data = read_data(files, kind.labels);
  const Dataset train = make_dataset(*task, data.train, -1), validation = make_dataset(*task, data.validation, -1);

  // Batches of 16 lines of like lengths; every epoch masks them anew.
  const auto rows = static_cast<int64_t>(train.rows.size());
  const auto draw = [&](int64_t row, int64_t epoch) { return task->draw(train.rows[static_cast<size_t>(row)], epoch); };
  Loader loader(Sampler(SamplingStrategy::group_by_length, rows, 16, 42, false, train.lengths()), draw, {}, epochs);
  const auto optimizer = optim::adamw(model.parameters->all(), {.weight_decay = 0.01});
  const int64_t steps = loader.batches_per_epoch() * epochs;
  const optim::Schedule schedule{.kind = "linear", .peak = 5e-5, .warmup = steps * 6 / 100, .total = steps};

  Batch batch;
  for (int64_t step = 0; loader.next(&batch); ++step) {
    const StepResult result = train_step(*task, std::span(&batch, 1), model, *optimizer,
                                         {.learning_rate = schedule.learning_rate(step),
                                          .max_grad_norm = 1.0,
                                          .dtype = dtype,
                                          .seed = 42,
                                          .first_micro_step = static_cast<uint32_t>(step)});
    if (step % 10 == 0) {
      std::printf("step %lld/%lld  loss %.4f\n", static_cast<long long>(step), static_cast<long long>(steps),
                  result.loss);
    }
    if ((step + 1) % loader.batches_per_epoch() == 0) {
      print_evaluation(*task, validation, dtype, (step + 1) / loader.batches_per_epoch());
    }
  }
  models::save_model(model, argv[4]);
  tokenizer.save(argv[4]);
  std::printf("saved to %s\n", argv[4]);
  return 0;
}

}  // namespace

int main(int argc, char** argv) try { return run(argc, argv); } catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
