#include "apps/recommendation_routes.h"

#include <future>

#include "base/error.h"
#include "serve/ask.h"
#include "serve/embedding.h"
#include "serve/fields.h"

namespace suanli::apps {
namespace {

using serve::ExchangePointer;
using serve::Fault;
using serve::RequestError;
using serve::Response;

constexpr int64_t kMostRecommended = 100;
constexpr size_t kMostIds = 10'000;  // of a history or a list of exclusions
constexpr size_t kLongestId = 256, kLongestText = 4096;

/// Ids may be numbers, as they stand in many tables.
std::string id_of(const Json& value, const char* key) {
  std::string id;
  if (value.is_string()) id = value.get<std::string>();
  if (value.is_number_integer()) id = value.dump();
  if (id.empty() || id.size() > kLongestId) serve::wrong_field(key, "ids: texts of 1 to 256 bytes, or integers");
  return id;
}

std::string needed_id(const Json& body, const char* key) {
  const Json* value = serve::field(body, key);
  if (value == nullptr) serve::wrong_field(key, "an id, a text or an integer");
  return id_of(*value, key);
}

std::string bounded_text(const Json& body, const char* key) {
  std::string text = serve::string_field(body, key, "");
  if (text.size() > kLongestText) serve::wrong_field(key, "a text of at most 4096 bytes");
  return text;
}

/// The items of a list of ids; those that nobody knows are refused, or passed over.
std::vector<int32_t> items_of(const Json& body, const char* key, const Recommender& recommender, bool all_known) {
  std::vector<int32_t> out;
  const Json* list = serve::field(body, key);
  if (list == nullptr) return out;
  if (!list->is_array() || list->size() > kMostIds) serve::wrong_field(key, "a list of at most 10000 item ids");
  for (const Json& value : *list) {
    const std::string id = id_of(value, key);
    const int32_t item = recommender.find(id);
    if (item >= 0) {
      out.push_back(item);
    } else if (all_known) {
      throw RequestError(Fault::not_found, "no such item: " + id);
    }
  }
  return out;
}

std::set<std::string> wanted_genres(const Json& body) {
  std::set<std::string> out;
  const Json* filter = serve::field(body, "filter");
  if (filter == nullptr) return out;
  const Json* genres = filter->is_object() ? serve::field(*filter, "genres") : nullptr;
  if (genres == nullptr || !genres->is_array() || genres->empty() || genres->size() > 100) {
    serve::wrong_field("filter", "{\"genres\": a list of 1 to 100 texts}");
  }
  for (const Json& genre : *genres) {
    if (!genre.is_string()) serve::wrong_field("filter", "{\"genres\": a list of 1 to 100 texts}");
    out.insert(genre.get<std::string>());
  }
  return out;
}

RecommendationQuery query_of(const Json& body, const Recommender& recommender) {
  const bool by_user = serve::field(body, "user") != nullptr, by_history = serve::field(body, "history") != nullptr;
  if (by_user == by_history) serve::wrong_field("user", "either it or `history`");
  RecommendationQuery query;
  if (by_user) {
    const auto user = recommender.user(needed_id(body, "user"));
    if (!user) throw RequestError(Fault::not_found, "no such user");
    query = *user;
    if (query.history.empty()) throw RequestError(Fault::invalid, "the user has liked nothing yet");
  } else {
    query.history = items_of(body, "history", recommender, true);
    if (query.history.empty()) serve::wrong_field("history", "at least one item id");
  }
  const std::vector<int32_t> hidden = items_of(body, "exclude", recommender, false);
  query.hidden.insert(query.hidden.end(), hidden.begin(), hidden.end());
  query.genres = wanted_genres(body);
  query.count = static_cast<size_t>(serve::integer_field(body, "k", 10, 1, kMostRecommended));
  return query;
}

Response recommendations(const Recommender& recommender, const RecommendationQuery& query) {
  Json list = Json::array();
  for (const RecommendedItem& each : recommender.recommend(query)) {
    const Item item = recommender.item(each.item), liked = recommender.item(each.because);
    list.push_back({{"id", item.id},
                    {"title", item.title},
                    {"score", each.score},
                    {"because", {{"id", liked.id}, {"title", liked.title}}}});
  }
  return {.body = Json({{"recommendations", list}}).dump(-1, ' ', false, Json::error_handler_t::replace)};
}

/// The user tower computes beside the network thread.
void recommend(const serve::Service& service, const std::shared_ptr<Recommender>& recommender,
               const ExchangePointer& exchange) {
  const Json body = serve::read_body(exchange->request());
  service.models.in_background([recommender, exchange, query = query_of(body, *recommender)] {
    if (exchange->cancelled()->load()) return;
    exchange->answer(recommendations(*recommender, query));
  });
}

/// The encoder reads the text on its own threads; the vector is ready before the answer is.
void add_item(const serve::Service& service, const std::shared_ptr<Recommender>& recommender,
              const std::string& encoder, const ExchangePointer& exchange) {
  const Json body = serve::read_body(exchange->request());
  const Item item = {needed_id(body, "id"), bounded_text(body, "title"), bounded_text(body, "genres")};
  if (item.title.empty()) serve::wrong_field("title", "a text that is not empty");
  if (recommender->find(item.id) >= 0) throw RequestError(Fault::invalid, "there is an item of this id already");
  serve::Question question{.inputs = {{.text = text_of(item)}}, .output = infer::Output::embedding, .truncate = true};
  serve::ask(service.models.get(encoder), exchange, std::move(question), serve::plain_error,
             [recommender, item](const serve::Answers& answers) -> Response {
               const auto& row = answers.rows.front();
               switch (recommender->add_item(item, serve::embedding_of(row, row.size(), true))) {
                 case Recommender::Added::known:
                   return serve::plain_error(Fault::invalid, "there is an item of this id already");
                 case Recommender::Added::full:
                   return serve::plain_error(Fault::overloaded,
                                             "no more items can be added; train with those there are");
                 case Recommender::Added::added:
                   break;
               }
               return {.body = Json({{"id", item.id}, {"items", recommender->item_count()}}).dump()};
             });
}

void take_event(const std::shared_ptr<Recommender>& recommender, const ExchangePointer& exchange) {
  const Json body = serve::read_body(exchange->request());
  const std::string user = needed_id(body, "user"), item = needed_id(body, "item");
  const std::string event = serve::string_field(body, "event", "like");
  if (event != "like" && event != "seen") serve::wrong_field("event", "like or seen");
  const int32_t number = recommender->find(item);
  if (number < 0) throw RequestError(Fault::not_found, "no such item: " + item);
  if (!recommender->add_event(user, number, event == "like" ? UserEvent::like : UserEvent::seen)) {
    throw RequestError(Fault::overloaded, "no more users can be remembered");
  }
  exchange->answer({.body = Json({{"user", user}, {"likes", recommender->user(user)->history.size()}}).dump()});
}

}  // namespace

Recommender::ReadText served_text_reader(const serve::Service& service, const std::string& encoder) {
  return [model = service.models.get(encoder)](const std::string& text) {
    std::promise<std::vector<float>> read;
    model->ask(
        {.inputs = {{.text = text}}, .output = infer::Output::embedding, .truncate = true},
        [&read](const serve::Answers& answers) {
          const auto& row = answers.rows.front();
          read.set_value(serve::embedding_of(row, row.size(), true));
        },
        [&read](const RequestError& error) { read.set_exception(std::make_exception_ptr(error)); });
    return read.get_future().get();
  };
}

void add_recommendation_routes(serve::Router& router, const serve::Service& service,
                               std::shared_ptr<Recommender> recommender, const std::string& encoder) {
  const auto add = [&router](const std::string& pattern, serve::Scope scope, serve::Handler handler) {
    router.add({.method = "POST", .pattern = pattern, .scope = scope, .handler = std::move(handler)});
  };
  add("/v1/recommendations", serve::Scope::infer,
      [service, recommender](const ExchangePointer& exchange) { recommend(service, recommender, exchange); });
  add("/v1/recommendations/items", serve::Scope::admin,
      [service, recommender, encoder](const ExchangePointer& exchange) {
        add_item(service, recommender, encoder, exchange);
      });
  add("/v1/recommendations/feedback", serve::Scope::infer,
      [recommender](const ExchangePointer& exchange) { take_event(recommender, exchange); });
}

}  // namespace suanli::apps
