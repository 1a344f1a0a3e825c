#include "serve/tei_grpc.h"

#include "serve/embedding.h"
#include "serve/fields.h"
#include "serve/grpc_message.h"
#include "serve/tei.h"
#include "tei.pb.h"

namespace suanli::serve {

namespace {

namespace v1 = tei::v1;

// What a model of this kind has no answer for is not implemented here.
constexpr Fault kOtherKind = Fault::method;

/// `message` with what it took.
template <class Message>
Response answer_with_effort(Message& message, const Answers& answers, const Effort& effort) {
  v1::Metadata& out = *message.mutable_metadata();
  out.set_compute_chars(static_cast<uint32_t>(answers.characters));
  out.set_compute_tokens(static_cast<uint32_t>(answers.tokens));
  out.set_total_time_ns(static_cast<uint64_t>(effort.total().count()));
  out.set_tokenization_time_ns(static_cast<uint64_t>(answers.tokenization_ns));
  out.set_queue_time_ns(static_cast<uint64_t>(answers.timing.queue_ns));
  out.set_inference_time_ns(static_cast<uint64_t>(answers.timing.compute_ns));
  return answer_of(message);
}

template <class Message>
Question tei_question(const Message& request, std::vector<Input> inputs, infer::Output output) {
  Question question{.inputs = std::move(inputs), .output = output};
  question.truncate = request.truncate();
  const bool left = request.truncation_direction() == v1::TRUNCATION_DIRECTION_LEFT;
  question.truncation_side = left ? Side::left : Side::right;
  return question;
}

void call_embed(const Service& service, const ExchangePointer& exchange) {
  const auto request = message_of<v1::EmbedRequest>(exchange);
  const ModelPointer model = tei_model(service, "", ModelKind::embedding, "embed texts", kOtherKind);
  Question question = tei_question(request, {{.text = request.inputs()}}, infer::Output::embedding);
  if (request.has_prompt_name()) add_prompt(*model, request.prompt_name(), question.inputs);
  const auto width = static_cast<uint32_t>(model->config().hidden_size);
  const uint32_t dimensions = request.has_dimensions() ? request.dimensions() : width;
  if (dimensions < 1 || dimensions > width) wrong_field("dimensions", "an integer in 1.." + std::to_string(width));
  ask(model, exchange, std::move(question), grpc_error,
      [dimensions, normalize = request.normalize(), effort = Effort(service, exchange)](const Answers& answers) {
        v1::EmbedResponse response;
        const auto values = embedding_of(answers.rows.front(), dimensions, normalize);
        response.mutable_embeddings()->Add(values.begin(), values.end());
        return answer_with_effort(response, answers, effort);
      });
}

void call_embed_all(const Service& service, const ExchangePointer& exchange) {
  const auto request = message_of<v1::EmbedAllRequest>(exchange);
  const ModelPointer model = tei_model(service, "", ModelKind::embedding, "embed texts", kOtherKind);
  Question question = tei_question(request, {{.text = request.inputs()}}, infer::Output::token_embeddings);
  if (request.has_prompt_name()) add_prompt(*model, request.prompt_name(), question.inputs);
  ask(model, exchange, std::move(question), grpc_error,
      [width = static_cast<size_t>(model->config().hidden_size),
       effort = Effort(service, exchange)](const Answers& answers) {
        v1::EmbedAllResponse response;
        const std::span<const float> rows = answers.rows.front();
        for (size_t t = 0; t < rows.size(); t += width) {
          const auto row = rows.subspan(t, width);
          response.add_token_embeddings()->mutable_embeddings()->Add(row.begin(), row.end());
        }
        return answer_with_effort(response, answers, effort);
      });
}

template <class Message>
void predict_one(const Service& service, const ExchangePointer& exchange, const Message& request, Input input) {
  const ModelPointer model = tei_model(service, "", ModelKind::classification, "classify texts", kOtherKind);
  ask(model, exchange, tei_question(request, {std::move(input)}, infer::Output::sequence_logits), grpc_error,
      [model, raw = request.raw_scores(), &metrics = service.metrics,
       effort = Effort(service, exchange)](const Answers& answers) {
        v1::PredictResponse response;
        const auto& labels = model->config().labels;
        const std::vector<Scored> best = ranked_labels(*model, answers.rows.front(), raw);
        metrics.prediction(model->name(), labels[best.front().index]);
        for (const auto& [score, index] : best) {
          auto& out = *response.add_predictions();
          out.set_score(static_cast<float>(score));
          out.set_label(labels[index]);
        }
        return answer_with_effort(response, answers, effort);
      });
}

void call_predict(const Service& service, const ExchangePointer& exchange) {
  const auto request = message_of<v1::PredictRequest>(exchange);
  predict_one(service, exchange, request, {.text = request.inputs()});
}

void call_predict_pair(const Service& service, const ExchangePointer& exchange) {
  const auto request = message_of<v1::PredictPairRequest>(exchange);
  if (request.inputs_size() < 1 || request.inputs_size() > 2) wrong_field("inputs", "one text, or a pair of texts");
  Input input{.text = request.inputs(0)};
  if (request.inputs_size() == 2) input.pair = request.inputs(1);
  predict_one(service, exchange, request, std::move(input));
}

void call_rerank(const Service& service, const ExchangePointer& exchange) {
  const auto request = message_of<v1::RerankRequest>(exchange);
  const ModelPointer model = tei_ranker(service, "", kOtherKind);
  std::vector<Input> inputs;
  for (const std::string& text : request.texts()) inputs.push_back({.text = request.query(), .pair = text});
  ask(model, exchange, tei_question(request, std::move(inputs), infer::Output::sequence_logits), grpc_error,
      [request, effort = Effort(service, exchange)](const Answers& answers) {
        v1::RerankResponse response;
        for (const auto& [score, index] : ranked_texts(answers, request.raw_scores())) {
          auto& out = *response.add_ranks();
          out.set_index(static_cast<uint32_t>(index));
          out.set_score(static_cast<float>(score));
          if (request.return_text()) out.set_text(request.texts(static_cast<int>(index)));
        }
        return answer_with_effort(response, answers, effort);
      });
}

void call_tokenize(const Service& service, const ExchangePointer& exchange) {
  const auto request = message_of<v1::EncodeRequest>(exchange);
  const auto model = service.models.any("");
  exchange->counts_for(model->name());
  std::vector<Input> inputs = {{.text = request.inputs()}};
  const auto* served = dynamic_cast<const ServedModel*>(model.get());
  if (request.has_prompt_name() && served != nullptr) add_prompt(*served, request.prompt_name(), inputs);
  const Tokenizer& tokenizer = model->tokenizer();
  const Encoding text = tokenizer.encode(inputs[0].text, {.add_special_tokens = request.add_special_tokens()});
  v1::EncodeResponse response;
  for (size_t t = 0; t < text.size(); ++t) {
    auto& out = *response.add_tokens();
    out.set_id(static_cast<uint32_t>(text.ids[t]));
    out.set_text(std::string(tokenizer.token_of(text.ids[t])));
    out.set_special(text.special[t] != 0);
    if (text.special[t] != 0) continue;
    out.set_start(static_cast<uint32_t>(text.offsets[t].first));
    out.set_stop(static_cast<uint32_t>(text.offsets[t].second));
  }
  exchange->answer(answer_of(response));
}

void call_decode(const Service& service, const ExchangePointer& exchange) {
  const auto request = message_of<v1::DecodeRequest>(exchange);
  const auto model = service.models.any("");
  exchange->counts_for(model->name());
  std::vector<int32_t> ids;
  for (const uint32_t id : request.ids()) {
    if (id > INT32_MAX) wrong_field("ids", "token ids of at most " + std::to_string(INT32_MAX));
    ids.push_back(static_cast<int32_t>(id));
  }
  v1::DecodeResponse response;
  response.set_text(model->tokenizer().decode(ids, request.skip_special_tokens()));
  exchange->answer(answer_of(response));
}

void call_info(const Service& service, const ExchangePointer& exchange) {
  const ModelPointer model = service.models.get("");
  v1::InfoResponse response;
  response.set_version(SUANLI_VERSION);
  response.set_model_id(model->name());
  response.set_model_dtype(model->precision());
  const bool embeds = model->kind() == ModelKind::embedding;
  response.set_model_type(embeds                               ? v1::MODEL_TYPE_EMBEDDING
                          : model->config().labels.size() == 1 ? v1::MODEL_TYPE_RERANKER
                                                               : v1::MODEL_TYPE_CLASSIFIER);
  response.set_max_concurrent_requests(static_cast<uint32_t>(service.limits.in_flight));
  response.set_max_input_length(static_cast<uint32_t>(model->max_length()));
  response.set_max_batch_tokens(static_cast<uint32_t>(service.limits.tokens_per_batch));
  response.set_max_client_batch_size(static_cast<uint32_t>(service.limits.items_per_request));
  response.set_tokenization_workers(1);
  exchange->answer(answer_of(response));
}

}  // namespace

void add_tei_methods(Methods& methods, const Service& service) {
  using Action = void (*)(const Service&, const ExchangePointer&);
  const auto add = [&](const std::string& name, Action action, bool many = false) {
    methods.all["/tei.v1." + name] = {.scope = Scope::infer,
                                      .handler =
                                          [service, action](const ExchangePointer& exchange) {
                                            beside(service, exchange, grpc_error, [=] { action(service, exchange); });
                                          },
                                      .many = many};
  };
  const auto add_both = [&](const std::string& name, Action action) {
    add(name, action);
    add(name + "Stream", action, true);
  };
  add("Info/Info", call_info);
  add_both("Embed/Embed", call_embed);
  add_both("Embed/EmbedAll", call_embed_all);
  add_both("Predict/Predict", call_predict);
  add_both("Predict/PredictPair", call_predict_pair);
  add("Rerank/Rerank", call_rerank);
  add_both("Tokenize/Tokenize", call_tokenize);
  add_both("Tokenize/Decode", call_decode);
}

}  // namespace suanli::serve
