// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/observe_service.h"

#include <memory>

#include "server/calls/observe.h"
#include "server/rpc/unary_answer.h"

namespace edgemoe {

grpc::ServerWriteReactor<grpc::ByteBuffer>* ObserveService::RecordTrace(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return AnswerStream(*context, parts_, *request,
                      std::make_shared<RecordStream>(parts_.streams, parts_.workers),
                      calls::RecordTrace);
}

grpc::ServerUnaryReactor* ObserveService::GetStats(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request,
                                                   grpc::ByteBuffer* response) {
  return AnswerUnary(*context, parts_, *request, *response, calls::GetStats);
}

grpc::ServerUnaryReactor* ObserveService::Resize(grpc::CallbackServerContext* context,
                                                 const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* response) {
  return AnswerUnary(*context, parts_, *request, *response, calls::Resize);
}

grpc::ServerUnaryReactor* ObserveService::Probe(grpc::CallbackServerContext* context,
                                                const grpc::ByteBuffer* request,
                                                grpc::ByteBuffer* response) {
  return AnswerUnary(*context, parts_, *request, *response, calls::Probe);
}

}  // namespace edgemoe
