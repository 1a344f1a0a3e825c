// What config.json says and what it leaves out.
#include "models/bert/config.h"

#include <gtest/gtest.h>

namespace suanli::testing {
namespace {

using Labels = std::vector<std::string>;

Json config_of(const char* architecture) {
  return {{"model_type", "bert"},    {"architectures", {architecture}}, {"vocab_size", 10},
          {"hidden_size", 8},        {"num_hidden_layers", 1},          {"num_attention_heads", 2},
          {"intermediate_size", 16}, {"max_position_embeddings", 16}};
}

// transformers 5 writes no id2label where it is the default of two labels; older ones and other tools write either key.
TEST(BertConfig, LabelsAreTheFilesOrTheDefaultOfAClassifier) {
  for (const char* classifier : {"BertForSequenceClassification", "BertForTokenClassification"}) {
    Json json = config_of(classifier);
    EXPECT_EQ(models::bert_config(json, "c").labels, (Labels{"LABEL_0", "LABEL_1"})) << classifier;
    json["num_labels"] = 3;
    EXPECT_EQ(models::bert_config(json, "c").labels, (Labels{"LABEL_0", "LABEL_1", "LABEL_2"})) << classifier;
    json["id2label"] = {{"0", "bad"}, {"1", "good"}};
    EXPECT_EQ(models::bert_config(json, "c").labels, (Labels{"bad", "good"})) << classifier;
  }
  EXPECT_TRUE(models::bert_config(config_of("BertModel"), "c").labels.empty());
  EXPECT_TRUE(models::bert_config(config_of("BertForMaskedLM"), "c").labels.empty());
}

}  // namespace
}  // namespace suanli::testing
