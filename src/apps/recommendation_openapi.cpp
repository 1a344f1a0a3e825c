#include "apps/recommendation_routes.h"

namespace suanli::apps {
namespace {

constexpr const char* kRequest = R"({"type":"object","properties":{
  "user":{"$ref":"#ID"},
  "history":{"type":"array","minItems":1,"maxItems":10000,"items":{"$ref":"#ID"}},
  "k":{"type":"integer","minimum":1,"maximum":100,"default":10},
  "exclude":{"type":"array","maxItems":10000,"items":{"$ref":"#ID"}},
  "filter":{"type":"object","required":["genres"],"properties":{
    "genres":{"type":"array","minItems":1,"maxItems":100,"items":{"type":"string"}}}}}})";
constexpr const char* kAnswer = R"({"type":"object","required":["recommendations"],"properties":{
  "recommendations":{"type":"array","items":{"type":"object","required":["id","title","score","because"],"properties":{
    "id":{"type":"string"},"title":{"type":"string"},"score":{"type":"number"},
    "because":{"type":"object","required":["id","title"],"properties":{
      "id":{"type":"string"},"title":{"type":"string"}}}}}}}})";
constexpr const char* kItemRequest = R"({"type":"object","required":["id","title"],"properties":{
  "id":{"$ref":"#ID"},"title":{"type":"string","minLength":1,"maxLength":4096},
  "genres":{"type":"string","maxLength":4096}}})";
constexpr const char* kItemAnswer = R"({"type":"object","required":["id","items"],"properties":{
  "id":{"type":"string"},"items":{"type":"integer"}}})";
constexpr const char* kEventRequest = R"({"type":"object","required":["user","item"],"properties":{
  "user":{"$ref":"#ID"},"item":{"$ref":"#ID"},
  "event":{"type":"string","enum":["like","seen"],"default":"like"}}})";
constexpr const char* kEventAnswer = R"({"type":"object","required":["user","likes"],"properties":{
  "user":{"type":"string"},"likes":{"type":"integer"}}})";

/// The schema with what an id is in the place of every reference to one.
Json schema_of(std::string text) {
  const std::string mark = R"({"$ref":"#ID"})";
  const std::string id = R"({"anyOf":[{"type":"string","minLength":1,"maxLength":256},{"type":"integer"}]})";
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark)) text.replace(at, mark.size(), id);
  return parse_json(text, "openapi");
}

}  // namespace

std::vector<serve::ApplicationRoute> recommendation_openapi() {
  return {{"post", "/v1/recommendations", "What a user likes next", schema_of(kRequest), schema_of(kAnswer)},
          {"post", "/v1/recommendations/items", "Adds an item by its text", schema_of(kItemRequest),
           schema_of(kItemAnswer)},
          {"post", "/v1/recommendations/feedback", "Remembers what a user liked or saw", schema_of(kEventRequest),
           schema_of(kEventAnswer)}};
}

}  // namespace suanli::apps
