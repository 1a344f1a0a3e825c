#include "report/report.h"

#include <cstdio>

#include "base/error.h"
#include "base/file.h"
#include "cli/options.h"
#include "cli/verbs.h"

namespace suanli::cli {

namespace {

constexpr const char* kReportUsage = "suanli report RUN [--output FILE]";

const OptionTable& report_options() {
  static const OptionTable table({{.name = "output",
                                   .type = OptionType::path,
                                   .help = "where the page goes; not set: report.html in the folder of the run"}});
  return table;
}

}  // namespace

int report(Arguments arguments) {
  if (print_help(arguments, kReportUsage, report_options())) return 0;
  Config config(report_options());
  const auto words = config.read_arguments(arguments);
  if (words.size() != 1) {
    throw UserError("report", "expected one folder, the output_dir of a run: " + std::string(kReportUsage));
  }
  const std::filesystem::path folder = words.front();
  const std::filesystem::path file =
      config.is_set("output") ? std::filesystem::path(config.get_string("output")) : folder / "report.html";
  write_file_atomically(file, to_html(read_run(folder)));
  std::printf("%s\n", file.c_str());
  return 0;
}

}  // namespace suanli::cli
