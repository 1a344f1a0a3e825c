// Every format gives the same examples, with the columns that were named or, unnamed, the usual ones.
#include "data/reader.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "expect_error.h"
#include "formats/scratch.h"

namespace suanli {
namespace {

using Words = std::vector<std::string>;

ReaderOptions as(FileFormat format, LabelKind labels = LabelKind::none) {
  ReaderOptions options;
  options.format = format;
  options.labels = labels;
  return options;
}

std::vector<Example> read(const std::string& text, const ReaderOptions& options, int64_t* skipped = nullptr) {
  const auto reader = open_examples(ByteSource::from_text(text, "data"), options);
  std::vector<Example> examples;
  Example example;
  while (reader->next(&example)) examples.push_back(example);
  if (skipped != nullptr) *skipped = reader->skipped();
  return examples;
}

TEST(Reader, AllFormatsGiveTheSameExamples) {
  const std::vector<std::vector<Example>> all = {
      read("text,label\n\"a, b\",1\n北京,0\n", as(FileFormat::csv, LabelKind::single)),
      read("label\ttext\n1\ta, b\n0\t北京\n", as(FileFormat::tsv, LabelKind::single)),
      read("{\"text\": \"a, b\", \"label\": 1}\n{\"label\": \"0\", \"text\": \"\\u5317\\u4eac\"}\n",
           as(FileFormat::json_lines, LabelKind::single))};
  for (const auto& examples : all) {
    ASSERT_EQ(examples.size(), 2u);
    EXPECT_EQ(examples[0].text, "a, b");
    EXPECT_EQ(examples[0].labels, Words{"1"});
    EXPECT_EQ(examples[1].text, "北京");
    EXPECT_EQ(examples[1].labels, Words{"0"});
    EXPECT_FALSE(examples[0].has_pair);
  }
  EXPECT_EQ(all[0][1].line, 3);
  EXPECT_EQ(all[2][1].line, 2);
}

TEST(Reader, ColumnsAreGuessedByTheirUsualNames) {
  struct Case {
    std::string header;
    LabelKind labels;
    std::string text, pair, label;
  };
  const Case cases[] = {
      {"id,sentence,label", LabelKind::single, "1", "", "2"},
      {"text,category", LabelKind::single, "0", "", "1"},
      {"sentence1,sentence2,score", LabelKind::single, "0", "1", "2"},
      {"premise,label,hypothesis", LabelKind::single, "0", "2", "1"},
      {"label,tweet", LabelKind::single, "1", "", "0"},
      {"text,text_pair,labels", LabelKind::single, "0", "1", "2"},
      {"label,text", LabelKind::none, "1", "", ""},
      {"tweet,label", LabelKind::none, "0", "", ""},
  };
  for (const Case& c : cases) {
    const auto examples = read(c.header + "\n0,1" + (c.header.find(',') != c.header.rfind(',') ? ",2\n" : "\n"),
                               as(FileFormat::csv, c.labels));
    ASSERT_EQ(examples.size(), 1u) << c.header;
    EXPECT_EQ(examples[0].text, c.text) << c.header;
    EXPECT_EQ(examples[0].has_pair, !c.pair.empty()) << c.header;
    EXPECT_EQ(examples[0].text_pair, c.pair) << c.header;
    EXPECT_EQ(examples[0].labels, c.label.empty() ? Words{} : Words{c.label}) << c.header;
  }
}

TEST(Reader, NamedColumnsAreTakenAndJoined) {
  ReaderOptions options = as(FileFormat::csv, LabelKind::single);
  options.text_columns = {"title", "body"};
  options.text_column_delimiter = " | ";
  options.text_pair_column = "other";
  options.label_column = "kind";
  const auto examples = read("kind,body,title,other\nk,b,t,o\n", options);
  EXPECT_EQ(examples[0].text, "t | b");
  EXPECT_EQ(examples[0].text_pair, "o");
  EXPECT_EQ(examples[0].labels, Words{"k"});
}

TEST(Reader, NegativesAreReadWhereTheyAreAskedFor) {
  ReaderOptions options = as(FileFormat::csv, LabelKind::none);
  EXPECT_EQ(read("anchor,positive,negative\na,p,n\n", options)[0].negative, "");
  options.negative_column = "negative";
  EXPECT_EQ(read("anchor,positive,negative\na,p,n\n", options)[0].negative, "n");
  options.format = FileFormat::json_lines;
  EXPECT_EQ(read(R"({"anchor":"a","positive":"p","negative":"n"})", options)[0].negative, "n");
  EXPECT_NE(error_of([&] { read(R"({"anchor":"a","positive":"p"})", options); }).find("negative"), std::string::npos);
}

TEST(Reader, ScoresAreNumbersAndSeveralLabelsAreALists) {
  EXPECT_DOUBLE_EQ(read("text,label\nx,-3.25\n", as(FileFormat::csv, LabelKind::score))[0].score, -3.25);
  EXPECT_DOUBLE_EQ(read("{\"text\":\"x\",\"label\":1e-3}", as(FileFormat::json_lines, LabelKind::score))[0].score,
                   1e-3);
  EXPECT_EQ(read(R"({"text":"x","labels":["b","a"]})", as(FileFormat::json_lines, LabelKind::multi))[0].labels,
            (Words{"b", "a"}));
  EXPECT_EQ(read(R"({"text":"x","labels":[]})", as(FileFormat::json_lines, LabelKind::multi))[0].labels, Words{});
  ReaderOptions options = as(FileFormat::csv, LabelKind::multi);
  options.label_separator = "|";
  const auto examples = read("text,label\nx,a|b\ny,\nz,c\n", options);
  EXPECT_EQ(examples[0].labels, (Words{"a", "b"}));
  EXPECT_EQ(examples[1].labels, Words{});
  EXPECT_EQ(examples[2].labels, Words{"c"});
}

TEST(Reader, LabelsMayBeMissingWhereTheyAreNotRequired) {
  ReaderOptions options = as(FileFormat::csv, LabelKind::single);
  EXPECT_THROW(read("text\nx\n", options), UserError);
  options.labels_required = false;
  EXPECT_TRUE(read("text\nx\n", options)[0].labels.empty());
}

TEST(Reader, ATableWithoutAHeaderTakesTheNamesGiven) {
  ReaderOptions options = as(FileFormat::tsv, LabelKind::single);
  options.column_names = {"label", "text"};
  EXPECT_EQ(read("ham\tGo until jurong point\n", options)[0].labels, Words{"ham"});
}

TEST(Reader, PlainTextIsOneExampleALine) {
  ReaderOptions options = as(FileFormat::text);
  EXPECT_EQ(read("one\r\n\n  \ntwo", options).size(), 2u);
  options.skip_blank_lines = false;
  const auto examples = read("one\r\n\n  \ntwo", options);
  ASSERT_EQ(examples.size(), 4u);
  EXPECT_EQ(examples[0].text, "one");
  EXPECT_EQ(examples[1].text, "");
  EXPECT_EQ(examples[3].line, 4);
}

TEST(Reader, TokenTagFilesAreSentences) {
  const auto examples = read(
      "-DOCSTART-\tO\n\nI\tO\n'm\tO\nin\tO\nParis\tB-location\n\t\nEU NNP B-NP B-ORG\nrejects VBZ B-VP "
      "O\n\n\n\nlast\tO",
      as(FileFormat::conll, LabelKind::tags));
  ASSERT_EQ(examples.size(), 3u);
  EXPECT_EQ(examples[0].words, (Words{"I", "'m", "in", "Paris"}));
  EXPECT_EQ(examples[0].labels, (Words{"O", "O", "O", "B-location"}));
  EXPECT_EQ(examples[0].line, 3);
  EXPECT_EQ(examples[1].words, (Words{"EU", "rejects"}));
  EXPECT_EQ(examples[1].labels, (Words{"B-ORG", "O"}));
  EXPECT_EQ(examples[2].words, Words{"last"});
}

TEST(Reader, TokenTagListsAreReadFromJsonLines) {
  const auto examples =
      read("{\"tokens\": [\"I\", \"am\"], \"ner_tags\": [0, 3]}\n{\"words\":[\"a\"],\"tags\":[\"O\"]}",
           as(FileFormat::json_lines, LabelKind::tags));
  EXPECT_EQ(examples[0].words, (Words{"I", "am"}));
  EXPECT_EQ(examples[0].labels, (Words{"0", "3"}));
  EXPECT_EQ(examples[1].labels, Words{"O"});
}

TEST(Reader, BadRowsAreFatalOrSkippedAsAsked) {
  const std::string text = "text,label\na,1\nb\nc,2\nd,3,4\n\xFF,5\ne,6\n";
  ReaderOptions options = as(FileFormat::csv, LabelKind::single);
  EXPECT_NE(error_of([&] { read(text, options); }).find("[data:3] expected 2 columns, found 1"), std::string::npos);
  options.on_bad_row = OnBadRow::skip;
  int64_t skipped = 0;
  testing::internal::CaptureStderr();
  const auto examples = read(text, options, &skipped);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(examples.size(), 3u);
  EXPECT_EQ(skipped, 3);
  for (const char* place : {"[data:3]", "[data:5]", "[data:6]"}) EXPECT_NE(log.find(place), std::string::npos) << log;
  // A bad word spoils its sentence, not the next one.
  ReaderOptions tags = as(FileFormat::conll, LabelKind::tags);
  tags.on_bad_row = OnBadRow::skip;
  const auto sentences = read("a\tO\nbad\nb\tO\n\nc\tO\n", tags, &skipped);
  ASSERT_EQ(sentences.size(), 1u);
  EXPECT_EQ(sentences[0].words, Words{"c"});
  EXPECT_EQ(skipped, 1);
}

TEST(Reader, ReadingStopsAtTheNumberAsked) {
  ReaderOptions options = as(FileFormat::text);
  options.max_examples = 2;
  EXPECT_EQ(read("a\nb\n\xFF\n", options).size(), 2u) << "what is not asked for must not be read";
}

TEST(Reader, TheFormatFollowsTheName) {
  EXPECT_EQ(guess_format("a/b.CSV"), FileFormat::csv);
  EXPECT_EQ(guess_format("x.tsv"), FileFormat::tsv);
  EXPECT_EQ(guess_format("x.json"), FileFormat::json_lines);
  EXPECT_EQ(guess_format("x.jsonl"), FileFormat::json_lines);
  EXPECT_EQ(guess_format("x.txt"), FileFormat::text);
  EXPECT_EQ(guess_format("wnut17train.conll"), FileFormat::conll);
  EXPECT_EQ(guess_format("emerging.test.annotated"), FileFormat::conll);
  EXPECT_NE(error_of([] { guess_format("x.parquet"); }).find("x.parquet"), std::string::npos);
}

TEST(Reader, FilesAreOpenedByName) {
  const Scratch folder;
  write_file_atomically(folder / "d.csv", "text,label\nx,1\n");
  write_file_atomically(folder / "empty.csv", "text,label\n");
  ReaderOptions options;
  options.labels = LabelKind::single;
  EXPECT_EQ(read_examples(folder / "d.csv", options).size(), 1u);
  EXPECT_NE(error_of([&] { read_examples(folder / "empty.csv", options); }).find("no example"), std::string::npos);
  EXPECT_NE(error_of([&] { read_examples(folder / "none.csv", options); }).find("no such file"), std::string::npos);
  std::filesystem::create_directory(folder / "dir.csv");
  EXPECT_NE(error_of([&] { read_examples(folder / "dir.csv", options); }).find("a folder"), std::string::npos);
}

}  // namespace
}  // namespace suanli
