/// Results of a model in the shapes of Hugging Face's pipelines.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "models/config.h"
#include "text/question_answering.h"
#include "text/tokenizer.h"

namespace suanli::infer {

/// One score a label: softmax, sigmoid for multi-label models and single logits, the logit itself for regression.
std::vector<double> label_scores(const models::ModelConfig& config, std::span<const float> logits);

/// text-classification: {"label", "score"}, or with top_k > 1 a list of them, best first, with their
/// label_scores().
void append_classification(std::string& out, const models::ModelConfig& config, std::span<const float> logits,
                           int64_t top_k);

/// A list of the top_k {"label", "score"}, best first.
void append_labels(std::string& out, const std::vector<std::string>& labels, std::span<const float> scores,
                   int64_t top_k);

/// token-classification: a list of {"entity", "score", "index", "word", "start", "end"} without label O and special
/// tokens; with `group` (aggregation_strategy simple) neighbours of one entity become {"entity_group", "score", "word",
/// "start", "end"}. logits [tokens * labels].
void append_entities(std::string& out, const models::ModelConfig& config, const Tokenizer& tokenizer,
                     const Encoding& encoding, std::span<const float> logits, bool group);

/// question-answering: {"score", "start", "end", "answer"}, or with top_k > 1 a list of them, best first. start and end
/// are code points of the context.
void append_answers(std::string& out, std::span<const AnswerSpan> answers, int64_t top_k);

/// fill-mask: for each mask a list of the top_k {"score", "token", "token_str", "sequence"}; one list for one mask.
/// logits [masks * V].
void append_fills(std::string& out, const Tokenizer& tokenizer, const Encoding& encoding, std::span<const float> logits,
                  int64_t top_k);

}  // namespace suanli::infer
