/// What administrators did, one line each, in a file in which nobody can change a line without being found out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>

namespace suanli::serve {

struct AuditEntry {
  std::string actor;    ///< name of the key, "admin socket", "signal", "server"
  std::string action;   ///< "POST /v2/repository/models/m/load"
  std::string model;    ///< that the answer is about, or ""
  std::string outcome;  ///< "asked", then the code of the answer: 200
  std::string request = {};
};

/// Appends to a file of JSON lines. A line has its number, the time (UTC), the entry, the hash of the line before it
/// (`previous`) and its own (`hash`): SHA-256 of the line without `hash`. Thread safe.
class AuditLog {
 public:
  /// Opens or makes the file (0600) and goes on from its last line. A last line without an end, from a crash, is cut
  /// off, and an entry says so. Throws UserError where a line was changed or another process writes the file,
  /// EnvironmentError where it cannot be opened.
  explicit AuditLog(const std::filesystem::path& file);
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  /// On the disk when it returns. Throws EnvironmentError: what the entry tells of must then not be done.
  void append(const AuditEntry& entry);

 private:
  std::filesystem::path file_;
  std::mutex mutex_;
  int descriptor_ = -1;
  uint64_t entries_ = 0;
  std::string last_;  ///< hash
  uint64_t bytes_ = 0;
};

struct AuditCheck {
  uint64_t entries = 0;  ///< that hold
  std::string last;      ///< hash of the last of them
  uint64_t bytes = 0;    ///< of them
  std::string fault;     ///< empty: the whole file holds; else "line 7: ..."
  bool torn = false;     ///< the fault is a last line without an end
};

/// Reads the chain from its first line on. Lines cut off at the end leave a chain that holds: `expected`, the hash of
/// a line noted elsewhere, finds that. Throws UserError where there is no such file.
AuditCheck check_audit_log(const std::filesystem::path& file, const std::string& expected = "");

}  // namespace suanli::serve
