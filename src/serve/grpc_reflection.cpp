#include "serve/grpc_reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>

#include "reflection.pb.h"
#include "reflection_v1.pb.h"
#include "serve/grpc_message.h"

namespace suanli::serve {

namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

/// The file after those that it imports.
template <class Answer>
void append_file(const FileDescriptor& file, std::set<std::string>& seen, Answer& response) {
  if (!seen.insert(file.name()).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) append_file(*file.dependency(i), seen, response);
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response.mutable_file_descriptor_response()->add_file_descriptor_proto(proto.SerializeAsString());
}

template <class Answer>
void set_file(const FileDescriptor* file, Answer& response) {
  std::set<std::string> seen;
  if (file != nullptr) return append_file(*file, seen, response);
  response.mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
  response.mutable_error_response()->set_error_message("no such file, symbol or extension");
}

template <class Answer>
void list_services(const Methods& methods, Answer& response) {
  std::set<std::string> names;
  for (const auto& [path, method] : methods.all) names.insert(path.substr(1, path.rfind('/') - 1));
  for (const std::string& name : names) response.mutable_list_services_response()->add_service()->set_name(name);
}

template <class Question, class Answer>
void reflect(const Methods& methods, const ExchangePointer& exchange) {
  const auto request = message_of<Question>(exchange);
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  Answer response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Question::kListServices:
      list_services(methods, response);
      break;
    case Question::kFileByFilename:
      set_file(pool.FindFileByName(request.file_by_filename()), response);
      break;
    case Question::kFileContainingSymbol:
      set_file(pool.FindFileContainingSymbol(request.file_containing_symbol()), response);
      break;
    default:  // messages of proto3 have no extensions
      set_file(nullptr, response);
  }
  exchange->answer(answer_of(response));
}

}  // namespace

void add_reflection_methods(Methods& methods) {
  const auto add = [&](const std::string& version, auto action) {
    methods.all["/grpc.reflection." + version + ".ServerReflection/ServerReflectionInfo"] = {
        .scope = Scope::infer,
        .handler = [&methods, action](const ExchangePointer& exchange) { action(methods, exchange); },
        .many = true};
  };
  add("v1", reflect<grpc::reflection::v1::ServerReflectionRequest, grpc::reflection::v1::ServerReflectionResponse>);
  add("v1alpha",
      reflect<grpc::reflection::v1alpha::ServerReflectionRequest, grpc::reflection::v1alpha::ServerReflectionResponse>);
}

}  // namespace suanli::serve
