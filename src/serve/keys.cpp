#include "serve/keys.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/error.h"
#include "base/sha256.h"

namespace suanli::serve {

namespace {

bool read_hash(std::string_view text, Sha256& out) {
  if (text.size() != 2 * out.size()) return false;
  for (size_t i = 0; i < out.size(); ++i) {
    const char* begin = text.data() + 2 * i;
    if (*begin == '-' || std::from_chars(begin, begin + 2, out[i], 16).ptr != begin + 2) return false;
  }
  return true;
}

/// The last second (UTC) of a day such as 2027-03-31, or nothing.
std::optional<int64_t> end_of_day(const std::string& text) {
  std::tm day = {};
  const char* end = strptime(text.c_str(), "%Y-%m-%d", &day);
  if (text.size() != 10 || end == nullptr || *end != '\0') return {};
  return static_cast<int64_t>(timegm(&day)) + 86'399;
}

}  // namespace

Keys Keys::read(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw UserError(file.string(), "expected a file of keys that can be read; make a key with `suanli keys`");
  std::ostringstream text;
  text << in.rdbuf();
  return parse(text.str(), file.string());
}

Keys Keys::parse(const std::string& text, const std::string& where) {
  std::istringstream in(text);
  Keys keys;
  keys.wanted_ = true;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    const std::string place = where + ":" + std::to_string(++number);
    line.resize(std::min(line.find('#'), line.size()));
    std::istringstream words(line);
    std::string hash, scopes, word;
    Key key;
    if (!(words >> hash)) continue;
    if (!(words >> key.name >> scopes) || !read_hash(hash, key.hash)) {
      throw UserError(place, "expected `SHA256 NAME SCOPES`, the hash as 64 hexadecimal digits");
    }
    std::istringstream list(scopes);
    for (std::string scope; std::getline(list, scope, ',');) {
      bool* allowed = scope == "infer"     ? &key.infer
                      : scope == "metrics" ? &key.metrics
                      : scope == "admin"   ? &key.admin
                                           : nullptr;
      if (allowed == nullptr) throw UserError(place, "expected scopes infer, metrics and admin, got \"" + scope + "\"");
      *allowed = true;
    }
    while (words >> word) {
      const char* end = word.data() + word.size();
      if (const auto last = end_of_day(word)) {
        key.last_second = *last;
      } else if (std::from_chars(word.data(), end, key.per_minute).ptr != end || !(key.per_minute > 0)) {
        throw UserError(place, "expected requests a minute or a day such as 2027-03-31, got \"" + word + "\"");
      }
    }
    key.tokens = key.per_minute;
    keys.keys_.push_back(std::move(key));
  }
  if (keys.keys_.empty()) throw UserError(where, "expected at least one key, got none");
  return keys;
}

Admission Keys::admit(std::string_view text, Scope scope, std::string& name, int64_t& retry_after) {
  if (!wanted_ || scope == Scope::open) return Admission::allowed;
  const Sha256 hash = sha256(text);
  Key* found = nullptr;
  for (Key& key : keys_) {  // all of them, in equal time
    if (CRYPTO_memcmp(hash.data(), key.hash.data(), hash.size()) == 0) found = &key;
  }
  if (found == nullptr || std::time(nullptr) > found->last_second) return Admission::unknown_key;
  name = found->name;
  const bool allowed = scope == Scope::infer ? found->infer : scope == Scope::metrics ? found->metrics : found->admin;
  if (!allowed) return Admission::not_in_scope;
  if (found->per_minute == 0) return Admission::allowed;
  const auto now = infer::Clock::now();
  const double minutes = std::chrono::duration<double>(now - found->filled).count() / 60;
  found->tokens = std::min(found->per_minute, found->tokens + minutes * found->per_minute);
  found->filled = now;
  if (found->tokens < 1) {
    retry_after = 1 + static_cast<int64_t>((1 - found->tokens) * 60 / found->per_minute);
    return Admission::over_quota;
  }
  found->tokens -= 1;
  return Admission::allowed;
}

std::string new_key() {
  Sha256 bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw EnvironmentError("keys", "the system gives no random bytes");
  }
  return "sl_" + to_hex(bytes);
}

std::string hash_of_key(std::string_view key) { return to_hex(sha256(key)); }

}  // namespace suanli::serve
