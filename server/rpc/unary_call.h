// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <utility>

#include "server/process/worker_pool.h"
#include "server/rpc/message_bytes.h"
#include "server/rpc/status_mapping.h"

namespace edgemoe {

// Answers a unary call with `work(const Request&, Response&)`, which gives a Status, on a worker:
// gRPC's own few threads stay free. INVALID_ARGUMENT for bytes that are no Request;
// RESOURCE_EXHAUSTED when too many calls wait. gRPC keeps both buffers until the call is finished.
template <class Request, class Response, class Work>
grpc::ServerUnaryReactor* RunUnary(grpc::CallbackServerContext* context, WorkerPool& workers,
                                   const grpc::ByteBuffer* request_bytes,
                                   grpc::ByteBuffer* response_bytes, Work work) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const bool posted =
      workers.TryPost([reactor, request_bytes, response_bytes, work = std::move(work)] {
        Request request;
        Response response;
        Status status = ParseMessage(*request_bytes, request);
        if (status.ok()) status = work(request, response);
        if (status.ok()) *response_bytes = SerializeMessage(response);
        reactor->Finish(ToGrpcStatus(status));
      });
  if (!posted)
    reactor->Finish(
        ToGrpcStatus(ResourceExhaustedError("too many calls wait for an answer; try again later")));
  return reactor;
}

}  // namespace edgemoe
