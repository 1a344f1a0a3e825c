#include "base/flat_yaml.h"

#include <algorithm>

#include "base/concat.h"
#include "base/error.h"
#include "base/utf8.h"
#include "base/yaml_events.h"

namespace suanli {
namespace {

/// Receives the parser's events and refuses at once whatever a flat file does not hold.
class FlatReader : public YAML::EventHandler {
 public:
  explicit FlatReader(std::string_view where) : where_(where) {}
  std::vector<YamlEntry> take() { return std::move(entries_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw UserError(yaml_place(where_, mark), "several YAML documents (---); a run file is one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (state_ == State::outside) {
      state_ = State::behind;  // an empty document
      return;
    }
    check(mark, "", anchor);
    if (state_ == State::list)
      throw UserError(yaml_place(where_, mark), concat(key(), ": null inside a list; remove it"));
    if (state_ == State::key) throw UserError(yaml_place(where_, mark), "a key must be a plain name, found nothing");
    entries_.back().value_where = yaml_place(where_, mark);
    state_ = State::key;
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw UserError(yaml_place(where_, mark), concat(key(), ": aliases (*name) are not read; write the value"));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check(mark, tag, anchor);
    if (state_ == State::outside) refuse_root(mark);
    if (state_ == State::list) {
      entries_.back().list.push_back(value);
    } else if (state_ == State::key) {
      entries_.emplace_back();
      entries_.back().key = value;
      entries_.back().where = yaml_place(where_, mark);
      state_ = State::value;
    } else {
      entries_.back().kind = YamlEntry::Kind::scalar;
      entries_.back().text = value;
      entries_.back().value_where = yaml_place(where_, mark);
      state_ = State::key;
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check(mark, tag, anchor);
    if (state_ == State::outside) refuse_root(mark);
    if (state_ == State::key) throw UserError(yaml_place(where_, mark), "a key must be a plain name, found a list");
    if (state_ == State::list)
      throw UserError(yaml_place(where_, mark), concat(key(), ": a list inside a list; flatten it"));
    entries_.back().kind = YamlEntry::Kind::list;
    entries_.back().value_where = yaml_place(where_, mark);
    state_ = State::list;
  }
  void OnSequenceEnd() override { state_ = State::key; }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check(mark, tag, anchor);
    if (state_ == State::key)
      throw UserError(yaml_place(where_, mark), "a key must be a plain name, found a block or an open bracket");
    if (state_ != State::outside) {
      throw UserError(yaml_place(where_, mark),
                      concat(key(), ": found a nested block or an open bracket; run files are flat"));
    }
    state_ = State::key;
  }
  void OnMapEnd() override { state_ = State::behind; }

 private:
  enum class State { outside, key, value, list, behind };

  std::string key() const { return entries_.empty() ? "the file" : entries_.back().key.substr(0, 100); }

  [[noreturn]] void refuse_root(const YAML::Mark& mark) const {
    throw UserError(yaml_place(where_, mark), "expected lines of the form `key: value`");
  }

  void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) const {
    if (anchor != 0)
      throw UserError(yaml_place(where_, mark), concat(key(), ": anchors (&name) are not read; remove it"));
    if (tag != "?" && tag != "!" && !tag.empty()) {  // those of plain and quoted values
      throw UserError(yaml_place(where_, mark), concat(key(), ": tags such as ", tag.substr(0, 60), " are not read"));
    }
  }

  std::string where_;
  int documents_ = 0;
  State state_ = State::outside;
  std::vector<YamlEntry> entries_;
};

}  // namespace

std::vector<YamlEntry> parse_flat_yaml(std::string_view text, std::string_view where) {
  const auto line_of = [&](size_t offset) {
    return concat(where, ':', 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
  };
  if (const size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    throw UserError(line_of(bad), "not valid UTF-8; save the file as UTF-8");
  }
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    throw UserError(line_of(nul), "a NUL byte; the file is damaged or not YAML");
  }
  FlatReader reader(where);
  read_yaml_events(text, where, reader);
  return reader.take();
}

}  // namespace suanli
