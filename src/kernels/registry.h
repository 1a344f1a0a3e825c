/// For each op an ordered list of implementations, best first, the reference last; each says whether it can run and
/// why not.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "base/profile.h"
#include "kernels/machine.h"
#include "tensor/device.h"

namespace suanli::kernels {

/// Why an implementation cannot run: null means that it can. A literal, so that asking costs nothing.
using Refusal = const char*;

template <class Args>
struct Implementation {
  const char* name;
  DeviceType device;
  Refusal (*can_run)(const Args&, const Machine&);
  void (*run)(const Args&, Stream&);
};

/// One answer of the registry, for `suanli doctor --kernels` and SUANLI_LOG=kernels.
struct ListedImplementation {
  std::string kernel, implementation, device;
};

/// Reports a choice when SUANLI_LOG names "kernels": once per kernel and reason.
void report_choice(const char* kernel, const char* chosen, std::string_view refusals);
bool reports_choices();
/// Throws UserError: no implementation can run; the message holds every refusal.
[[noreturn]] void no_implementation(const char* kernel, Device device, std::string_view refusals);
/// Adds a line to the list of all implementations.
void list_implementation(ListedImplementation entry);
/// All registered implementations, in order of registration.
const std::vector<ListedImplementation>& listed_implementations();

/// The implementations of one kernel. `Args` holds raw pointers and sizes; all pointers are on the stream's device.
/// Beside it stands `Work work_of(const Args&)`, what one call does: shape, operations and bytes.
template <class Args>
class Kernel {
 public:
  explicit Kernel(const char* name) : name_(name) {}

  /// Appends to the list: register the best first.
  void add(Implementation<Args> implementation) {
    static_assert(
        requires(const Args& args) {
          { work_of(args) } -> std::same_as<Work>;
        },
        "declare Work work_of(const Args&) beside the arguments and define it in kernels/work.cpp");
    list_.push_back(implementation);
    list_implementation({name_, implementation.name, implementation.device == DeviceType::cpu ? "cpu" : "cuda"});
  }

  /// Runs the first implementation for the stream's device that can. Throws UserError when none can.
  void operator()(const Args& args, Stream& stream) const { run(choose(args, stream.device), args, stream); }

  /// Runs one implementation of the list, one that can: a profile shows every call.
  void run(const Implementation<Args>& implementation, const Args& args, Stream& stream) const {
    const ProfileScope scope(name_, implementation.name, [&args] { return work_of(args); });
    implementation.run(args, stream);
    if (profiling()) backend(stream.device).synchronize(stream);  // so that the scope holds the work, not its queueing
  }

  const Implementation<Args>& choose(const Args& args, Device device) const {
    for (const auto& candidate : list_) {
      if (candidate.device != device.type || candidate.can_run(args, machine()) != nullptr) continue;
      if (reports_choices()) report_choice(name_, candidate.name, refusals(args, device));
      return candidate;
    }
    no_implementation(name_, device, refusals(args, device));
  }

  /// The implementation called `name` on `device`, or null: for tests and benchmarks that compare implementations.
  const Implementation<Args>* find(std::string_view name, DeviceType device = DeviceType::cpu) const {
    for (const auto& candidate : list_) {
      if (candidate.name == name && candidate.device == device) return &candidate;
    }
    return nullptr;
  }
  const std::vector<Implementation<Args>>& implementations() const { return list_; }
  const char* name() const { return name_; }

 private:
  /// What the implementations before the first that can run say.
  std::string refusals(const Args& args, Device device) const {
    std::string text;
    for (const auto& candidate : list_) {
      if (candidate.device != device.type) continue;
      const Refusal refusal = candidate.can_run(args, machine());
      if (refusal == nullptr) break;
      text += std::string(text.empty() ? "" : "; ") + candidate.name + ": " + refusal;
    }
    return text;
  }

  const char* name_;
  std::vector<Implementation<Args>> list_;
};

/// Registers every kernel of this build, best first, the reference last; called once at the start of a program.
void register_all();

}  // namespace suanli::kernels
