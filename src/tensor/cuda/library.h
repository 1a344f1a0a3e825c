/// A shared library that is opened at run time, so that the program links none of CUDA's and starts without them.
#pragma once

#include <initializer_list>
#include <string>

namespace suanli::cuda {

/// Stays open to the end of the process.
class Library {
 public:
  /// Opens the first of `names` that the system's loader finds.
  explicit Library(std::initializer_list<const char*> names);
  bool found() const { return handle_ != nullptr; }

  /// Sets `function` to what the library exports as `name`; null, and missing() says so, where it lacks it.
  template <class F>
  void find(F& function, const char* name) {
    function = reinterpret_cast<F>(symbol(name));
    if (function == nullptr) missing_ += (missing_.empty() ? "" : ", ") + std::string(name);
  }
  /// Names that find() did not find, in one line.
  const std::string& missing() const { return missing_; }
  /// Why the library called `name` cannot be used: not found, and `way_out` says how to get it, or without functions
  /// that find() was asked for. Empty where it can.
  std::string problem(const std::string& name, const std::string& way_out) const;

  /// What the library exports as `name`, or null.
  void* symbol(const char* name) const;

 private:
  void* handle_ = nullptr;
  std::string missing_;
};

}  // namespace suanli::cuda
