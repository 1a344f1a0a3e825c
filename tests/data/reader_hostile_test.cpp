// Every malformed data file ends in one message that names the file and the line; nothing crashes, nothing is guessed.
#include <string>

#include <gtest/gtest.h>

#include "base/random.h"
#include "data/reader.h"
#include "expect_error.h"

namespace suanli {
namespace {

struct Bad {
  std::string text, place, message;
};

void read_all(const std::string& text, const ReaderOptions& options) {
  const auto reader = open_examples(ByteSource::from_text(text, "d"), options);
  Example example;
  while (reader->next(&example)) {
  }
}

template <size_t N>
void expect_refused(const Bad (&cases)[N], const ReaderOptions& options) {
  for (const Bad& bad : cases) {
    const std::string message = error_of([&] { read_all(bad.text, options); });
    EXPECT_TRUE(message.starts_with(bad.place)) << bad.text.substr(0, 80) << "\n" << message;
    EXPECT_NE(message.find(bad.message), std::string::npos) << bad.text.substr(0, 80) << "\n" << message;
    EXPECT_LT(message.size(), 700u);
  }
}

ReaderOptions options_for(FileFormat format, LabelKind labels) {
  ReaderOptions options;
  options.format = format;
  options.labels = labels;
  return options;
}

TEST(ReaderHostile, Csv) {
  std::string wide = "c0";
  for (int i = 1; i < 70000; ++i) wide += ",c" + std::to_string(i);
  const Bad cases[] = {
      {"", "[d:1]", "empty"},
      {"\n\n", "[d:1]", "empty"},
      {"\xEF\xBB\xBF", "[d:1]", "empty"},
      {"text,text\na,1\n", "[d:1]", "\"text\" appears twice"},
      {"text,\na,1\n", "[d:1]", "without a name"},
      {",text\na,1\n", "[d:1]", "without a name"},
      {"a,b\n1,2\n", "[d:1]", "no column of labels"},
      {"a,b,label\n1,2,3\n", "[d:1]", "no column of text found; the columns are a, b, label"},
      {wide + "\n", "[d:1]", "65536 columns"},
      {"te\xFFxt,label\na,1\n", "[d:1]", "UTF-8"},
      {std::string("te\0xt,label\na,1\n", 16), "[d:1]", "NUL"},
      {"\"text,label\na,1\n", "[d:1]", "never closed"},
      {"\"text\"x,label\na,1\n", "[d:1]", "closing quote"},
      {"text,label\na\n", "[d:2]", "expected 2 columns, found 1"},
      {"text,label\na,1\nb,2,3\n", "[d:3]", "expected 2 columns, found 3"},
      {"text,label\na,1\nb,\n", "[d:3]", "label is empty"},
      {"text,label\n\"a,1\nb,2\n", "[d:2]", "never closed"},
      {"text,label\na,1\n\"b\"\"\"\",2\nc,3\n", "[d:3]", ""},
      {"text,label\n\"a\"b,1\n", "[d:2]", "column 1 goes on behind its closing quote"},
      {"text,label\n\"a\" ,1\n", "[d:2]", "closing quote"},
      {"text,label\na,\"1\"2\n", "[d:2]", "column 2 goes on"},
      {"text,label\n\"a\n\nb\",1\n\"c\n", "[d:5]", "never closed"},
      {"text,label\na\xC3,1\n", "[d:2]", "column text is not valid UTF-8 (byte 2)"},
      {"text,label\n\"\xE2\x82\",1\n", "[d:2]", "UTF-8"},
      {"text,label\n\xED\xA0\x80,1\n", "[d:2]", "UTF-8"},
      {"text,label\na,\xFE\xFF\n", "[d:2]", "column label is not valid UTF-8"},
      {std::string("text,label\na\0b,1\n", 17), "[d:2]", "NUL"},
      {std::string("\xFF\xFEt\0e\0", 6), "[d:1]", ""},
      {"text,label\n" + std::string(kFieldLimit + 1, 'x') + ",1\n", "[d:2]", "too large"},
      {"text,label\n\"" + std::string(kFieldLimit + 1, '\n') + "\",1\n", "[d:2]", "holds more than"},
      {"text,label\na,1\n" + std::string(100, ',') + "\n", "[d:3]", "expected 2 columns, found 101"},
      {"text;label\na;1\n", "[d:1]", "the columns are text;label"},
      {"PK\x03\x04 zip,file\n", "[d:1]", ""},
  };
  expect_refused(cases, options_for(FileFormat::csv, LabelKind::single));
}

TEST(ReaderHostile, CsvNumbersAndNames) {
  const Bad scores[] = {
      {"text,label\na,high\n", "[d:2]", "finite number, found \"high\""},
      {"text,label\na,\n", "[d:2]", "finite number"},
      {"text,label\na,nan\n", "[d:2]", "finite number"},
      {"text,label\na,-inf\n", "[d:2]", "finite number"},
      {"text,label\na,1e999\n", "[d:2]", "finite number"},
      {"text,label\na,1.5 \n", "[d:2]", "finite number"},
      {"text,label\na,1;5\n", "[d:2]", "finite number"},
      {"text,label\na,0x1p3\n", "[d:2]", "finite number"},
  };
  expect_refused(scores, options_for(FileFormat::csv, LabelKind::score));
  ReaderOptions named = options_for(FileFormat::csv, LabelKind::single);
  named.text_columns = {"sentense"};
  const Bad names[] = {
      {"sentence,label\na,1\n", "[d:1]", "no column \"sentense\"; the columns are sentence, label; did you mean"}};
  expect_refused(names, named);
  named = options_for(FileFormat::csv, LabelKind::single);
  named.label_column = "lable";
  const Bad labels[] = {{"sentence,label\na,1\n", "[d:1]", "did you mean \"label\"?"}};
  expect_refused(labels, named);
}

TEST(ReaderHostile, JsonLines) {
  const Bad cases[] = {
      {"{\"text\": \"a\", \"label\": 1}\n{\"text\": \n", "[d:2", "not valid JSON"},
      {"not json\n", "[d:1", "not valid JSON"},
      {"[1, 2]\n", "[d:1]", "one JSON object a line, found array"},
      {"\"text\"\n", "[d:1]", "found string"},
      {"null\n", "[d:1]", "found null"},
      {"[\n{\"text\": \"a\"}\n]\n", "[d:1", "not valid JSON"},
      {"{}\n", "[d:1]", "no column of labels"},
      {"{\"label\": 1}\n", "[d:1]", "no column of text"},
      {"{\"text\": \"a\"}\n", "[d:1]", "no column of labels"},
      {"{\"text\": null, \"label\": 1}\n", "[d:1]", "no column of text"},
      {"{\"text\": \"a\", \"label\": null}\n", "[d:1]", "no column of labels"},
      {"{\"text\": {\"a\": 1}, \"label\": 1}\n", "[d:1]",
       "\"text\" must be text, a number or a list of them, found object"},
      {"{\"text\": [\"a\"], \"label\": 1}\n", "[d:1]", "\"text\" must be"},
      {"{\"text\": \"a\", \"label\": {}}\n", "[d:1]", "\"label\" must be"},
      {"{\"text\": \"a\", \"label\": [1]}\n", "[d:1]", "must be one label, found a list"},
      {"{\"text\": \"a\", \"label\": \"\"}\n", "[d:1]", "label is empty"},
      {"{\"text\": \"a\", \"text\": \"b\", \"label\": 1}\n", "[d:1]", "appears twice"},
      {"{\"text\": \"a\", \"label\": 1} {}\n", "[d:1", "not valid JSON"},
      {"{\"text\": \"a\", \"label\": NaN}\n", "[d:1", "not valid JSON"},
      {"{\"text\": \"\xFF\", \"label\": 1}\n", "[d:1", "not valid JSON"},
      {"{\"text\": \"\\ud800\", \"label\": 1}\n", "[d:1", "not valid JSON"},
      {"{\"text\": \"a\\u0000b\", \"label\": 1}\n", "[d:1]", "NUL"},
      {std::string("{\"text\": \"a\0\", \"label\": 1}\n", 27), "[d:1", "NUL"},
      {"{\"text\": \"" + std::string(kFieldLimit, 'x') + "\", \"label\": 1}\n", "[d:1]", "longer than"},
      {std::string(100000, '[') + "\n", "[d:1]", "deeper than 64"},
      {"{\"text\": \"a\",\n\"label\": 1}\n", "[d:1", "not valid JSON"},
  };
  expect_refused(cases, options_for(FileFormat::json_lines, LabelKind::single));
  const Bad tags[] = {
      {"{\"tokens\": [\"a\", \"b\"], \"tags\": [\"O\"]}\n", "[d:1]", "2 words, but 1 tags"},
      {"{\"tokens\": \"a b\", \"tags\": [\"O\"]}\n", "[d:1]", "\"tokens\" must be a list, found string"},
      {"{\"tokens\": [\"a\"], \"tags\": \"O\"}\n", "[d:1]", "\"tags\" must be a list"},
      {"{\"tokens\": [[\"a\"]], \"tags\": [\"O\"]}\n", "[d:1]", "\"tokens\" must be"},
      {"{\"tokens\": [\"a\"]}\n", "[d:1]", "no column of labels"},
  };
  expect_refused(tags, options_for(FileFormat::json_lines, LabelKind::tags));
}

TEST(ReaderHostile, TokenTagFilesAndText) {
  const Bad conll[] = {
      {"word\n", "[d:1]", "a word, a tab and its tag, found \"word\""},
      {"a\tO\nb\n", "[d:2]", "found \"b\""},
      {"a\tO\n\nb\t\n", "[d:3]", "its tag"},
      {"\tO\n", "[d:1]", "expected a word"},
      {"\xFF\tO\n", "[d:1]", "UTF-8"},
      {std::string("a\0\tO\n", 5), "[d:1]", "NUL"},
      {"a\tO\n" + std::string(kFieldLimit + 1, 'x') + "\tO\n", "[d:2]", "longer than"},
  };
  expect_refused(conll, options_for(FileFormat::conll, LabelKind::tags));
  const Bad text[] = {
      {"fine\n\xFF\n", "[d:2]", "UTF-8"},
      {std::string("fine\na\0b\n", 9), "[d:2]", "NUL"},
      {"a\n" + std::string(kFieldLimit + 1, 'x'), "[d:2]", "longer than"},
  };
  expect_refused(text, options_for(FileFormat::text, LabelKind::none));
}

TEST(ReaderHostile, FormatsThatCannotHoldTheTask) {
  EXPECT_THROW(read_all("a\n", options_for(FileFormat::text, LabelKind::single)), UserError);
  EXPECT_THROW(read_all("a,b\n", options_for(FileFormat::csv, LabelKind::tags)), UserError);
  EXPECT_THROW(read_all("a\tO\n", options_for(FileFormat::conll, LabelKind::single)), UserError);
}

// Random edits of good files: each is read or refused with UserError, also with bad rows skipped.
TEST(ReaderHostile, MutatedFilesAreReadOrRefused) {
  const std::string good[] = {
      "text,label\n\"a, \"\"b\"\"\",1\r\nc,2\n\n\"d\ne\",3\n",
      "{\"text\": \"a\\n\\u5317\", \"label\": [1, \"x\"]}\n{\"text\": \"b\", \"label\": true}\n",
      "a\tO\nb\tB-x\n\nc d O\n"};
  const FileFormat formats[] = {FileFormat::csv, FileFormat::json_lines, FileFormat::conll};
  const std::string tokens[] = {"\"", ",", "\n", "\r", "\t", "{", "}", "[", "\\u", "\xFF", std::string(1, '\0'),
                                "é",  " ", ":"};
  RandomGenerator random({21, 0, 0});
  int refused = 0;
  testing::internal::CaptureStderr();
  for (int round = 0; round < 6000; ++round) {
    const size_t kind = random.below(std::size(good));
    std::string text = good[kind];
    for (uint64_t edits = 1 + random.below(4); edits > 0; --edits) {
      const size_t at = random.below(text.size() + 1);
      text.replace(at, random.below(4), tokens[random.below(std::size(tokens))]);
    }
    ReaderOptions options = options_for(formats[kind], kind == 2 ? LabelKind::tags : LabelKind::multi);
    if (random.below(2) == 0) options.on_bad_row = OnBadRow::skip;
    try {
      read_all(text, options);
    } catch (const UserError&) {
      ++refused;
    }
  }
  testing::internal::GetCapturedStderr();
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace suanli
