#include "apps/recommendation_routes.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/app.h"
#include "cli/options.h"
#include "cli/server_work.h"
#include "ops/initialize.h"

namespace suanli::cli {

namespace {

constexpr const char* kRecommendationUsage =
    "suanli app recommendation --model DIR [--items items.csv] [--interactions ratings.csv]";
constexpr const char* kItemEncoder = "encoder";

const OptionTable& recommendation_app_options() {
  static const OptionTable table([] {
    const apps::RecommenderLimits limits;
    std::vector<Option> all = {
        model_option(),
        {.name = "encoder",
         .type = OptionType::path,
         .help = "folder of the model that reads the texts of new items; else `encoder` in the model's folder"},
        {.name = "items",
         .type = OptionType::path,
         .help = "what may be recommended: columns id, title and genres; new items are known by their text; else the "
                 "items of the training"},
        {.name = "interactions",
         .type = OptionType::path,
         .help = "what users liked so far: columns user, item, timestamp and, if any, rating"},
        {.name = "max_users",
         .type = OptionType::integer,
         .default_value = std::to_string(limits.users),
         .help = "who are remembered"},
        {.name = "max_added_items",
         .type = OptionType::integer,
         .default_value = std::to_string(limits.added_items),
         .help = "items beside those of the training"},
    };
    for (Option& option : server_options()) all.push_back(std::move(option));
    return all;
  }());
  return table;
}

size_t count_option(const Config& config, const char* name) {
  const int64_t value = config.get_int(name);
  if (value < 0) throw UserError(name, "expected at least 0, got " + std::to_string(value));
  return static_cast<size_t>(value);
}

std::shared_ptr<apps::Recommender> make_recommender(const Config& config, const serve::Service& service) {
  const std::string items = given_or_none(config, "items"), interactions = given_or_none(config, "interactions");
  std::optional<ItemTable> catalogue;
  if (!items.empty()) catalogue = read_items(items);
  auto recommender = std::make_shared<apps::Recommender>(
      config.get_string("model"), catalogue, apps::served_text_reader(service, kItemEncoder),
      apps::RecommenderLimits{.users = count_option(config, "max_users"),
                              .added_items = count_option(config, "max_added_items")});
  if (interactions.empty()) return recommender;
  const Interactions read = read_interactions(interactions, recommender->model_items(), recommender->least_rating());
  if (read.unknown > 0) {
    log_warning(interactions + ": " + std::to_string(read.unknown) + " interactions with items unknown to the model");
  }
  recommender->add_users(read);
  return recommender;
}

}  // namespace

int recommendation(Arguments arguments) {
  if (print_help(arguments, kRecommendationUsage, recommendation_app_options())) return 0;
  Config config(recommendation_app_options());
  read_options(config, arguments, "app recommendation");
  initialize();
  const std::string given = given_or_none(config, "encoder");
  const std::filesystem::path folder = config.get_string("model");
  const std::filesystem::path encoder = given.empty() ? folder / kItemEncoder : std::filesystem::path(given);
  serve::FileAccess files = {.readable = model_folders_of(config, {"model", "encoder"})};
  for (const auto& one : folders_of(config, {"items", "interactions"})) files.readable.push_back(one);
  return run_server(config, {.add_models = [&](serve::Repository& models) { models.add(kItemEncoder, encoder); },
                             .add_routes =
                                 [&](serve::Router& router, const serve::Service& service) {
                                   apps::add_recommendation_routes(router, service, make_recommender(config, service),
                                                                   kItemEncoder);
                                 },
                             .described = apps::recommendation_openapi(),
                             .files = files});
}

}  // namespace suanli::cli
