/// The devices of a group of processes: tensors summed over all ranks and sent from rank 0.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "dist/host_group.h"
#include "tensor/tensor.h"

namespace suanli::dist {

/// All ranks make the same calls in the same order, with tensors of equal sizes and dtypes. sum() and broadcast() only
/// queue work, on a stream beside the device's default stream: behind what that has queued so far, and ahead of what it
/// queues after join(). Nothing may read or write the tensors between the two. Thread compatible.
class Communicator {
 public:
  explicit Communicator(HostGroup& group) : group_(group) {}
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return group_.rank(); }
  int size() const { return group_.size(); }
  /// See HostGroup::gather.
  std::vector<int64_t> gather(std::span<const int64_t> numbers) { return group_.gather(numbers); }

  /// Queues that each tensor (f32, bf16, f16 or f64 of the communicator's device) becomes its sum over all ranks, in
  /// its place; the same bits on each.
  virtual void sum(std::span<const Tensor> tensors) = 0;
  /// Queues that each tensor becomes that of rank 0.
  virtual void broadcast(std::span<const Tensor> tensors) = 0;
  /// What the default stream is given from now on finds all of that done. The host does not wait.
  virtual void join() = 0;
  /// The host waits until all of that is done. Throws EnvironmentError when a rank has ended, does not do its part in
  /// time, or the library says that it failed: then nothing more can be queued.
  virtual void wait() = 0;

 protected:
  HostGroup& group() const { return group_; }

 private:
  HostGroup& group_;
};

/// Over NCCL, which is opened at run time; `device` is this process's own. Throws UserError where there is no NCCL or
/// the device is no GPU, EnvironmentError where the ranks do not come together.
std::unique_ptr<Communicator> make_communicator(HostGroup& group, Device device);

/// A line of `suanli doctor`: NCCL's version, or why there is none and the way out.
std::string communication_report();

}  // namespace suanli::dist
