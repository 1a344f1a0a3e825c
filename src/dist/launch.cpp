#include "dist/launch.h"

#include <charconv>
#include <optional>

#include "base/concat.h"
#include "base/env.h"
#include "base/error.h"

namespace suanli::dist {
namespace {

std::optional<int> number_in(const char* name) {
  const auto text = environment(name);
  if (!text) return std::nullopt;
  int number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < 0) {
    throw UserError(name, concat("expected a whole number, got ", *text, "; torchrun and mpirun set it"));
  }
  return number;
}

/// What one of the two launchers says; torchrun's names go first.
std::optional<int> either(const char* of_torchrun, const char* of_mpirun) {
  const auto number = number_in(of_torchrun);
  return number ? number : number_in(of_mpirun);
}

}  // namespace

Launch launch_of_environment() {
  const int size = either("WORLD_SIZE", "OMPI_COMM_WORLD_SIZE").value_or(1);
  if (size <= 1) return {};
  const auto rank = either("RANK", "OMPI_COMM_WORLD_RANK");
  if (!rank || *rank >= size) {
    throw UserError("RANK", concat("expected 0 to ", size - 1, " for WORLD_SIZE=", size, ", got ",
                                   rank ? concat(*rank) : std::string("none"), "; torchrun and mpirun set it"));
  }
  const int here = either("LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE").value_or(size);
  if (here != size) {
    throw UserError("WORLD_SIZE",
                    concat("expected all processes on one machine, got ", here, " of ", size, " on this"));
  }
  Launch launch = {
      .rank = *rank, .local_rank = either("LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK").value_or(*rank), .size = size};
  launch.address = environment("MASTER_ADDR").value_or(launch.address);
  launch.port = number_in("MASTER_PORT").value_or(launch.port);
  // A newer torchrun keeps its own store at MASTER_PORT and says so.
  if (environment("TORCHELASTIC_USE_AGENT_STORE") == "True") ++launch.port;
  if (launch.port < 1 || launch.port > 65535) {
    throw UserError("MASTER_PORT", concat("expected a port from 1 to 65534, got ", launch.port));
  }
  return launch;
}

}  // namespace suanli::dist
