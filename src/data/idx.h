/// The idx files of MNIST and Fashion-MNIST: one array of bytes, plain or gzipped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace suanli {

/// Bytes in row-major order: images [N, height, width] or labels [N].
struct IdxArray {
  std::vector<int64_t> shape;
  std::vector<uint8_t> values;
};

/// Reads an idx file of unsigned bytes (LeCun, http://yann.lecun.com/exdb/mnist): 0, 0, 8, rank, then rank sizes as
/// big-endian u32, then the bytes. Memory grows with the bytes that are there, not with what the header claims. Throws
/// UserError for another kind of file, more than 2^31 bytes, and bytes that are missing or left over; EnvironmentError
/// when it cannot be read.
IdxArray read_idx(const std::filesystem::path& file);

}  // namespace suanli
