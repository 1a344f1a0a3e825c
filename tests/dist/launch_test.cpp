// What torchrun and mpirun say of a process.
#include "dist/launch.h"

#include <cstdlib>
#include <vector>

#include <gtest/gtest.h>

#include "expect_error.h"

namespace suanli::dist {
namespace {

struct Variable {
  const char *name, *value;
};

/// Environment variables until the end of the scope.
class Environment {
 public:
  explicit Environment(std::vector<Variable> variables) : variables_(std::move(variables)) {
    for (const Variable& each : variables_) setenv(each.name, each.value, 1);
  }
  ~Environment() {
    for (const Variable& each : variables_) unsetenv(each.name);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  std::vector<Variable> variables_;
};

TEST(Launch, AProcessIsAloneWhereNothingIsSaid) {
  const Launch launch = launch_of_environment();
  EXPECT_EQ(launch.rank, 0);
  EXPECT_EQ(launch.size, 1);
}

TEST(Launch, ReadsTorchrun) {
  const Environment said({{"RANK", "2"},
                          {"LOCAL_RANK", "2"},
                          {"WORLD_SIZE", "4"},
                          {"LOCAL_WORLD_SIZE", "4"},
                          {"MASTER_ADDR", "localhost"},
                          {"MASTER_PORT", "1234"},
                          {"TORCHELASTIC_USE_AGENT_STORE", "False"}});
  const Launch launch = launch_of_environment();
  EXPECT_EQ(launch.rank, 2);
  EXPECT_EQ(launch.local_rank, 2);
  EXPECT_EQ(launch.size, 4);
  EXPECT_EQ(launch.address, "localhost");
  EXPECT_EQ(launch.port, 1234);
  const Environment store({Variable{"TORCHELASTIC_USE_AGENT_STORE", "True"}});
  EXPECT_EQ(launch_of_environment().port, 1235) << "torchrun listens at its own port";
}

TEST(Launch, ReadsOpenMpi) {
  const Environment said({{"OMPI_COMM_WORLD_RANK", "1"},
                          {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                          {"OMPI_COMM_WORLD_SIZE", "2"},
                          {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}});
  const Launch launch = launch_of_environment();
  EXPECT_EQ(launch.rank, 1);
  EXPECT_EQ(launch.size, 2);
  EXPECT_EQ(launch.address, "127.0.0.1");
}

TEST(Launch, ContradictionsAreRefused) {
  const auto expect = [](std::vector<Variable> values, const char* text) {
    const Environment said(std::move(values));
    EXPECT_NE(error_of([] { launch_of_environment(); }).find(text), std::string::npos) << text;
  };
  expect({Variable{"WORLD_SIZE", "2"}}, "[RANK] expected 0 to 1 for WORLD_SIZE=2, got none");
  expect({{"WORLD_SIZE", "2"}, {"RANK", "2"}}, "[RANK] expected 0 to 1 for WORLD_SIZE=2, got 2");
  expect({Variable{"WORLD_SIZE", "two"}}, "[WORLD_SIZE] expected a whole number, got two");
  expect({{"WORLD_SIZE", "4"}, {"RANK", "0"}, {"LOCAL_WORLD_SIZE", "2"}}, "on one machine, got 2 of 4");
  expect({{"WORLD_SIZE", "2"}, {"RANK", "0"}, {"MASTER_PORT", "70000"}}, "[MASTER_PORT] expected a port");
}

}  // namespace
}  // namespace suanli::dist
