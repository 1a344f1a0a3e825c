#include <cstdio>

#include "apps/answer_index_folder.h"
#include "apps/assistant_evaluation.h"
#include "apps/assistant_routes.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/app.h"
#include "cli/options.h"
#include "cli/server_work.h"
#include "models/adapter.h"
#include "models/config.h"

namespace suanli::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kCustomerServiceUsage =
    "suanli app customer-service --answers FILE --encoder DIR [--intents DIR] [--ranker DIR]\n"
    "       suanli app customer-service ... [--intent_holdout FILE --intent_test FILE]\n"
    "                                       [--question_holdout FILE --question_test FILE]";

const OptionTable& customer_service_options() {
  static const OptionTable table([] {
    const apps::AssistantOptions defaults;
    std::vector<Option> all = {
        {.name = "answers", .type = OptionType::path, .help = "table of question, answer, and url and intent if any"},
        {.name = "encoder", .type = OptionType::path, .help = "model folder that embeds texts"},
        {.name = "intents", .type = OptionType::path, .help = "model folder that classifies messages by intent"},
        {.name = "ranker", .type = OptionType::path, .help = "cross-encoder that ranks what the index has found"},
        {.name = "index_dir", .type = OptionType::path, .help = "where the index is kept; ENCODER/answers_index"},
        {.name = "intent_threshold",
         .type = OptionType::real,
         .default_value = Json(defaults.intent_threshold).dump(),
         .help = "least score of an intent that counts as recognised"},
        {.name = "answer_threshold",
         .type = OptionType::real,
         .default_value = Json(defaults.answer_threshold).dump(),
         .help = "least confidence of an answer that is given"},
        {.name = "max_sessions", .type = OptionType::integer, .default_value = "10000", .help = "kept at once"},
        {.name = "max_turns", .type = OptionType::integer, .default_value = "50", .help = "then a person takes over"},
        {.name = "session_timeout_secs", .type = OptionType::integer, .default_value = "1800", .help = "of silence"},
        {.name = "intent_holdout", .type = OptionType::path, .help = "text, label: chooses the intent threshold"},
        {.name = "intent_test", .type = OptionType::path, .help = "text, label: evaluates it, and nothing is served"},
        {.name = "question_holdout", .type = OptionType::path, .help = "text, label: chooses the answer threshold"},
        {.name = "question_test", .type = OptionType::path, .help = "text, label (a question of the answers)"},
        {.name = "most_wrong",
         .type = OptionType::real,
         .default_value = "0.05",
         .help = "share of all messages that may be answered wrongly on the part held out"},
    };
    for (Option& option : server_options()) all.push_back(std::move(option));
    return all;
  }());
  return table;
}

apps::AssistantOptions assistant_options(const Config& config) {
  const auto count = [&](const char* name) {
    if (config.get_int(name) < 1) throw UserError(name, "expected at least 1, got " + config.get_string(name));
    return config.get_int(name);
  };
  return {.intent_threshold = config.get_float("intent_threshold"),
          .answer_threshold = config.get_float("answer_threshold"),
          .sessions = {.sessions = static_cast<size_t>(count("max_sessions")),
                       .turns = count("max_turns"),
                       .idle_seconds = static_cast<double>(count("session_timeout_secs"))}};
}

infer::TextModelOptions customer_model_options(const Config& config, models::Head head) {
  infer::TextModelOptions out{.head = head};
  out.device = config.get_string("device");
  out.precision = config.get_string("precision");
  out.max_length = config.get_int("max_length");
  return out;
}

fs::path required_path(const Config& config, const char* name) {
  if (!config.is_given(name)) {
    throw UserError("customer-service", std::string("expected --") + name + ": usage: " + kCustomerServiceUsage);
  }
  return config.get_string(name);
}

Json index_key(const Config& config) {
  return apps::answer_index_key(config.get_string("answers"), config.get_string("encoder"),
                                customer_model_options(config, models::Head::none));
}

apps::Assistant open_assistant(const Config& config) {
  const fs::path file = required_path(config, "answers"), encoder = required_path(config, "encoder");
  std::vector<apps::Answer> answers = apps::read_answers(file);
  const infer::TextModelOptions options = customer_model_options(config, models::Head::none);
  const std::string folder = given_or_none(config, "index_dir");
  apps::AnswerIndex index = apps::open_answer_index(folder.empty() ? encoder / "answers_index" : fs::path(folder),
                                                    index_key(config), answers, encoder, options);
  std::vector<std::string> labels;
  if (config.is_given("intents")) {
    const fs::path intents = config.get_string("intents");
    labels = models::config_labels(models::model_json(intents), (intents / "config.json").string());
  }
  return {assistant_options(config), std::move(answers), std::move(index), std::move(labels)};
}

