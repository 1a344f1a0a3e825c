/// Shared memory in which the ranks of a communicator meet: a place for the bytes of each.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace stand_in {

inline constexpr size_t kPlaceBytes = size_t{1} << 16;
inline constexpr int kMostRanks = 8;

/// What a rank gives to a piece of work; root < 0: a sum.
struct Part {
  size_t count = 0;
  int type = 0, root = 0;
};

/// Pieces of work are numbered from 1. A rank writes its part of a piece when all have read the one before.
class Meeting {
 public:
  /// Opens the shared memory `name`, or makes it; null where the system does not give it or there are too many ranks.
  static Meeting* join(const char* name, int size);
  bool complete() const { return joined_ == size_; }
  int size() const { return size_; }

  Part& part(int rank) { return ranks_[rank].part; }
  std::byte* place(int rank) { return ranks_[rank].place; }
  const std::byte* place(int rank) const { return ranks_[rank].place; }
  void has_written(int rank, uint64_t number) { ranks_[rank].written = number; }
  void has_read(int rank, uint64_t number) { ranks_[rank].read = number; }
  bool all_have_written(uint64_t number) const {
    for (int rank = 0; rank < size_; ++rank) {
      if (ranks_[rank].written < number) return false;
    }
    return true;
  }
  bool all_have_read(uint64_t number) const {
    for (int rank = 0; rank < size_; ++rank) {
      if (ranks_[rank].read < number) return false;
    }
    return true;
  }

 private:
  struct Rank {
    std::atomic<uint64_t> written, read;
    Part part;
    std::byte place[kPlaceBytes];
  };
  // Fresh shared memory is zeros, which is a good state of all of this.
  std::atomic<int> size_, joined_;
  Rank ranks_[kMostRanks];
};

/// A name that no other meeting has, at most 128 bytes with its end.
void name_meeting(char* name);

}  // namespace stand_in
