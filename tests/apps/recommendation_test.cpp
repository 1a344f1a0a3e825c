// A recommender over HTTP: users and histories get what their taste is, cold items by their text, bad requests one
// line.
#include "apps/recommendation.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "apps/recommendation_routes.h"
#include "base/file.h"
#include "expect_error.h"
#include "ops/initialize.h"
#include "serve/test_server.h"

namespace suanli::apps {
namespace {

constexpr int32_t kItems = 8;  // 0 to 3 of one taste, 4 to 7 of another
constexpr int64_t kWidth = 16;

/// The text vector of a taste: what the weights below make a direction of the item tower of.
std::vector<float> taste(int which) {
  std::vector<float> out(kWidth, 0);
  out[static_cast<size_t>(which)] = 1;
  return out;
}

std::string items_csv() {
  std::string csv = "id,title,genres\n";
  for (int i = 0; i < kItems; ++i) {
    csv += "i" + std::to_string(i) + ",Title " + std::to_string(i) + (i < 4 ? ",war|sea\n" : ",love\n");
  }
  return csv;
}

/// A folder of two towers whose item tower keeps the tastes apart and whose user tower goes with the last likes: the
/// gates of the GRU are open (bias), its candidate state is the item, and the projection keeps it.
std::filesystem::path towers() {
  initialize();
  static int number = 0;
  const auto folder = std::filesystem::temp_directory_path() /
                      ("suanli_apps_test_" + std::to_string(getpid()) + "_" + std::to_string(number++));
  std::filesystem::create_directories(folder);
  Json config = models::two_tower_json();
  config.update({{"num_items", kItems}, {"text_width", kWidth}, {"hidden_size", 2}, {"history_length", 4}});
  const models::Model model = models::new_model(config, {});
  const auto set = [&](const std::string& name, const std::vector<float>& values) {
    for (const nn::Parameter& parameter : model.parameters->all()) {
      if (parameter.name == name) parameter.value.copy_from(Tensor::from(values, parameter.value.shape()));
    }
  };
  std::vector<float> projection(2 * kWidth, 0), candidate(12, 0);
  projection[0] = projection[kWidth + 1] = 1;
  set("text_projection.weight", projection);
  set("text_projection.bias", {0, 0});
  std::vector<float> learned;
  for (int row = 0; row <= kItems; ++row) learned.insert(learned.end(), {row * 1e-3F, row * -2e-3F});
  set("item_embedding.weight", learned);
  candidate[8] = candidate[11] = 1;  // rows of the third gate
  set("rnn.weight_ih_l0", candidate);
  set("rnn.weight_hh_l0", std::vector<float>(12, 0));
  set("rnn.bias_ih_l0", std::vector<float>(6, 0));
  set("rnn.bias_hh_l0", std::vector<float>(6, 0));
  set("user_projection.weight", {1, 0, 0, 1});
  set("user_projection.bias", {0, 0});
  std::vector<float> text;
  for (int i = 0; i < kItems; ++i) {
    const std::vector<float> one = taste(i < 4 ? 0 : 1);
    text.insert(text.end(), one.begin(), one.end());
  }
  models::item_text(*model.parameters).copy_from(Tensor::from(text, {kItems, kWidth}));
  models::save_model(model, folder);
  write_file_atomically(folder / "items.csv", items_csv());
  return folder;
}

Interactions some_users(const ItemTable& items, const std::filesystem::path& folder) {
  write_file_atomically(folder / "ratings.csv",
                        "user,item,rating,timestamp\nann,i0,5,1\nann,i1,4,2\nann,i5,1,3\nbob,i6,5,1\ncat,i6,1,1\n");
  return read_interactions(folder / "ratings.csv", items, 4);
}

std::vector<float> no_text(const std::string& text) {
  ADD_FAILURE() << "nothing is to be read: " << text;
  return {};
}

std::set<std::string> ids_of(const Recommender& recommender, const std::vector<RecommendedItem>& list) {
  std::set<std::string> out;
  for (const RecommendedItem& each : list) out.insert(recommender.item(each.item).id);
  return out;
}

TEST(Recommender, GoesWithTheTasteAndShowsNothingThatTheUserSaw) {
  const auto folder = towers();
  Recommender recommender(folder, std::nullopt, no_text);
  recommender.add_users(some_users(recommender.model_items(), folder));
  RecommendationQuery query = *recommender.user("ann");
  EXPECT_EQ(query.history.size(), 2U);
  query.count = 2;
  const auto list = recommender.recommend(query);
  EXPECT_EQ(ids_of(recommender, list), (std::set<std::string>{"i2", "i3"})) << "of the taste, not i0 and i1 again";
  EXPECT_GE(list[0].score, list[1].score);
  EXPECT_EQ(list[0].because, 1) << "the nearest in the learned part, which grows with the number";
  query.count = 100;
  EXPECT_EQ(recommender.recommend(query).size(), 5U) << "all but two likes and i5, which ann saw and did not like";
  query.genres = {"love"};
  EXPECT_EQ(ids_of(recommender, recommender.recommend(query)), (std::set<std::string>{"i4", "i6", "i7"}));
  EXPECT_FALSE(recommender.user("dan"));
  EXPECT_TRUE(recommender.user("cat")->history.empty());
}

TEST(Recommender, AColdItemIsRecommendedToItsTasteAtOnceAndOnlySoManyAreTaken) {
  Recommender recommender(towers(), std::nullopt, no_text, {.users = 1, .added_items = 1});
  EXPECT_EQ(recommender.add_item({"new", "A new one", "love"}, taste(1)), Recommender::Added::added);
  EXPECT_EQ(recommender.add_item({"new", "A new one", "love"}, taste(1)), Recommender::Added::known);
  EXPECT_EQ(recommender.add_item({"newer", "Another", "love"}, taste(1)), Recommender::Added::full);
  const RecommendationQuery romantic = {.history = {4, 5}, .count = 3}, warlike = {.history = {0, 1}, .count = 2};
  EXPECT_TRUE(ids_of(recommender, recommender.recommend(romantic)).contains("new"));
  EXPECT_FALSE(ids_of(recommender, recommender.recommend(warlike)).contains("new"));
  EXPECT_NE(error_of([&] {
              recommender.add_item({"odd", "Odd", ""}, std::vector<float>(3, 1));
            }).find("16"),
            std::string::npos);
  EXPECT_TRUE(recommender.add_event("ann", recommender.find("new"), UserEvent::like));
  EXPECT_EQ(recommender.user("ann")->history, (std::vector<int32_t>{kItems}));
  EXPECT_FALSE(recommender.add_event("bob", 0, UserEvent::like)) << "one user is remembered";
}

TEST(Recommender, OfAHistoryTheLastCountAndAnEventComesOnce) {
  Recommender recommender(towers(), std::nullopt, no_text);
  for (const int32_t item : {0, 1, 2, 0, 4, 5}) recommender.add_event("ann", item, UserEvent::like);
  EXPECT_EQ(recommender.user("ann")->history, (std::vector<int32_t>{2, 0, 4, 5})) << "four, i0 at its last place";
  EXPECT_EQ(recommender.user("ann")->hidden.size(), 5U) << "what was liked before stays hidden";
}

TEST(Recommender, ACatalogueSaysWhatIsOfferedAndItsNewItemsAreRead) {
  const ItemTable catalogue({{"i6", "Renamed", "love"}, {"new", "New", "war"}}, "catalogue");
  std::string read;
  Recommender recommender(towers(), catalogue, [&](const std::string& text) {
    read = text;
    return taste(0);
  });
  EXPECT_EQ(read, "New. war");
  const auto list = recommender.recommend({.history = {0}, .count = 10});
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(recommender.item(list[0].item).id, "new");
  EXPECT_EQ(recommender.item(list[1].item).title, "Renamed");
}

TEST(Recommender, AFolderOfAnotherModelIsRefused) {
  EXPECT_NE(error_of([] { Recommender(serve::tiny_model({}), std::nullopt, no_text); }).find("recommendation"),
            std::string::npos);
}

class RecommendationRoutes : public testing::Test {
 protected:
  RecommendationRoutes() {
    const auto folder = towers();
    recommender_ = std::make_shared<Recommender>(folder, std::nullopt, no_text, RecommenderLimits{.added_items = 1});
    recommender_->add_users(some_users(recommender_->model_items(), folder));
    serve::TestServerOptions options;
    options.server.admin_socket = socket_ = folder / "admin";
    options.application = [this](serve::Router& router, const serve::Service& service) {
      add_recommendation_routes(router, service, recommender_, "tiny");
    };
    server_ = std::make_unique<serve::TestServer>(std::move(options));
  }
  serve::Reply ask(const std::string& body, const std::string& path = "") {
    serve::Client client(server_->port());
    return client.post("/v1/recommendations" + path, body);
  }
  serve::Reply add(const std::string& body) {
    serve::Client client(socket_);
    return client.post("/v1/recommendations/items", body);
  }

