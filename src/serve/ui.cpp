#include <cstdio>
#include <functional>

#include "serve/service.h"

namespace suanli::serve {

namespace {

struct Asset {
  std::string_view name, type, text;
};

constexpr const char* kScript = "text/javascript; charset=utf-8";

constexpr Asset kAssets[] = {
    {
        "index.html",
        "text/html; charset=utf-8",
#include "ui.index.html.inc"
    },
    {
        "style.css",
        "text/css; charset=utf-8",
#include "ui.style.css.inc"
    },
    {
        "icon.svg",
        "image/svg+xml",
#include "ui.icon.svg.inc"
    },
    {
        "app.js",
        kScript,
#include "ui.app.js.inc"
    },
    {
        "charts.js",
        kScript,
#include "ui.charts.js.inc"
    },
    {
        "metrics.js",
        kScript,
#include "ui.metrics.js.inc"
    },
    {
        "panels.js",
        kScript,
#include "ui.panels.js.inc"
    },
    {
        "try.js",
        kScript,
#include "ui.try.js.inc"
    },
};

// The page loads and asks its own server alone, and runs nothing that stands in the page itself.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

/// Changes with the text.
std::string tag_of(std::string_view text) {
  char tag[24];
  std::snprintf(tag, sizeof tag, "\"%016zx\"", std::hash<std::string_view>()(text));
  return tag;
}

void answer_asset(const ExchangePointer& exchange, std::string_view name) {
  for (const Asset& asset : kAssets) {
    if (asset.name != name) continue;
    Response response{.content_type = std::string(asset.type),
                      .headers = {{"ETag", tag_of(asset.text)},
                                  {"Cache-Control", "no-cache"},
                                  {"Content-Security-Policy", kPolicy},
                                  {"X-Content-Type-Options", "nosniff"},
                                  {"Referrer-Policy", "no-referrer"}}};
    if (exchange->request().header("if-none-match") == response.headers.front().second) {
      response.status = 304;
    } else {
      response.body = asset.text;
    }
    return exchange->answer(std::move(response));
  }
  throw RequestError(Fault::not_found, "no such file");
}

}  // namespace

void add_ui_routes(Router& router) {
  // The files hold no data: what they show is asked for with a key.
  router.add({.method = "GET", .pattern = "/ui", .scope = Scope::open, .handler = [](const ExchangePointer& exchange) {
                answer_asset(exchange, "index.html");
              }});
  router.add(
      {.method = "GET", .pattern = "/ui/{file}", .scope = Scope::open, .handler = [](const ExchangePointer& exchange) {
         answer_asset(exchange, exchange->request().parameters[0]);
       }});
}

}  // namespace suanli::serve
