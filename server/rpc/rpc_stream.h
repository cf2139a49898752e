// SPDX-License-Identifier: Apache-2.0
//
// A ResponseStream on a gRPC call. Owned by itself until gRPC has said OnDone; the engine's sink
// may keep it longer.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "server/rpc/message_bytes.h"
#include "server/rpc/response_stream.h"
#include "server/rpc/retry_delay.h"
#include "server/rpc/status_mapping.h"

namespace edgemoe {

template <class Response>
class RpcStream final : public ResponseStream, public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // Makes a message of an event; none when the call has no message for it. Called for one event at
  // a time, in order.
  using Translator = std::function<std::optional<Response>(StreamEvent)>;

  // `context` is the call's; `retry_delay` outlives the call.
  static std::shared_ptr<RpcStream> Make(grpc::CallbackServerContext& context, StreamThread& thread,
                                         std::uint32_t stall_timeout_ms,
                                         const RetryDelay& retry_delay, FinishedObserver observer) {
    std::shared_ptr<RpcStream> stream(
        new RpcStream(context, thread, stall_timeout_ms, retry_delay, std::move(observer)));
    stream->self_ = stream;
    return stream;
  }

  // Before the engine is given the sink.
  void SetTranslator(Translator translator) { translator_ = std::move(translator); }

  void OnWriteDone(bool ok) override { OnWritten(ok); }
  void OnCancel() override { OnCallCancelled(); }
  void OnDone() override {
    OnCallOver();
    const std::shared_ptr<RpcStream> last = std::move(self_);
  }

 private:
  RpcStream(grpc::CallbackServerContext& context, StreamThread& thread,
            std::uint32_t stall_timeout_ms, const RetryDelay& retry_delay,
            FinishedObserver observer)
      : ResponseStream(thread, stall_timeout_ms, std::move(observer)),
        context_(context),
        retry_delay_(retry_delay) {}

  bool StartMessage(StreamEvent event) override {
    std::optional<Response> message = translator_(std::move(event));
    if (!message) return false;
    bytes_ = SerializeMessage(*message);
    StartWrite(&bytes_);
    return true;
  }
  void FinishCall(const Status& status, bool refused) override {
    if (refused && status.code() == StatusCode::kResourceExhausted)
      context_.AddTrailingMetadata(kRetryDelayTrailer, std::to_string(retry_delay_.Ms()));
    Finish(ToGrpcStatus(status));
  }
  void CancelCall() override { context_.TryCancel(); }

  grpc::CallbackServerContext& context_;
  const RetryDelay& retry_delay_;
  Translator translator_;
  grpc::ByteBuffer bytes_;  // of the write in flight
  std::shared_ptr<RpcStream> self_;
};

}  // namespace edgemoe
