/// A shuffle that depends on its key alone.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/random.h"

namespace suanli {

/// Fisher and Yates (Durstenfeld 1964) with draws from `key`: every order has the same probability.
template <class T>
void shuffle(std::vector<T>* values, RandomKey key) {
  RandomGenerator random(key);
  for (size_t i = values->size(); i > 1; --i) std::swap((*values)[i - 1], (*values)[random.below(i)]);
}

}  // namespace suanli