/// The threshold from the part held out, and what it does to the test part.
Json chosen_and_tested(const std::vector<apps::Judged>& holdout, const std::vector<apps::Judged>& test,
                       double most_wrong) {
  const double threshold = apps::choose_threshold(holdout, most_wrong);
  Json curve = Json::array();
  for (const double wrong : {0.01, 0.02, 0.05, 0.1, 0.2}) {
    curve.push_back(apps::to_json(apps::confidence_at(test, apps::choose_threshold(holdout, wrong))));
  }
  return {{"holdout", apps::to_json(apps::confidence_at(holdout, threshold))},
          {"test", apps::to_json(apps::confidence_at(test, threshold))},
          {"curve", curve}};
}

Json evaluate_intents(const Config& config) {
  const auto model = infer::load_text_model(required_path(config, "intents"),
                                            customer_model_options(config, models::Head::sequence_classification));
  const auto holdout = apps::judge_intents(model, apps::read_labelled(required_path(config, "intent_holdout")));
  const auto test = apps::judge_intents(model, apps::read_labelled(config.get_string("intent_test")));
  Json out = chosen_and_tested(holdout, test, config.get_float("most_wrong"));
  const auto right = std::ranges::count_if(test, [](const apps::Judged& one) { return one.right; });
  const auto all = std::ranges::count_if(test, [](const apps::Judged& one) { return one.in_scope; });
  out["accuracy"] = static_cast<double>(right) / static_cast<double>(std::max<int64_t>(all, 1));
  return out;
}

Json evaluate_questions(const Config& config) {
  const apps::Assistant assistant = open_assistant(config);
  const auto encoder =
      infer::load_text_model(required_path(config, "encoder"), customer_model_options(config, models::Head::none));
  const auto judged = [&](const fs::path& file) {
    return apps::judge_questions(assistant, encoder, apps::read_labelled(file));
  };
  const auto holdout = judged(required_path(config, "question_holdout"));
  const auto test = judged(config.get_string("question_test"));
  Json out = chosen_and_tested(holdout.first, test.first, config.get_float("most_wrong"));
  const auto share = [&](int64_t found) {
    return static_cast<double>(found) / static_cast<double>(std::max<int64_t>(test.in_scope, 1));
  };
  out["recall@1"] = share(test.found_in_1);
  out["recall@5"] = share(test.found_in_5);
  out["recall@20"] = share(test.found_in_all);
  return out;
}

}  // namespace

int customer_service(Arguments arguments) {
  if (print_help(arguments, kCustomerServiceUsage, customer_service_options())) return 0;
  Config config(customer_service_options());
  read_options(config, arguments, "app customer-service");
  if (config.is_given("intent_test") || config.is_given("question_test")) {
    Json out = Json::object();
    if (config.is_given("intent_test")) out["intents"] = evaluate_intents(config);
    if (config.is_given("question_test")) out["questions"] = evaluate_questions(config);
    std::printf("%s\n", out.dump().c_str());
    return 0;
  }
  const auto assistant = std::make_shared<const apps::Assistant>(open_assistant(config));
  const Json key = index_key(config);
  serve::FileAccess files = {.readable = model_folders_of(config, {"encoder", "intents", "ranker"})};
  for (const auto& folder : folders_of(config, {"answers"})) files.readable.push_back(folder);
  const auto name = [&](const char* option) { return config.is_given(option) ? std::string(option) : std::string(); };
  return run_server(config, {.add_models =
                                 [&](serve::Repository& models) {
                                   for (const char* option : {"encoder", "intents", "ranker"}) {
                                     if (config.is_given(option)) models.add(option, config.get_string(option));
                                   }
                                 },
                             .add_routes =
                                 [&](serve::Router& router, const serve::Service& service) {
                                   apps::add_assistant_routes(
                                       router, assistant,
                                       apps::served_assistant_models(
                                           service, {"encoder", name("intents"), name("ranker")},
                                           [&config, key] { return index_key(config)["encoder"] == key["encoder"]; }));
                                 },
                             .described = apps::assistant_openapi(assistant->options()),
                             .files = files});
}

}  // namespace suanli::cli
