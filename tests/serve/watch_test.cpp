// A service says what it sees: metrics that parse, drift against the training data, accuracy as labels come.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <future>

#include "monitor/metrics_text.h"
#include "monitor/profile.h"
#include "serve/alarm.h"
#include "serve/test_server.h"

namespace suanli::serve {
namespace {

std::string words(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += (i > 0 ? " w" : "w") + std::to_string(i % 90);
  return out;
}

std::string embed(const std::string& text) { return R"({"inputs":")" + text + "\"}"; }

TEST(Watch, MetricsCountRequestsByRouteAndStatus) {
  TestServer server;
  Client client(server.port());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.post("/embed", embed(words(3))).status, 200);
  EXPECT_EQ(client.post("/embed", "{}").status, 422);
  const auto samples = monitor::parse_metrics_text(client.request("GET", "/metrics").body, "metrics");
  const auto value = [&](const std::string& name, const monitor::Labels& labels) {
    for (const auto& sample : samples) {
      if (sample.name == name && std::ranges::includes(sample.labels, labels)) return sample.value;
    }
    ADD_FAILURE() << name;
    return 0.0;
  };
  EXPECT_EQ(value("suanli_requests_total", {{"code", "200"}, {"model", "tiny"}, {"route", "/embed"}}), 5);
  EXPECT_EQ(value("suanli_requests_total", {{"code", "422"}, {"route", "/embed"}}), 1);
  EXPECT_EQ(value("suanli_tokens_total", {{"model", "tiny"}}), 25);
  EXPECT_EQ(value("suanli_queue_duration_seconds_count", {{"model", "tiny"}}), 5);
  const Json stats = client.request("GET", "/v2/models/tiny/stats").json()["model_stats"][0];
  EXPECT_EQ(stats["inference_count"], 5);
  EXPECT_EQ(stats["inference_stats"]["success"]["count"], 5);
}

TEST(Watch, TextsUnlikeThoseOfTrainingAreDrift) {
  TestServerOptions options;
  monitor::BaselineProfile baseline;
  for (int i = 0; i < 400; ++i) baseline.add(monitor::observed_text(8 + i % 7, 5 + i % 5, 0));
  baseline.save(options.model / monitor::kBaselineProfile);
  TestServer server(options);
  Client client(server.port());
  EXPECT_EQ(client.request("GET", "/v2/models/tiny/drift").json()["baseline"], true);
  for (int i = 0; i < 120; ++i) ASSERT_EQ(client.post("/embed", embed(words(20 + i % 30))).status, 200);
  const auto metrics = [&] { return client.request("GET", "/metrics").body; };
  EXPECT_EQ(metrics().find("suanli_drift_score"), std::string::npos) << "the scores of ten seconds hold";

  TestServer again(options);
  Client other(again.port());
  for (int i = 0; i < 120; ++i) ASSERT_EQ(other.post("/embed", embed(words(20 + i % 30))).status, 200);
  const Json drift = other.request("GET", "/v2/models/tiny/drift").json();
  EXPECT_EQ(drift["drifted"], true) << drift;
  EXPECT_NE(other.request("GET", "/metrics").body.find("suanli_drift_score{"), std::string::npos);
}

TEST(Watch, QuestionsUnlikeThoseOfTrainingAreDrift) {
  const auto golden = std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/question_pipeline";
  const auto folder = std::filesystem::temp_directory_path() / ("suanli_questions_" + std::to_string(getpid()));
  std::filesystem::copy(golden, folder, std::filesystem::copy_options::recursive);
  monitor::BaselineProfile baseline;
  for (int i = 0; i < 400; ++i) baseline.add(monitor::observed_text(15 + i % 5, 7 + i % 2, 0));
  baseline.save(folder / monitor::kBaselineProfile);
  TestServerOptions options;
  options.model = folder;
  for (const bool alike : {true, false}) {
    TestServer server(options);
    Client client(server.port());
    const std::string path = "/v2/models/tiny";
    for (int i = 0; i < 120; ++i) {
      const std::string context = alike ? std::string(static_cast<size_t>(6 + i % 5), 'a') : words(10 + i % 10);
      const Json body = {{"inputs", {{{"question", "who is it"}, {"context", context}}}}};
      ASSERT_EQ(client.post(path + "/predict", body.dump()).status, 200);
    }
    std::map<std::string, bool> drifted;
    const Json drift = client.request("GET", path + "/drift").json();
    for (const Json& score : drift["scores"]) {
      if (score["test"] == "kolmogorov_smirnov") drifted[score["feature"]] = score["drifted"];
    }
    EXPECT_EQ(drifted.at("text_characters"), !alike);
    EXPECT_TRUE(drifted.contains("text_tokens")) << "of the windows";
  }
  std::filesystem::remove_all(folder);
}

