#include "formats/sentence_files.h"

#include <algorithm>
#include <vector>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "formats/json_scanner.h"
#include "formats/model_folder.h"

namespace suanli {
namespace {

struct Module {
  std::string type;  // the class name alone: Transformer, Pooling, Normalize
  std::string folder;
};

/// The path of a module: the folder itself or one inside it.
std::string module_folder(const Json& module, const std::string& where) {
  auto path = json_get<std::string>(module, "path", where);
  if (path.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos || path.starts_with('.')) {
    throw UserError(where, concat("\"path\" must be empty or a folder beside it, it is ", shown_name(path)));
  }
  return path;
}

std::vector<Module> read_modules(const std::filesystem::path& file) {
  const std::string where = file.string();
  const Json list = read_json(file);
  if (!list.is_array()) throw UserError(where, concat("expected a list of modules, got ", list.type_name()));
  std::vector<Module> modules;
  for (const Json& module : list) {
    const auto type = json_get<std::string>(module, "type", where);
    const size_t dot = type.rfind('.');
    if (!type.starts_with("sentence_transformers.") || dot == std::string::npos) {
      throw UserError(where, concat("expected modules of sentence_transformers, got ", shown_name(type)));
    }
    modules.push_back({type.substr(dot + 1), module_folder(module, where)});
  }
  return modules;
}

/// One of "mean", "cls", "max". Older files have one flag per mode, newer ones the name.
SentencePooling pooling_of(const Json& config, const std::string& where) {
  std::vector<std::string> modes;
  if (config.is_object() && config.contains("pooling_mode")) {
    const Json& mode = config["pooling_mode"];
    modes = mode.is_array() ? json_get<std::vector<std::string>>(config, "pooling_mode", where)
                            : std::vector{json_get<std::string>(config, "pooling_mode", where)};
  } else {
    for (const auto& [key, mode] : {std::pair{"pooling_mode_mean_tokens", "mean"},
                                    {"pooling_mode_cls_token", "cls"},
                                    {"pooling_mode_max_tokens", "max"},
                                    {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"},
                                    {"pooling_mode_weightedmean_tokens", "weightedmean"},
                                    {"pooling_mode_lasttoken", "lasttoken"}}) {
      if (json_get_or<bool>(config, key, false, where)) modes.emplace_back(mode);
    }
  }
  if (modes == std::vector<std::string>{"mean"}) return SentencePooling::mean;
  if (modes == std::vector<std::string>{"cls"}) return SentencePooling::cls;
  if (modes == std::vector<std::string>{"max"}) return SentencePooling::max;
  std::string got;
  for (const std::string& mode : modes) got += concat(got.empty() ? "" : " and ", shown_name(mode));
  throw UserError(where, concat("expected one pooling mode of mean, cls and max, got ", got.empty() ? "none" : got));
}

}  // namespace

std::optional<SentenceFiles> read_sentence_files(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder / "modules.json", error)) return std::nullopt;
  const std::string where = (folder / "modules.json").string();
  const std::vector<Module> modules = read_modules(folder / "modules.json");
  const bool known = (modules.size() == 2 || modules.size() == 3) && modules[0].type == "Transformer" &&
                     modules[1].type == "Pooling" && (modules.size() == 2 || modules[2].type == "Normalize");
  if (!known) {
    std::string got;
    for (const Module& module : modules) got += concat(got.empty() ? "" : ", ", shown_name(module.type));
    throw UserError(where, concat("expected the modules Transformer, Pooling and, if any, Normalize; got ", got));
  }
  SentenceFiles out;
  out.transformer_folder = modules[0].folder;
  out.normalize = modules.size() == 3;

  const std::filesystem::path pooling_file = folder / modules[1].folder / "config.json";
  const Json pooling = read_json(pooling_file);
  out.pooling = pooling_of(pooling, pooling_file.string());
  const char* key = pooling.contains("embedding_dimension") ? "embedding_dimension" : "word_embedding_dimension";
  out.dimension = json_get<int64_t>(pooling, key, pooling_file.string());
  if (out.dimension <= 0)
    throw UserError(pooling_file.string(), concat(key, " must be positive, it is ", out.dimension));

  const std::filesystem::path length_file = folder / modules[0].folder / "sentence_bert_config.json";
  if (std::filesystem::exists(length_file, error)) {
    out.max_length = json_get_or<int64_t>(read_json(length_file), "max_seq_length", 0, length_file.string());
    if (out.max_length < 0) throw UserError(length_file.string(), "max_seq_length must not be negative");
  }
  return out;
}

void write_sentence_files(const std::filesystem::path& folder, const SentenceFiles& files) {
  std::error_code error;
  std::filesystem::create_directories(folder / "1_Pooling", error);
  if (error) throw EnvironmentError((folder / "1_Pooling").string(), concat("cannot be made: ", error.message()));
  const auto module = [](int idx, std::string_view path, std::string_view type) {
    return Json{{"idx", idx},
                {"name", std::to_string(idx)},
                {"path", path},
                {"type", concat("sentence_transformers.models.", type)}};
  };
  Json modules = {module(0, "", "Transformer"), module(1, "1_Pooling", "Pooling")};
  if (files.normalize) modules.push_back(module(2, "2_Normalize", "Normalize"));
  const auto write = [&](const char* name, const Json& json) {
    write_file_atomically(folder / name, json_file_text(json, name));
  };
  write("1_Pooling/config.json", {{"word_embedding_dimension", files.dimension},
                                  {"pooling_mode_cls_token", files.pooling == SentencePooling::cls},
                                  {"pooling_mode_mean_tokens", files.pooling == SentencePooling::mean},
                                  {"pooling_mode_max_tokens", files.pooling == SentencePooling::max},
                                  {"pooling_mode_mean_sqrt_len_tokens", false}});
  const Json length = files.max_length > 0 ? Json(files.max_length) : Json(nullptr);
  write("sentence_bert_config.json", {{"max_seq_length", length}, {"do_lower_case", false}});
  write("config_sentence_transformers.json",
        {{"prompts", Json::object()}, {"default_prompt_name", nullptr}, {"similarity_fn_name", "cosine"}});
  write("modules.json", modules);
}

}  // namespace suanli
