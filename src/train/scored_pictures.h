/// Pictures of what a model found, for the report of a run.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "data/batch.h"
#include "image/draw.h"
#include "image/processor.h"

namespace suanli {

constexpr size_t kMostScoredPictures = 12;  ///< that a scorer keeps

/// Picture b of a batch whose features are pixel values [B, side, side, C], as RGB.
Image picture_of(const ImageProcessor& processor, const Batch& batch, size_t b, int64_t side);

/// The pictures as 1.png, 2.png, ... of a new `folder` in place of an old one, with metadata.jsonl (Hugging Face's
/// imagefolder) that has their captions. Throws EnvironmentError.
void write_pictures(const std::filesystem::path& folder, std::span<const CaptionedImage> pictures);

}  // namespace suanli
