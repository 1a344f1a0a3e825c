/// A save may die or be refused at any system call: the newest or the previous checkpoint is there, byte for byte.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "base/error.h"
#include "formats/checkpoint.h"
#include "formats/checkpoint_example.h"
#include "formats/scratch.h"
#include "formats/traced.h"

namespace suanli {
namespace {

enum Exit { kSaved = 0, kEnvironmentError = 3, kOtherError = 4 };

/// A save as a child's whole work: its exit code says how it ended.
int try_save(const std::filesystem::path& output_dir, int64_t step) {
  try {
    save_example(output_dir, step);
    return kSaved;
  } catch (const EnvironmentError&) {
    return kEnvironmentError;
  } catch (...) {
    return kOtherError;
  }
}

using Contents = std::map<std::string, std::string>;

Contents contents_of_example(int64_t step) {
  const Scratch scratch;
  save_example(scratch.path(), step);
  return contents_of(scratch / ("checkpoint-" + std::to_string(step)));
}

bool has_temporary(const Scratch& scratch) {
  const auto names = scratch.names();
  return std::ranges::any_of(names, [](const std::string& name) { return name.starts_with("tmp-"); });
}

/// The step of the newest valid checkpoint, whose content must be that of `steps`' examples.
int64_t surviving_step(const Scratch& scratch, const std::map<int64_t, Contents>& expected, const std::string& what) {
  const LatestCheckpoint latest = find_latest_checkpoint(scratch.path());
  if (!latest.folder) {
    ADD_FAILURE() << what << ": no checkpoint is left";
    return -1;
  }
  EXPECT_TRUE(latest.rejected.empty()) << what << ": a half-written folder bears a checkpoint's name";
  EXPECT_EQ(contents_of(*latest.folder), expected.at(latest.step)) << what;
  return latest.step;
}

TEST(CheckpointFaults, KilledBeforeAnySystemCall) {
  const std::map<int64_t, Contents> expected = {{1, contents_of_example(1)}, {2, contents_of_example(2)}};
  const Scratch scratch;
  save_example(scratch.path(), 1);
  bool completed = false;
  int64_t before = 0, after = 0;
  for (int n = 0; !completed; ++n) {
    ASSERT_LT(n, 5000);
    // What the kill before left is there still: temporary folders, or the new checkpoint whole.
    std::filesystem::remove_all(scratch / "checkpoint-2");
    const Traced run = run_traced([&] { return try_save(scratch.path(), 2); },
                                  [n](const SystemCall& call) { return call.index == n ? Fate::kill : Fate::proceed; });
    completed = !run.killed;
    if (completed) {
      EXPECT_EQ(run.exit_code, kSaved);
    }
    const int64_t step = surviving_step(scratch, expected, "killed before call " + std::to_string(n));
    (step == 1 ? before : after) += 1;
    if (step == 1) {
      EXPECT_EQ(after, 0) << "once the new one is there it stays";
    }
  }
  EXPECT_EQ(surviving_step(scratch, expected, "at the end"), 2);
  EXPECT_FALSE(has_temporary(scratch)) << "the save that was not killed cleaned up after those that were";
  std::printf("%lld kills left the previous checkpoint, %lld the new one\n", static_cast<long long>(before),
              static_cast<long long>(after));
  EXPECT_GT(before, 50) << "the kills fell inside the save";
}

/// The same step saved again over a checkpoint that is there: at no moment is there none.
TEST(CheckpointFaults, KilledWhileReplacingTheOnlyCheckpoint) {
  const std::map<int64_t, Contents> expected = {{1, contents_of_example(1)}};
  bool completed = false;
  for (int n = 0; !completed; ++n) {
    ASSERT_LT(n, 5000);
    const Scratch scratch;
    save_example(scratch.path(), 1);
    const Traced run = run_traced([&] { return try_save(scratch.path(), 1); },
                                  [n](const SystemCall& call) { return call.index == n ? Fate::kill : Fate::proceed; });
    completed = !run.killed;
    if (completed) {
      EXPECT_EQ(run.exit_code, kSaved);
    }
    EXPECT_EQ(surviving_step(scratch, expected, "killed before call " + std::to_string(n)), 1);
  }
}

/// Calls that change the disk: when one of them fails the save must not claim success.
bool changes_disk(const SystemCall& call) {
  for (const long number : {SYS_write, SYS_pwrite64, SYS_writev, SYS_fsync, SYS_fdatasync, SYS_rename, SYS_renameat,
                            SYS_renameat2, SYS_mkdir, SYS_mkdirat, SYS_fchmod, SYS_ftruncate}) {
    if (call.number == number) return true;
  }
  return call.creates;
}

bool touches_files(const SystemCall& call) {
  for (const long number :
       {SYS_open, SYS_openat, SYS_read, SYS_pread64, SYS_close, SYS_fstat, SYS_newfstatat, SYS_stat, SYS_lstat,
        SYS_statx, SYS_getdents64, SYS_unlink, SYS_unlinkat, SYS_rmdir, SYS_access, SYS_faccessat}) {
    if (call.number == number) return true;
  }
  return changes_disk(call);
}

TEST(CheckpointFaults, NoSpaceAtAnySystemCall) {
  const std::map<int64_t, Contents> expected = {{1, contents_of_example(1)}, {2, contents_of_example(2)}};
  bool fell_through = false;
  int refused = 0;
  for (int n = 0; !fell_through; ++n) {
    ASSERT_LT(n, 5000);
    const Scratch scratch;
    save_example(scratch.path(), 1);
    SystemCall hit = {-1, -1, false};
    int file_call = 0;
    const Traced run = run_traced([&] { return try_save(scratch.path(), 2); },
                                  [&](const SystemCall& call) {
                                    if (!touches_files(call) || file_call++ != n) return Fate::proceed;
                                    hit = call;
                                    return Fate::no_space;
                                  });
    fell_through = hit.index < 0;
    const std::string what =
        "no space at file call " + std::to_string(n) + ", system call number " + std::to_string(hit.number);
    const int64_t step = surviving_step(scratch, expected, what);
    EXPECT_FALSE(has_temporary(scratch)) << what;
    if (changes_disk(hit)) {
      EXPECT_EQ(run.exit_code, kEnvironmentError) << what;
      ++refused;
    }
    if (run.exit_code == kSaved) {
      EXPECT_EQ(step, 2) << what;
    } else {
      EXPECT_EQ(run.exit_code, kEnvironmentError) << what;
    }
  }
  EXPECT_GT(refused, 30);
}

/// What a real full disk does: writes beyond a size fail (EFBIG under RLIMIT_FSIZE), at every size.
TEST(CheckpointFaults, FileSizeLimitAtEveryByte) {
  const Contents first = contents_of_example(1);
  size_t largest = 0;
  for (const auto& [name, content] : contents_of_example(2)) largest = std::max(largest, content.size());
  for (size_t limit = 0; limit <= largest + 64; limit += limit < largest - 8 ? 61 : 1) {
    const Scratch scratch;
    save_example(scratch.path(), 1);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      signal(SIGXFSZ, SIG_IGN);
      const rlimit small = {limit, limit};
      _exit(setrlimit(RLIMIT_FSIZE, &small) != 0 ? 125 : try_save(scratch.path(), 2));
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), limit < largest ? kEnvironmentError : kSaved) << "limit " << limit;
    EXPECT_FALSE(has_temporary(scratch));
    const LatestCheckpoint latest = find_latest_checkpoint(scratch.path());
    EXPECT_EQ(latest.step, limit < largest ? 1 : 2) << "limit " << limit;
    EXPECT_EQ(contents_of(scratch / "checkpoint-1"), first);
  }
}

TEST(CheckpointFaults, TheMessageHoldsTheSystemsReason) {
  const Scratch scratch;
  std::filesystem::permissions(scratch.path(), std::filesystem::perms::all);
  const std::filesystem::path file = scratch / "a file";
  std::fclose(std::fopen(file.c_str(), "w"));
  try {
    save_example(file, 1);
    FAIL();
  } catch (const EnvironmentError& error) {
    EXPECT_NE(std::string(error.what()).find("Not a directory"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace suanli
