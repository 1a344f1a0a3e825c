#include "kernels/registry.h"

#include <mutex>
#include <set>

#include "base/error.h"
#include "base/log.h"
#include "kernels/cpu/register.h"
#include "kernels/cuda/register.h"
#include "kernels/ref/register.h"

namespace suanli::kernels {

namespace {
std::vector<ListedImplementation>& listed() {
  static std::vector<ListedImplementation> all;
  return all;
}
}  // namespace

bool reports_choices() {
  static const bool wanted = log_topic("kernels");
  return wanted;
}

void report_choice(const char* kernel, const char* chosen, std::string_view refusals) {
  static std::mutex mutex;
  static std::set<std::string> reported;
  std::string line = std::string(kernel) + ": " + chosen;
  if (!refusals.empty()) line += " (refused: " + std::string(refusals) + ")";
  const std::lock_guard lock(mutex);
  if (reported.insert(line).second) log_info(line);
}

void no_implementation(const char* kernel, Device device, std::string_view refusals) {
  throw UserError(kernel, "no implementation can run on " + device.text() + ": " +
                              (refusals.empty() ? "none is registered" : std::string(refusals)));
}

void list_implementation(ListedImplementation entry) { listed().push_back(std::move(entry)); }
const std::vector<ListedImplementation>& listed_implementations() { return listed(); }

void register_all() {
  static std::once_flag once;
  std::call_once(once, [] {
    register_cpu();
    register_ref();
#ifdef SUANLI_CUDA
    register_cuda();
#endif
  });
}

}  // namespace suanli::kernels
