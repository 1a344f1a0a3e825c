// The page at /ui: its files, the headers that keep it to itself, and what it asks for.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>

#include "monitor/metrics_text.h"
#include "monitor/profile.h"
#include "serve/test_server.h"

namespace suanli::serve {
namespace {

std::vector<std::string> found(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> out;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), regex); at != std::sregex_iterator(); ++at) {
    out.push_back((*at)[1]);
  }
  return out;
}

monitor::AlertEvent warm_alert() {
  monitor::AlertEvent event;
  event.rule = "warm";
  event.message = "warm is 31, above 30";
  return event;
}

TEST(Ui, ThePageLoadsItsOwnFilesAloneAndRunsNothingInline) {
  TestServer server;
  Client client(server.port());
  const Reply page = client.request("GET", "/ui");
  ASSERT_EQ(page.status, 200);
  EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
  size_t bytes = page.body.size();
  std::vector<std::string> files = found(page.body, R"re((?:src|href)="ui/([^"]+)")re");
  EXPECT_EQ(files.size(), 3U) << "icon, style, script";
  for (size_t i = 0; i < files.size(); ++i) {
    const Reply file = client.request("GET", "/ui/" + files[i]);
    ASSERT_EQ(file.status, 200) << files[i];
    bytes += file.body.size();
    for (const std::string& imported : found(file.body, R"re(from "\./([^"]+)")re")) {
      if (std::ranges::count(files, imported) == 0) files.push_back(imported);
    }
    for (const char* foreign : {"innerHTML =", "eval(", "url(", "@import", "localStorage", "sessionStorage"}) {
      EXPECT_EQ(file.body.find(foreign), std::string::npos) << files[i] << " has " << foreign;
    }
  }
  EXPECT_LT(bytes, 60'000U);
  EXPECT_TRUE(found(page.body, R"re(<script(?![^>]*src=)()[^>]*>)re").empty()) << "no script within";
  EXPECT_TRUE(found(page.body, R"re((<style|\sstyle=|\son[a-z]+=|https?:))re").empty());
}

TEST(Ui, HeadersKeepThePageToItself) {
  TestServer server;
  Client client(server.port());
  for (const char* path : {"/ui", "/ui/style.css", "/ui/app.js"}) {
    const Reply reply = client.request("GET", path);
    const std::string policy = reply.header("Content-Security-Policy");
    EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';")) << policy;
    EXPECT_NE(policy.find("connect-src 'self'"), std::string::npos);
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_EQ(reply.header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(reply.header("Cache-Control"), "no-cache");
    const std::string tag = reply.header("ETag");
    const Reply again = client.request("GET", path, "", "If-None-Match: " + tag + "\r\n");
    EXPECT_EQ(again.status, 304) << tag;
    EXPECT_EQ(again.body, "");
  }
  EXPECT_EQ(client.request("GET", "/ui/secret.txt").status, 404);
  EXPECT_EQ(client.request("GET", "/ui/..%2fkeys").status, 404);
}

TEST(Alerts, ARouteSaysWhatFires) {
  TestServer server;
  server.alerts.watch({"warm", "errors"});
  server.alerts.take({warm_alert()});
  Client client(server.port());
  const Json alerts = client.request("GET", "/v2/alerts").json();
  EXPECT_EQ(alerts["rules"].size(), 2U);
  EXPECT_EQ(alerts["firing"][0]["message"], "warm is 31, above 30");
}

TEST(MetricsPort, HasTheMetricsAndNothingElse) {
  TestServerOptions options;
  options.server.metrics_port = 0;
  TestServer server(options);
  Client metrics(server.server->metrics_port()), main(server.port());
  EXPECT_EQ(metrics.request("GET", "/metrics").status, 200);
  EXPECT_EQ(main.request("GET", "/metrics").status, 200);
  for (const char* path : {"/health", "/info", "/ui", "/v2/models/tiny/drift"}) {
    EXPECT_EQ(metrics.request("GET", path).status, 404) << path;
  }
  EXPECT_EQ(metrics.post("/embed", R"({"inputs":"w1"})").status, 404);
  EXPECT_EQ(server.stop(), 0) << "both ports drain";
}

TEST(MetricsPort, AsksForTheSameKeys) {
  TestServerOptions options;
  options.server.metrics_port = 0;
  options.server.keys_file = std::filesystem::temp_directory_path() / ("suanli_ui_keys_" + std::to_string(getpid()));
  std::ofstream(options.server.keys_file) << hash_of_key("a") << " a infer\n" << hash_of_key("b") << " b metrics\n";
  TestServer server(options);
  const auto status = [&](const std::string& header) {
    return Client(server.server->metrics_port()).request("GET", "/metrics", "", header).status;
  };
  EXPECT_EQ(status(""), 401);
  EXPECT_EQ(status("X-API-Key: a\r\n"), 403);
  EXPECT_EQ(status("X-API-Key: b\r\n"), 200);
}

TEST(Metrics, GaugesOfAModelGoWithIt) {
  TestServer server;
  Client client(server.port());
  const auto text = [&] { return client.request("GET", "/metrics").body; };
  const std::string info = R"(suanli_model_info{kind="embedding",model="tiny",version="1"} 1)";
  EXPECT_NE(text().find(info), std::string::npos) << text();
  EXPECT_NE(text().find("suanli_requests_in_flight 0"), std::string::npos) << "who looks is no work";
  server.models->load("tiny");
  EXPECT_EQ(text().find(info), std::string::npos) << "version 2 is there now";
  server.models->unload("tiny");
  EXPECT_EQ(text().find("suanli_queue_size{model=\"tiny\"}"), std::string::npos);
}

/// Every metric that examples/grafana_dashboard.json asks for is one that a server has.
TEST(Dashboard, AsksForMetricsThatAServerHas) {
  TestServerOptions options;
  options.model = tiny_model({"cat", "dog"});
  monitor::BaselineProfile baseline;
  for (int i = 0; i < 400; ++i) baseline.add(monitor::observed_text(8 + i % 7, 5 + i % 5, 0));
  baseline.save(options.model / monitor::kBaselineProfile);
  TestServer server(options);
  Client client(server.port());
  for (int i = 0; i < 120; ++i) {
    ASSERT_EQ(client.request("POST", "/predict", R"({"inputs":"w1 w2"})", "x-request-id: r\r\n").status, 200);
  }
  EXPECT_EQ(client.post("/v2/models/tiny/feedback", R"({"id":"r","label":"cat"})").status, 200);
  server.alerts.take({warm_alert()});
  server.metrics.before_text([&] { server.alerts.set_metrics(server.metrics); });
  std::set<std::string> there = {"suanli_energy_joules_total", "suanli_cost_total", "suanli_co2_kilograms_total"};
  for (const auto& sample : monitor::parse_metrics_text(client.request("GET", "/metrics").body, "metrics")) {
    there.insert(sample.name);
  }
  const Json dashboard =
      read_json(std::filesystem::path(SUANLI_TESTS_DIR) / "../examples/grafana_dashboard.json", 1 << 20);
  int asked = 0;
  for (const Json& panel : dashboard["panels"]) {
    if (!panel.contains("targets")) continue;
    for (const Json& target : panel["targets"]) {
      for (const std::string& name : found(target["expr"], R"re((suanli_[a-z0-9_]+))re")) {
        ++asked;
        EXPECT_TRUE(there.contains(name)) << name << " in " << panel["title"];
      }
    }
  }
  EXPECT_GT(asked, 12);
}

}  // namespace
}  // namespace suanli::serve