TEST(Watch, LabelsThatComeLaterGiveTheAccuracy) {
  TestServerOptions options;
  options.model = tiny_model({"cat", "dog"});
  TestServer server(options);
  Client client(server.port());
  const auto feedback = [&](const std::string& id, const std::string& label, int index) {
    return client.post("/v2/models/tiny/feedback", Json({{"id", id}, {"label", label}, {"index", index}}).dump());
  };
  const Reply answer = client.request("POST", "/predict", R"({"inputs":[["w1"],["w2 w3"]]})", "x-request-id: mine\r\n");
  EXPECT_EQ(answer.header("X-Request-Id"), "mine");
  const std::string first = answer.json()[0][0]["label"], second = answer.json()[1][0]["label"];
  EXPECT_EQ(feedback("mine", first, 0).json()["correct"], 1);
  EXPECT_EQ(feedback("mine", second == "cat" ? "dog" : "cat", 1).json()["correct"], 1);
  EXPECT_EQ(feedback("mine", first, 0).status, 400) << "once";
  EXPECT_EQ(feedback("mine", first, 2).status, 404);
  EXPECT_EQ(feedback("other", first, 0).status, 404);
  EXPECT_EQ(feedback("mine", "horse", 0).status, 400);
  EXPECT_NE(client.request("GET", "/metrics").body.find("suanli_live_accuracy{bound=\"estimate\",model=\"tiny\"} 0.5"),
            std::string::npos);
}

TEST(Watch, EnergyIsSharedByTokensOrUnknown) {
  TestServer server;
  Client client(server.port());
  client.post("/embed", embed(words(10)));
  const Json energy = client.request("GET", "/v2/models/tiny/energy").json();
  EXPECT_EQ(energy["tokens"], 12);
  if (energy["source"] == "unknown") {
    EXPECT_TRUE(energy["joules"].is_null());
  } else {
    EXPECT_GT(energy["joules_per_token"].get<double>(), 0);
  }
}

TEST(Alarm, AnAlertReachesTheWebhookAndSoDoesItsEnd) {
  // A receiver that takes one request a connection.
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 4), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const auto receive = [&] {
    const int peer = accept(listener, nullptr, nullptr);
    std::string text;
    char bytes[4096];
    while (text.find("\r\n\r\n") == std::string::npos || text.back() != '}') {
      const ssize_t count = recv(peer, bytes, sizeof bytes, 0);
      if (count <= 0) break;
      text.append(bytes, static_cast<size_t>(count));
    }
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    send(peer, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    close(peer);
    return parse_json(text.substr(text.find("\r\n\r\n") + 4), "webhook");
  };
  const auto rules = std::filesystem::temp_directory_path() / ("suanli_rules_" + std::to_string(getpid()) + ".yaml");
  std::ofstream(rules) << "rules:\n  - name: too warm\n    metric: warmth\n    above: 30\n    deliver: [webhook]\n";
  monitor::ServiceMetrics metrics;
  metrics.set("warmth", "of the room", {}, 40);
  const AlarmOptions options{rules, "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/hook",
                             std::chrono::milliseconds(20)};
  monitor::AlertHistory history;
  Alarm alarm(options, metrics, history);
  const Json firing = receive();
  EXPECT_EQ(firing["status"], "firing");
  EXPECT_EQ(firing["alerts"][0]["labels"]["alertname"], "too warm");
  EXPECT_EQ(history.json()["firing"][0]["rule"], "too warm");
  EXPECT_EQ(history.json()["rules"], Json::array({"too warm"}));
  metrics.set("warmth", "of the room", {}, 20);
  EXPECT_EQ(receive()["status"], "resolved");
  EXPECT_EQ(history.json()["firing"].size(), 0U);
  EXPECT_EQ(history.json()["recent"].size(), 2U) << "the newest first";
  EXPECT_EQ(history.json()["recent"][0]["status"], "resolved");
  close(listener);
}

TEST(Alarm, AnAddressThatIsNoneIsRefused) {
  const auto rules = std::filesystem::temp_directory_path() / ("suanli_rules2_" + std::to_string(getpid()) + ".yaml");
  std::ofstream(rules) << "rules:\n  - name: a\n    metric: b\n    above: 1\n";
  monitor::ServiceMetrics metrics;
  monitor::AlertHistory history;
  for (const char* url : {"ftp://here", "http://", "here"}) {
    EXPECT_THROW(Alarm({rules, url}, metrics, history), UserError) << url;
  }
}

TEST(Watch, ARequestSaysItsEnergy) {
  TestServerOptions options;
  options.energy = {.power = monitor::MachinePower{50, 100}, .powercap = "/nowhere"};
  TestServer server(options);
  Client client(server.port());
  EXPECT_EQ(client.post("/embed", R"({"inputs":"w1 w2"})").header("x-energy-joules"), "") << "nothing is known yet";
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // some ticks of the machine's clock of load
  const Json energy = client.request("GET", "/v2/models/tiny/energy").json();
  EXPECT_EQ(energy["source"], "modelled");
  const double watts = energy["joules"].get<double>() / energy["seconds"].get<double>();
  EXPECT_GE(watts, 50 - 1e-6);
  EXPECT_LE(watts, 100 + 1e-6) << "all of the machine's: it is the only model, and was at work";
  const Reply reply = client.post("/embed", R"({"inputs":"w1 w2"})");
  const double joules = std::stod(reply.header("x-energy-joules"));
  const double expected = energy["joules_per_token"].get<double>() * std::stod(reply.header("x-compute-tokens"));
  EXPECT_NEAR(joules, expected, 1e-5 * expected);
}

}  // namespace
}  // namespace suanli::serve
