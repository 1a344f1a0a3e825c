/// Drives the suanli program as a user does: a command line in, exit code and text out.
#pragma once

#include <filesystem>
#include <string>

namespace suanli::e2e {

struct ProgramRun {
  int code = 0;  ///< exit code; 128 + n after signal n
  std::string out, err;
  double seconds = 0;
};

/// Runs `suanli ARGUMENTS` through the shell with `input` on standard input.
ProgramRun suanli(const std::string& arguments, const std::string& input = "");

/// An empty folder of this test, removed at the end of the program.
std::filesystem::path scratch(const std::string& name);

/// A small BERT (hidden 32, 2 layers, vocabulary 120) with a classifier of three labels and a vocab.txt of words.
std::filesystem::path small_classifier();

std::string read(const std::filesystem::path& file);
void write(const std::filesystem::path& file, const std::string& content);

/// A CSV of `rows` texts of words from the small vocabulary; the label says which word occurs in the text.
std::string separable_csv(int rows, int seed);

}  // namespace suanli::e2e
