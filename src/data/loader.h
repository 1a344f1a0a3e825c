/// Batches made ahead of their use by background threads.
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

/// The batches from `start` to the end of epoch `epochs` - 1, in order. The same batches whatever `depth` and `threads`
/// are: each is a function of (epoch, batch) alone. `threads` background threads keep up to `depth` batches ready and
/// share the rows of each; none of either makes each batch when asked. With several threads `fetch` is called by all.
class Loader {
 public:
  Loader(Sampler sampler, FetchExample fetch, DataPosition start, int64_t epochs, int64_t depth = 4,
         int64_t threads = 1);
  ~Loader();  ///< stops the threads after the rows they are at
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch; false after the last. An exception of `fetch` arrives here, behind the batches before it, and
  /// again in every later call; of several in a batch that of its first row.
  bool next(Batch* batch);

  /// The position of the batch that next() will give: what a checkpoint keeps.
  DataPosition position() const { return position_; }

  /// Seconds that next() has waited for batches so far: what faster loading could save. The scope "wait for data" of a
  /// profile shows them too.
  double waited_seconds() const { return waited_seconds_; }

  int64_t batches_per_epoch() const { return sampler_.batches_per_epoch(); }

 private:
  /// A batch in the making: its rows are fetched by whoever comes.
  struct Pending {
    int64_t epoch = 0;
    std::vector<int64_t> rows;
    std::vector<EncodedExample> examples;
    size_t claimed = 0, fetched = 0;
    size_t failed_row = 0;  // valid with failure
    std::exception_ptr failure;
    bool ready = false;
    Batch batch;
  };

  DataPosition after(DataPosition position) const;
  Pending begin(DataPosition position);
  void fetch_row(Pending* pending, size_t row);
  static void finish(Pending* pending);
  Pending* claim(size_t* row);
  void work();

  Sampler sampler_;  // guarded by mutex_ while threads run
  FetchExample fetch_;
  DataPosition position_;
  int64_t epochs_;
  size_t depth_;
  double waited_seconds_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Pending> pending_;  // in order; guarded by mutex_, as are the two below
  DataPosition begun_;           // of the batch after the last of them
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace suanli
