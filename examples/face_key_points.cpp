// Faces in a picture with their eyes, nose and corners of the mouth: MTCNN (Zhang et al. 2016) from ops alone.
//
//   scripts/fetch_face_weights.sh DIR && face_key_points DIR/model.safetensors PICTURE
//
// P-Net looks at every place of the picture at many sizes, R-Net and O-Net look again at what the one before let
// through. Prints a line for each face: left, top, right and bottom, how likely it is one, and x and y of the five key
// points.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>

#include "autograd/tape.h"
#include "base/concat.h"
#include "formats/safetensors.h"
#include "image/decode.h"
#include "models/axes.h"
#include "nn/images.h"
#include "ops/activation.h"
#include "ops/arithmetic.h"
#include "ops/initialize.h"
#include "ops/linear.h"
#include "ops/pooling2d.h"

using namespace suanli;

namespace {

constexpr double kSmallestFace = 20, kPyramidFactor = 0.709;  // pixels; each size of the picture to the one before
constexpr int64_t kSeen = 12, kApart = 2;                     // pixels that P-Net sees of a place, and between places

struct Face {
  float left, top, right, bottom, score;
  float offsets[4] = {};  // of the corners, in parts of the sides
  float x[5] = {}, y[5] = {};
};

/// max(x, 0) - slope max(-x, 0), a slope for each channel (torch.nn.PReLU).
Tensor prelu(const Tensor& x, const Tensor& slope) {
  const int64_t width = slope.dim(0);
  const Tensor below = ops::relu(ops::scale(x, -1)).reshape({1, 1, x.elements() / width, width});
  const Tensor bent = ops::conv2d(below, slope.reshape({width, 1, 1, 1}), {}, {.groups = width});
  return ops::add(ops::relu(x), ops::scale(bent.reshape(x.shape()), -1));
}

/// One of the three networks in a file of weights.
struct Layers {
  const SafetensorsFile& file;
  std::string network;

