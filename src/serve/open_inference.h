/// The Open Inference Protocol's inference, apart from how it travels: named tensors in, named tensors out.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "serve/service.h"

namespace suanli::serve {

/// `data` is row-major, little-endian; elements of BYTES have their length before them as u32.
struct InferTensor {
  std::string name, datatype;
  std::vector<int64_t> shape;
  std::string data;
};

struct TensorInfo {
  std::string name, datatype;
  std::vector<int64_t> shape;  ///< -1: any
};

/// What a model takes and gives. Texts come as "text" (and "text_pair"), or as tokens: "input_ids" with
/// "attention_mask" and "token_type_ids", rows of one length of which the mask's tokens count.
std::vector<TensorInfo> model_inputs(const ServedModel& model);
std::vector<TensorInfo> model_outputs(const ServedModel& model);

/// What the inputs ask for. Throws RequestError for names, datatypes, shapes and sizes that are not the model's.
Question question_of(const ServedModel& model, const std::vector<InferTensor>& inputs);

/// Throws RequestError for a name that is not that of an output.
void check_output_names(const std::vector<TensorInfo>& known, const std::vector<std::string>& names);

/// The outputs of these names, of all for none. check_output_names() has seen them.
std::vector<InferTensor> outputs_of(const ServedModel& model, const Answers& answers,
                                    const std::vector<std::string>& names);

/// Loads a model on another thread and answers `done`, or the error in that form.
void load_in_background(const Service& service, const ExchangePointer& exchange, const std::string& name,
                        ErrorForm form, Response done);

/// Bytes of an element of a datatype; 0 for BYTES and for names that are none.
size_t element_size(const std::string& datatype);

/// Texts of a BYTES tensor [N] or [N, 1]. Throws RequestError for another datatype or shape.
std::vector<std::string> texts_of(const InferTensor& tensor);

/// `tensor` is not what the model takes. Throws RequestError that names it.
[[noreturn]] void wrong_tensor(const InferTensor& tensor, const std::string& what);

/// How many elements a shape has. Throws RequestError where it is negative, or too large to be sent.
int64_t element_count(const std::string& name, const std::vector<int64_t>& shape);

/// Texts as the data of a BYTES tensor, and back. Throws RequestError for data that ends within an element.
void append_bytes_element(std::string& data, std::string_view element);
std::vector<std::string> bytes_elements(const InferTensor& tensor);

}  // namespace suanli::serve
