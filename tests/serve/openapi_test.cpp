// The page of OpenAPI says what the server does: its routes, all of them and no others, and its limits.
#include "serve/openapi.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "serve/test_server.h"

namespace suanli::serve {
namespace {

/// "GET /health" of every operation of the page.
std::set<std::string> described(const Json& page) {
  std::set<std::string> out;
  for (const auto& [path, operations] : page["paths"].items()) {
    for (const auto& [method, operation] : operations.items()) {
      std::string upper = method;
      std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
      out.insert(upper + " " + path);
    }
  }
  return out;
}

void collect_references(const Json& json, std::set<std::string>& out) {
  if (json.is_object() && json.contains("$ref")) out.insert(json["$ref"].get<std::string>());
  if (json.is_structured()) {
    for (const Json& part : json) collect_references(part, out);
  }
}

TEST(OpenApi, ThePageHasTheRoutesOfTheRouterAndNoOthers) {
  TestServer server;
  Client client(server.port());
  const Reply reply = client.request("GET", "/api-doc/openapi.json");
  ASSERT_EQ(reply.status, 200);
  std::set<std::string> routes;
  for (const Route& route : server.router.routes()) routes.insert(route.method + " " + route.pattern);
  EXPECT_EQ(described(reply.json()), routes);
}

TEST(OpenApi, EverySchemaThatIsMeantIsThereAndMeant) {
  const Json page = openapi_page({});
  std::set<std::string> meant, there;
  collect_references(page, meant);
  for (const auto& [name, schema] : page["components"]["schemas"].items()) there.insert("#/components/schemas/" + name);
  EXPECT_EQ(meant, there);
}

TEST(OpenApi, OpenRoutesAreThoseThatNeedNoKey) {
  TestServer server;
  const Json page = openapi_page({});
  for (const Route& route : server.router.routes()) {
    const Json& operation = page["paths"][route.pattern][route.method == "GET" ? "get" : "post"];
    EXPECT_EQ(operation.contains("security"), route.scope == Scope::open) << route.pattern;
    const bool tei = route.error(Fault::invalid, "").status == 422;
    EXPECT_EQ(operation["responses"].contains("422"), tei) << route.pattern;
  }
}

TEST(OpenApi, LimitsAreThoseOfTheServer) {
  TestServerOptions options;
  options.server.limits.items_per_request = 3;
  TestServer server(options);
  Client client(server.port());
  const Json page = client.request("GET", "/api-doc/openapi.json").json();
  EXPECT_EQ(page["components"]["schemas"]["Inputs"]["anyOf"][2]["maxItems"], 3);
  EXPECT_EQ(page["components"]["schemas"]["RerankTexts"]["allOf"][1]["properties"]["texts"]["maxItems"], 3);
  for (const char* path : {"/embed", "/tokenize"}) {
    EXPECT_EQ(client.post(path, R"({"inputs":["w1","w2","w3"]})").status, 200) << path;
    EXPECT_EQ(client.post(path, R"({"inputs":["w1","w2","w3","w4"]})").status, 422) << path;
  }
  EXPECT_EQ(client.post("/decode", R"({"ids":[[5],[6],[7],[8]]})").status, 422);
}

}  // namespace
}  // namespace suanli::serve