  Tensor weight(const std::string& name) const { return file.tensor(concat(network, ".", name)); }
  Tensor convolution(const std::string& name, const Tensor& x) const {
    return ops::conv2d(x, models::permuted(weight(name + ".weight"), nn::kConv2dAxes), weight(name + ".bias"));
  }
  /// convN, then preluN.
  Tensor convolved(int n, const Tensor& x) const {
    return prelu(convolution(concat("conv", n), x), weight(concat("prelu", n, ".weight")));
  }
  Tensor dense(const std::string& name, const Tensor& x) const {
    return ops::linear(x, weight(name + ".weight"), weight(name + ".bias"));
  }
  /// denseN, then preluN, of x [B,H,W,C] in the order of its columns, rows, channels.
  Tensor flattened(int n, const Tensor& x) const {
    const Tensor turned = models::permuted(x, std::vector<int>{0, 2, 1, 3});
    const Tensor flat = turned.reshape({x.dim(0), x.elements() / x.dim(0)});
    return prelu(dense(concat("dense", n), flat), weight(concat("prelu", n, ".weight")));
  }
};

Tensor pooled(const Tensor& x, int64_t kernel) {
  return ops::max_pool2d(x, {.kernel = {kernel, kernel}, .stride = {2, 2}, .ceil_mode = true});
}

/// The second of two classes.
float probability(const float* logits) { return 1 / (1 + std::exp(logits[0] - logits[1])); }

struct Rectangle {
  int64_t top, left, height, width;
};

/// Appends the rectangle as [height, width, 3]: means of the pixels under each (torch's mode "area"), about -1..1.
void append_resized(const Image& image, const Rectangle& from, int64_t height, int64_t width, std::vector<float>& out) {
  for (int64_t y = 0; y < height; ++y) {
    const int64_t upper = y * from.height / height, lower = ((y + 1) * from.height + height - 1) / height;
    for (int64_t x = 0; x < width; ++x) {
      const int64_t left = x * from.width / width, right = ((x + 1) * from.width + width - 1) / width;
      for (int64_t c = 0; c < 3; ++c) {
        int64_t sum = 0;
        for (int64_t v = upper; v < lower; ++v) {
          for (int64_t h = left; h < right; ++h) sum += image.at(from.top + v, from.left + h)[c];
        }
        const auto count = static_cast<float>((lower - upper) * (right - left));
        out.push_back((static_cast<float>(sum) / count - 127.5F) / 128);
      }
    }
  }
}

/// The largest of faces that share more than `most`: of their union, or of the smaller one (both ends of sides
/// counted).
void suppress(std::vector<Face>& faces, float most, bool of_smaller = false) {
  std::ranges::stable_sort(faces, std::greater<>(), &Face::score);
  const float end = of_smaller ? 1 : 0;
  const auto area = [end](const Face& f) { return (f.right - f.left + end) * (f.bottom - f.top + end); };
  std::vector<Face> kept;
  for (const Face& face : faces) {
    const bool hidden = std::ranges::any_of(kept, [&](const Face& other) {
      const float width = std::min(face.right, other.right) - std::max(face.left, other.left) + end;
      const float height = std::min(face.bottom, other.bottom) - std::max(face.top, other.top) + end;
      const float shared = std::max(width, 0.0F) * std::max(height, 0.0F);
      const float whole = of_smaller ? std::min(area(face), area(other)) : area(face) + area(other) - shared;
      return shared > most * whole;
    });
    if (!hidden) kept.push_back(face);
  }
  faces = std::move(kept);
}

/// Moves the corners by their offsets; `end` is added to the sides.
void refine(std::vector<Face>& faces, float end) {
  for (Face& f : faces) {
    const float width = f.right - f.left + end, height = f.bottom - f.top + end;
    f.left += f.offsets[0] * width;
    f.top += f.offsets[1] * height;
    f.right += f.offsets[2] * width;
    f.bottom += f.offsets[3] * height;
  }
}

void make_square(std::vector<Face>& faces) {
  for (Face& f : faces) {
    const float width = f.right - f.left, height = f.bottom - f.top, side = std::max(width, height);
    f.left += width * 0.5F - side * 0.5F;
    f.top += height * 0.5F - side * 0.5F;
    f.right = f.left + side;
    f.bottom = f.top + side;
  }
}

/// P-Net over the whole picture at one size.
std::vector<Face> propose(const Layers& net, const Image& image, double scale) {
  const auto height = static_cast<int64_t>(static_cast<double>(image.height) * scale + 1);
  const auto width = static_cast<int64_t>(static_cast<double>(image.width) * scale + 1);
  std::vector<float> values;
  append_resized(image, {0, 0, image.height, image.width}, height, width, values);
  Tensor x = pooled(net.convolved(1, Tensor::from(values, {1, height, width, 3})), 2);
  x = net.convolved(3, net.convolved(2, x));
  const Tensor logits = net.convolution("conv4_1", x), offsets = net.convolution("conv4_2", x);
  std::vector<Face> faces;
  const auto corner = [scale](int64_t place) {
    return std::floor(static_cast<float>(place) / static_cast<float>(scale));
  };
  for (int64_t place = 0; place < logits.dim(1) * logits.dim(2); ++place) {
    const float score = probability(logits.host<float>().data() + 2 * place);
    if (score < 0.6F) continue;
    const int64_t top = kApart * (place / logits.dim(2)), left = kApart * (place % logits.dim(2));
    Face& face =
        faces.emplace_back(Face{corner(left + 1), corner(top + 1), corner(left + kSeen), corner(top + kSeen), score});
    std::copy_n(offsets.host<float>().data() + 4 * place, 4, face.offsets);
  }
  suppress(faces, 0.5F);
  return faces;
}

/// The squares of the faces inside the picture, each resized to `side`: [faces, side, side, 3]. Empty ones are left
/// out.
Tensor cut_out(std::vector<Face>& faces, const Image& image, int64_t side) {
  std::vector<float> values;
  std::erase_if(faces, [&](const Face& f) {
    const auto inside = [](float from, int64_t most) {
      return std::clamp(static_cast<int64_t>(from), int64_t{0}, most);
    };
    const int64_t top = std::max<int64_t>(inside(f.top, image.height) - 1, 0);
    const int64_t left = std::max<int64_t>(inside(f.left, image.width) - 1, 0);
    const int64_t height = inside(f.bottom, image.height) - top, width = inside(f.right, image.width) - left;
    if (height < 1 || width < 1) return true;
    append_resized(image, {top, left, height, width}, side, side, values);
    return false;
  });
  return Tensor::from(values, {static_cast<int64_t>(faces.size()), side, side, 3});
}

/// Takes scores and offsets of the faces; those of at most 0.7 are left out.
void judge(std::vector<Face>& faces, const Tensor& logits, const Tensor& offsets) {
  for (size_t i = 0; i < faces.size(); ++i) {
    faces[i].score = probability(logits.host<float>().data() + 2 * i);
    std::copy_n(offsets.host<float>().data() + 4 * i, 4, faces[i].offsets);
  }
  std::erase_if(faces, [](const Face& face) { return !(face.score > 0.7F); });
}

std::vector<Face> find_faces(const SafetensorsFile& file, const Image& image) {
  const NoGradient guard;
  const Layers pnet{file, "pnet"}, rnet{file, "rnet"}, onet{file, "onet"};
  std::vector<Face> faces;
  double scale = kSeen / kSmallestFace;
  for (double side = static_cast<double>(std::min(image.height, image.width)) * scale; side >= kSeen;) {
    const std::vector<Face> more = propose(pnet, image, scale);
    faces.insert(faces.end(), more.begin(), more.end());
    scale *= kPyramidFactor;
    side *= kPyramidFactor;
  }
  suppress(faces, 0.7F);
  refine(faces, 0);
  make_square(faces);

  Tensor x = cut_out(faces, image, 24);
  if (faces.empty()) return faces;
  x = rnet.convolved(3, pooled(rnet.convolved(2, pooled(rnet.convolved(1, x), 3)), 3));
  x = rnet.flattened(4, x);
  judge(faces, rnet.dense("dense5_1", x), rnet.dense("dense5_2", x));
  suppress(faces, 0.7F);
  refine(faces, 1);
  make_square(faces);

  x = cut_out(faces, image, 48);
  if (faces.empty()) return faces;
  x = pooled(onet.convolved(2, pooled(onet.convolved(1, x), 3)), 3);
  x = onet.flattened(5, onet.convolved(4, pooled(onet.convolved(3, x), 2)));
  const Tensor points = onet.dense("dense6_3", x);  // x of the five, then y, in parts of the sides
  for (size_t i = 0; i < faces.size(); ++i) {
    Face& f = faces[i];
    const float* part = points.host<float>().data() + 10 * i;
    for (int k = 0; k < 5; ++k) {
      f.x[k] = (f.right - f.left + 1) * part[k] + f.left - 1;
      f.y[k] = (f.bottom - f.top + 1) * part[5 + k] + f.top - 1;
    }
  }
  judge(faces, onet.dense("dense6_1", x), onet.dense("dense6_2", x));
  refine(faces, 1);
  suppress(faces, 0.7F, true);
  return faces;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: face_key_points MODEL.safetensors PICTURE\n");
    return 2;
  }
  try {
    initialize();
    const Image image = read_image(argv[2], {.channels = Channels::rgb});
    for (const Face& f : find_faces(SafetensorsFile::open(argv[1]), image)) {
      const auto number = [](float value) { return static_cast<double>(value); };
      std::printf("%.3f %.3f %.3f %.3f %.6f", number(f.left), number(f.top), number(f.right), number(f.bottom),
                  number(f.score));
      for (int k = 0; k < 5; ++k) std::printf(" %.3f %.3f", number(f.x[k]), number(f.y[k]));
      std::printf("\n");
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
