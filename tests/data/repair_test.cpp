// Text that went through the wrong encoding comes back; proper text in many scripts stays as it is, byte for byte.
#include "data/repair.h"

#include <string>

#include <gtest/gtest.h>

#include "data/cell.h"
#include "data/content.h"
#include "expect_error.h"

namespace suanli {
namespace {

std::string repaired(std::string text, uint8_t expected) {
  EXPECT_EQ(repair_text(&text), expected) << text;
  return text;
}

const char* const kProper[] = {"plain", "naïve café", "„das große Ö“", "北京 is 北京",         "Привет", "😀 — “x”",
                               "Ã",     "\t\r\n",     "Å Ä Ö å ä ö",   "été à Noël : « oui »", ""};

TEST(Repair, ProperTextStays) {
  for (const char* text : kProper) EXPECT_EQ(repaired(text, 0), text);
}

TEST(Repair, MojibakeOfProperTextComesBackOnceAndTwice) {
  // Reading UTF-8 bytes as Windows-1252 is what from_windows_1252 does.
  for (const char* text : {"naïve café", "“quoted” — dash", "Привет", "日本", "10 €"}) {
    const std::string once = from_windows_1252(text), twice = from_windows_1252(once);
    if (once.find("\xEF\xBF\xBD") != std::string::npos) continue;  // a byte that Windows-1252 does not have is lost
    EXPECT_EQ(repaired(once, kUndidMojibake), text);
    if (twice.find("\xEF\xBF\xBD") != std::string::npos) continue;
    EXPECT_EQ(repaired(twice, kUndidMojibake), text);
  }
  EXPECT_EQ(repaired("cafÃ© Ã\xC2\xA0 la carte", kUndidMojibake), "café à la carte");
  EXPECT_EQ(repaired("cafÃ© 北京", 0), "cafÃ© 北京") << "mixed with what cannot come from such a reading";
}

TEST(Repair, BytesControlsAndComposition) {
  EXPECT_EQ(repaired("caf\xE9 10 \x80", kDecodedBytes), "café 10 €");
  EXPECT_EQ(repaired(std::string("a\0b\x07"
                                 "c",
                                 5),
                     kRemovedControls),
            "abc");
  EXPECT_EQ(repaired("e\xCC\x81t\xC3\xA9", kComposedLetters), "été");
  EXPECT_EQ(repaired("\xEF\xBB\xBFx\tü", kRemovedControls), "x\tü");
}

TEST(Cell, NumbersDatesMissing) {
  EXPECT_EQ(parse_number(" +1.5e3 "), 1500.0);
  for (const char* text : {"", "1,5", "nan", "inf", "0x10", "1 2", "1e999"}) EXPECT_FALSE(parse_number(text)) << text;
  for (const char* text : {"", " ", "NA", "NaN", "null", "None", "N/A"}) EXPECT_TRUE(is_missing(text)) << text;
  for (const char* text : {"0", "no", "Nan Bread", "n", "none of it"}) EXPECT_FALSE(is_missing(text)) << text;
  EXPECT_EQ(parse_date("1970-01-02"), 86400);
  EXPECT_EQ(parse_date("2024-02-29T12:30:05Z"), 1709209805);
  EXPECT_EQ(parse_date("2024-02-29 14:30:05.123+02:00"), 1709209805);
  EXPECT_EQ(parse_date("1969/12/31 23:59"), -60);
  for (const char* text : {"2023-02-29", "2024-13-01", "2024-01-01T25:00", "2024-01-01x", "2024-01/01", "20240101"}) {
    EXPECT_FALSE(parse_date(text)) << text;
  }
  EXPECT_EQ(shortened("北京城", 2), "北京...");
  EXPECT_EQ(shortened("北京城", 3), "北京城");
}

TEST(Content, CaseSpacesAndCompositionDoNotCount) {
  EXPECT_EQ(normalized_content("  Hello\t\n WORLD "), "hello world");
  EXPECT_EQ(normalized_content("E\xCC\x81T\xC3\x89\xE3\x80\x80X"), "été x");
  EXPECT_NE(normalized_content("1.5"), normalized_content("15"));
  EXPECT_EQ(words_of("good film 北京x").size(), 5U);
  EXPECT_EQ(words_of(" ").size(), 0U);
}

TEST(Content, ScriptsTellLettersNotLanguages) {
  const Script latin[] = {Script::latin};
  EXPECT_EQ(share_of_scripts("été 12 — !", latin), 1.0);
  EXPECT_EQ(share_of_scripts("abПр", latin), 0.5);
  EXPECT_EQ(share_of_scripts("123 !", latin), 1.0);
  const Script chinese[] = {script_named("han")};
  EXPECT_EQ(share_of_scripts("北京 ok", chinese), 0.5);
  EXPECT_NE(error_of([] { script_named("latni"); }).find("latin, greek"), std::string::npos);
}

}  // namespace
}  // namespace suanli
