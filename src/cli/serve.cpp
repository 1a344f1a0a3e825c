#include "base/error.h"
#include "cli/options.h"
#include "cli/server_work.h"
#include "cli/verbs.h"

namespace suanli::cli {

namespace {

constexpr const char* kServeUsage =
    "suanli serve --model DIR [--port 8000] [--model_name NAME]\n"
    "       suanli serve --model_repository DIR_OF_MODEL_FOLDERS";

const OptionTable& serve_options() {
  static const OptionTable table([] {
    std::vector<Option> all = {
        {.name = "model",
         .type = OptionType::path,
         .help = "folder of a model of texts, tables, pictures or series that suanli trained or Hugging Face has",
         .aliases = {"model_name_or_path"}},
        {.name = "model_name", .type = OptionType::text, .help = "how clients call it; else the folder's name"},
        {.name = "model_repository", .type = OptionType::path, .help = "serve every model folder in this folder"},
    };
    for (Option& option : server_options()) all.push_back(std::move(option));
    return all;
  }());
  return table;
}

void add_models(const Config& config, serve::Repository& models) {
  const std::filesystem::path folder = given_or_none(config, "model"), all = given_or_none(config, "model_repository");
  if (folder.empty() == all.empty()) throw UserError("serve", "expected either --model or --model_repository");
  if (!folder.empty()) {
    const std::string name = given_or_none(config, "model_name");
    models.add(name.empty() ? std::filesystem::weakly_canonical(folder).filename().string() : name, folder);
    return;
  }
  if (!std::filesystem::is_directory(all)) {
    throw UserError(all.string(), "expected a folder of model folders, got none");
  }
  for (const auto& entry : std::filesystem::directory_iterator(all)) {
    if (std::filesystem::exists(entry.path() / "config.json")) {
      models.add(entry.path().filename().string(), entry.path());
    }
  }
}

}  // namespace

int serve(Arguments arguments) {
  if (print_help(arguments, kServeUsage, serve_options())) return 0;
  Config config(serve_options());
  read_options(config, arguments, "serve");
  const std::string repository = given_or_none(config, "model_repository");
  return run_server(config, {.add_models = [&](serve::Repository& models) { add_models(config, models); },
                             .files = {.readable = repository.empty() ? model_folders_of(config, {"model"})
                                                                      : serve::folders_of_models(repository)}});
}

}  // namespace suanli::cli
