#include "serve/audit_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"

namespace suanli::serve {

namespace {

const std::string kNoHash(64, '0');

/// Text of a client may hold any bytes.
std::string line_of(const Json& entry) { return entry.dump(-1, ' ', true, Json::error_handler_t::replace); }

std::string hash_of_entry(const Json& without_hash) { return to_hex(sha256(line_of(without_hash))); }

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
  return text;
}

/// Why a line is not the one that was written after `check`'s last, or "".
std::string fault_of(const std::string& line, const AuditCheck& check, std::string& hash) {
  Json entry;
  try {
    entry = parse_json(line, "audit log");
  } catch (const UserError&) {
    return "is no JSON";
  }
  if (!entry.is_object() || line_of(entry) != line) return "was written otherwise";
  hash = entry.value("hash", "");
  entry.erase("hash");
  if (hash != hash_of_entry(entry)) return "was changed";
  if (entry.value("previous", "") != check.last) return "does not follow the line before it";
  if (entry.value("number", uint64_t{0}) != check.entries + 1) return "has another number";
  return "";
}

}  // namespace

AuditCheck check_audit_log(const std::filesystem::path& file, const std::string& expected) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw UserError(file.string(), "expected an audit log that can be read");
  AuditCheck check;
  check.last = kNoHash;
  bool seen = expected.empty();
  for (std::string line, hash; std::getline(in, line);) {
    const std::string place = "line " + std::to_string(check.entries + 1) + " ";
    check.torn = in.eof();
    std::string fault = check.torn ? "has no end" : fault_of(line, check, hash);
    if (!fault.empty()) {
      check.fault = place + fault;
      return check;
    }
    ++check.entries;
    check.last = hash;
    check.bytes += line.size() + 1;
    seen = seen || hash == expected;
  }
  if (!seen) check.fault = "no line has the hash " + expected + ": lines are missing";
  return check;
}

AuditLog::AuditLog(const std::filesystem::path& file) : file_(file) {
  descriptor_ = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) {
    throw EnvironmentError(file.string(), std::string("the audit log cannot be opened: ") + std::strerror(errno));
  }
  try {
    struct stat state = {};
    if (::fstat(descriptor_, &state) != 0 || !S_ISREG(state.st_mode)) {
      throw UserError(file.string(), "expected a file for the audit log");
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      throw UserError(file.string(), "expected an audit log of this server alone; another process writes it");
    }
    const AuditCheck check = check_audit_log(file);
    if (!check.fault.empty() && !check.torn) {
      throw UserError(file.string(), check.fault + "; keep the file as it is and name another");
    }
    entries_ = check.entries;
    last_ = check.last;
    bytes_ = check.bytes;
    if (check.torn) {
      const auto size = std::filesystem::file_size(file);
      std::filesystem::resize_file(file, bytes_);
      append({"server", "cut off an entry without an end", "", std::to_string(size - bytes_) + " bytes"});
    }
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

AuditLog::~AuditLog() { ::close(descriptor_); }

void AuditLog::append(const AuditEntry& entry) {
  const std::lock_guard lock(mutex_);
  Json line = {{"number", entries_ + 1},   {"time", utc_now()},    {"actor", entry.actor},
               {"action", entry.action},   {"model", entry.model}, {"outcome", entry.outcome},
               {"request", entry.request}, {"previous", last_}};
  // What a client sent may be no UTF-8: the line is what a reader of it finds.
  line = Json::parse(line_of(line));
  const std::string hash = hash_of_entry(line);
  line["hash"] = hash;
  const std::string text = line_of(line) + "\n";
  const ssize_t written = ::write(descriptor_, text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size()) || ::fdatasync(descriptor_) != 0) {
    const std::string reason =
        written >= 0 && written < static_cast<ssize_t>(text.size()) ? "no space is left" : std::strerror(errno);
    if (::ftruncate(descriptor_, static_cast<off_t>(bytes_)) != 0) log_error("the audit log has half an entry");
    throw EnvironmentError(file_.string(), "the audit log cannot be written: " + reason);
  }
  ++entries_;
  last_ = hash;
  bytes_ += text.size();
  log_info("audit " + std::to_string(entries_) + " " + hash);
}

}  // namespace suanli::serve
