#include <cstdio>

#include "cli/options.h"
#include "cli/server_work.h"
#include "cli/verbs.h"
#include "serve/audit_log.h"

namespace suanli::cli {

int audit(Arguments arguments) {
  static const OptionTable table({
      {.name = "log", .type = OptionType::path, .help = "the file that `suanli serve --audit_log` wrote"},
      {.name = "expect",
       .type = OptionType::text,
       .help = "hash of an entry noted elsewhere (the server's log has each): finds entries cut off at the end"},
  });
  if (print_help(arguments, "suanli audit --log FILE [--expect HASH]", table)) return 0;
  Config config(table);
  read_options(config, arguments, "audit");
  const serve::AuditCheck check = serve::check_audit_log(config.get_string("log"), given_or_none(config, "expect"));
  if (!check.fault.empty()) {
    std::fprintf(stderr, "%s; %llu entries before it hold\n", check.fault.c_str(),
                 static_cast<unsigned long long>(check.entries));
    return 3;
  }
  std::printf("%llu entries hold; the last is %s\n", static_cast<unsigned long long>(check.entries),
              check.last.c_str());
  return 0;
}

}  // namespace suanli::cli
