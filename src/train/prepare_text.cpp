#include <algorithm>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "formats/sentence_files.h"
#include "train/baseline_profile.h"
#include "train/prepare.h"

namespace suanli {
namespace {

/// Tokens of a sequence: what was asked for or the task's default, within what model and tokenizer can do.
int64_t resolve_length(const TrainArguments& a, const TaskKind& kind, int64_t longest, int64_t tokenizer_longest) {
  const int64_t limit = tokenizer_longest > 0 ? std::min(longest, tokenizer_longest) : longest;
  const int64_t asked = a.max_seq_length > 0 ? a.max_seq_length : kind.default_length > 0 ? kind.default_length : limit;
  if (a.max_seq_length > limit) {
    log_warning(concat("max_seq_length ", a.max_seq_length, " is more than the model's ", limit, ", which is used"));
  }
  return std::min(asked, limit);
}

/// The pooling that a folder of a sentence transformer names, unless the options do.
void resolve_pooling(const Config& config, TrainArguments& a) {
  if (config.is_given("pooling") || a.model_name_or_path.empty()) return;
  const auto files = read_sentence_files(folder_with(a.model_name_or_path, {"modules.json"}));
  if (files) a.pooling = files->pooling == SentencePooling::cls ? "cls" : "mean";
}

/// True where `loss` asks for triplets. Throws UserError for a loss that the task does not have.
bool learns_triplets(const TrainArguments& a, const TaskKind& kind) {
  if (kind.name == "sentence-retrieval") return chosen_loss(a, {"multiple_negatives_ranking", "triplet"}) == "triplet";
  if (kind.name == "sentence-similarity") {
    static_cast<void>(chosen_loss(a, {"cosine_similarity"}));
  } else if (!a.loss.empty()) {
    throw UserError("loss", concat("expected none for ", kind.name, ", which has one alone, got ", a.loss));
  }
  return false;
}

/// Everything but the examples that decides how texts become rows.
CacheKey cache_key(const Run& run, const LabelTable& labels, int64_t max_length, int64_t block) {
  const TrainArguments& a = run.arguments;
  CacheKey key;
  if (a.dataset_cache_dir.empty()) return key;
  key.add(concat(run.kind.name, ' ', run.kind.problem_type, ' ', a.reader.negative_column, ' ', max_length, ' ',
                 a.line_by_line ? 0 : block));
  for (const std::string& name : labels.names()) key.add(name);
  const std::filesystem::path folder = a.tokenizer_name.empty() ? a.model_name_or_path : a.tokenizer_name;
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
                           "vocab.txt", "vocab.json", "merges.txt"}) {
    key.add(std::filesystem::exists(folder / name) ? sha256_file(folder / name) : "");
  }
  return key;
}

}  // namespace

Tokenizer run_tokenizer(const TrainArguments& a) {
  const std::string& folder = a.tokenizer_name.empty() ? a.model_name_or_path : a.tokenizer_name;
  if (folder.empty())
    throw UserError("tokenizer_name", "expected the folder of a tokenizer beside config_name, got none");
  return Tokenizer::load(folder_with(folder, {"tokenizer.json", "vocab.txt"}));
}

void prepare_text(const Config& config, const Json& model_json, Run& run) {
  TrainArguments& a = run.arguments;
  if (run.kind.embeds) resolve_pooling(config, a);
  const bool triplets = learns_triplets(a, run.kind);
  if (triplets) a.reader.negative_column = a.negative_column_name;
  const Tokenizer tokenizer = run_tokenizer(a);
  // Blank lines of running text end its paragraphs.
  a.reader.skip_blank_lines = run.kind.head != models::Head::causal_lm || a.line_by_line;
  const RunData data = read_data(a, run.kind.labels);
  const std::unique_ptr<models::Family> family = models::read_family(model_json, "config.json");
  const LabelTable labels = labels_of(data, run.kind.labels, family->config().labels, a.continues);
  const int64_t longest = family->config().longest_sequence;
  const int64_t max_length = resolve_length(a, run.kind, longest, tokenizer.model_max_length());
  run.model = make_model(run, model_json,
                         run.kind.labels == LabelKind::score && run.kind.head != models::Head::none
                             ? std::vector<std::string>{"LABEL_0"}
                             : labels.names());
  const int64_t block = std::min(a.block_size > 0 ? a.block_size : max_length, longest);
  run.task = make_task(run.kind, run.model, tokenizer, labels,
                       {.max_length = max_length,
                        .label_smoothing = a.label_smoothing_factor,
                        .mlm_probability = a.mlm_probability,
                        .block_size = a.line_by_line ? 0 : block,
                        .seed = a.seed,
                        .mean_pooling = a.pooling == "mean",
                        .triplets = triplets,
                        .triplet_margin = a.triplet_margin});
  make_datasets(data, cache_key(run, labels, max_length, block), run);
  if (a.do_train) {
    const auto kept = static_cast<size_t>(a.max_train_samples < 0 ? INT64_MAX : a.max_train_samples);
    const std::span<const Example> examples = data.train.examples;
    run.baseline =
        text_profile(run.kind, examples.first(std::min(kept, examples.size())), run.train, tokenizer.special_ids().unk);
  }
  const SentenceFiles sentence_files = {.pooling = a.pooling == "mean" ? SentencePooling::mean : SentencePooling::cls,
                                        .normalize = true,
                                        .dimension = family->config().hidden_size,
                                        .max_length = max_length,
                                        .transformer_folder = ""};
  run.write_others = [tokenizer, embeds = run.kind.embeds, sentence_files](const std::filesystem::path& folder) {
    tokenizer.save(folder);
    if (embeds) write_sentence_files(folder, sentence_files);
  };
}

}  // namespace suanli
