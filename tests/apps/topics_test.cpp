// What a message is about: the shares that it names, else a phrase that the stream repeats.
#include "apps/topics.h"

#include <gtest/gtest.h>

namespace suanli::apps {
namespace {

using Names = std::vector<std::string>;

TEST(Topics, CashtagsAreSharesAndNotPrices) {
  EXPECT_EQ(cashtags("$AAPL and $brk.b rise, $AAPL most"), (Names{"$AAPL", "$BRK.B"}));
  EXPECT_EQ(cashtags("it costs $5, $1.2B or US$ 3; a$b; $TOOLONG; $"), Names{});
  EXPECT_EQ(cashtags("$F. And ($GM)"), (Names{"$F", "$GM"}));
}

TEST(Topics, CandidatesAreRunsOfWordsThatTell) {
  EXPECT_EQ(phrase_candidates("The trade war with China", 3), (Names{"trade", "trade war", "war", "china"}));
  EXPECT_EQ(phrase_candidates("oil prices: 3% https://t.co/x @me $F", 2), (Names{"oil", "oil prices", "prices"}));
  EXPECT_EQ(phrase_candidates("", 3), Names{});
}

TEST(Topics, APhraseThatTheStreamRepeatsIsTheTopic) {
  KeyPhrases phrases;
  EXPECT_EQ(phrases.topic("trade war hurts exports"), "") << "nothing has come often enough";
  std::string last;
  for (int i = 0; i < 20; ++i) {
    phrases.topic("weather number" + std::string(1, static_cast<char>('a' + i)));
    if (i % 4 == 0) last = phrases.topic("trade war again by word" + std::string(1, static_cast<char>('a' + i)));
  }
  EXPECT_EQ(last, "trade war");
  EXPECT_EQ(phrases.topic("nobody has said this"), "");
}

TEST(Topics, CountsAreBoundedAndWhatIsFrequentStays) {
  KeyPhrases phrases({.most = 200, .least_count = 3});
  for (int i = 0; i < 3000; ++i) {
    const auto letters = [](int n) {
      std::string out;
      for (; n > 0; n /= 26) out += static_cast<char>('a' + n % 26);
      return std::string(1, 'q').append(out);
    };
    if (i % 5 == 0) phrases.topic("oil price");
    phrases.topic(letters(i + 26) + " " + letters(3 * i + 7000));
    ASSERT_LE(phrases.size(), 200u);
  }
  EXPECT_EQ(phrases.topic("oil price"), "oil price");
}

}  // namespace
}  // namespace suanli::apps
