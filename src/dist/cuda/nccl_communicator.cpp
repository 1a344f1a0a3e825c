#include "dist/cuda/nccl_communicator.h"

#include <array>
#include <cstring>
#include <optional>

#include "base/concat.h"
#include "base/error.h"
#include "dist/cuda/nccl.h"
#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/event.h"

namespace suanli::dist {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::microseconds kPause{20};  // between two looks at the device and the other ranks

ncclDataType_t type_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return ncclFloat32;
    case DType::bf16:
      return ncclBfloat16;
    case DType::f16:
      return ncclFloat16;
    case DType::f64:
      return ncclFloat64;
    default:
      throw UserError("nccl", concat("expected f32, bf16, f16 or f64, got ", name_of(dtype)));
  }
}

/// NCCL's calls return at once here (ncclInProgress) and are asked until they are done, so that no rank waits for one
/// that has ended. Then, and at the end, the communicator is aborted: what it has queued on the device comes to an end.
class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(HostGroup& group, Device device)
      : Communicator(group), compute_(static_cast<CUstream>(backend(device).default_stream().handle)) {
    cuda::make_current(device.index);
    cuda::check(cuda::driver().cuStreamCreate(&stream_, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
    ready_.emplace();
    done_.emplace();
    ncclUniqueId id = {};
    std::array<int64_t, sizeof id / sizeof(int64_t)> words = {};
    if (rank() == 0) settle(nccl().ncclGetUniqueId(&id), "ncclGetUniqueId");
    std::memcpy(words.data(), &id, sizeof id);
    std::memcpy(&id, gather(words).data(), sizeof id);  // that of rank 0
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    attempt([&] {
      settle(nccl().ncclCommInitRankConfig(&communicator_, size(), id, rank(), &config), "ncclCommInitRankConfig");
    });
  }

  ~NcclCommunicator() override { abort(); }

  void sum(std::span<const Tensor> tensors) override {
    queue(tensors, [&](const Tensor& tensor) {
      return nccl().ncclAllReduce(tensor.data(), tensor.data(), static_cast<size_t>(tensor.elements()),
                                  type_of(tensor.dtype()), ncclSum, communicator_, stream_);
    });
  }

  void broadcast(std::span<const Tensor> tensors) override {
    queue(tensors, [&](const Tensor& tensor) {
      return nccl().ncclBroadcast(tensor.data(), tensor.data(), static_cast<size_t>(tensor.elements()),
                                  type_of(tensor.dtype()), 0, communicator_, stream_);
    });
  }

  void join() override { done_->hold_back(compute_); }

  void wait() override {
    attempt([&] {
      ask_until([&] {
        const bool passed = done_->passed();
        ncclResult_t state = ncclSuccess;
        demand(nccl().ncclCommGetAsyncError(communicator_, &state), "ncclCommGetAsyncError");
        demand(state, "an earlier call");
        return passed;
      });
    });
  }

 private:
  /// One group of calls, which NCCL makes one piece of work of, behind what the default stream has queued.
  template <class Call>
  void queue(std::span<const Tensor> tensors, const Call& call) {
    if (tensors.empty()) return;
    ready_->record(compute_);
    ready_->hold_back(stream_);
    attempt([&] {
      demand(nccl().ncclGroupStart(), "ncclGroupStart");
      for (const Tensor& tensor : tensors) demand(call(tensor), "a collective call");
      settle(nccl().ncclGroupEnd(), "ncclGroupEnd");
    });
    done_->record(stream_);
  }

  /// What goes wrong in `work` leaves nothing on the device that would wait for other ranks.
  template <class Work>
  void attempt(const Work& work) {
    if (aborted_) throw EnvironmentError("nccl", concat("rank ", rank(), " has left the others after an error"));
    try {
      work();
    } catch (...) {
      abort();
      throw;
    }
  }

  void settle(ncclResult_t result, const char* call) {
    if (result == ncclInProgress) {
      ask_until([&] {
        demand(nccl().ncclCommGetAsyncError(communicator_, &result), "ncclCommGetAsyncError");
        return result != ncclInProgress;
      });
    }
    demand(result, call);
  }

  template <class Done>
  void ask_until(const Done& done) const {
    const auto deadline = Clock::now() + group().patience().answer;
    while (!done()) {
      group().watch(kPause);
      if (Clock::now() < deadline) continue;
      throw EnvironmentError("nccl", concat("rank ", rank(), " waited ", group().patience().answer.count() / 1000,
                                            " s for the other ranks: one of them hangs, or works longer; ddp_timeout "
                                            "says how long to wait"));
    }
  }

  /// ncclInProgress is no failure.
  void demand(ncclResult_t result, const char* call) const {
    if (result == ncclSuccess || result == ncclInProgress) return;
    const char* const last = nccl().ncclGetLastError(communicator_);
    const std::string detail = last == nullptr || *last == '\0' ? "" : concat(" (", last, ")");
    throw EnvironmentError("nccl", concat(call, " failed on rank ", rank(), ": ", nccl().ncclGetErrorString(result),
                                          detail, "; NCCL_DEBUG=INFO says more"));
  }

  void abort() noexcept {
    if (communicator_ != nullptr) nccl().ncclCommAbort(communicator_);
    communicator_ = nullptr;
    aborted_ = true;
  }

  CUstream compute_, stream_ = nullptr;
  std::optional<cuda::Event> ready_, done_;  ///< of the default stream, of stream_
  ncclComm_t communicator_ = nullptr;
  bool aborted_ = false;
};

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(HostGroup& group, Device device) {
  if (!nccl().problem.empty()) {
    throw UserError("nccl", concat("expected NCCL for ", group.size(), " processes: ", nccl().problem));
  }
  return std::make_unique<NcclCommunicator>(group, device);
}

}  // namespace suanli::dist
