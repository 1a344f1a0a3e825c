#include "base/json_text.h"
#include "serve/fields.h"
#include "serve/tei.h"

namespace suanli::serve {

namespace {

/// Of what is answered without a model's queue, which would count them.
std::vector<Input> counted_inputs(const Service& service, const Json& body, const char* key) {
  bool single = false;
  std::vector<Input> inputs = inputs_of(body, key, single);
  const size_t most = service.limits.items_per_request;
  if (inputs.size() > most)
    wrong_field(key, "at most " + std::to_string(most) + ", got " + std::to_string(inputs.size()));
  return inputs;
}

}  // namespace

void tokenize(const Service& service, const ExchangePointer& exchange) {
  const Json body = read_body(exchange->request());
  const auto model = service.models.any(string_field(body, "model", ""));
  exchange->counts_for(model->name());
  std::vector<Input> inputs = counted_inputs(service, body, "inputs");
  if (const auto* served = dynamic_cast<const ServedModel*>(model.get())) read_prompt(body, *served, inputs);
  const EncodeOptions options{.add_special_tokens = bool_field(body, "add_special_tokens", true)};
  const Tokenizer& tokenizer = model->tokenizer();
  std::string out = "[";
  for (const Input& input : inputs) {
    const Encoding encoding = tokenizer.encode(input.text, options);
    out += out.size() > 1 ? ",[" : "[";
    for (size_t t = 0; t < encoding.size(); ++t) {
      const bool special = encoding.special[t] != 0;
      out += (t > 0 ? ",{\"id\":" : "{\"id\":") + std::to_string(encoding.ids[t]) + ",\"text\":";
      append_string(out, tokenizer.token_of(encoding.ids[t]));
      out += special ? ",\"special\":true,\"start\":null,\"stop\":null}"
                     : ",\"special\":false,\"start\":" + std::to_string(encoding.offsets[t].first) +
                           ",\"stop\":" + std::to_string(encoding.offsets[t].second) + "}";
    }
    out += ']';
  }
  exchange->answer({.body = out + "]"});
}

void decode(const Service& service, const ExchangePointer& exchange) {
  const Json body = read_body(exchange->request());
  const auto model = service.models.any(string_field(body, "model", ""));
  exchange->counts_for(model->name());
  const std::vector<Input> inputs = counted_inputs(service, body, "ids");
  const bool skip = bool_field(body, "skip_special_tokens", true);
  std::string out = "[";
  for (const Input& input : inputs) {
    if (!input.text.empty()) wrong_field("ids", "token ids");
    if (out.size() > 1) out += ',';
    append_string(out, model->tokenizer().decode(input.ids, skip));
  }
  exchange->answer({.body = out + "]"});
}

}  // namespace suanli::serve
