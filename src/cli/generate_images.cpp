#include "cli/generate_images.h"

#include <cmath>

#include "base/concat.h"
#include "base/error.h"
#include "cli/output.h"
#include "cli/picture_model.h"
#include "image/png.h"
#include "models/dcgan/dcgan.h"
#include "train/image_generation.h"

namespace suanli::cli {

int generate_images(const Config& config) {
  constexpr int64_t kMost = 4096;
  const std::filesystem::path folder = config.get_string("model");
  const int64_t count = config.get_int("num_images");
  if (count < 1 || count > kMost) throw UserError("num_images", concat("expected 1 to ", kMost, ", got ", count));
  const PictureModel loaded = load_picture_model(config, models::Head::image_generation);
  const int64_t latent_size =
      models::dcgan_config(loaded.model.config().json, (folder / "config.json").string()).latent_size;
  const Tensor latent = latent_numbers(static_cast<uint64_t>(config.get_int("seed")), count, latent_size);
  const std::vector<Image> pictures =
      generated_pictures(loaded.model, read_picture_processor(config), latent, loaded.mode);
  const auto columns = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  Output output(config.get_string("output"));
  output.write(encode_png(image_grid(pictures, columns)));
  output.close();
  return 0;
}

}  // namespace suanli::cli
