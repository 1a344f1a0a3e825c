#include "serve/openapi_schemas.h"

namespace suanli::serve {

// A field that may be null may be missing, too: both mean its default. Unknown fields are ignored, but for those that
// CompletionOptions names.
const char* const kOpenapiSchemas = R"json({
"PlainError": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}},
"TeiError": {"type": "object", "required": ["error", "error_type"], "properties": {
  "error": {"type": "string"},
  "error_type": {"enum": ["Unhealthy", "Backend", "Overloaded", "Validation", "Tokenizer", "Empty"]}}},
"OpenaiError": {"type": "object", "required": ["error"], "properties": {
  "error": {"type": "object", "required": ["message", "type", "param", "code"], "properties": {
    "message": {"type": "string"},
    "type": {"enum": ["invalid_request_error", "authentication_error", "permission_error", "rate_limit_error",
                      "server_error"]},
    "param": {"type": "string", "nullable": true},
    "code": {"type": "string", "nullable": true}}}}},

"ModelName": {"type": "string", "nullable": true, "description": "may be missing where the server has one model"},
"Tokens": {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 0, "maximum": 2147483647}},
"Inputs": {"description": "a text, its tokens, or a list of such", "anyOf": [
  {"type": "string"}, {"$ref": "#/components/schemas/Tokens"},
  {"type": "array", "minItems": 1,
   "items": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/Tokens"}]}}]},
"Truncation": {"type": "object", "properties": {
  "truncate": {"type": "boolean", "nullable": true, "default": false,
               "description": "false: a text that is too long is refused"},
  "truncation_direction": {"type": "string", "nullable": true, "default": "Right",
                           "enum": ["Right", "Left", "right", "left", null]}}},

"EmbedRequest": {"allOf": [{"$ref": "#/components/schemas/Truncation"}, {"type": "object", "required": ["inputs"],
  "properties": {
    "inputs": {"$ref": "#/components/schemas/Inputs"},
    "model": {"$ref": "#/components/schemas/ModelName"},
    "prompt_name": {"type": "string", "nullable": true, "description": "one of the model's prompts"},
    "normalize": {"type": "boolean", "nullable": true, "default": true},
    "dimensions": {"type": "integer", "nullable": true, "minimum": 1, "description": "at most those of the model"}}}]},
"Embedding": {"type": "array", "items": {"type": "number"}},
"Embeddings": {"type": "array", "items": {"$ref": "#/components/schemas/Embedding"}},
"TokenEmbeddings": {"type": "array", "items": {"$ref": "#/components/schemas/Embeddings"}},

"TextOrPair": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string"}},
"PredictRequest": {"allOf": [{"$ref": "#/components/schemas/Truncation"}, {"type": "object", "required": ["inputs"],
  "properties": {
    "inputs": {"description": "a text, a pair, or a list of texts and lists of one or two texts", "anyOf": [
      {"type": "string"}, {"$ref": "#/components/schemas/TextOrPair"},
      {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/TextOrPair"}}]},
    "model": {"$ref": "#/components/schemas/ModelName"},
    "raw_scores": {"type": "boolean", "nullable": true, "default": false}}}]},
"LabelScores": {"type": "array", "description": "the best first", "items": {
  "type": "object", "required": ["score", "label"],
  "properties": {"score": {"type": "number"}, "label": {"type": "string"}}}},
"Predictions": {"anyOf": [{"$ref": "#/components/schemas/LabelScores"},
  {"type": "array", "items": {"$ref": "#/components/schemas/LabelScores"}}]},

"RerankTexts": {"allOf": [{"$ref": "#/components/schemas/Truncation"},
  {"type": "object", "required": ["texts"], "properties": {
    "query": {"type": "string", "nullable": true, "default": ""},
    "texts": {"type": "array", "minItems": 1, "items": {"type": "string"}},
    "model": {"$ref": "#/components/schemas/ModelName"},
    "raw_scores": {"type": "boolean", "nullable": true, "default": false},
    "return_text": {"type": "boolean", "nullable": true, "default": false},
    "top_n": {"type": "integer", "nullable": true, "minimum": 1, "maximum": 2147483647}}}]},
"RerankDocuments": {"allOf": [{"$ref": "#/components/schemas/Truncation"},
  {"type": "object", "required": ["documents"], "properties": {
    "query": {"type": "string", "nullable": true, "default": ""},
    "documents": {"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "string"},
      {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}]}},
    "model": {"$ref": "#/components/schemas/ModelName"},
    "raw_scores": {"type": "boolean", "nullable": true, "default": false},
    "return_documents": {"type": "boolean", "nullable": true, "default": false},
    "top_n": {"type": "integer", "nullable": true, "minimum": 1, "maximum": 2147483647}}}]},
"RerankRequest": {"anyOf": [{"$ref": "#/components/schemas/RerankTexts"},
  {"$ref": "#/components/schemas/RerankDocuments"}]},
"Ranks": {"description": "of texts a list, of documents an object; the best first", "anyOf": [
  {"type": "array", "items": {"type": "object", "required": ["index", "score"], "properties": {
    "index": {"type": "integer"}, "score": {"type": "number"}, "text": {"type": "string"}}}},
  {"type": "object", "required": ["model", "results"], "properties": {
    "model": {"type": "string"},
    "results": {"type": "array", "items": {"type": "object", "required": ["index", "relevance_score"], "properties": {
      "index": {"type": "integer"}, "relevance_score": {"type": "number"},
      "document": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}}}}}}]},

"SimilarityRequest": {"type": "object", "required": ["inputs"], "properties": {
  "inputs": {"type": "object", "required": ["sentences"], "properties": {
    "source_sentence": {"type": "string", "nullable": true, "default": ""},
    "sentences": {"$ref": "#/components/schemas/Inputs"}}},
  "model": {"$ref": "#/components/schemas/ModelName"},
  "parameters": {"$ref": "#/components/schemas/Truncation"}}},
"AnyRequest": {"description": "what the model is for", "anyOf": [
  {"$ref": "#/components/schemas/EmbedRequest"}, {"$ref": "#/components/schemas/SimilarityRequest"},
  {"$ref": "#/components/schemas/PredictRequest"}, {"$ref": "#/components/schemas/RerankRequest"},
  {"type": "object", "properties": {"inputs": {}, "table": {"type": "object", "nullable": true},
                                    "parameters": {"type": "object", "nullable": true}}}]},
"AnyAnswer": {"anyOf": [
  {"$ref": "#/components/schemas/Embeddings"}, {"$ref": "#/components/schemas/Embedding"},
  {"$ref": "#/components/schemas/Predictions"}, {"$ref": "#/components/schemas/Ranks"},
  {"type": "array", "items": {}}, {"type": "object"}]},

"TokenizeRequest": {"type": "object", "required": ["inputs"], "properties": {
  "inputs": {"$ref": "#/components/schemas/Inputs"},
  "model": {"$ref": "#/components/schemas/ModelName"},
  "prompt_name": {"type": "string", "nullable": true},
  "add_special_tokens": {"type": "boolean", "nullable": true, "default": true}}},
"TokenLists": {"type": "array", "items": {"type": "array", "items": {
  "type": "object", "required": ["id", "text", "special", "start", "stop"], "properties": {
    "id": {"type": "integer"}, "text": {"type": "string"}, "special": {"type": "boolean"},
    "start": {"type": "integer", "nullable": true}, "stop": {"type": "integer", "nullable": true}}}}},
"DecodeRequest": {"type": "object", "required": ["ids"], "properties": {
  "ids": {"anyOf": [{"$ref": "#/components/schemas/Tokens"},
                    {"type": "array", "items": {"$ref": "#/components/schemas/Tokens"}}]},
  "model": {"$ref": "#/components/schemas/ModelName"},
  "skip_special_tokens": {"type": "boolean", "nullable": true, "default": true}}},
"Texts": {"type": "array", "items": {"type": "string"}},
"Info": {"type": "object", "required": ["model_id", "model_dtype", "model_type", "max_concurrent_requests",
    "max_input_length", "max_batch_tokens", "max_client_batch_size", "auto_truncate", "tokenization_workers",
    "version"],
  "properties": {
    "model_id": {"type": "string"}, "model_dtype": {"type": "string"}, "model_type": {"type": "object"},
    "max_concurrent_requests": {"type": "integer"}, "max_input_length": {"type": "integer"},
    "max_batch_tokens": {"type": "integer"}, "max_client_batch_size": {"type": "integer"},
    "auto_truncate": {"type": "boolean"}, "tokenization_workers": {"type": "integer"},
    "version": {"type": "string"}}},

"OpenaiEmbedRequest": {"type": "object", "required": ["input"], "properties": {
  "input": {"$ref": "#/components/schemas/Inputs"},
  "model": {"$ref": "#/components/schemas/ModelName"},
  "encoding_format": {"type": "string", "nullable": true, "default": "float", "enum": ["float", "base64", null]},
  "dimensions": {"type": "integer", "nullable": true, "minimum": 1},
  "truncate": {"type": "boolean", "nullable": true, "default": false}}},
"OpenaiEmbeddings": {"type": "object", "required": ["object", "data", "model", "usage"], "properties": {
  "object": {"enum": ["list"]},
  "data": {"type": "array", "items": {"type": "object", "required": ["object", "index", "embedding"], "properties": {
    "object": {"enum": ["embedding"]}, "index": {"type": "integer"},
    "embedding": {"anyOf": [{"$ref": "#/components/schemas/Embedding"},
                            {"type": "string", "description": "base64 of f32, little-endian"}]}}}},
  "model": {"type": "string"},
  "usage": {"type": "object", "required": ["prompt_tokens", "total_tokens"], "properties": {
    "prompt_tokens": {"type": "integer"}, "total_tokens": {"type": "integer"}}}}},
"OpenaiModel": {"type": "object", "required": ["id", "object", "created", "owned_by"], "properties": {
  "id": {"type": "string"}, "object": {"enum": ["model"]}, "created": {"type": "integer"},
  "owned_by": {"type": "string"}}},
"OpenaiModels": {"type": "object", "required": ["object", "data"], "properties": {
  "object": {"enum": ["list"]},
  "data": {"type": "array", "items": {"$ref": "#/components/schemas/OpenaiModel"}}}},

"CompletionOptions": {"type": "object", "properties": {
  "model": {"$ref": "#/components/schemas/ModelName"},
  "max_tokens": {"type": "integer", "nullable": true, "minimum": 1, "default": 256},
  "max_completion_tokens": {"type": "integer", "nullable": true, "minimum": 1},
  "temperature": {"type": "number", "nullable": true, "minimum": 0, "maximum": 2, "default": 1},
  "top_p": {"type": "number", "nullable": true, "minimum": 0, "maximum": 1, "default": 1},
  "top_k": {"type": "integer", "nullable": true, "minimum": 0, "maximum": 2147483647, "default": 0},
  "min_p": {"type": "number", "nullable": true, "minimum": 0, "maximum": 1, "default": 0},
  "repetition_penalty": {"type": "number", "nullable": true, "minimum": 0.01, "maximum": 100},
  "seed": {"type": "integer", "nullable": true, "format": "int64"},
  "stop": {"nullable": true, "anyOf": [{"type": "string", "minLength": 1},
    {"type": "array", "maxItems": 4, "items": {"type": "string", "minLength": 1}}]},
  "n": {"type": "integer", "nullable": true, "minimum": 1, "default": 1},
  "best_of": {"type": "integer", "nullable": true, "minimum": 1, "maximum": 1},
  "echo": {"type": "boolean", "nullable": true, "enum": [false, null]},
  "presence_penalty": {"type": "number", "nullable": true, "minimum": 0, "maximum": 0},
  "frequency_penalty": {"type": "number", "nullable": true, "minimum": 0, "maximum": 0},
  "logprobs": {"nullable": true, "enum": [false, 0, null]},
  "response_format": {"type": "object", "nullable": true, "required": ["type"],
                      "properties": {"type": {"type": "string", "enum": ["text"]}}},
  "stream": {"type": "boolean", "nullable": true, "default": false},
  "stream_options": {"type": "object", "nullable": true,
                     "properties": {"include_usage": {"type": "boolean", "nullable": true}}}}},
"CompletionRequest": {"allOf": [{"$ref": "#/components/schemas/CompletionOptions"},
  {"type": "object", "required": ["prompt"],
   "properties": {"prompt": {"$ref": "#/components/schemas/Inputs"}}}]},
"ChatRequest": {"allOf": [{"$ref": "#/components/schemas/CompletionOptions"},
  {"type": "object", "required": ["messages"], "properties": {
    "messages": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["role", "content"],
      "properties": {
        "role": {"type": "string", "minLength": 1},
        "content": {"anyOf": [{"type": "string"}, {"type": "array", "items": {
          "type": "object", "required": ["type"],
          "properties": {"type": {"type": "string", "enum": ["text"]},
                         "text": {"type": "string", "nullable": true}}}}]}}}}}}]},
"Usage": {"type": "object", "required": ["prompt_tokens", "completion_tokens", "total_tokens"], "properties": {
  "prompt_tokens": {"type": "integer"}, "completion_tokens": {"type": "integer"},
  "total_tokens": {"type": "integer"}}},
"Completion": {"type": "object", "required": ["id", "object", "created", "model", "choices", "usage"], "properties": {
  "id": {"type": "string"}, "object": {"enum": ["text_completion"]}, "created": {"type": "integer"},
  "model": {"type": "string"}, "usage": {"$ref": "#/components/schemas/Usage"},
  "choices": {"type": "array", "items": {"type": "object", "required": ["index", "text", "finish_reason"],
    "properties": {"index": {"type": "integer"}, "text": {"type": "string"},
                   "finish_reason": {"enum": ["stop", "length"]}}}}}},
"ChatCompletion": {"type": "object", "required": ["id", "object", "created", "model", "choices", "usage"],
  "properties": {
    "id": {"type": "string"}, "object": {"enum": ["chat.completion"]}, "created": {"type": "integer"},
    "model": {"type": "string"}, "usage": {"$ref": "#/components/schemas/Usage"},
    "choices": {"type": "array", "items": {"type": "object", "required": ["index", "message", "finish_reason"],
      "properties": {
        "index": {"type": "integer"}, "finish_reason": {"enum": ["stop", "length"]},
        "message": {"type": "object", "required": ["role", "content"],
                    "properties": {"role": {"enum": ["assistant"]}, "content": {"type": "string"}}}}}}}},

"Server": {"type": "object", "required": ["name", "version", "extensions"], "properties": {
  "name": {"type": "string"}, "version": {"type": "string"}, "extensions": {"$ref": "#/components/schemas/Texts"}}},
"Live": {"type": "object", "required": ["live"], "properties": {"live": {"type": "boolean"}}},
"Ready": {"type": "object", "required": ["live", "ready"], "properties": {
  "live": {"type": "boolean"}, "ready": {"type": "boolean"}}},
"ModelReady": {"type": "object", "required": ["name", "ready"], "properties": {
  "name": {"type": "string"}, "ready": {"type": "boolean"}}},
"TensorInfos": {"type": "array", "items": {"type": "object", "required": ["name", "datatype", "shape"], "properties": {
  "name": {"type": "string"}, "datatype": {"type": "string"},
  "shape": {"type": "array", "items": {"type": "integer", "minimum": -1}}}}},
"Model": {"type": "object", "required": ["name", "versions", "platform", "inputs", "outputs"], "properties": {
  "name": {"type": "string"}, "versions": {"$ref": "#/components/schemas/Texts"}, "platform": {"type": "string"},
  "inputs": {"$ref": "#/components/schemas/TensorInfos"}, "outputs": {"$ref": "#/components/schemas/TensorInfos"}}},
"InferRequest": {"type": "object", "required": ["inputs"], "properties": {
  "id": {"type": "string", "nullable": true},
  "parameters": {"type": "object", "nullable": true, "properties": {
    "truncate": {"type": "boolean", "nullable": true},
    "priority": {"type": "integer", "nullable": true, "minimum": -1000, "maximum": 1000},
    "binary_data_output": {"type": "boolean", "nullable": true}}},
  "inputs": {"type": "array", "minItems": 1, "items": {
    "type": "object", "required": ["name", "shape", "datatype"],
    "properties": {
      "name": {"type": "string", "description": "one of the model's inputs, or rows of a table"},
      "datatype": {"type": "string", "enum": ["BYTES", "INT64", "INT32", "UINT8", "FP64", "FP32"]},
      "shape": {"type": "array", "minItems": 1, "maxItems": 4,
                "items": {"type": "integer", "minimum": 0, "maximum": 67108864}},
      "data": {"type": "array", "description": "flat or nested; missing where binary_data_size is given",
               "items": {}},
      "parameters": {"type": "object", "nullable": true, "properties": {
        "binary_data_size": {"type": "integer", "minimum": 0, "maximum": 2147483647,
                             "description": "bytes of this tensor behind the JSON"}}}}}},
  "outputs": {"type": "array", "nullable": true, "minItems": 1, "items": {
    "type": "object", "required": ["name"], "properties": {
      "name": {"type": "string"},
      "parameters": {"type": "object", "nullable": true,
                     "properties": {"binary_data": {"type": "boolean", "nullable": true}}}}}}}},
"InferAnswer": {"type": "object", "required": ["model_name", "model_version", "outputs"], "properties": {
  "model_name": {"type": "string"}, "model_version": {"type": "string"}, "id": {"type": "string"},
  "outputs": {"type": "array", "items": {"type": "object", "required": ["name", "datatype", "shape"], "properties": {
    "name": {"type": "string"}, "datatype": {"enum": ["FP32", "BYTES", "INT64"]},
    "shape": {"type": "array", "items": {"type": "integer"}},
    "data": {"type": "array", "items": {}},
    "parameters": {"type": "object", "properties": {"binary_data_size": {"type": "integer"}}}}}}}},
"InstancesRequest": {"type": "object", "properties": {
  "inputs": {"type": "array", "nullable": true, "items": {}, "description":
    "texts, {text, text_pair}, {question, context}, rows as objects, pictures in base64, or series as lists"},
  "instances": {"type": "array", "nullable": true, "items": {}, "description": "the same where there are no inputs"},
  "parameters": {"type": "object", "nullable": true, "properties": {
    "top_k": {"type": "integer", "nullable": true, "minimum": 1, "maximum": 100},
    "truncate": {"type": "boolean", "nullable": true},
    "handle_impossible_answer": {"type": "boolean", "nullable": true},
    "max_answer_len": {"type": "integer", "nullable": true, "minimum": 1, "maximum": 1000},
    "doc_stride": {"type": "integer", "nullable": true, "minimum": 0},
    "max_seq_len": {"type": "integer", "nullable": true, "minimum": 8},
    "horizon": {"type": "integer", "nullable": true, "minimum": 1}}}}},
"InstancesAnswer": {"type": "object", "required": ["model_name", "model_version", "predictions"], "properties": {
  "model_name": {"type": "string"}, "model_version": {"type": "string"},
  "predictions": {"type": "array", "items": {}}}},
"ExplainRequest": {"type": "object", "properties": {
  "inputs": {"type": "array", "nullable": true, "items": {},
             "description": "texts, {text, text_pair}, or one row of a table"},
  "instances": {"type": "array", "nullable": true, "items": {}, "description": "the same where there are no inputs"},
  "parameters": {"type": "object", "nullable": true, "properties": {
    "method": {"type": "string", "nullable": true, "enum": ["integrated_gradients", "occlusion"]},
    "n_steps": {"type": "integer", "nullable": true, "minimum": 1, "maximum": 1000},
    "label": {"type": "string", "nullable": true},
    "truncate": {"type": "boolean", "nullable": true}}}}},
"Explanations": {"type": "object", "required": ["model_name", "model_version", "method", "explanations"],
  "properties": {
    "model_name": {"type": "string"}, "model_version": {"type": "string"}, "method": {"type": "string"},
    "explanations": {"type": "array", "items": {"type": "object", "required": ["label", "output", "attributions"],
      "properties": {"label": {"type": "string"}, "output": {"type": "number", "nullable": true},
        "baseline_output": {"type": "number", "nullable": true}, "delta": {"type": "number", "nullable": true},
        "attributions": {"type": "array", "items": {"type": "object", "required": ["score"]}}}}}}},
"Statistic": {"type": "object", "required": ["count", "ns"], "properties": {
  "count": {"type": "integer"}, "ns": {"type": "integer"}}},
"Drift": {"type": "object", "required": ["model_name", "baseline", "drifted", "scores"], "properties": {
  "model_name": {"type": "string"}, "baseline": {"type": "boolean"}, "drifted": {"type": "boolean"},
  "scores": {"type": "array", "items": {"type": "object",
    "required": ["feature", "test", "statistic", "p_value", "threshold", "drifted", "baseline_count", "window_count"],
    "properties": {"feature": {"type": "string"}, "test": {"type": "string"},
      "statistic": {"type": "number", "nullable": true}, "p_value": {"type": "number", "nullable": true},
      "threshold": {"type": "number"}, "drifted": {"type": "boolean"},
      "baseline_count": {"type": "integer"}, "window_count": {"type": "integer"}}}}}},
"Alert": {"type": "object", "required": ["time", "status", "rule", "severity", "labels", "since", "value", "message"],
  "properties": {"time": {"type": "number"}, "status": {"enum": ["firing", "resolved"]}, "repeated": {"type": "boolean"},
    "rule": {"type": "string"}, "severity": {"type": "string"}, "labels": {"type": "object"},
    "since": {"type": "number"}, "value": {"type": "number", "nullable": true}, "message": {"type": "string"}}},
"Alerts": {"type": "object", "required": ["rules", "firing", "recent"], "properties": {
  "rules": {"type": "array", "items": {"type": "string"}},
  "firing": {"type": "array", "items": {"$ref": "#/components/schemas/Alert"}},
  "recent": {"type": "array", "items": {"$ref": "#/components/schemas/Alert"}}}},
"Energy": {"type": "object", "required": ["model_name", "source", "tokens", "joules"], "properties": {
  "model_name": {"type": "string"}, "source": {"type": "string", "enum": ["measured", "modelled", "unknown"]},
  "how": {"type": "string"}, "seconds": {"type": "number"}, "tokens": {"type": "integer"},
  "joules": {"type": "number", "nullable": true}, "joules_per_token": {"type": "number", "nullable": true},
  "kwh": {"type": "number", "nullable": true}, "cost": {"type": "number", "nullable": true},
  "currency": {"type": "string", "nullable": true}, "co2_kg": {"type": "number", "nullable": true},
  "table_date": {"type": "string", "nullable": true}}},
"Label": {"type": "object", "required": ["id", "label"], "properties": {
  "id": {"type": "string", "minLength": 1}, "label": {"type": "string"}, "index": {"type": "integer", "minimum": 0}}},
"Accuracy": {"type": "object", "required": ["labelled", "correct", "accuracy_low", "accuracy_high"], "properties": {
  "labelled": {"type": "integer"}, "correct": {"type": "integer"},
  "accuracy_low": {"type": "number"}, "accuracy_high": {"type": "number"}}},
"Statistics": {"type": "object", "required": ["model_stats"], "properties": {
  "model_stats": {"type": "array", "items": {"type": "object",
    "required": ["name", "version", "last_inference", "inference_count", "execution_count", "inference_stats",
                 "batch_stats"],
    "properties": {
      "name": {"type": "string"}, "version": {"type": "string"}, "last_inference": {"type": "integer"},
      "inference_count": {"type": "integer"}, "execution_count": {"type": "integer"},
      "inference_stats": {"type": "object", "required": ["success", "fail", "queue", "compute_input", "compute_infer",
                                                         "compute_output"],
                          "additionalProperties": {"$ref": "#/components/schemas/Statistic"}},
      "batch_stats": {"type": "array", "items": {}}}}}}},
"RepositoryIndex": {"type": "array", "items": {
  "type": "object", "required": ["name", "version", "state", "reason"], "properties": {
    "name": {"type": "string"}, "version": {"type": "string"}, "state": {"enum": ["READY", "UNAVAILABLE"]},
    "reason": {"type": "string"}}}},
"Empty": {"type": "object", "maxProperties": 0},
"Page": {"type": "object", "required": ["openapi", "info", "paths"]}
})json";

}  // namespace suanli::serve
