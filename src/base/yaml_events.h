/// What the readers of YAML share: events of yaml-cpp's parser, never its trees.
#pragma once

#include <string>
#include <string_view>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

namespace suanli {

/// "run.yaml:3".
std::string yaml_place(std::string_view where, const YAML::Mark& mark);

/// Gives the events of all documents of `text` to `handler`. Events, not a node tree: yaml-cpp 0.7 builds trees without
/// end from some malformed texts. Throws UserError with the line for what is no YAML.
void read_yaml_events(std::string_view text, std::string_view where, YAML::EventHandler& handler);

}  // namespace suanli
