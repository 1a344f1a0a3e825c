#include "cli/app.h"

#include <cstdio>
#include <vector>

#include "base/error.h"
#include "base/suggest.h"

namespace suanli::cli {

namespace {

struct Application {
  const char* name;
  const char* summary;
  int (*run)(Arguments);
};

constexpr Application kApplications[] = {
    {"customer-service", "answer customers with a source, or hand over to a person", customer_service},
    {"sentiment-watch", "say when negative messages about a topic surge", sentiment_watch},
    {"recommendation", "recommend what users like next, by what they liked", recommendation},
};

int print_applications(std::FILE* out) {
  std::fputs("usage: suanli app NAME [--key value ...]\n\n", out);
  for (const Application& one : kApplications) std::fprintf(out, "  %-17s %s\n", one.name, one.summary);
  std::fputs("\n`suanli app NAME --help` lists the options of an application.\n", out);
  return out == stdout ? 0 : 2;
}

}  // namespace

int app(Arguments arguments) {
  if (arguments.empty()) return print_applications(stderr);
  if (arguments[0] == "--help" || arguments[0] == "-h") return print_applications(stdout);
  std::vector<std::string> names;
  for (const Application& one : kApplications) {
    if (arguments[0] == one.name) return one.run(arguments.subspan(1));
    names.emplace_back(one.name);
  }
  throw UserError("app", "expected an application, got \"" + arguments[0] + "\"" + did_you_mean(arguments[0], names) +
                             "; see `suanli app --help`");
}

}  // namespace suanli::cli
