#include "train/resume.h"

#include "base/concat.h"
#include "base/error.h"
#include "base/log.h"
#include "formats/checkpoint.h"
#include "formats/model_folder.h"

namespace suanli {
namespace {

Json to_json(const RunPosition& p) {
  return {{"epoch", p.data.epoch},
          {"batch", p.data.batch},
          {"seed", p.seed},
          {"data_seed", p.data_seed},
          {"train_rows", p.train_rows},
          {"per_device_train_batch_size", p.batch_size},
          {"gradient_accumulation_steps", p.accumulation},
          {"group_by_length", p.group_by_length},
          {"shuffle", p.shuffle},
          {"dataloader_drop_last", p.drop_last},
          {"dtype", p.dtype}};
}

Json schedule_json(const optim::Schedule& s, int64_t step) {
  return {{"type", s.kind},     {"base_lr", s.peak},  {"last_epoch", step},
          {"warmup", s.warmup}, {"total", s.total},   {"end", s.end},
          {"power", s.power},   {"cycles", s.cycles}, {"last_lr", s.learning_rate(step)}};
}

}  // namespace

void save_trained_model(const ModelFiles& files, const std::filesystem::path& folder) {
  models::save_model(*files.model, folder);
  if (files.write_others) files.write_others(folder);
}

std::filesystem::path save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& output_dir) {
  CheckpointWriter writer(output_dir, checkpoint.state.global_step);
  save_trained_model(checkpoint.files, writer.folder());
  if (checkpoint.optimizer != nullptr) {
    std::vector<NamedTensor> tensors;
    for (const auto& [name, tensor] : checkpoint.optimizer->state()) tensors.push_back({name, tensor});
    write_safetensors(writer.folder() / "optimizer.safetensors", tensors);
    writer.add("rng_state.json", json_text(to_json(checkpoint.position)));
    writer.add("scheduler.json", json_text(schedule_json(checkpoint.schedule, checkpoint.state.global_step)));
  }
  writer.add("trainer_state.json", json_text(suanli::to_json(checkpoint.state)));
  writer.add("training_args.json", json_text(checkpoint.configuration));
  return writer.commit();
}

std::optional<std::filesystem::path> checkpoint_to_resume(const std::string& argument,
                                                          const std::filesystem::path& output_dir) {
  if (argument.empty()) return std::nullopt;
  if (argument != "true") {
    if (const auto fault = checkpoint_fault(argument)) {
      throw UserError(argument, concat("expected a whole checkpoint: ", *fault));
    }
    return argument;
  }
  const LatestCheckpoint latest = find_latest_checkpoint(output_dir);
  for (const RejectedCheckpoint& rejected : latest.rejected) {
    log_warning(concat("passed over ", rejected.folder, ": ", rejected.reason));
  }
  if (!latest.folder) log_info(concat("no checkpoint in ", output_dir, " yet: training starts at the beginning"));
  return latest.folder;
}

std::string checkpoint_dtype(const std::filesystem::path& folder) {
  const auto file = folder / "rng_state.json";
  if (!std::filesystem::exists(file)) {
    throw UserError(folder.string(),
                    "expected rng_state.json: this checkpoint was saved with save_only_model and "
                    "cannot be resumed; use it as model_name_or_path");
  }
  return json_get<std::string>(read_json(file), "dtype", file.string());
}

Resumed load_checkpoint(const std::filesystem::path& folder, const RunPosition& now, const models::Model& model,
                        optim::Optimizer& optimizer) {
  const Json then = read_json(folder / "rng_state.json");
  const Json wanted = to_json(now);
  for (const auto& [key, value] : wanted.items()) {
    if (key == "epoch" || key == "batch") continue;
    const auto found = then.find(key);
    if (found == then.end() || *found != value) {
      throw UserError(folder.string(), concat("expected ", key, " as in the checkpoint, ",
                                              found == then.end() ? "which has none" : found->dump(), ", got ",
                                              value.dump(), ": the run would not be the same; start a new one"));
    }
  }
  const std::string where = (folder / "rng_state.json").string();
  Resumed resumed = {
      .state = trainer_state(read_json(folder / "trainer_state.json"), (folder / "trainer_state.json").string()),
      .data = {json_get<int64_t>(then, "epoch", where), json_get<int64_t>(then, "batch", where)}};
  const SafetensorsFile state = SafetensorsFile::open(folder / "optimizer.safetensors");
  optim::StateTensors tensors;
  for (const SafetensorsEntry& entry : state.entries()) tensors[std::string(entry.name)] = state.tensor(entry);
  optimizer.load(tensors);
  models::set_parameters(model, SafetensorsFile::open(folder / models::weights_file(model)));
  return resumed;
}

}  // namespace suanli
