#include <cstdio>

#include "base/error.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "serve/keys.h"

namespace suanli::cli {

int keys(Arguments arguments) {
  static const OptionTable table({
      {.name = "name", .type = OptionType::text, .help = "who gets the key: one word"},
      {.name = "scopes",
       .type = OptionType::text,
       .default_value = "infer",
       .help = "of infer, metrics and admin, with commas"},
  });
  if (print_help(arguments, "suanli keys --name NAME [--scopes infer,metrics] >> KEYS_FILE", table)) return 0;
  Config config(table);
  read_options(config, arguments, "keys");
  const std::string name = config.get_string("name"), scopes = config.get_string("scopes");
  const std::string key = serve::new_key(), line = serve::hash_of_key(key) + " " + name + " " + scopes;
  serve::Keys::parse(line, "keys");
  std::fprintf(stderr, "the key, which is shown this once: %s\n", key.c_str());
  std::printf("%s\n", line.c_str());
  return 0;
}

}  // namespace suanli::cli
