// SPDX-License-Identifier: Apache-2.0
//
// Joins a gRPC call to its body in server/calls, which runs on a worker: gRPC's own few threads
// stay free. PERMISSION_DENIED to who has not the right that the call needs; INVALID_ARGUMENT for
// bytes that are no request; RESOURCE_EXHAUSTED when too many calls wait.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "server/rpc/front_end.h"
#include "server/rpc/message_bytes.h"
#include "server/rpc/rpc_wire.h"
#include "server/rpc/status_mapping.h"

namespace edgemoe {

inline Status TooManyCalls() {
  return ResourceExhaustedError("too many calls wait for an answer; try again later")
      .WithReason(Reason::kTooManyCalls);
}

inline Status TooManyBytes() {
  return ResourceExhaustedError(
             "the requests and answers that are held take too much memory; "
             "try again later")
      .WithReason(Reason::kTooManyCalls);
}

inline Status CheckRight(Right right, const Caller& caller) {
  if (right == Right::kInference || caller.is_administrator) return OkStatus();
  return PermissionDeniedError("this call needs an administrator, and " + caller.peer +
                               " is none: see listen.admin_users and listen.admin_groups, which "
                               "are for the unix socket")
      .WithReason(Reason::kAdministratorNeeded);
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
  explicit UnaryCall(const ArrivedCall& arrived)
      : context_(arrived.context),
        parts_(arrived.front_end.parts),
        open_(arrived.front_end.open_calls),
        share_(parts_.requests.MakeShare()) {}

  RequestMemory::Share& share() { return share_; }
  void End(const Status& status) {
    Finish(ToGrpcStatus(status, context_, parts_.retry_delay.Ms()));
  }
  void OnDone() override { delete this; }

 private:
  grpc::CallbackServerContext& context_;
  const ServiceParts& parts_;
  const OpenCalls::Call open_;
  RequestMemory::Share share_;  // of the request, then of the answer
};

// gRPC keeps both buffers until the call is finished.
template <class Request, class Response>
grpc::ServerUnaryReactor* AnswerUnary(const ArrivedCall& arrived,
                                      const grpc::ByteBuffer& request_bytes,
                                      grpc::ByteBuffer& response_bytes,
                                      Status (*body)(const Request&, Response&, const ServiceParts&,
                                                     const Caller&)) {
  const ServiceParts& parts = arrived.front_end.parts;
  auto* const call = new UnaryCall(arrived);
  Caller caller = arrived.front_end.peers.Find(arrived.context.peer());
  const std::size_t size = request_bytes.Length();
  Status refusal = CheckRight(arrived.right, caller);
  if (refusal.ok() && !call->share().TryResize(size)) refusal = TooManyBytes();
  if (!refusal.ok()) {
    call->End(refusal);
    return call;
  }
  const bool posted =
      PostCall(parts, size,
               [call, body, caller = std::move(caller), &parts, &request_bytes, &response_bytes] {
                 Status status;
                 {
                   Request request;
                   Response response;
                   status = ParseMessage(request_bytes, request);
                   Forget(request_bytes);
                   if (status.ok()) status = body(request, response, parts, caller);
                   if (status.ok()) response_bytes = SerializeMessage(response);
                 }
                 if (!call->share().TryResize(response_bytes.Length())) {
                   response_bytes.Clear();
                   return call->End(TooManyBytes());
                 }
                 call->End(status);
               });
  if (!posted) call->End(TooManyCalls());
  return call;
}

// gRPC keeps the buffer until the call is finished, which is after the body. A body that takes its
// request to change it keeps what was in it until then.
template <class Request, class Stream>
grpc::ServerWriteReactor<grpc::ByteBuffer>* AnswerStream(
    const ArrivedCall& arrived, const grpc::ByteBuffer& request_bytes,
    const std::type_identity_t<std::function<std::shared_ptr<Stream>(const Caller&)>>& make_stream,
    void (*body)(Request&, const std::shared_ptr<Stream>&, const ServiceParts&, const Caller&)) {
  const ServiceParts& parts = arrived.front_end.parts;
  Caller caller = arrived.front_end.peers.Find(arrived.context.peer());
  const std::shared_ptr<Stream> stream = make_stream(caller);
  const auto share = std::make_shared<RequestMemory::Share>(parts.requests.MakeShare());
  RpcWire* const wire = RpcWire::Make(arrived, stream, share);
  const std::size_t size = request_bytes.Length();
  const auto refuse = [&](const Status& status) {
    stream->Refuse(status);
    return wire;
  };
  if (const Status status = CheckRight(arrived.right, caller); !status.ok()) return refuse(status);
  if (!share->TryResize(size)) return refuse(TooManyBytes());
  const bool posted = PostCall(
      parts, size, [stream, share, body, caller = std::move(caller), &parts, &request_bytes] {
        if (stream->client_has_gone()) return stream->Refuse(CancelledError("the client has gone"));
        {
          std::remove_const_t<Request> request;
          const Status status = ParseMessage(request_bytes, request);
          Forget(request_bytes);
          if (!status.ok()) return stream->Refuse(status);
          body(request, stream, parts, caller);
        }
        if (std::is_const_v<Request>) (void)share->TryResize(0);
      });
  if (!posted) return refuse(TooManyCalls());
  return wire;
}

}  // namespace edgemoe
