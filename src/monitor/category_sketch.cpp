#include <algorithm>
#include <functional>

#include "base/utf8.h"
#include "monitor/sketch.h"
#include "monitor/sketch_json.h"

namespace suanli::monitor {

void CategorySketch::add(std::string_view name, int64_t times) {
  if (times <= 0) return;
  count_ += times;
  name = name.substr(0, kLongestName);
  name = name.substr(0, find_invalid_utf8(name));
  const auto at = counts_.find(name);
  if (at != counts_.end()) {
    at->second += times;
    return;
  }
  counts_.emplace(name, times);
  shrink();
}

void CategorySketch::shrink() {
  if (counts_.size() <= capacity_) return;
  // The largest count that leaves at most `capacity` others above zero is taken from all.
  std::vector<int64_t> counts;
  for (const auto& [name, count] : counts_) counts.push_back(count);
  const auto cut = counts.begin() + static_cast<int64_t>(capacity_);
  std::nth_element(counts.begin(), cut, counts.end(), std::greater<>());
  for (auto held = counts_.begin(); held != counts_.end();) {
    held->second -= *cut;
    held = held->second <= 0 ? counts_.erase(held) : std::next(held);
  }
}

void CategorySketch::merge(const CategorySketch& other) {
  capacity_ = std::min(capacity_, other.capacity_);
  count_ += other.count_;
  missing_ += other.missing_;
  for (const auto& [name, count] : other.counts_) counts_[name] += count;
  shrink();
}

int64_t CategorySketch::other() const {
  int64_t held = 0;
  for (const auto& [name, count] : counts_) held += count;
  return count_ - held;
}

Json CategorySketch::to_json() const {
  Json counts = Json::object();
  for (const auto& [name, count] : counts_) counts[name] = count;
  return {{"capacity", capacity_}, {"count", count_}, {"missing", missing_}, {"counts", counts}};
}

CategorySketch CategorySketch::from_json(const Json& json, std::string_view where) {
  CategorySketch sketch(static_cast<size_t>(read_count(json, "capacity", where, kLargestCapacity)));
  sketch.count_ = read_count(json, "count", where);
  sketch.missing_ = read_count(json, "missing", where);
  const auto counts = json.find("counts");
  if (counts == json.end() || !counts->is_object() || counts->size() > sketch.capacity_) {
    throw UserError(where, concat("expected an object of at most ", sketch.capacity_, " counts as \"counts\""));
  }
  for (const auto& [name, value] : counts->items()) {
    if (name.size() > kLongestName)
      throw UserError(where, concat("expected names of at most ", kLongestName, " bytes"));
    sketch.counts_[name] = read_count(*counts, name, where);
  }
  if (sketch.other() < 0) throw UserError(where, concat("expected counts of at most \"count\" together"));
  return sketch;
}

}  // namespace suanli::monitor
