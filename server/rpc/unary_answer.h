// SPDX-License-Identifier: Apache-2.0
//
// Joins a gRPC call to its body in server/calls, which runs on a worker: gRPC's own few threads
// stay free. INVALID_ARGUMENT for bytes that are no request; RESOURCE_EXHAUSTED when too many calls
// wait.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "server/calls/service_parts.h"
#include "server/rpc/message_bytes.h"
#include "server/rpc/rpc_wire.h"
#include "server/rpc/status_mapping.h"

namespace edgemoe {

inline Status TooManyCalls() {
  return ResourceExhaustedError("too many calls wait for an answer; try again later");
}

inline Status TooManyBytes() {
  return ResourceExhaustedError(
      "the requests and answers that are held take too much memory; "
      "try again later");
}

// The bytes of a request that has been parsed: gRPC would keep them until the call is over.
inline void Forget(const grpc::ByteBuffer& request_bytes) {
  const_cast<grpc::ByteBuffer&>(request_bytes).Clear();  // no other reads it, nor will gRPC
}

inline bool PostCall(const ServiceParts& parts, std::size_t request_bytes,
                     std::function<void()> task) {
  return request_bytes < RequestMemory::kLargeBytes ? parts.workers.TryPost(std::move(task))
                                                    : parts.workers.TryPostLarge(std::move(task));
}

// Owned by itself until gRPC has said OnDone.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  UnaryCall(grpc::CallbackServerContext& context, const ServiceParts& parts)
      : context_(context), parts_(parts), share_(parts.requests.MakeShare()) {}

  RequestMemory::Share& share() { return share_; }
  void Refuse(const Status& status) {
    AddRetryDelay(context_, parts_.retry_delay.Ms());
    Finish(ToGrpcStatus(status));
  }
  void OnDone() override { delete this; }

 private:
  grpc::CallbackServerContext& context_;
  const ServiceParts& parts_;
  RequestMemory::Share share_;  // of the request, then of the answer
};

// gRPC keeps both buffers until the call is finished.
template <class Request, class Response>
grpc::ServerUnaryReactor* AnswerUnary(
    grpc::CallbackServerContext& context, const ServiceParts& parts,
    const grpc::ByteBuffer& request_bytes, grpc::ByteBuffer& response_bytes,
    Status (*body)(const Request&, Response&, const ServiceParts&)) {
  auto* const call = new UnaryCall(context, parts);
  const std::size_t size = request_bytes.Length();
  if (!call->share().TryResize(size)) {
    call->Refuse(TooManyBytes());
    return call;
  }
  const bool posted = PostCall(parts, size, [call, body, &parts, &request_bytes, &response_bytes] {
    Status status;
    {
      Request request;
      Response response;
      status = ParseMessage(request_bytes, request);
      Forget(request_bytes);
      if (status.ok()) status = body(request, response, parts);
      if (status.ok()) response_bytes = SerializeMessage(response);
    }
    if (!call->share().TryResize(response_bytes.Length())) {
      response_bytes.Clear();
      return call->Refuse(TooManyBytes());
    }
    call->Finish(ToGrpcStatus(status));
  });
  if (!posted) call->Refuse(TooManyCalls());
  return call;
}

// gRPC keeps the buffer until the call is finished, which is after the body. A body that takes its
// request to change it keeps what was in it until then.
template <class Request, class Stream>
grpc::ServerWriteReactor<grpc::ByteBuffer>* AnswerStream(
    grpc::CallbackServerContext& context, const ServiceParts& parts,
    const grpc::ByteBuffer& request_bytes, std::shared_ptr<Stream> stream,
    void (*body)(Request&, const std::shared_ptr<Stream>&, const ServiceParts&)) {
  const auto share = std::make_shared<RequestMemory::Share>(parts.requests.MakeShare());
  RpcWire* const wire = RpcWire::Make(context, stream, share);
  const std::size_t size = request_bytes.Length();
  const auto refuse = [&](const Status& status) {
    wire->SetRetryDelay(parts.retry_delay.Ms());
    stream->Refuse(status);
    return wire;
  };
  if (!share->TryResize(size)) return refuse(TooManyBytes());
  const bool posted = PostCall(parts, size, [stream, share, body, &parts, &request_bytes] {
    if (stream->client_has_gone()) return stream->Refuse(CancelledError("the client has gone"));
    {
      std::remove_const_t<Request> request;
      const Status status = ParseMessage(request_bytes, request);
      Forget(request_bytes);
      if (!status.ok()) return stream->Refuse(status);
      body(request, stream, parts);
    }
    if (std::is_const_v<Request>) (void)share->TryResize(0);
  });
  if (!posted) return refuse(TooManyCalls());
  return wire;
}

}  // namespace edgemoe
