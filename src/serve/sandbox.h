/// What a serving process can still do is held by the kernel: files by Landlock, system calls by seccomp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace suanli::serve {

/// What of the file system a server needs: reads beneath `readable`, anything beneath `writable`. Paths that do not
/// exist are left out.
struct FileAccess {
  std::vector<std::filesystem::path> readable = {}, writable = {};
};

/// `folder`, a model or several of them, and the folders that hold what is linked in it: a cache of Hugging Face has
/// the files themselves elsewhere.
std::vector<std::filesystem::path> folders_of_models(const std::filesystem::path& folder);

/// From now on this thread, and those that it starts, reach no other files, and start no program from a file. To be
/// called before other threads exist. Returns what holds, or why the kernel does not do it. Never throws.
std::string confine_files(const FileAccess& access);

/// From now on all threads of the process have the system calls that a server with loaded models needs, and no others
/// (EPERM): none starts a process, traces one, mounts, loads code into the kernel or changes a user.
/// `connects`: it may open connections to others, as a webhook does. Returns what holds, or why not. Never throws.
std::string confine_calls(bool connects);

}  // namespace suanli::serve
