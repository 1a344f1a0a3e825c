#include "text/bpe.h"

#include <algorithm>
#include <bit>
#include <cstdio>

#include "base/concat.h"
#include "base/error.h"
#include "text/utf8.h"

namespace suanli {
namespace {

uint64_t pair_key(int32_t left, int32_t right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
}

uint64_t pair_hash(uint64_t key) {
  key ^= key >> 32;
  return key * 0x9E3779B97F4A7C15;
}

}  // namespace

Bpe::Bpe(Vocabulary vocabulary, const std::vector<std::pair<std::string_view, std::string_view>>& merges,
         const BpeOptions& options, std::string_view where)
    : options_(options) {
  vocabulary_ = std::move(vocabulary);
  if (options_.unknown_token && !options_.unknown_token->empty()) {
    unknown_id_ = vocabulary_.find(*options_.unknown_token);
    if (unknown_id_ == Vocabulary::kMissing) {
      throw UserError(where, concat("the unknown token '", *options_.unknown_token, "' is not in the vocabulary"));
    }
  }
  merges_.resize(std::bit_ceil(merges.size() * 2 + 2));
  shift_ = 64 - std::countr_zero(merges_.size());
  std::string merged;
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const std::string_view left = merges[rank].first, right = merges[rank].second;
    const auto token = [&](std::string_view part) {
      const int32_t id = vocabulary_.find(part);
      if (id == Vocabulary::kMissing) {
        throw UserError(where, concat("merge ", rank, " ('", left, "' and '", right, "') needs the token '", part,
                                      "', which is not in the vocabulary"));
      }
      return id;
    };
    if (right.size() < options_.continuing_prefix.size()) {
      throw UserError(where, concat("merge ", rank, ": '", right, "' is shorter than the prefix '",
                                    options_.continuing_prefix, "' of continuing tokens"));
    }
    merged.assign(left).append(right.substr(options_.continuing_prefix.size()));
    add_merge({pair_key(token(left), token(right)), static_cast<uint32_t>(rank), token(merged)});
  }
  std::string bytes;
  for (char32_t c = 0; c < small_.size(); ++c) {
    bytes.clear();
    append_utf8(c, bytes);
    small_[c] = vocabulary_.find(bytes);
  }
  for (unsigned byte = 0; byte < bytes_.size(); ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    bytes_[byte] = vocabulary_.find(name);
  }
}

void Bpe::add_merge(const Merge& merge) {
  size_t slot = static_cast<size_t>(pair_hash(merge.pair) >> shift_);
  while (merges_[slot].pair != kNoPair && merges_[slot].pair != merge.pair) slot = (slot + 1) & (merges_.size() - 1);
  merges_[slot] = merge;
}

const Bpe::Merge& Bpe::find_merge(int32_t left, int32_t right) const {
  const uint64_t key = pair_key(left, right);
  size_t slot = static_cast<size_t>(pair_hash(key) >> shift_);
  while (merges_[slot].pair != kNoPair && merges_[slot].pair != key) slot = (slot + 1) & (merges_.size() - 1);
  return merges_[slot];
}

// The id of a code point where it stands, or kMissing; `bytes` receives the text looked up, unless the table had it.
int32_t Bpe::first_symbol(char32_t c, bool first, bool last, std::string& bytes) const {
  const bool plain = (first || options_.continuing_prefix.empty()) && (!last || options_.end_of_word_suffix.empty());
  if (plain && c < small_.size() && small_[c] != Vocabulary::kMissing) return small_[c];
  bytes.clear();
  if (!first) bytes += options_.continuing_prefix;
  append_utf8(c, bytes);
  if (last) bytes += options_.end_of_word_suffix;
  return vocabulary_.find(bytes);
}

bool Bpe::add_bytes(std::string_view bytes, uint32_t at, ModelScratch& scratch) const {
  const auto id = [&](char byte) { return bytes_[static_cast<unsigned char>(byte)]; };
  if (std::any_of(bytes.begin(), bytes.end(), [&](char byte) { return id(byte) == Vocabulary::kMissing; }))
    return false;
  for (const char byte : bytes) scratch.symbols.push_back({id(byte), at, at + 1, 0, 0, 0, 0});
  return true;
}

