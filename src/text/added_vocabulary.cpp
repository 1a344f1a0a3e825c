#include "text/added_vocabulary.h"

#include <algorithm>
#include <numeric>

#include "base/concat.h"
#include "base/error.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace suanli {

AddedVocabulary::AddedVocabulary(std::vector<AddedToken> tokens, const Vocabulary& model, const Normalizer* normalizer,
                                 std::string_view where)
    : tokens_(std::move(tokens)) {
  std::sort(tokens_.begin(), tokens_.end(), [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  by_content_.resize(tokens_.size());
  std::iota(by_content_.begin(), by_content_.end(), size_t{0});
  std::sort(by_content_.begin(), by_content_.end(),
            [&](size_t a, size_t b) { return tokens_[a].content < tokens_[b].content; });
  const auto fail = [&](const AddedToken& token, std::string_view what) {
    throw UserError(where, concat("added token '", token.content, "' (id ", token.id, ") ", what));
  };
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const AddedToken& token = tokens_[i];
    if (token.content.empty()) fail(token, "is empty");
    if (token.content.find('\0') != std::string::npos) fail(token, "holds the character NUL");
    if (i > 0 && token.id == tokens_[i - 1].id) fail(token, "has the id of another added token");
    if (i > 0 && tokens_[by_content_[i]].content == tokens_[by_content_[i - 1]].content) {
      fail(tokens_[by_content_[i]], "comes twice");
    }
    const int32_t known = model.find(token.content);
    if (known != Vocabulary::kMissing && known != token.id) {
      fail(token, concat("has another id in the model's vocabulary: ", known));
    }
    if (known == Vocabulary::kMissing && model.holds(token.id)) {
      fail(token, concat("has the id of the vocabulary's token '", model.token(token.id), "'"));
    }
    Pattern pattern{to_code_points(token.content), i};
    if (token.normalized && normalizer != nullptr) {
      AlignedText text;
      text.assign(pattern.text, 0);
      normalizer->apply(text);
      pattern.text = text.chars;
    }
    if (!pattern.text.empty()) (token.normalized ? normalized_ : raw_).push_back(std::move(pattern));
  }
  for (auto* list : {&raw_, &normalized_}) {
    std::stable_sort(list->begin(), list->end(), [](const Pattern& a, const Pattern& b) { return a.text < b.text; });
  }
}

const AddedVocabulary::Pattern* AddedVocabulary::longest(const std::vector<Pattern>& patterns,
                                                         std::u32string_view text) {
  const Pattern* found = nullptr;
  auto low = patterns.begin(), high = patterns.end();
  for (size_t depth = 0; depth < text.size() && low != high; ++depth) {
    // Of the patterns that agree with the text so far, those that also have its next code point.
    const char32_t c = text[depth];
    low =
        std::partition_point(low, high, [&](const Pattern& p) { return p.text.size() <= depth || p.text[depth] < c; });
    high = std::partition_point(low, high, [&](const Pattern& p) { return p.text[depth] == c; });
    if (low != high && low->text.size() == depth + 1) found = &*low;
  }
  return found;
}

void AddedVocabulary::find(std::u32string_view text, In in, std::vector<AddedMatch>& out) const {
  out.clear();
  const std::vector<Pattern>& list = patterns(in);
  const auto is_first = [&](char32_t c) {
    const auto at = std::lower_bound(list.begin(), list.end(), c,
                                     [](const Pattern& p, char32_t value) { return p.text[0] < value; });
    return at != list.end() && at->text[0] == c;
  };
  size_t done = 0;  // where the last token ended, with the whitespace it took
  for (size_t i = 0; i < text.size();) {
    const Pattern* pattern = is_first(text[i]) ? longest(list, text.substr(i)) : nullptr;
    if (pattern == nullptr) {
      ++i;
      continue;
    }
    const AddedToken& token = tokens_[pattern->token];
    size_t begin = i, end = i + pattern->text.size();
    i = end;
    if (token.single_word &&
        ((begin > 0 && unicode::is_word(text[begin - 1])) || (end < text.size() && unicode::is_word(text[end])))) {
      continue;
    }
    while (token.lstrip && begin > done && unicode::is_whitespace(text[begin - 1])) --begin;
    while (token.rstrip && end < text.size() && unicode::is_whitespace(text[end])) ++end;
    if (done < begin) out.push_back({static_cast<uint32_t>(done), static_cast<uint32_t>(begin), Vocabulary::kMissing});
    out.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end), token.id});
    done = end;
    i = std::max(i, end);
  }
  if (done < text.size()) {
    out.push_back({static_cast<uint32_t>(done), static_cast<uint32_t>(text.size()), Vocabulary::kMissing});
  }
}

int32_t AddedVocabulary::find_token(std::string_view token) const {
  const auto at =
      std::lower_bound(by_content_.begin(), by_content_.end(), token,
                       [&](size_t index, std::string_view value) { return tokens_[index].content < value; });
  return at != by_content_.end() && tokens_[*at].content == token ? tokens_[*at].id : Vocabulary::kMissing;
}

const AddedToken* AddedVocabulary::token(int32_t id) const {
  const auto at = std::lower_bound(tokens_.begin(), tokens_.end(), id,
                                   [](const AddedToken& token, int32_t value) { return token.id < value; });
  return at != tokens_.end() && at->id == id ? &*at : nullptr;
}

}  // namespace suanli
