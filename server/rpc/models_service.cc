// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/models_service.h"

#include <memory>

#include "server/calls/models.h"
#include "server/rpc/unary_answer.h"

namespace edgemoe {

grpc::ServerWriteReactor<grpc::ByteBuffer>* ModelsService::Pack(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return AnswerStream(*context, parts_, *request, std::make_shared<PackStream>(parts_.streams),
                      calls::Pack);
}

grpc::ServerUnaryReactor* ModelsService::List(grpc::CallbackServerContext* context,
                                              const grpc::ByteBuffer* request,
                                              grpc::ByteBuffer* response) {
  return AnswerUnary(*context, parts_, *request, *response, calls::ListModels);
}

grpc::ServerUnaryReactor* ModelsService::Get(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* request,
                                             grpc::ByteBuffer* response) {
  return AnswerUnary(*context, parts_, *request, *response, calls::GetModel);
}

grpc::ServerUnaryReactor* ModelsService::Plan(grpc::CallbackServerContext* context,
                                              const grpc::ByteBuffer* request,
                                              grpc::ByteBuffer* response) {
  return AnswerUnary(*context, parts_, *request, *response, calls::Plan);
}

}  // namespace edgemoe
