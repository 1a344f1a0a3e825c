/// What every verb that starts a server does: options, limits, the models, the routes that all servers have.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/config.h"
#include "serve/openapi.h"
#include "serve/sandbox.h"

namespace suanli::cli {

/// Address, keys, limits, batching, device, precision.
std::vector<Option> server_options();

struct ServerWork {
  std::function<void(serve::Repository&)> add_models;
  /// Routes beside those that all servers have.
  std::function<void(serve::Router&, const serve::Service&)> add_routes = [](serve::Router&, const serve::Service&) {};
  /// What the page of OpenAPI says of them.
  std::vector<serve::ApplicationRoute> described = {};
  /// Files and folders beside those of server_options() that it reads, or reads and writes, from its start on.
  serve::FileAccess files = {};
};

/// Serves until SIGTERM. `config` has server_options(). Returns the exit code.
int run_server(const Config& config, const ServerWork& work);

/// The folders in which what these options name lies, links followed and not: a file may be written anew.
std::vector<std::filesystem::path> folders_of(const Config& config, std::initializer_list<const char*> options);
/// The same of options that name models, which may be replaced as a whole, and serve::folders_of_models().
std::vector<std::filesystem::path> model_folders_of(const Config& config, std::initializer_list<const char*> options);

/// The option's text, "" where it was not given.
std::string given_or_none(const Config& config, const char* name);

}  // namespace suanli::cli
