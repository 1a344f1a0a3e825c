#include "text/question_answering.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/concat.h"
#include "base/error.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace suanli {
namespace {

constexpr size_t kColumns = 2;  // start, end

struct Candidate {
  size_t window, start, end;  // tokens of the window's part of the context
  double score;
};

/// Softmax over the first token and the part of the context, of column 0 (starts) or 1 (ends); [0] is the first token.
std::vector<double> probabilities(const QuestionWindow& window, std::span<const float> logits, size_t column) {
  std::vector<double> p = {logits[column]};
  for (size_t t = 0; t < window.offsets.size(); ++t) p.push_back(logits[(window.first + t) * kColumns + column]);
  const double largest = *std::ranges::max_element(p);
  double sum = 0;
  for (double& value : p) sum += value = std::exp(value - largest);
  for (double& value : p) value /= sum;
  return p;
}

/// The best spans of one window, best first.
std::vector<Candidate> candidates(size_t index, const std::vector<double>& start, const std::vector<double>& end,
                                  const AnswerOptions& options) {
  std::vector<Candidate> all;
  const size_t tokens = start.size() - 1, longest = static_cast<size_t>(options.max_answer_length);
  for (size_t s = 0; s < tokens; ++s) {
    for (size_t e = s; e < std::min(tokens, s + longest); ++e) all.push_back({index, s, e, start[s + 1] * end[e + 1]});
  }
  const size_t kept = std::min(all.size(), static_cast<size_t>(options.n_best_size));
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(kept), std::greater{}, &Candidate::score);
  all.resize(kept);
  return all;
}

std::u32string lower_case(std::string_view text) {
  AlignedText lower;
  lower.assign(to_code_points(text), 0);
  unicode::lowercase(lower);
  return lower.chars;
}

bool is_ascii_punctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

/// The words of a normalised answer.
std::vector<std::u32string> answer_words(std::string_view text) {
  std::vector<std::u32string> words = {{}};
  const std::u32string lower = lower_case(text);
  std::u32string run;  // of \w, for Python's \b(a|an|the)\b
  const auto close_run = [&] {
    if (run == U"a" || run == U"an" || run == U"the") {
      words.emplace_back();
    } else {
      words.back() += run;
    }
    run.clear();
  };
  for (const char32_t c : lower) {
    if (is_ascii_punctuation(c)) continue;
    if (unicode::is_word(c)) {
      run += c;
      continue;
    }
    close_run();
    if (unicode::is_whitespace(c)) {
      words.emplace_back();
    } else {
      words.back().push_back(c);
    }
  }
  close_run();
  std::erase_if(words, [](const std::u32string& word) { return word.empty(); });
  return words;
}

}  // namespace

std::vector<QuestionWindow> question_windows(const Tokenizer& tokenizer, std::string_view question,
                                             std::string_view context, const QuestionWindowOptions& options) {
  const Encoding whole = tokenizer.encode_pair(question, context);
  const auto skip = [&](size_t at, uint8_t special) {
    while (at < whole.size() && whole.special[at] == special) ++at;
    return at;
  };
  const size_t asked = skip(0, 1), asked_end = skip(asked, 0), first = skip(asked_end, 1), last = skip(first, 0);
  if (asked == asked_end || first == last) {
    throw UserError("question", "expected a question and a context that are not empty");
  }
  const auto around = static_cast<int64_t>(first + whole.size() - last);  // tokens beside the part of the context
  const int64_t room = options.max_length - around;
  const auto tokens = static_cast<int64_t>(last - first);
  if (room < 1 || (tokens > room && room <= options.doc_stride)) {
    throw UserError("question",
                    concat("expected a question that leaves room for more than ", options.doc_stride,
                           " tokens of the context within ", options.max_length, ", got one of ", asked_end - asked));
  }
  std::vector<QuestionWindow> windows;
  for (int64_t begin = 0;; begin += room - options.doc_stride) {
    const int64_t end = std::min(begin + room, tokens);
    QuestionWindow& window = windows.emplace_back();
    const auto add = [&](size_t from, size_t to) {
      for (size_t t = from; t < to; ++t) {
        window.ids.push_back(whole.ids[t]);
        window.types.push_back(whole.types[t]);
      }
    };
    add(0, first);
    window.first = first;
    size_t word = first + static_cast<size_t>(begin);  // where the word of a token begins in this window
    const size_t from = word;
    for (size_t t = from; t < first + static_cast<size_t>(end); ++t) {
      if (whole.word_ids[t] != whole.word_ids[word]) word = t;
      window.offsets.push_back(whole.offsets[t]);
      window.words.push_back({whole.offsets[word].first, 0});
      for (size_t w = word; w <= t; ++w) window.words[w - from].second = whole.offsets[t].second;
    }
    add(first + static_cast<size_t>(begin), first + static_cast<size_t>(end));
    add(last, whole.size());
    if (end == tokens) return windows;
  }
}

