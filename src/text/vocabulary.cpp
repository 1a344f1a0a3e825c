#include "text/vocabulary.h"

#include <bit>

namespace suanli {
namespace {

uint64_t hash_of(std::string_view token) {
  uint64_t hash = Vocabulary::kHashSeed;
  for (const char byte : token) hash = Vocabulary::hash_step(hash, byte);
  return hash;
}

// The low half of the hash, of which the slot's number (the high bits) does not tell.
uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash); }

}  // namespace

void Vocabulary::reserve(size_t tokens, size_t ids) {
  if (entries_.size() < ids) entries_.resize(ids);
  text_.reserve(tokens * 8);
  const size_t wanted = std::bit_ceil(tokens * 2 + 16);
  if (slots_.size() >= wanted) return;
  slots_.assign(wanted, Slot{});
  shift_ = 64 - std::countr_zero(wanted);
  for (size_t id = 0; id < entries_.size(); ++id) {
    if (entries_[id].size == kNone) continue;
    const uint64_t hash = hash_of(token(static_cast<int32_t>(id)));
    size_t slot = first_slot(hash);
    while (slots_[slot].id != kMissing) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = {tag_of(hash), static_cast<int32_t>(id)};
  }
}

Vocabulary::Added Vocabulary::add(std::string_view token, int32_t id) {
  if (slots_.size() < size_ * 2 + 2) reserve(size_ * 2 + 16, entries_.size());
  Entry& entry = entries_[static_cast<size_t>(id)];
  if (entry.size != kNone) return Added::duplicate_id;
  const uint64_t hash = hash_of(token);
  if (find_hashed(hash, {}, token) != kMissing) return Added::duplicate_token;
  size_t slot = first_slot(hash);
  while (slots_[slot].id != kMissing) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = {tag_of(hash), id};
  entry = {static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(token.size())};
  text_.append(token);
  ++size_;
  return Added::yes;
}

int32_t Vocabulary::find(std::string_view token) const { return find_hashed(hash_of(token), {}, token); }

std::string_view Vocabulary::token(int32_t id) const {
  if (!holds(id)) return {};
  const Entry& entry = entries_[static_cast<size_t>(id)];
  return std::string_view(text_).substr(entry.begin, entry.size);
}

int32_t Vocabulary::find_hashed(uint64_t hash, std::string_view prefix, std::string_view rest) const {
  if (slots_.empty()) return kMissing;
  const uint32_t tag = tag_of(hash);
  for (size_t slot = first_slot(hash);; slot = (slot + 1) & (slots_.size() - 1)) {
    const Slot& candidate = slots_[slot];
    if (candidate.id == kMissing) return kMissing;
    if (candidate.tag != tag) continue;
    const Entry& entry = entries_[static_cast<size_t>(candidate.id)];
    if (entry.size != prefix.size() + rest.size()) continue;
    const std::string_view token = std::string_view(text_).substr(entry.begin, entry.size);
    if (token.starts_with(prefix) && token.substr(prefix.size()) == rest) {
      return candidate.id;
    }
  }
}

}  // namespace suanli
