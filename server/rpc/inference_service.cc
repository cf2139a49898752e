// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/inference_service.h"

#include <functional>
#include <memory>

#include "server/calls/inference.h"
#include "server/rpc/unary_answer.h"

namespace edgemoe {

std::function<std::shared_ptr<ResponseStream>(const Caller&)> InferenceService::Responses(
    const char* method) const {
  return [this, method](const Caller& caller) {
    return calls::MakeResponseStream(front_end_.parts, method, caller);
  };
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* InferenceService::Complete(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return AnswerStream({*context, front_end_, Right::kInference}, *request, Responses("Complete"),
                      calls::Complete);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* InferenceService::Chat(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return AnswerStream({*context, front_end_, Right::kInference}, *request, Responses("Chat"),
                      calls::Chat);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* InferenceService::Score(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return AnswerStream({*context, front_end_, Right::kInference}, *request, Responses("Score"),
                      calls::Score);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* InferenceService::Embed(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return AnswerStream({*context, front_end_, Right::kInference}, *request, Responses("Embed"),
                      calls::Embed);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* InferenceService::Tokenize(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  const ServiceParts& parts = front_end_.parts;
  return AnswerStream(
      {*context, front_end_, Right::kInference}, *request,
      [&parts](const Caller&) {
        return std::make_shared<TokenStream>(parts.streams, parts.workers,
                                             parts.engine_options().stall_timeout_ms);
      },
      calls::Tokenize);
}

grpc::ServerUnaryReactor* InferenceService::Detokenize(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request,
                                                       grpc::ByteBuffer* response) {
  return AnswerUnary({*context, front_end_, Right::kInference}, *request, *response,
                     calls::Detokenize);
}

grpc::ServerUnaryReactor* InferenceService::ApplyTemplate(grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request,
                                                          grpc::ByteBuffer* response) {
  return AnswerUnary({*context, front_end_, Right::kInference}, *request, *response,
                     calls::ApplyTemplate);
}

grpc::ServerUnaryReactor* InferenceService::ListRequests(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request,
                                                         grpc::ByteBuffer* response) {
  return AnswerUnary({*context, front_end_, Right::kInference}, *request, *response,
                     calls::ListRequests);
}

grpc::ServerUnaryReactor* InferenceService::Abort(grpc::CallbackServerContext* context,
                                                  const grpc::ByteBuffer* request,
                                                  grpc::ByteBuffer* response) {
  return AnswerUnary({*context, front_end_, Right::kInference}, *request, *response, calls::Abort);
}

}  // namespace edgemoe
