#include "models/bert/names.h"

#include <algorithm>

#include "models/layer_names.h"

namespace suanli::models {

namespace {

const std::vector<LayerName>& rules(BertFamily family) {
  static const std::vector<LayerName> bert = {
      {"embeddings.word", {"embeddings.word_embeddings"}},
      {"embeddings.position", {"embeddings.position_embeddings"}},
      {"embeddings.type", {"embeddings.token_type_embeddings"}},
      {"embeddings.norm", {"embeddings.LayerNorm"}},
      {"layer.#.attention.qkv",
       {"encoder.layer.#.attention.self.query", "encoder.layer.#.attention.self.key",
        "encoder.layer.#.attention.self.value"}},
      {"layer.#.attention.output", {"encoder.layer.#.attention.output.dense"}},
      {"layer.#.attention.norm", {"encoder.layer.#.attention.output.LayerNorm"}},
      {"layer.#.up", {"encoder.layer.#.intermediate.dense"}},
      {"layer.#.down", {"encoder.layer.#.output.dense"}},
      {"layer.#.norm", {"encoder.layer.#.output.LayerNorm"}},
      {"pooler", {"pooler.dense"}},
      {"masked_lm.dense", {"cls.predictions.transform.dense"}, false},
      {"masked_lm.norm", {"cls.predictions.transform.LayerNorm"}, false},
      {"masked_lm", {"cls.predictions"}, false},
      {"classifier", {"classifier"}, false},
      {"qa_outputs", {"qa_outputs"}, false},
  };
  static const std::vector<LayerName> roberta = [] {
    std::vector<LayerName> out;
    for (const LayerName& rule : bert) {
      if (rule.body && std::string_view(rule.ours) != "pooler") out.push_back(rule);
    }
    out.push_back({"masked_lm.dense", {"lm_head.dense"}, false});
    out.push_back({"masked_lm.norm", {"lm_head.layer_norm"}, false});
    out.push_back({"masked_lm", {"lm_head"}, false});
    out.push_back({"classifier.dense", {"classifier.dense"}, false});
    out.push_back({"classifier.output", {"classifier.out_proj"}, false});
    out.push_back({"classifier", {"classifier"}, false});
    out.push_back({"qa_outputs", {"qa_outputs"}, false});
    return out;
  }();
  static const std::vector<LayerName> distilbert = {
      {"embeddings.word", {"embeddings.word_embeddings"}},
      {"embeddings.position", {"embeddings.position_embeddings"}},
      {"embeddings.norm", {"embeddings.LayerNorm"}},
      {"layer.#.attention.qkv",
       {"transformer.layer.#.attention.q_lin", "transformer.layer.#.attention.k_lin",
        "transformer.layer.#.attention.v_lin"}},
      {"layer.#.attention.output", {"transformer.layer.#.attention.out_lin"}},
      {"layer.#.attention.norm", {"transformer.layer.#.sa_layer_norm"}},
      {"layer.#.up", {"transformer.layer.#.ffn.lin1"}},
      {"layer.#.down", {"transformer.layer.#.ffn.lin2"}},
      {"layer.#.norm", {"transformer.layer.#.output_layer_norm"}},
      {"masked_lm.dense", {"vocab_transform"}, false},
      {"masked_lm.norm", {"vocab_layer_norm"}, false},
      {"masked_lm", {"vocab_projector"}, false},
      {"classifier.dense", {"pre_classifier"}, false},
      {"classifier", {"classifier"}, false},
      {"qa_outputs", {"qa_outputs"}, false},
  };
  return family == BertFamily::bert ? bert : family == BertFamily::roberta ? roberta : distilbert;
}

}  // namespace

StoredNames bert_stored_names(BertFamily family, const std::string& name) { return layer_names(rules(family), name); }

std::string body_prefix(BertFamily family) {
  return family == BertFamily::bert ? "bert." : family == BertFamily::roberta ? "roberta." : "distilbert.";
}

bool may_be_unused(BertFamily family, const std::string& hugging_face_name) {
  std::string name = hugging_face_name;
  if (name.starts_with(body_prefix(family))) name = name.substr(body_prefix(family).size());
  constexpr const char* kUnused[] = {"cls.",     "classifier.",     "pooler.", "qa_outputs.",
                                     "lm_head.", "pre_classifier.", "vocab_",  "embeddings.position_ids"};
  return std::ranges::any_of(kUnused, [&](const char* prefix) { return name.starts_with(prefix); });
}

}  // namespace suanli::models
