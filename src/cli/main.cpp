#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/suggest.h"
#include "cli/profiling.h"
#include "cli/verbs.h"

namespace {

struct Verb {
  const char* name;
  const char* summary;
  int (*run)(suanli::cli::Arguments);
};

constexpr Verb kVerbs[] = {
    {"train", "train or fine-tune a model, evaluate it, predict with it, as a run file says", suanli::cli::train},
    {"eval", "evaluate a saved model on labelled data", suanli::cli::eval},
    {"predict", "classify lines of text, tag their tokens, or fill masks; one JSON line each", suanli::cli::predict},
    {"embed", "turn lines of text into vectors; one JSON line each", suanli::cli::embed},
    {"tokenize", "show the tokens of lines of text; one JSON line each", suanli::cli::tokenize},
    {"generate", "continue a text with a causal language model", suanli::cli::generate},
    {"serve", "answer requests over HTTP with a model", suanli::cli::serve},
    {"app", "start an application over the server: customer service, sentiment watch, recommendation",
     suanli::cli::app},
    {"keys", "make a key for callers of a server", suanli::cli::keys},
    {"audit", "check that no line of a server's audit log was changed", suanli::cli::audit},
    {"convert", "turn a GGUF file, or an adapter and its base, into a Hugging Face folder", suanli::cli::convert},
    {"report", "write one HTML page about a run: curves, scores, mistakes", suanli::cli::report},
    {"monitor", "watch a server in the terminal, or run alert rules over recorded metrics", suanli::cli::monitor},
    {"data", "inspect, clean and split data files", suanli::cli::data},
    {"doctor", "say what this machine has and how fast it is", suanli::cli::doctor},
    {"bench", "time the training and inference steps of a model, and single kernels", suanli::cli::bench},
};

int print_help(std::FILE* out) {
  std::fputs("usage: suanli VERB [--config run.yaml] [--key value | key=value ...]\n\n", out);
  for (const Verb& verb : kVerbs) std::fprintf(out, "  %-9s %s\n", verb.name, verb.summary);
  std::fputs("\n`suanli VERB --help` lists the options of a verb; --profile goes with each of them.\n", out);
  return out == stdout ? 0 : 2;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return print_help(stderr);
  if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") return print_help(stdout);
  if (arguments[0] == "--version") {
    std::puts("suanli " SUANLI_VERSION);
    return 0;
  }
  std::vector<std::string> names;
  for (const Verb& verb : kVerbs) {
    names.emplace_back(verb.name);
    if (arguments[0] != verb.name) continue;
    std::vector<std::string> words(arguments.begin() + 1, arguments.end());
    const auto profile = suanli::cli::take_profile(words);
    if (!profile) return verb.run(words);
    return suanli::cli::run_with_profile(*profile, verb.name, [&] { return verb.run(words); });
  }
  throw suanli::UserError("suanli", "expected a verb, got \"" + arguments[0] + "\"" +
                                        suanli::did_you_mean(arguments[0], names) + "; see `suanli --help`");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const suanli::UserError& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
