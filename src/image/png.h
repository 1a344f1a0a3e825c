/// Pictures and label maps to PNG files.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "image/image.h"

namespace suanli {

/// The bytes of a PNG file: grey, grey with alpha, RGB or RGBA of 8 bits, or a label map of 16.
std::string encode_png(const Image& image);
std::string encode_png(const Mask& mask);

/// The same as a file, whole or absent. Throws EnvironmentError.
void write_png(const std::filesystem::path& file, const Image& image);

/// Pictures of one size side by side, `columns` a row with `gap` white pixels between them: sample grids of reports.
/// All of them have one shape (else our mistake).
Image image_grid(std::span<const Image> images, int64_t columns, int64_t gap = 2);

}  // namespace suanli