TokenSpan answer_tokens(const QuestionWindow& window, uint32_t begin, uint32_t end) {
  const auto& offsets = window.offsets;
  if (offsets.front().first > begin || offsets.back().second < end) return {};
  size_t start = 0, stop = offsets.size() - 1;
  while (start + 1 < offsets.size() && offsets[start + 1].first <= begin) ++start;
  while (stop > start && offsets[stop - 1].second >= end) --stop;
  return {static_cast<int32_t>(window.first + start), static_cast<int32_t>(window.first + stop)};
}

std::vector<AnswerSpan> best_answers(std::string_view context, std::span<const QuestionWindow> windows,
                                     std::span<const std::span<const float>> logits, const AnswerOptions& options) {
  SUANLI_ASSERT(windows.size() == logits.size());
  const std::u32string text = to_code_points(context);
  std::vector<AnswerSpan> answers;
  std::map<std::u32string, size_t> known;  // by lower case
  double impossible = 1;
  for (size_t w = 0; w < windows.size(); ++w) {
    SUANLI_ASSERT(logits[w].size() == windows[w].ids.size() * kColumns);
    const auto start = probabilities(windows[w], logits[w], 0), end = probabilities(windows[w], logits[w], 1);
    impossible = std::min(impossible, start.front() * end.front());
    for (const Candidate& each : candidates(w, start, end, options)) {
      AnswerSpan span{.text = "",
                      .score = each.score,
                      .start = windows[w].words[each.start].first,
                      .end = windows[w].words[each.end].second};
      span.text = to_utf8(std::u32string_view(text).substr(span.start, span.end - span.start));
      const auto [entry, is_new] = known.try_emplace(lower_case(span.text), answers.size());
      if (is_new) {
        answers.push_back(std::move(span));
      } else {
        answers[entry->second].score += span.score;
      }
    }
  }
  if (options.handle_impossible_answer) answers.push_back({.text = "", .score = impossible});
  std::ranges::stable_sort(answers, std::greater{}, &AnswerSpan::score);
  answers.resize(std::min(answers.size(), static_cast<size_t>(options.top_k)));
  return answers;
}

std::string normalized_answer(std::string_view text) {
  std::string out;
  for (const std::u32string& word : answer_words(text)) {
    if (!out.empty()) out += ' ';
    out += to_utf8(word);
  }
  return out;
}

double exact_match(std::string_view truth, std::string_view answer) {
  return answer_words(truth) == answer_words(answer) ? 1 : 0;
}

double answer_f1(std::string_view truth, std::string_view answer) {
  auto a = answer_words(truth), b = answer_words(answer);
  if (a.empty() || b.empty()) return a == b ? 1 : 0;
  std::ranges::sort(a);
  std::ranges::sort(b);
  std::vector<std::u32string> common;
  std::ranges::set_intersection(a, b, std::back_inserter(common));
  return 2 * static_cast<double>(common.size()) / static_cast<double>(a.size() + b.size());
}

}  // namespace suanli
