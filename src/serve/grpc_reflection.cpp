#include "serve/grpc_reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>

#include "reflection.pb.h"
#include "serve/grpc_message.h"

namespace suanli::serve {

namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

/// The file after those that it imports.
void append_file(const FileDescriptor& file, std::set<std::string>& seen, ServerReflectionResponse& response) {
  if (!seen.insert(file.name()).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) append_file(*file.dependency(i), seen, response);
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response.mutable_file_descriptor_response()->add_file_descriptor_proto(proto.SerializeAsString());
}

void set_file(const FileDescriptor* file, ServerReflectionResponse& response) {
  std::set<std::string> seen;
  if (file != nullptr) return append_file(*file, seen, response);
  response.mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
  response.mutable_error_response()->set_error_message("no such file, symbol or extension");
}

void list_services(const Methods& methods, ServerReflectionResponse& response) {
  std::set<std::string> names;
  for (const auto& [path, method] : methods.all) names.insert(path.substr(1, path.rfind('/') - 1));
  for (const std::string& name : names) response.mutable_list_services_response()->add_service()->set_name(name);
}

}  // namespace

void add_reflection_method(Methods& methods) {
  const auto reflect = [&methods](const ExchangePointer& exchange) {
    const auto request = message_of<ServerReflectionRequest>(exchange);
    const DescriptorPool& pool = *DescriptorPool::generated_pool();
    ServerReflectionResponse response;
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    switch (request.message_request_case()) {
      case ServerReflectionRequest::kListServices:
        list_services(methods, response);
        break;
      case ServerReflectionRequest::kFileByFilename:
        set_file(pool.FindFileByName(request.file_by_filename()), response);
        break;
      case ServerReflectionRequest::kFileContainingSymbol:
        set_file(pool.FindFileContainingSymbol(request.file_containing_symbol()), response);
        break;
      default:  // messages of proto3 have no extensions
        set_file(nullptr, response);
    }
    exchange->answer(answer_of(response));
  };
  methods.all["/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"] = {
      .scope = Scope::infer, .handler = reflect, .many = true};
}

}  // namespace suanli::serve