  std::filesystem::path socket_;
  std::shared_ptr<Recommender> recommender_;
  std::unique_ptr<serve::TestServer> server_;
};

TEST_F(RecommendationRoutes, AnswerByUserAndByHistoryWithAReason) {
  const serve::Reply by_user = ask(R"({"user": "ann", "k": 2})");
  ASSERT_EQ(by_user.status, 200) << by_user.body;
  const Json list = by_user.json()["recommendations"];
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ((std::set<std::string>{list[0]["id"], list[1]["id"]}), (std::set<std::string>{"i2", "i3"}));
  EXPECT_EQ(list[0]["because"]["title"], "Title 1");
  const Json other = ask(R"({"history": ["i7"], "exclude": ["i4", "none"], "filter": {"genres": ["love", "war"]}})")
                         .json()["recommendations"];
  EXPECT_EQ(other.size(), 6U) << "all but i7 and i4; an unknown exclusion excludes nothing";
  EXPECT_TRUE(other[0]["id"] == "i5" || other[0]["id"] == "i6");
}

TEST_F(RecommendationRoutes, FeedbackChangesWhatIsRecommendedNext) {
  EXPECT_EQ(ask(R"({"user": "dan"})").status, 404);
  const serve::Reply first = ask(R"({"user": "dan", "item": "i4", "event": "like"})", "/feedback");
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.json()["likes"], 1);
  ask(R"({"user": "dan", "item": "i5", "event": "seen"})", "/feedback");
  const Json list = ask(R"({"user": "dan", "k": 2})").json()["recommendations"];
  EXPECT_EQ((std::set<std::string>{list[0]["id"], list[1]["id"]}), (std::set<std::string>{"i6", "i7"}));
}

TEST_F(RecommendationRoutes, AnItemAddedByItsTextIsThereAtOnceForAdministratorsAlone) {
  EXPECT_EQ(ask(R"({"id": 9, "title": "w1 w2"})", "/items").status, 403);
  const serve::Reply added = add(R"({"id": 9, "title": "w1 w2", "genres": "war"})");
  ASSERT_EQ(added.status, 200) << added.body;
  EXPECT_EQ(added.json()["items"], kItems + 1);
  const Json list = ask(R"({"history": ["i0"], "k": 100})").json()["recommendations"];
  EXPECT_TRUE(std::ranges::any_of(list, [](const Json& each) { return each["id"] == "9"; }));
  EXPECT_EQ(add(R"({"id": "9", "title": "again"})").status, 400);
  EXPECT_EQ(add(R"({"id": "10", "title": "one too many"})").status, 429);
}

TEST_F(RecommendationRoutes, WhatCannotBeAnsweredIsOneMessage) {
  const auto refused = [&](const std::string& body, int status, const std::string& part, const std::string& path = "") {
    const serve::Reply reply = ask(body, path);
    EXPECT_EQ(reply.status, status) << body;
    EXPECT_NE(reply.body.find(part), std::string::npos) << reply.body;
  };
  refused(R"({})", 400, "history");
  refused(R"({"user": "ann", "history": ["i0"]})", 400, "either");
  refused(R"({"user": "nobody"})", 404, "no such user");
  refused(R"({"user": "cat"})", 400, "liked nothing");
  refused(R"({"user": ""})", 400, "ids");
  refused(R"({"user": 1.5})", 400, "ids");
  refused(R"({"history": []})", 400, "at least one");
  refused(R"({"history": ["i0", "i99"]})", 404, "i99");
  refused(R"({"history": "i0"})", 400, "list");
  refused(R"({"history": ["i0"], "k": 0})", 400, "1..100");
  refused(R"({"history": ["i0"], "k": 101})", 400, "1..100");
  refused(R"({"history": ["i0"], "filter": ["war"]})", 400, "genres");
  refused(R"({"history": ["i0"], "exclude": {}})", 400, "exclude");
  refused(R"([])", 400, "object");
  refused(R"({"user": "ann", "item": "i99"})", 404, "i99", "/feedback");
  refused(R"({"user": "ann", "item": "i0", "event": "bought"})", 400, "like or seen", "/feedback");
  refused(R"({"item": "i0"})", 400, "user", "/feedback");
}

TEST_F(RecommendationRoutes, ThePageOfOpenApiHasThem) {
  const Json page = serve::openapi_page({}, recommendation_openapi());
  int seen = 0;
  for (const serve::Route& route : server_->router.routes()) {
    if (!route.pattern.starts_with("/v1/recommendations")) continue;
    ++seen;
    EXPECT_TRUE(page["paths"][route.pattern].contains("post")) << route.pattern;
  }
  EXPECT_EQ(seen, 3);
  EXPECT_EQ(page["paths"]["/v1/recommendations"]["post"]["requestBody"]["content"]["application/json"]["schema"]
                ["properties"]["k"]["maximum"],
            100);
}

}  // namespace
}  // namespace suanli::apps
