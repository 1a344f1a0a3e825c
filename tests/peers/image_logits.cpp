// image_logits FOLDER: the largest distance of the logits of the classifier in FOLDER (config.json, model.safetensors)
// from those that golden.safetensors beside them has for its pixels [B,height,width,channels].
#include <cmath>
#include <cstdio>
#include <exception>

#include "formats/safetensors.h"
#include "models/load.h"
#include "ops/initialize.h"

int main(int count, char** arguments) try {
  if (count != 2) {
    std::fputs("usage: image_logits FOLDER\n", stderr);
    return 2;
  }
  using namespace suanli;
  initialize();
  const std::filesystem::path folder = arguments[1];
  const SafetensorsFile golden = SafetensorsFile::open(folder / "golden.safetensors");
  const models::Model model = models::load_model(folder, {.head = models::Head::image_classification});
  const Tensor ours = model.network->image_logits(golden.tensor("pixels"), {}), theirs = golden.tensor("logits");
  if (ours.shape() != theirs.shape()) throw UserError("image_logits", "expected logits of " + theirs.shape().text());
  double largest = 0;
  for (size_t i = 0; i < ours.host<float>().size(); ++i) {
    const double distance = std::abs(static_cast<double>(ours.host<float>()[i]) - theirs.host<float>()[i]);
    if (!(distance <= largest)) largest = distance;
  }
  std::printf("%.3g\n", largest);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
