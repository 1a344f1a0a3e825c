/// The functions of NCCL that the product uses, between processes of one machine: over shared memory, in the order of
/// the stand-in driver's streams, summed rank by rank. Calls take their time as NCCL's do where a communicator does not
/// block: they return ncclInProgress, and nothing is queued before ncclCommGetAsyncError was asked.
#include <cuda.h>
#include <dlfcn.h>
#include <nccl.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "meeting.h"

namespace {

using stand_in::Meeting;
using stand_in::Part;

template <class F>
F of_driver(const char* name) {
  return reinterpret_cast<F>(dlsym(dlopen("libcuda.so.1", RTLD_NOW), name));
}

void* device_bytes(const void* address, size_t bytes, bool will_write) {
  static const auto find = of_driver<void* (*)(CUdeviceptr, size_t, int)>("stand_in_host_pointer");
  return find(reinterpret_cast<CUdeviceptr>(address), bytes, will_write ? 1 : 0);
}

float widen(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float out;
  std::memcpy(&out, &wide, sizeof out);
  return out;
}

/// To the nearest, ties to even; infinities and NaN keep their high half.
uint16_t narrow(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7f800000U) != 0x7f800000U) bits += 0x7fffU + (bits >> 16 & 1U);
  return static_cast<uint16_t>(bits >> 16);
}

size_t size_of(int type) { return type == ncclFloat32 ? 4 : type == ncclBfloat16 ? 2 : 0; }

}  // namespace

/// A call, or a piece of one that fits a rank's place in the shared memory.
struct Piece {
  ncclComm_t communicator = nullptr;
  uint64_t number = 0;
  Part part = {};
  const void* from = nullptr;
  void* to = nullptr;
  cudaStream_t stream = nullptr;
};

struct ncclComm {
  Meeting* meeting = nullptr;
  int rank = 0;
  uint64_t pieces = 0;
  std::atomic<bool> aborted = false;
  std::atomic<ncclResult_t> error = ncclInProgress;
  std::vector<Piece*> waiting = {};  // of a group that has ended and was not asked for
};

namespace {

thread_local int group_depth = 0;
thread_local std::vector<Piece*> group;

bool may_write(void* data) {
  const Piece& p = *static_cast<Piece*>(data);
  return p.communicator->aborted || p.communicator->meeting->all_have_read(p.number - 1);
}

void write(void* data) {
  const Piece& p = *static_cast<Piece*>(data);
  ncclComm& c = *p.communicator;
  if (c.aborted) return;
  const size_t bytes = p.part.count * size_of(p.part.type);
  Part& mine = c.meeting->part(c.rank);
  mine = p.part;
  if (p.part.root < 0 || p.part.root == c.rank) {
    const void* const source = device_bytes(p.from, bytes, false);
    if (source != nullptr) std::memcpy(c.meeting->place(c.rank), source, bytes);
  }
  c.meeting->has_written(c.rank, p.number);
}

bool may_read(void* data) {
  const Piece& p = *static_cast<Piece*>(data);
  return p.communicator->aborted || p.communicator->meeting->all_have_written(p.number);
}

/// What the ranks give must be the same call.
bool agree(const ncclComm& c) {
  const auto text = [](const Part& part) {
    return std::string(part.root < 0 ? "sum" : "broadcast") + " of " + std::to_string(part.count) + " of type " +
           std::to_string(part.type);
  };
  for (int rank = 0; rank < c.meeting->size(); ++rank) {
    const Part &first = c.meeting->part(0), &other = c.meeting->part(rank);
    if (first.count == other.count && first.type == other.type && first.root == other.root) continue;
    std::fprintf(stderr, "[nccl] rank 0: %s, rank %d: %s\n", text(first).c_str(), rank, text(other).c_str());
    return false;
  }
  return true;
}

template <class T, class Widen, class Narrow>
void add_up(const Meeting& meeting, size_t count, T* to, const Widen& wide, const Narrow& slim) {
  for (size_t i = 0; i < count; ++i) {
    float sum = wide(reinterpret_cast<const T*>(meeting.place(0))[i]);
    for (int rank = 1; rank < meeting.size(); ++rank) sum += wide(reinterpret_cast<const T*>(meeting.place(rank))[i]);
    to[i] = slim(sum);
  }
}

void read(void* data) {
  const Piece& p = *static_cast<Piece*>(data);
  ncclComm& c = *p.communicator;
  if (c.aborted) return;
  if (!agree(c)) {
    c.error = ncclInvalidUsage;
    return;
  }
  const size_t bytes = p.part.count * size_of(p.part.type);
  void* const to = device_bytes(p.to, bytes, true);
  if (to == nullptr) return;
  const auto same = [](float value) { return value; };
  if (p.part.root >= 0) {
    std::memcpy(to, c.meeting->place(p.part.root), bytes);
  } else if (p.part.type == ncclFloat32) {
    add_up(*c.meeting, p.part.count, static_cast<float*>(to), same, same);
  } else {
    add_up(*c.meeting, p.part.count, static_cast<uint16_t*>(to), widen, narrow);
  }
  c.meeting->has_read(c.rank, p.number);
}

void enqueue(Piece* piece) {
  using Enqueue = void (*)(CUstream, bool (*)(void*), void (*)(void*), void*);
  static const auto enqueue_work = of_driver<Enqueue>("stand_in_enqueue");
  piece->number = ++piece->communicator->pieces;
  enqueue_work(reinterpret_cast<CUstream>(piece->stream), may_write, write, piece);
  enqueue_work(reinterpret_cast<CUstream>(piece->stream), may_read, read, piece);
}

ncclResult_t add(Piece whole) {
  const size_t size = size_of(whole.part.type);
  if (size == 0 || whole.communicator->aborted) return ncclInvalidArgument;
  static auto* const all = new std::deque<Piece>;  // they may run at any time
  const size_t most = stand_in::kPlaceBytes / size;
  for (size_t begin = 0, count = whole.part.count; begin < count; begin += most) {
    Piece& piece = all->emplace_back(whole);
    piece.part.count = std::min(most, count - begin);
    piece.from = static_cast<const char*>(whole.from) + begin * size;
    piece.to = static_cast<char*>(whole.to) + begin * size;
    group.push_back(&piece);
  }
  return group_depth > 0 ? ncclSuccess : (++group_depth, ncclGroupEnd());
}

}  // namespace

