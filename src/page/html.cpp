#include "page/html.h"

#include <cmath>
#include <cstdio>

#include "base/concat.h"
#include "base/utf8.h"

namespace suanli::page {
namespace {

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/>
<style>
:root { color-scheme: light dark; --ink: #1d2129; --soft: #667085; --line: #d7dce3; --paper: #fff; --bar: #2563a8; --gap: #c2572b;
  --c0: #2563a8; --c1: #c2572b; --c2: #2c7a4b; --c3: #8a4baf; --c4: #a0730b; --c5: #b1316f; --c6: #0f7c86; --c7: #5b6472 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --soft: #98a2b3; --line: #343b47; --paper: #14171c; --bar: #6ba5e7; --gap: #e08a62;
  --c0: #6ba5e7; --c1: #e08a62; --c2: #6fc48f; --c3: #c08fe0; --c4: #d9b04c; --c5: #e583b3; --c6: #5cc4ce; --c7: #a7b0be } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem; overflow-wrap: anywhere } h2 { font-size: 1.1rem; margin-top: 2rem } h3, figcaption { font-size: 1rem; font-weight: 600; margin: 0 }
section { border-top: 1px solid var(--line); padding: .8rem 0 } p { margin: .2rem 0; color: var(--soft) } p.alert { color: var(--gap); font-weight: 600 }
table { border-collapse: collapse; width: 100% } td, th { border-bottom: 1px solid var(--line); padding: .25rem .5rem; text-align: left; vertical-align: top; overflow-wrap: break-word; max-width: 22rem }
.wide { overflow-x: auto } .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.5rem }
figure { margin: .6rem 0; min-width: 0 } summary { color: var(--soft); cursor: pointer } details .wide { max-height: 20rem; overflow-y: auto }
svg, img { display: block; max-width: 100%; height: auto } figure svg { width: 100% } rect { fill: var(--bar) } rect.gap { fill: var(--gap) }
text { fill: var(--ink); font: 12px system-ui, sans-serif } .grid { stroke: var(--line) } .even { stroke: var(--soft); stroke-dasharray: 5 4; fill: none }
polyline { fill: none; stroke: var(--c); stroke-width: 2 } circle { fill: var(--c) } rect.bar { fill: var(--c) }
.legend span { color: var(--ink); margin-right: 1rem; overflow-wrap: anywhere } .legend span::before { content: ""; display: inline-block; width: .8em; height: .8em; margin-right: .4em; background: var(--c) }
.s0 { --c: var(--c0) } .s1 { --c: var(--c1) } .s2 { --c: var(--c2) } .s3 { --c: var(--c3) } .s4 { --c: var(--c4) } .s5 { --c: var(--c5) } .s6 { --c: var(--c6) } .s7 { --c: var(--c7) }
</style>
)";

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

void append_escaped(std::string& out, std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool no_character = text.substr(i).starts_with("\xEF\xBF\xBE") || text.substr(i).starts_with("\xEF\xBF\xBF");
    if (no_character) {
      out += kReplacement;
      i += 2;
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else if (c >= 0x20 || c == '\n' || c == '\t') {
      out += text[i];
    }
  }
}

void append_row(std::string& out, const Cells& cells, std::string_view element) {
  out += "<tr>";
  for (const std::string& cell : cells) {
    out += concat("<", element, ">");
    append_escaped(out, cell);
    out += concat("</", element, ">");
  }
  out += "</tr>\n";
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (;;) {
    const size_t bad = find_invalid_utf8(text);
    append_escaped(out, text.substr(0, bad));
    if (bad == std::string_view::npos) return out;
    out += kReplacement;
    text.remove_prefix(bad + 1);
  }
}

std::string number(double value, int digits) {
  if (std::isnan(value)) return "none";
  if (std::isinf(value)) return value > 0 ? "infinite" : "-infinite";
  char text[40];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

std::string table(const Cells& head, std::span<const Cells> rows) {
  std::string out = "<div class=\"wide\"><table>";
  append_row(out, head, "th");
  for (const Cells& row : rows) append_row(out, row, "td");
  return out + "</table></div>\n";
}

std::string document(std::string_view title, std::string_view body) {
  return concat(kHead, "<title>", escaped(title), "</title></head><body>\n", body, "</body></html>\n");
}

}  // namespace suanli::page
