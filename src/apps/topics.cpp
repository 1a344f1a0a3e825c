#include "apps/topics.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>
#include <unordered_set>

namespace suanli::apps {

namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || byte >= 128 || c == '\'' || c == '&' || c == '-';
}

/// Words that say nothing of what a text is about: articles, pronouns, prepositions, forms of be, have and do.
const std::unordered_set<std::string_view>& stop_words() {
  static const std::unordered_set<std::string_view> kWords = {
      "a",     "about", "after", "again",  "all",  "also", "am",    "an",    "and",  "any",    "are",   "as",
      "at",    "be",    "been",  "before", "but",  "by",   "can",   "could", "did",  "do",     "does",  "down",
      "for",   "from",  "get",   "gets",   "got",  "had",  "has",   "have",  "he",   "her",    "here",  "his",
      "how",   "i",     "if",    "in",     "into", "is",   "it",    "its",   "it's", "just",   "may",   "me",
      "more",  "most",  "my",    "new",    "no",   "not",  "now",   "of",    "off",  "on",     "one",   "only",
      "or",    "our",   "out",   "over",   "per",  "said", "says",  "see",   "she",  "should", "so",    "some",
      "than",  "that",  "the",   "their",  "them", "then", "there", "these", "they", "this",   "those", "to",
      "today", "too",   "under", "up",     "us",   "via",  "vs",    "was",   "we",   "were",   "what",  "when",
      "where", "which", "who",   "why",    "will", "with", "would", "you",   "your", "-",      "&",     "rt"};
  return kWords;
}

/// The end of a link, a user name, a hash or cash tag that begins at `begin`; `begin` where none does.
size_t end_of_mark(std::string_view text, size_t begin) {
  const std::string_view rest = text.substr(begin);
  const bool mark = rest.starts_with("http://") || rest.starts_with("https://") || rest.starts_with("www.") ||
                    rest.front() == '@' || rest.front() == '$';
  return mark ? begin + std::min(rest.find_first_of(" \t\r\n"), rest.size()) : begin;
}

}  // namespace

std::vector<std::string> cashtags(std::string_view text) {
  std::vector<std::string> out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || (i > 0 && std::isalnum(static_cast<unsigned char>(text[i - 1])) != 0)) continue;
    size_t end = i + 1;
    while (end < text.size() && is_letter(text[end])) ++end;
    const size_t letters = end - i - 1;
    if (letters < 1 || letters > 5 || (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0)) {
      continue;
    }
    if (end + 1 < text.size() && text[end] == '.' && is_letter(text[end + 1])) {
      size_t more = end + 1;
      while (more < text.size() && is_letter(text[more])) ++more;
      if (more - end - 1 <= 2) end = more;
    }
    std::string tag(text.substr(i, end - i));
    std::ranges::transform(tag, tag.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (std::ranges::find(out, tag) == out.end()) out.push_back(std::move(tag));
  }
  return out;
}

std::vector<std::string> phrase_candidates(std::string_view text, size_t longest) {
  std::vector<std::string> out, run;
  const auto end_run = [&] {
    for (size_t begin = 0; begin < run.size(); ++begin) {
      std::string phrase;
      for (size_t end = begin; end < std::min(run.size(), begin + longest); ++end) {
        phrase += (phrase.empty() ? "" : " ") + run[end];
        if (std::ranges::find(out, phrase) == out.end()) out.push_back(phrase);
      }
    }
    run.clear();
  };
  for (size_t i = 0; i < text.size();) {
    if (const size_t end = end_of_mark(text, i); end > i) {
      end_run();
      i = end;
    } else if (!is_word_byte(text[i])) {
      if (text[i] != ' ') end_run();
      ++i;
    } else {
      size_t end_of_word = i;
      while (end_of_word < text.size() && is_word_byte(text[end_of_word])) ++end_of_word;
      std::string word(text.substr(i, end_of_word - i));
      std::ranges::transform(word, word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      const bool tells = word.size() > 1 && !stop_words().contains(word) &&
                         std::ranges::none_of(word, [](unsigned char c) { return std::isdigit(c) != 0; });
      tells ? run.push_back(std::move(word)) : end_run();
      i = end_of_word;
    }
  }
  end_run();
  return out;
}

std::string KeyPhrases::topic(std::string_view text) {
  ++messages_;
  std::string best;
  double best_weight = 0;
  for (std::string& phrase : phrase_candidates(text)) {
    const int64_t count = ++counts_[phrase];
    if (count < options_.least_count || 2 * count > messages_) continue;
    const auto words = static_cast<double>(1 + std::ranges::count(phrase, ' '));
    const double weight =
        words * static_cast<double>(count) * std::log(static_cast<double>(messages_) / static_cast<double>(count));
    if (weight > best_weight || (weight == best_weight && phrase < best)) {
      best_weight = weight;
      best = std::move(phrase);
    }
  }
  if (counts_.size() > options_.most) forget_rare();
  return best;
}

void KeyPhrases::forget_rare() {
  for (int64_t least = 1; counts_.size() > options_.most / 2; least *= 2) {
    std::erase_if(counts_, [least](const auto& entry) { return entry.second <= least; });
  }
}

}  // namespace suanli::apps
