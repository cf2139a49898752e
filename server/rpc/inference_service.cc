// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/inference_service.h"

#include <memory>

#include "server/calls/inference.h"
#include "server/rpc/unary_answer.h"

namespace edgemoe {

grpc::ServerWriteReactor<grpc::ByteBuffer>* InferenceService::Complete(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return AnswerStream(*context, parts_, *request, calls::MakeResponseStream(parts_),
                      calls::Complete);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* InferenceService::Chat(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return AnswerStream(*context, parts_, *request, calls::MakeResponseStream(parts_), calls::Chat);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* InferenceService::Score(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return AnswerStream(*context, parts_, *request, calls::MakeResponseStream(parts_), calls::Score);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* InferenceService::Tokenize(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return AnswerStream(*context, parts_, *request,
                      std::make_shared<TokenStream>(parts_.streams, parts_.workers,
                                                    parts_.engine_options.stall_timeout_ms),
                      calls::Tokenize);
}

grpc::ServerUnaryReactor* InferenceService::Detokenize(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request,
                                                       grpc::ByteBuffer* response) {
  return AnswerUnary(*context, parts_, *request, *response, calls::Detokenize);
}

grpc::ServerUnaryReactor* InferenceService::ApplyTemplate(grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request,
                                                          grpc::ByteBuffer* response) {
  return AnswerUnary(*context, parts_, *request, *response, calls::ApplyTemplate);
}

grpc::ServerUnaryReactor* InferenceService::Abort(grpc::CallbackServerContext* context,
                                                  const grpc::ByteBuffer* request,
                                                  grpc::ByteBuffer* response) {
  return AnswerUnary(*context, parts_, *request, *response, calls::Abort);
}

}  // namespace edgemoe
