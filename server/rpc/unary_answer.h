// SPDX-License-Identifier: Apache-2.0
//
// Joins a gRPC call to its body in server/calls, which runs on a worker: gRPC's own few threads
// stay free. INVALID_ARGUMENT for bytes that are no request; RESOURCE_EXHAUSTED when too many calls
// wait.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "server/calls/service_parts.h"
#include "server/rpc/message_bytes.h"
#include "server/rpc/rpc_wire.h"
#include "server/rpc/status_mapping.h"

namespace edgemoe {

inline Status TooManyCalls() {
  return ResourceExhaustedError("too many calls wait for an answer; try again later");
}

// gRPC keeps both buffers until the call is finished.
template <class Request, class Response>
grpc::ServerUnaryReactor* AnswerUnary(
    grpc::CallbackServerContext& context, const ServiceParts& parts,
    const grpc::ByteBuffer& request_bytes, grpc::ByteBuffer& response_bytes,
    Status (*body)(const Request&, Response&, const ServiceParts&)) {
  grpc::ServerUnaryReactor* const reactor = context.DefaultReactor();
  const bool posted =
      parts.workers.TryPost([reactor, body, &parts, &request_bytes, &response_bytes] {
        Request request;
        Response response;
        Status status = ParseMessage(request_bytes, request);
        if (status.ok()) status = body(request, response, parts);
        if (status.ok()) response_bytes = SerializeMessage(response);
        reactor->Finish(ToGrpcStatus(status));
      });
  if (!posted) reactor->Finish(ToGrpcStatus(TooManyCalls()));
  return reactor;
}

// gRPC keeps the buffer until the call is finished, which is after the body.
template <class Request, class Stream>
grpc::ServerWriteReactor<grpc::ByteBuffer>* AnswerStream(
    grpc::CallbackServerContext& context, const ServiceParts& parts,
    const grpc::ByteBuffer& request_bytes, std::shared_ptr<Stream> stream,
    void (*body)(const Request&, const std::shared_ptr<Stream>&, const ServiceParts&)) {
  RpcWire* const reactor = RpcWire::Make(context, stream);
  const bool posted = parts.workers.TryPost([stream, body, &parts, &request_bytes] {
    if (stream->client_has_gone()) return stream->Refuse(CancelledError("the client has gone"));
    Request request;
    if (const Status status = ParseMessage(request_bytes, request); !status.ok())
      return stream->Refuse(status);
    body(request, stream, parts);
  });
  if (!posted) stream->Refuse(TooManyCalls());
  return reactor;
}

}  // namespace edgemoe
