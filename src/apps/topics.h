/// What a message is about: the shares that it names, else the phrase of it that the stream repeats.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace suanli::apps {

/// "$AAPL", "$BRK.B" of a text, in capitals, each once, in their order: a dollar sign that no letter or digit stands
/// before, one to five letters, perhaps a point and one or two more.
std::vector<std::string> cashtags(std::string_view text);

/// Runs of one to `longest` words that no stop word, number, link, user name or punctuation interrupts, in lower case,
/// as RAKE takes its candidates (Rose, Engel, Cramer and Cowley 2010, "Automatic keyword extraction from individual
/// documents"); each once.
std::vector<std::string> phrase_candidates(std::string_view text, size_t longest = 3);

struct PhraseOptions {
  size_t most = 20'000;     ///< phrases counted at once
  int64_t least_count = 3;  ///< messages that have a phrase before it can be a topic
};

/// The phrases of a stream, counted with bounded memory as lossy counting does (Manku and Motwani 2002): where there
/// are more than `most`, those that came least often are forgotten. The same messages in the same order give the same
/// topics.
class KeyPhrases {
 public:
  explicit KeyPhrases(const PhraseOptions& options = {}) : options_(options) {}

  /// Counts the message and gives its topic: the candidate of the greatest words * count * log(messages / count), a
  /// TF-IDF over the stream; "" where none has come least_count times. A phrase that half of all messages have weighs
  /// nothing: at less than two messages a count it is no topic.
  std::string topic(std::string_view text);
  size_t size() const { return counts_.size(); }

 private:
  void forget_rare();
  PhraseOptions options_;
  int64_t messages_ = 0;
  std::unordered_map<std::string, int64_t> counts_;
};

}  // namespace suanli::apps
