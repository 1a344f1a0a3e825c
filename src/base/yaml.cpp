#include "base/yaml.h"

#include <charconv>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "base/yaml_events.h"

namespace suanli {
namespace {

Json plain_scalar(const std::string& text) {
  if (text == "true" || text == "True") return true;
  if (text == "false" || text == "False") return false;
  const char* const end = text.data() + text.size();
  int64_t whole = 0;
  if (const auto parsed = std::from_chars(text.data(), end, whole); parsed.ec == std::errc() && parsed.ptr == end) {
    return whole;
  }
  double real = 0;
  const auto parsed = std::from_chars(text.data(), end, real);
  return parsed.ec == std::errc() && parsed.ptr == end && std::isfinite(real) ? Json(real) : Json(text);
}

/// Builds the JSON from the parser's events.
class JsonBuilder : public YAML::EventHandler {
 public:
  /// Notes the lines of values in `lines` unless that is null.
  JsonBuilder(std::string_view where, std::map<std::string, int>* lines) : where_(where), lines_(lines) {}
  Json take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw UserError(yaml_place(where_, mark), "expected one YAML document, got several (---)");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check(mark, "", anchor);
    note_line(mark);
    put(mark, Json());
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw UserError(yaml_place(where_, mark), "aliases (*name) are not read; write the value");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check(mark, tag, anchor);
    if (open_.empty() || !open_.back().is_object() || keys_.back()) {
      note_line(mark);
      put(mark, tag == "!" ? Json(value) : plain_scalar(value));
    } else {
      keys_.back() = std::make_unique<std::string>(value);
    }
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check(mark, tag, anchor);
    open(mark, Json::array());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check(mark, tag, anchor);
    open(mark, Json::object());
  }
  void OnMapEnd() override { close(); }

 private:
  void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) const {
    if (anchor != 0) throw UserError(yaml_place(where_, mark), "anchors (&name) are not read; remove it");
    if (tag != "?" && tag != "!" && !tag.empty()) {
      throw UserError(yaml_place(where_, mark), concat("tags such as ", tag.substr(0, 60), " are not read"));
    }
  }

  void open(const YAML::Mark& mark, Json container) {
    constexpr size_t kNesting = 16;
    if (open_.size() == kNesting) {
      throw UserError(yaml_place(where_, mark), concat("expected at most ", kNesting, " levels"));
    }
    if (!open_.empty() && open_.back().is_object() && !keys_.back()) {
      throw UserError(yaml_place(where_, mark), "expected a plain key");
    }
    note_line(mark);
    open_.push_back(std::move(container));
    keys_.push_back(nullptr);
  }

  void close() {
    Json done = std::move(open_.back());
    open_.pop_back();
    keys_.pop_back();
    put(YAML::Mark::null_mark(), std::move(done));
  }

  /// The value that comes next stands at `mark`.
  void note_line(const YAML::Mark& mark) {
    if (lines_ == nullptr) return;
    Json::json_pointer pointer;
    for (size_t level = 0; level < open_.size(); ++level) {
      if (keys_[level]) {
        pointer.push_back(*keys_[level]);
      } else {
        pointer.push_back(concat(open_[level].size()));
      }
    }
    lines_->emplace(pointer.to_string(), mark.line + 1);
  }

  void put(const YAML::Mark& mark, Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().is_array()) {
      open_.back().push_back(std::move(value));
    } else if (!keys_.back()) {
      throw UserError(yaml_place(where_, mark), "expected a plain key");
    } else if (!open_.back().emplace(*keys_.back(), std::move(value)).second) {
      throw UserError(yaml_place(where_, mark), concat("the key \"", keys_.back()->substr(0, 60), "\" comes twice"));
    } else {
      keys_.back() = nullptr;
    }
  }

  std::string where_;
  std::map<std::string, int>* lines_;
  int documents_ = 0;
  Json root_;
  std::vector<Json> open_;                          ///< from the outermost
  std::vector<std::unique_ptr<std::string>> keys_;  ///< of each: the key whose value comes next
};

Json yaml_value(std::string_view text, std::string_view where, std::map<std::string, int>* lines) {
  if (find_invalid_utf8(text) != std::string_view::npos || text.find('\0') != std::string_view::npos) {
    throw UserError(where, "expected UTF-8 text; save the file as UTF-8");
  }
  JsonBuilder builder(where, lines);
  read_yaml_events(text, where, builder);
  return builder.take();
}

}  // namespace

Json parse_yaml(std::string_view text, std::string_view where) { return yaml_value(text, where, nullptr); }

YamlDocument parse_yaml_with_lines(std::string_view text, std::string_view where) {
  YamlDocument document;
  document.value = yaml_value(text, where, &document.lines);
  return document;
}

Json read_yaml(const std::filesystem::path& file) {
  constexpr uint64_t kBytes = uint64_t{16} << 20;
  return parse_yaml(read_file(file, kBytes), file.string());
}

}  // namespace suanli
