#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "apps/sentiment_replay.h"
#include "apps/sentiment_routes.h"
#include "apps/text_answers.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/app.h"
#include "cli/options.h"
#include "cli/server_work.h"

namespace suanli::cli {

namespace {

constexpr const char* kSentimentWatchUsage =
    "suanli app sentiment-watch --model DIR --negative_label LABEL\n"
    "       suanli app sentiment-watch --model DIR --negative_label LABEL --replay FILE [--speed 60] [--true_labels]";

const OptionTable& sentiment_watch_options() {
  static const OptionTable table([] {
    const apps::SentimentOptions defaults;
    const auto real = [](const char* name, double value, const char* help) {
      return Option{.name = name, .type = OptionType::real, .default_value = Json(value).dump(), .help = help};
    };
    std::vector<Option> all = {
        model_option(),
        {.name = "negative_label", .type = OptionType::text, .default_value = "negative", .help = "of the model"},
        {.name = "replay",
         .type = OptionType::path,
         .help = "JSON lines of time, text, and id if any; - is standard input; prints the events, serves nothing"},
        real("speed", 0, "seconds of the stream in a second; 0: as fast as it goes"),
        {.name = "true_labels",
         .type = OptionType::boolean,
         .default_value = "false",
         .help = "of a replay: the field label says what is negative, no model is asked"},
        real("window", defaults.window, "seconds"),
        real("alpha", defaults.alpha, "a false alarm comes in at most this share of a topic's windows"),
        real("min_count", defaults.min_count, "negative messages of a window that can be an alert"),
        {.name = "baseline",
         .type = OptionType::integer,
         .default_value = std::to_string(defaults.baseline),
         .help = "windows before, which say what is usual"},
        real("negative_threshold", defaults.negative_threshold, "least score of a negative message"),
        real("least_share", defaults.least_share, "of a window's messages that are negative in an alert"),
        real("lateness", defaults.lateness, "seconds that a message may come behind a newer one"),
        {.name = "max_topics",
         .type = OptionType::integer,
         .default_value = std::to_string(defaults.topics),
         .help = "kept at once"},
    };
    for (Option& option : server_options()) all.push_back(std::move(option));
    return all;
  }());
  return table;
}

apps::SentimentOptions read_sentiment_options(const Config& config) {
  apps::SentimentOptions out;
  out.window = config.get_float("window");
  out.alpha = config.get_float("alpha");
  out.min_count = config.get_float("min_count");
  out.baseline = config.get_int("baseline");
  out.negative_threshold = config.get_float("negative_threshold");
  out.least_share = config.get_float("least_share");
  out.lateness = config.get_float("lateness");
  if (config.get_int("max_topics") < 1) {
    throw UserError("max_topics", "expected at least 1, got " + config.get_string("max_topics"));
  }
  out.topics = static_cast<size_t>(config.get_int("max_topics"));
  return out;
}

/// The model's score of the negative label.
apps::NegativeScores negative_scores(const Config& config) {
  infer::TextModelOptions options{.head = models::Head::sequence_classification};
  options.device = config.get_string("device");
  options.precision = config.get_string("precision");
  options.max_length = config.get_int("max_length");
  const auto model =
      std::make_shared<const infer::TextModel>(infer::load_text_model(config.get_string("model"), options));
  const auto& labels = model->engine.model().config().labels;
  const auto found = std::ranges::find(labels, config.get_string("negative_label"));
  if (found == labels.end()) {
    throw UserError("negative_label", "expected a label of the model, such as " + labels.front() + ", got \"" +
                                          config.get_string("negative_label") + "\"");
  }
  return [model, place = static_cast<size_t>(found - labels.begin())](const std::vector<std::string>& texts) {
    std::vector<double> out;
    for (const auto& row : apps::classify_texts(*model, texts)) out.push_back(row[place]);
    return out;
  };
}

int replay_sentiment(const Config& config) {
  const std::string file = config.get_string("replay");
  std::ifstream opened;
  if (file != "-") {
    opened.open(file);
    if (!opened) throw UserError(file, "expected a file of JSON lines, got none that can be read");
  }
  const apps::ReplayOptions options{.speed = config.get_float("speed"),
                                    .labels = config.get_bool("true_labels"),
                                    .negative_label = config.get_string("negative_label")};
  if (options.speed < 0) throw UserError("speed", "expected at least 0, got " + config.get_string("speed"));
  apps::SentimentWatch watch(read_sentiment_options(config));
  const std::string webhook = given_or_none(config, "webhook_url");
  std::optional<serve::AlertSender> sender;
  if (!webhook.empty()) sender.emplace(webhook);
  const apps::ReplayResult result = apps::replay_messages(
      file == "-" ? std::cin : opened, file, options, options.labels ? apps::NegativeScores() : negative_scores(config),
      watch, [&](const std::vector<monitor::AlertEvent>& events) {
        for (const auto& event : events) std::printf("%s\n", monitor::to_json(event).dump().c_str());
        std::fflush(stdout);
        if (sender) sender->send(events);
      });
  const apps::SentimentCounts counts = watch.counts();
  const Json summary = {{"lines", result.lines},
                        {"late", counts.late},
                        {"negative", counts.negative},
                        {"without_topic", counts.without_topic},
                        {"seconds", result.seconds},
                        {"scoring_seconds", result.scoring_seconds},
                        {"messages_per_second", static_cast<double>(result.lines) / std::max(result.seconds, 1e-9)}};
  std::fprintf(stderr, "%s\n", summary.dump().c_str());
  return 0;
}

}  // namespace

int sentiment_watch(Arguments arguments) {
  if (print_help(arguments, kSentimentWatchUsage, sentiment_watch_options())) return 0;
  Config config(sentiment_watch_options());
  read_options(config, arguments, "app sentiment-watch");
  if (config.is_given("replay")) return replay_sentiment(config);
  const auto most = static_cast<size_t>(std::max<int64_t>(config.get_int("max_client_batch_size"), 1));
  const apps::SentimentOptions options = read_sentiment_options(config);
  return run_server(
      config, {.add_models = [&](serve::Repository& models) { models.add("sentiment", config.get_string("model")); },
               .add_routes =
                   [&](serve::Router& router, const serve::Service& service) {
                     apps::add_sentiment_routes(
                         router,
                         std::make_shared<apps::SentimentService>(
                             options, given_or_none(config, "webhook_url"),
                             apps::served_negative_scores(service, "sentiment", config.get_string("negative_label"))),
                         most);
                   },
               .described = apps::sentiment_openapi(most),
               .files = {.readable = model_folders_of(config, {"model"})}});
}

}  // namespace suanli::cli
