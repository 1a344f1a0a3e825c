/// API keys: who may ask for what, and how often. The file holds hashes alone.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "infer/work.h"
#include "serve/router.h"

namespace suanli::serve {

/// What is asked of a request before its body is read.
enum class Admission { allowed, unknown_key, not_in_scope, over_quota };

class Keys {
 public:
  Keys() = default;
  /// Reads a file with one key a line: `SHA256 NAME SCOPES [REQUESTS_PER_MINUTE] [EXPIRES]`; SHA256 in hex of the key's
  /// text, SCOPES of infer, metrics and admin with commas, EXPIRES as YYYY-MM-DD (the last day). # begins a comment.
  /// Throws UserError with the line.
  static Keys read(const std::filesystem::path& file);
  /// The same of the text of a file; `where` names it in errors.
  static Keys parse(const std::string& text, const std::string& where);

  /// False: every caller may do everything.
  bool wanted() const { return wanted_; }
  /// Judges the key of a caller; its name goes to `name`, and `retry_after` gets seconds where it is over its quota.
  Admission admit(std::string_view key, Scope scope, std::string& name, int64_t& retry_after);

 private:
  struct Key {
    std::array<unsigned char, 32> hash;
    std::string name;
    bool infer = false, metrics = false, admin = false;
    double per_minute = 0;  ///< 0: no quota
    int64_t last_second = INT64_MAX;
    double tokens = 0;  ///< of the bucket that refills at per_minute
    infer::Clock::time_point filled = {};
  };
  bool wanted_ = false;
  std::vector<Key> keys_;
};

/// A new key of 256 random bits, as text.
std::string new_key();
/// The SHA-256 of a key, in hex: what the file holds.
std::string hash_of_key(std::string_view key);

}  // namespace suanli::serve
