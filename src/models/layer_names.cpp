#include "models/layer_names.h"

#include "base/error.h"

namespace suanli::models {

StoredNames layer_names(const std::vector<LayerName>& table, const std::string& parameter) {
  const size_t dot = parameter.rfind('.');
  std::string path = parameter.substr(0, dot), number;
  if (constexpr std::string_view kLayer = "layer."; path.starts_with(kLayer)) {
    const size_t end = path.find('.', kLayer.size());
    number = path.substr(kLayer.size(), end - kLayer.size());
    path = "layer.#" + path.substr(end);
  }
  for (const LayerName& row : table) {
    if (path != row.ours) continue;
    StoredNames out;
    out.body = row.body;
    for (std::string theirs : row.theirs) {
      if (const size_t hash = theirs.find('#'); hash != std::string::npos) theirs.replace(hash, 1, number);
      out.names.push_back(theirs + parameter.substr(dot));
    }
    return out;
  }
  SUANLI_ASSERT(!"every parameter has a Hugging Face name");
}

}  // namespace suanli::models