// The symbols before the first merge.
void Bpe::split(std::u32string_view piece, ModelScratch& scratch) const {
  auto& symbols = scratch.symbols;
  symbols.clear();
  const auto length = static_cast<uint32_t>(piece.size());
  bool pending = false;  // an unknown token that may still grow
  uint32_t pending_begin = 0, pending_end = 0;
  const auto flush = [&] {
    if (pending) symbols.push_back({unknown_id_, pending_begin, pending_end, 0, 0, 0, 0});
    pending = false;
  };
  for (uint32_t i = 0; i < length; ++i) {
    const int32_t id = first_symbol(piece[i], i == 0, i + 1 == length, scratch.bytes);
    if (id != Vocabulary::kMissing) {
      flush();
      symbols.push_back({id, i, i + 1, 0, 0, 0, 0});
    } else if (options_.byte_fallback && add_bytes(scratch.bytes, i, scratch)) {
      continue;
    } else if (unknown_id_ != Vocabulary::kMissing) {
      if (pending && options_.fuse_unknown) {
        pending_end = i + 1;
      } else {
        flush();
        pending = true;
        pending_begin = i;
        pending_end = i + 1;
      }
    } else if (options_.unknown_token) {
      throw UserError("tokenizer",
                      concat("'", to_utf8(piece.substr(i, 1)), "' is not in the vocabulary, and the unknown token '",
                             *options_.unknown_token, "' is not either"));
    }
  }
  flush();
}

void Bpe::tokenize(std::u32string_view piece, std::vector<ModelToken>& out, ModelScratch& scratch) const {
  if (options_.ignore_merges) {
    scratch.bytes.clear();
    for (const char32_t c : piece) append_utf8(c, scratch.bytes);
    if (const int32_t id = vocabulary_.find(scratch.bytes); id != Vocabulary::kMissing) {
      out.push_back({id, 0, static_cast<uint32_t>(piece.size())});
      return;
    }
  }
  split(piece, scratch);
  constexpr size_t kShort = 48;  // up to here a scan for the lowest rank beats a heap
  if (scratch.symbols.size() <= kShort) {
    merge_short(scratch);
  } else {
    merge_long(scratch);
  }
  for (const auto& symbol : scratch.symbols) {
    if (symbol.id >= 0) out.push_back({symbol.id, symbol.begin, symbol.end});
  }
}

void Bpe::merge_short(ModelScratch& scratch) const {
  auto& symbols = scratch.symbols;
  const auto look_up = [&](size_t i) {
    const Merge& merge = find_merge(symbols[i].id, symbols[i + 1].id);
    symbols[i].rank = merge.rank;
    symbols[i].merged = merge.merged;
  };
  size_t count = symbols.size();
  for (size_t i = 0; i + 1 < count; ++i) look_up(i);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (symbols[i].rank < symbols[best].rank) best = i;
    }
    if (symbols[best].rank == UINT32_MAX) break;
    symbols[best].id = symbols[best].merged;
    symbols[best].end = symbols[best + 1].end;
    std::copy(symbols.begin() + static_cast<std::ptrdiff_t>(best + 2),
              symbols.begin() + static_cast<std::ptrdiff_t>(count),
              symbols.begin() + static_cast<std::ptrdiff_t>(best + 1));
    --count;
    if (best + 1 < count) look_up(best);
    if (best > 0) look_up(best - 1);
  }
  symbols.resize(count);
}

void Bpe::merge_long(ModelScratch& scratch) const {
  auto& symbols = scratch.symbols;
  auto& heap = scratch.heap;
  heap.clear();
  const auto worse = [](const ModelScratch::Candidate& a, const ModelScratch::Candidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
  };
  const auto candidate = [&](int32_t left, int32_t right) {
    if (left < 0 || right < 0) return;
    const Merge& merge = find_merge(symbols[static_cast<size_t>(left)].id, symbols[static_cast<size_t>(right)].id);
    if (merge.rank == UINT32_MAX) return;
    heap.push_back({merge.rank, left, merge.merged});
    std::push_heap(heap.begin(), heap.end(), worse);
  };
  const auto count = static_cast<int32_t>(symbols.size());
  for (int32_t i = 0; i < count; ++i) {
    symbols[static_cast<size_t>(i)].previous = i - 1;
    symbols[static_cast<size_t>(i)].next = i + 1 < count ? i + 1 : -1;
    if (i > 0) candidate(i - 1, i);
  }
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), worse);
    const ModelScratch::Candidate top = heap.back();
    heap.pop_back();
    auto& left = symbols[static_cast<size_t>(top.position)];
    if (left.id < 0 || left.next < 0) continue;
    auto& right = symbols[static_cast<size_t>(left.next)];
    const Merge& merge = find_merge(left.id, right.id);
    if (merge.rank != top.rank) continue;  // one of the two has been merged since
    left.id = merge.merged;
    left.end = right.end;
    left.next = right.next;
    right.id = Vocabulary::kMissing;
    if (left.next >= 0) symbols[static_cast<size_t>(left.next)].previous = top.position;
    candidate(left.previous, top.position);
    candidate(top.position, left.next);
  }
}

}  // namespace suanli
