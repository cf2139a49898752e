// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/observe_service.h"

#include <memory>

#include "server/calls/observe.h"
#include "server/rpc/unary_answer.h"

namespace edgemoe {

grpc::ServerWriteReactor<grpc::ByteBuffer>* ObserveService::RecordTrace(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  const ServiceParts& parts = front_end_.parts;
  return AnswerStream(
      {*context, front_end_, Right::kAdministration}, *request,
      [&parts](const Caller&) {
        return std::make_shared<RecordStream>(parts.streams, parts.workers);
      },
      calls::RecordTrace);
}

grpc::ServerUnaryReactor* ObserveService::GetStats(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request,
                                                   grpc::ByteBuffer* response) {
  return AnswerUnary({*context, front_end_, Right::kInference}, *request, *response,
                     calls::GetStats);
}

grpc::ServerUnaryReactor* ObserveService::Resize(grpc::CallbackServerContext* context,
                                                 const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* response) {
  return AnswerUnary({*context, front_end_, Right::kAdministration}, *request, *response,
                     calls::Resize);
}

grpc::ServerUnaryReactor* ObserveService::Probe(grpc::CallbackServerContext* context,
                                                const grpc::ByteBuffer* request,
                                                grpc::ByteBuffer* response) {
  return AnswerUnary({*context, front_end_, Right::kAdministration}, *request, *response,
                     calls::Probe);
}

}  // namespace edgemoe
