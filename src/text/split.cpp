#include "text/split.h"

#include <algorithm>

#include "base/concat.h"
#include "text/json_node.h"

namespace suanli {
namespace {

struct Part {
  Match range;
  bool matched;
};

// Joins a match to the part before it, unless that is itself a match.
std::vector<Part> merge_with_previous(const std::vector<Part>& parts) {
  std::vector<Part> out;
  bool previous = false;
  for (const Part& part : parts) {
    if (part.matched && !previous && !out.empty()) {
      out.back().range.end = part.range.end;
    } else {
      out.push_back(part);
    }
    previous = part.matched;
  }
  return out;
}

std::vector<Part> merge_with_next(const std::vector<Part>& parts) {
  std::vector<Part> out;
  bool previous = false;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (part->matched && !previous && !out.empty()) {
      out.back().range.begin = part->range.begin;
    } else {
      out.push_back(*part);
    }
    previous = part->matched;
  }
  std::reverse(out.begin(), out.end());
  return out;
}

// Joins neighbours that both matched or both did not.
std::vector<Part> merge_contiguous(const std::vector<Part>& parts) {
  std::vector<Part> out;
  bool previous = false;
  for (const Part& part : parts) {
    if (part.matched == previous && !out.empty()) {
      out.back().range.end = part.range.end;
    } else {
      out.push_back(part);
    }
    previous = part.matched;
  }
  return out;
}

}  // namespace

SplitBehavior split_behavior(const JsonNode& node) {
  const std::string_view name = node.string();
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  node.fail(concat("the split behavior '", name, "' is not supported"));
}

void split_at(uint32_t begin, uint32_t end, const std::vector<Match>& matches, SplitBehavior behavior, bool invert,
              std::vector<Piece>& out) {
  std::vector<Part> parts;
  uint32_t done = 0;
  for (const Match& match : matches) {
    if (match.begin > done) parts.push_back({{done, match.begin}, invert});
    parts.push_back({match, !invert});
    done = match.end;
  }
  if (begin + done < end) parts.push_back({{done, end - begin}, invert});
  if (behavior == SplitBehavior::merged_with_previous) parts = merge_with_previous(parts);
  if (behavior == SplitBehavior::merged_with_next) parts = merge_with_next(parts);
  if (behavior == SplitBehavior::contiguous) parts = merge_contiguous(parts);
  for (const Part& part : parts) {
    if (part.range.begin == part.range.end || (behavior == SplitBehavior::removed && part.matched)) continue;
    out.push_back({begin + part.range.begin, begin + part.range.end, Piece::kModel});
  }
}

}  // namespace suanli
