// The lists of CUDA kernels: whole, and silent where there is no device.
#include <map>
#include <set>

#include "base/error.h"
#include "kernels/harness.h"

namespace suanli::testing {
namespace {

// Why a kernel has no CUDA implementation; each line here is a decision.
const std::map<std::string, std::string> kNotOnCuda = {};

TEST(Cuda, EveryKernelHasAnImplementationOrAWrittenReason) {
  std::set<std::string> all, on_cuda;
  for (const auto& listed : kernels::listed_implementations()) {
    (listed.device == "cuda" ? on_cuda : all).insert(listed.kernel);
  }
  if (on_cuda.empty()) {  // a build without nvcc
    EXPECT_EQ(device_count(DeviceType::cuda), 0);
    EXPECT_NE(device_problem(DeviceType::cuda), "");
    return;
  }
  for (const std::string& kernel : all) {
    EXPECT_NE(on_cuda.contains(kernel), kNotOnCuda.contains(kernel)) << kernel;
  }
}

TEST(Cuda, ADeviceThatIsNotThereIsTheUsersErrorWithTheReason) {
  const Device absent = {DeviceType::cuda, device_count(DeviceType::cuda)};
  try {
    backend(absent);
    FAIL() << "there is no " << absent.text();
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find(absent.text()), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace suanli::testing
