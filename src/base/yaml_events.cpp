#include "base/yaml_events.h"

#include <sstream>

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {

std::string yaml_place(std::string_view where, const YAML::Mark& mark) {
  return mark.is_null() ? std::string(where) : concat(where, ':', mark.line + 1);
}

void read_yaml_events(std::string_view text, std::string_view where, YAML::EventHandler& handler) {
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(handler)) {
    }
  } catch (const YAML::Exception& error) {
    throw UserError(yaml_place(where, error.mark), concat("not valid YAML: ", error.msg));
  }
}

}  // namespace suanli
