#include <cstdio>

#include "base/concat.h"
#include "base/error.h"
#include "base/suggest.h"
#include "cli/data_options.h"
#include "cli/verbs.h"

namespace suanli::cli {

namespace {

struct SubVerb {
  const char* name;
  const char* summary;
  int (*run)(Arguments);
};

constexpr SubVerb kSubVerbs[] = {
    {"inspect", "rows, columns, types, missing cells, distributions, labels, lengths, examples", data_inspect},
    {"clean", "repair what can be repaired, reject the rest with a reason for each row", data_clean},
    {"split", "training, validation and test files; refuses what leaks", data_split},
};

int print_data_help(std::FILE* out) {
  std::fputs("usage: suanli data inspect|clean|split FILE [--key value | key=value ...]\n\n", out);
  for (const SubVerb& verb : kSubVerbs) std::fprintf(out, "  %-9s %s\n", verb.name, verb.summary);
  std::fputs("\nFILE is CSV, TSV, JSON lines or text. `suanli data VERB --help` lists the options.\n", out);
  return out == stdout ? 0 : 2;
}

}  // namespace

int data(Arguments arguments) {
  if (arguments.empty()) return print_data_help(stderr);
  if (arguments[0] == "--help" || arguments[0] == "-h") return print_data_help(stdout);
  std::vector<std::string> names;
  for (const SubVerb& verb : kSubVerbs) {
    if (arguments[0] == verb.name) return verb.run(arguments.subspan(1));
    names.emplace_back(verb.name);
  }
  throw UserError(
      "data", concat("expected inspect, clean or split, got \"", arguments[0], '"', did_you_mean(arguments[0], names)));
}

}  // namespace suanli::cli