extern "C" {

ncclResult_t ncclGetVersion(int* version) { return *version = NCCL_VERSION_CODE, ncclSuccess; }
const char* ncclGetErrorString(ncclResult_t result) {
  return result == ncclInvalidUsage ? "invalid usage" : result == ncclInvalidArgument ? "invalid argument" : "failed";
}
const char* ncclGetLastError(ncclComm_t) { return ""; }

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) { return stand_in::name_meeting(id->internal), ncclSuccess; }

ncclResult_t ncclCommInitRankConfig(ncclComm_t* out, int size, ncclUniqueId id, int rank, ncclConfig_t* config) {
  if (rank < 0 || rank >= size || config->blocking != 0) return ncclInvalidArgument;
  *out = new ncclComm{.meeting = Meeting::join(id.internal, size), .rank = rank};
  return (*out)->meeting == nullptr ? ncclSystemError : ncclInProgress;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t communicator, ncclResult_t* state) {
  for (Piece* piece : std::exchange(communicator->waiting, {})) enqueue(piece);
  if (communicator->error == ncclInProgress && communicator->meeting->complete()) communicator->error = ncclSuccess;
  return *state = communicator->error, ncclSuccess;
}

/// What is queued comes to an end and does nothing; the communicator stays for it.
ncclResult_t ncclCommAbort(ncclComm_t communicator) { return communicator->aborted = true, ncclSuccess; }

ncclResult_t ncclGroupStart() { return ++group_depth, ncclSuccess; }
ncclResult_t ncclGroupEnd() {
  if (--group_depth > 0) return ncclSuccess;
  for (Piece* piece : group) piece->communicator->waiting.push_back(piece);
  return std::exchange(group, {}).empty() ? ncclSuccess : ncclInProgress;
}

ncclResult_t ncclAllReduce(const void* from, void* to, size_t count, ncclDataType_t type, ncclRedOp_t operation,
                           ncclComm_t communicator, cudaStream_t stream) {
  if (operation != ncclSum) return ncclInvalidArgument;
  return add({.communicator = communicator,
              .part = {.count = count, .type = type, .root = -1},
              .from = from,
              .to = to,
              .stream = stream});
}

ncclResult_t ncclBroadcast(const void* from, void* to, size_t count, ncclDataType_t type, int root,
                           ncclComm_t communicator, cudaStream_t stream) {
  return add({.communicator = communicator,
              .part = {.count = count, .type = type, .root = root},
              .from = from,
              .to = to,
              .stream = stream});
}

}  // extern "C"
