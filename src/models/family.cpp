#include "models/family.h"

#include "base/error.h"
#include "models/alexnet/alexnet.h"
#include "models/bert/family.h"
#include "models/dcgan/dcgan.h"
#include "models/faster_rcnn/family.h"
#include "models/forecast/forecast.h"
#include "models/gpt2/family.h"
#include "models/keypoints/heat_map_network.h"
#include "models/lenet/lenet.h"
#include "models/llama/family.h"
#include "models/mobilenet/family.h"
#include "models/recurrent/family.h"
#include "models/resnet/family.h"
#include "models/super_resolution/edsr.h"
#include "models/super_resolution/srcnn.h"
#include "models/tabular/mlp.h"
#include "models/two_tower/two_tower.h"
#include "models/unet/unet.h"
#include "models/vit/vit.h"

namespace suanli::models {
namespace {

struct ModelType {
  const char* name;
  std::unique_ptr<Family> (*read)(const Json& json, const std::string& where);
};
constexpr ModelType kModelTypes[] = {{"alexnet", read_alexnet},
                                     {"bert", read_bert},
                                     {"dcgan", read_dcgan},
                                     {"distilbert", read_bert},
                                     {"edsr", read_edsr},
                                     {"efficientnet_lite", read_mobilenet},
                                     {"faster_rcnn", read_faster_rcnn},
                                     {"forecaster", read_forecaster},
                                     {"gpt2", read_gpt2},
                                     {"gru", read_recurrent},
                                     {"heatmap", read_heat_map_network},
                                     {"lenet", read_lenet},
                                     {"llama", read_llama},
                                     {"lstm", read_recurrent},
                                     {"mobilenet_v2", read_mobilenet},
                                     {"resnet", read_resnet},
                                     {"resnet_cifar", read_resnet},
                                     {"rnn", read_recurrent},
                                     {"roberta", read_bert},
                                     {"srcnn", read_srcnn},
                                     {"tabular_mlp", read_tabular},
                                     {"two_tower", read_two_tower},
                                     {"unet", read_unet},
                                     {"vit", read_vit}};

}  // namespace

int64_t StoredNames::rows_of(size_t i, int64_t rows) const {
  if (shares.empty()) return rows / static_cast<int64_t>(names.size());
  int64_t total = 0;
  for (const int64_t share : shares) total += share;
  return rows / total * shares[i];
}

Shape StoredNames::sizes_of(size_t i, const Shape& whole) const {
  std::vector<int64_t> sizes(whole.sizes().begin(), whole.sizes().end());
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    sizes[static_cast<size_t>(axes[axis])] = whole[static_cast<int>(axis)];
  }
  sizes[0] = rows_of(i, sizes[0]);
  return Shape(sizes);
}

std::unique_ptr<ImageBody> Family::image_body(nn::ParameterScope, int64_t) const {
  throw UserError("backbone_config",
                  "expected a network over images with feature maps (resnet, mobilenet_v2 or efficientnet_lite), got " +
                      architecture(Head::none));
}

std::unique_ptr<Family> read_family(const Json& json, const std::string& where) {
  const auto type = json_get<std::string>(json, "model_type", where);
  std::string known;
  for (const ModelType& each : kModelTypes) {
    if (type == each.name) return each.read(json, where);
    known += (known.empty() ? "" : ", ") + std::string(each.name);
  }
  throw UserError(where, "expected \"model_type\" to be one of " + known + "; got \"" + type + "\"");
}

void set_labels(Json& json, const std::vector<std::string>& labels) {
  Json id2label = Json::object(), label2id = Json::object();
  for (size_t id = 0; id < labels.size(); ++id) {
    id2label[std::to_string(id)] = labels[id];
    label2id[labels[id]] = id;
  }
  json.erase("num_labels");
  json["id2label"] = id2label;
  json["label2id"] = label2id;
}

Json config_json(const Family& family, Head head) {
  const ModelConfig& config = family.config();
  Json json = config.json;
  json["architectures"] = {family.architecture(head)};
  for (const char* key : {"torch_dtype", "_name_or_path", "num_labels"}) json.erase(key);
  json["dtype"] = "float32";
  if (!config.labels.empty()) set_labels(json, config.labels);
  if (!config.problem_type.empty()) json["problem_type"] = config.problem_type;
  return json;
}

}  // namespace suanli::models
