/// Batches made ahead of their use by one background thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "data/batch.h"
#include "data/sampler.h"

namespace suanli {

/// Where a run stands in its data: the next batch to be used.
struct DataPosition {
  int64_t epoch = 0, batch = 0;
  bool operator==(const DataPosition&) const = default;
};

/// Makes the sequence of one row for one epoch: looks it up or tokenizes it, masks it anew.
using FetchExample = std::function<EncodedExample(int64_t row, int64_t epoch)>;

/// Tokenizes rows 0 to `rows` - 1 on all threads; the result stands in the order of the rows. Rethrows the exception of
/// the first row that threw.
std::vector<EncodedExample> encode_rows(int64_t rows, const std::function<EncodedExample(int64_t row)>& tokenize);

/// The batches from `start` to the end of epoch `epochs` - 1, in order. The same batches whatever `depth` is: each is a
/// function of (epoch, batch) alone. A background thread keeps up to `depth` of them ready; 0 makes each when asked.
class Loader {
 public:
  Loader(Sampler sampler, FetchExample fetch, DataPosition start, int64_t epochs, int64_t depth = 4);
  ~Loader();  ///< stops the thread after the batch it is at
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch; false after the last. An exception of `fetch` arrives here, behind the batches before it, and
  /// again in every later call.
  bool next(Batch* batch);

  /// The position of the batch that next() will give: what a checkpoint keeps.
  DataPosition position() const { return position_; }

  int64_t batches_per_epoch() const { return sampler_.batches_per_epoch(); }

 private:
  DataPosition after(DataPosition position) const;
  Batch make(DataPosition position);
  void work(DataPosition position);

  Sampler sampler_;
  FetchExample fetch_;
  DataPosition position_;
  int64_t epochs_;
  size_t depth_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> ready_;  // guarded by mutex_, as are the two below
  std::exception_ptr failure_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace suanli
