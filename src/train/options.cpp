#include "train/arguments.h"
#include "train/image_options.h"
#include "train/lora_options.h"
#include "train/option_types.h"
#include "train/options_without_effect.h"
#include "train/recommendation_options.h"
#include "train/table_options.h"

namespace suanli {
namespace {

using Options = std::vector<Option>;

Options data_options() {
  return {
      {"task",
       kText,
       "",
       "what the model learns; not set: read from the model's config.json",
       {},
       {"causal-lm", "forecasting", "image-classification", "image-generation", "image-segmentation",
        "image-super-resolution", "keypoint-detection", "masked-lm", "object-detection", "question-answering",
        "recommendation", "text-classification", "token-classification", "sentence-similarity", "sentence-retrieval",
        "regression", "tabular-classification", "tabular-regression"}},
      {"model_name_or_path",
       kPath,
       "",
       "folder of a pre-trained model, or of random weights with config_name",
       {"model"}},
      {"continue_from", kPath, "",
       "folder of a model that learns more: as model_name_or_path, and its classes stay beside new ones"},
      {"replay", kPath, "", "data that the model has learned before, mixed in so that it is not forgotten"},
      {"replay_ratio", kReal, "0.2", "share of the replayed examples among all"},
      {"ewc_lambda", kReal, "0",
       "how much weights that the replayed data needs are held (elastic weight consolidation)"},
      {"old_validation_file", kPath, "", "what the model knew before, scored beside the validation set as eval_old"},
      {"backbone_name_or_path", kPath, "",
       "folder of a classifier of pictures whose weights the backbone of a new detector begins with, or of the encoder "
       "that reads the texts of items for a new recommender"},
      {"config_name", kPath, "", "config.json, or its folder, for a model with random weights"},
      {"tokenizer_name", kPath, "", "folder of the tokenizer; not set: the model's"},
      {"train_file",
       kPath,
       "",
       "training data: csv, tsv, json, jsonl, txt, conll; of a table also libsvm; pictures: a "
       "folder with one folder a class or metadata.jsonl, or an idx file; with boxes: a folder of Pascal VOC or its "
       "ImageSets/Main/<split>.txt, a json of COCO beside its pictures, Ultralytics' data.yaml or data.yaml:<split>",
       {"train_dir"}},
      {"validation_file", kPath, "", "data for evaluation", {"eval_file", "validation_dir"}},
      {"test_file", kPath, "", "labelled data for do_predict"},
      {"validation_split", kReal, "0", "share of the training file that becomes the validation set"},
      {"test_split", kReal, "0", "share of the training file that becomes the test set"},
      {"text_column_names",
       kList,
       "",
       "columns of text, joined by text_column_delimiter; not set: guessed",
       {"text_column_name"}},
      {"text_column_delimiter", kText, " ", "what stands between joined columns"},
      {"text_pair_column_name", kText, "", "column of the second text"},
      {"text_pair_extension", kText, "", "parallel text: NAME.en is read with NAME.ja where this is ja"},
      {"negative_column_name", kText, "negative", "loss triplet: column of a text unlike the first one"},
      {"triplet_margin", kReal, "0.5", "loss triplet: how much nearer the second text shall be than the negative"},
      {"label_column_name", kText, "", "column of the label; not set: guessed"},
      {"label_separator", kText, "", "splits the label column of a multi-label problem, such as |"},
      {"column_names", kList, "", "names of the columns of a table without a header row"},
      {"on_bad_row", kText, "error", "what a row that cannot be read does", {}, {"error", "skip"}},
      {"problem_type",
       kText,
       "",
       "of a text classifier; not set: as config.json says, else one label a text",
       {},
       {"regression", "single_label_classification", "multi_label_classification"}},
      {"loss", kText, "",
       "what is learned by, where a task has a choice: cross_entropy, dice or cross_entropy_dice of "
       "image-segmentation; multiple_negatives_ranking or triplet of sentence-retrieval; not set: the first"},
      {"pooling", kText, "mean", "how a sentence embedding is made of its tokens", {}, {"mean", "cls"}},
      {"max_seq_length",
       kInteger,
       "",
       "longer texts are cut to so many tokens; not set: 128 for texts, 384 for windows of question-answering, else "
       "the model's",
       {"max_length"}},
      {"doc_stride", kInteger, "128", "question-answering: tokens that two windows of a long context share"},
      {"max_answer_length", kInteger, "30", "question-answering: tokens of an answer"},
      {"n_best_size", kInteger, "20", "question-answering: spans of a window that may be the answer"},
      {"mlm_probability", kReal, "0.15", "share of tokens that are masked"},
      {"block_size", kInteger, "", "length of the blocks that running text is cut into; not set: max_seq_length"},
      {"line_by_line", kBoolean, "false", "each line of text is one example, instead of blocks of running text"},
      {"dataset_cache_dir", kPath, "", "folder where tokenized texts are kept for later runs; not set: nowhere"},
      {"max_train_samples", kInteger, "", "use the first so many training examples"},
      {"max_eval_samples", kInteger, "", "use the first so many validation examples"},
      {"max_predict_samples", kInteger, "", "use the first so many test examples"},
  };
}

Options training_options() {
  return {
      {"output_dir", kPath, "trainer_output", "folder of checkpoints, results and the trained model"},
      {"do_train", kBoolean, "", "train; not set: when there is a train_file"},
      {"do_eval", kBoolean, "", "evaluate; not set: when there is a validation set"},
      {"do_predict", kBoolean, "false", "write predictions for the test set"},
      {"per_device_train_batch_size",
       kInteger,
       "8",
       "training examples of a micro step",
       {"per_gpu_train_batch_size", "train_batch_size"}},
      {"per_device_eval_batch_size",
       kInteger,
       "8",
       "examples of an evaluation step",
       {"per_gpu_eval_batch_size", "eval_batch_size"}},
      {"gradient_accumulation_steps", kInteger, "1", "micro steps of one optimizer step"},
      {"num_train_epochs", kReal, "3.0", "passes over the training data"},
      {"max_steps", kInteger, "-1", "optimizer steps; over 0 it overrides num_train_epochs"},
      {"train_sampling_strategy",
       kText,
       "random",
       "order of the training examples",
       {},
       {"random", "sequential", "group_by_length"}},
      {"group_by_length", kBoolean, "false", "old form of train_sampling_strategy=group_by_length"},
      {"dataloader_drop_last", kBoolean, "false", "leave out the last incomplete batch of an epoch"},
      {"dataloader_num_workers", kInteger, "", "threads that make batches ahead of their use; 0: none; not set: 1"},
      {"seed", kInteger, "42", "seed of weights, dropout and masking"},
      {"data_seed", kInteger, "", "seed of the order of examples and the split; not set: seed"},
      {"learning_rate", kReal, "5e-5", "peak learning rate"},
      {"lr_scheduler_type",
       kText,
       "linear",
       "course of the learning rate",
       {},
       {"linear", "cosine", "polynomial", "constant", "constant_with_warmup"}},
      {"lr_end", kReal, "1e-7", "last learning rate of the polynomial schedule"},
      {"lr_power", kReal, "1.0", "power of the polynomial schedule"},
      {"lr_cycles", kReal, "0.5", "waves of the cosine schedule"},
      {"warmup_steps", kReal, "0", "steps of linear warm-up; below 1: a share of all steps"},
      {"warmup_ratio", kReal, "", "old form: warm-up as a share of all steps, up to 1"},
      {"optim", kText, "adamw", "optimizer", {}, {"adamw", "adamw_torch", "adamw_torch_fused", "adamw_hf", "sgd"}},
      {"momentum", kReal, "0", "momentum of sgd"},
      {"weight_decay", kReal, "0", "decoupled decay of all weights but biases, LayerNorm and RMSNorm"},
      {"adam_beta1", kReal, "0.9", "decay of the first moment"},
      {"adam_beta2", kReal, "0.999", "decay of the second moment"},
      {"adam_epsilon", kReal, "1e-8", "added to the root of the second moment"},
      {"max_grad_norm", kReal, "1.0", "gradients are scaled down to this global norm; 0: never"},
      {"label_smoothing_factor", kReal, "0", "share of the target spread over all classes"},
      {"device", kText, "cpu", "where to compute: cpu, cuda, cuda:1, or auto: cuda where there is one"},
      {"ddp_timeout", kReal, "1800",
       "seconds that a process waits for the others of torchrun or mpirun to do their part; a minute at most for their "
       "start"},
      {"precision",
       kText,
       "auto",
       "of activations; weights, sums and the optimizer stay f32; f16: on CUDA, with loss scaling; int8: evaluation "
       "and "
       "prediction alone",
       {},
       {"auto", "f32", "bf16", "f16", "int8"}},
      {"bf16", kBoolean, "", "the same as precision=bf16 (true) or f32 (false)"},
      {"fp16", kBoolean, "false", "the same as precision=f16"},
      {"tf32", kBoolean, "", "f32 products on CUDA with operands rounded to 10 bits of fraction; not set: exact f32"},
      {"allow_atomics", kBoolean, "",
       "CUDA may add the gradient of a word table by atomics: less work, equal runs differ in the last bits"},
      {"bf16_stochastic_round", kBoolean, "false",
       "adamw: matrices are held in bf16 alone, rounded stochastically after each update, without f32 copies"},
      {"gradient_checkpointing",
       kBoolean,
       "false",
       "recompute each layer in backward: less memory, more time",
       {"activation_checkpointing"}},
      {"cuda_graphs", kBoolean, "true", "on cuda: replay steps of shapes seen before as graphs"},
      {"max_nan_steps", kInteger, "20", "stop after so many steps in a row whose loss or gradient is not finite"},
  };
}

Options bookkeeping_options() {
  return {
      {"logging_strategy", kText, "steps", "when to log", {}, {"no", "steps", "epoch"}},
      {"logging_steps", kReal, "500", "log every so many steps; below 1: a share of all steps"},
      {"logging_first_step", kBoolean, "false", "log also the first step"},
      {"eval_strategy",
       kText,
       "no",
       "when to evaluate while training",
       {"evaluation_strategy"},
       {"no", "steps", "epoch"}},
      {"eval_steps", kReal, "", "evaluate every so many steps; not set: logging_steps; below 1: a share"},
      {"eval_delay", kReal, "0", "epochs (or steps) before the first evaluation"},
      {"eval_on_start", kBoolean, "false", "evaluate before the first step"},
      {"save_strategy", kText, "steps", "when to write a checkpoint", {}, {"no", "steps", "epoch", "best"}},
      {"save_steps", kReal, "500", "write a checkpoint every so many steps; below 1: a share of all steps"},
      {"save_total_limit", kInteger, "", "keep so many checkpoints, and the best one"},
      {"save_only_model", kBoolean, "false", "checkpoints without optimizer state: cannot be resumed"},
      {"load_best_model_at_end", kBoolean, "false", "end with the weights of the best evaluation"},
      {"metric_for_best_model", kText, "", "score that decides what is best, with or without eval_; not set: loss"},
      {"greater_is_better", kBoolean, "", "not set: false for losses, errors and perplexity, else true"},
      {"early_stopping_patience", kInteger, "0", "stop after so many evaluations without a better score; 0: never"},
      {"early_stopping_threshold", kReal, "0", "how much better a score must be to count as better"},
      {"resume_from_checkpoint", kText, "", "a checkpoint folder, or true for the newest valid one in output_dir"},
      {"preempt_exit_code", kInteger, "", "exit code after a signal with a checkpoint saved; not set: 128 + signal"},
      {"report_to", kList, "none", "where to report besides the files: tensorboard, all, none"},
      {"logging_dir", kPath, "", "folder of the event files; not set: output_dir/runs/<time>_<host>"},
      {"run_name", kText, "", "name of the run in its manifest"},
      {"energy_prices", kPath, "",
       "YAML table of prices and emissions of energy, with its date, for the cost of the run; not set: energy alone"},
      {"disable_tqdm", kBoolean, "false", "plain lines instead of a progress bar"},
      {"print_config", kBoolean, "false", "print the options with their sources and leave"},
      {"dry_run", kBoolean, "false", "read and check everything, print the plan, train nothing"},
      {"log_format", kText, "text", "of messages", {}, {"text", "json"}},
      {"log_level",
       kText,
       "info",
       "lowest level of messages shown",
       {},
       {"passive", "debug", "info", "warning", "error", "critical"}},
  };
}

}  // namespace

const OptionTable& train_options() {
  static const OptionTable table = [] {
    Options all;
    for (const Options& part : {data_options(), image_options(), table_options(), recommendation_options(),
                                training_options(), lora_options(), bookkeeping_options(), options_without_effect()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return OptionTable(std::move(all));
  }();
  return table;
}

}  // namespace suanli
