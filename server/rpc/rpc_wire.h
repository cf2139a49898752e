// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>

#include "server/calls/single_writer.h"

namespace edgemoe {

// A streaming gRPC call as a stream's wire. Owned by itself until gRPC has said OnDone; the stream
// may live longer.
class RpcWire final : public CallWire, public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // `context` is the call's.
  static RpcWire* Make(grpc::CallbackServerContext& context, std::shared_ptr<SingleWriter> stream);

  void Write(const google::protobuf::Message& message) override;
  void End(const Status& status, std::optional<std::uint32_t> retry_delay_ms) override;
  void Cancel() override { context_.TryCancel(); }

  void OnWriteDone(bool ok) override { stream_->OnWritten(ok); }
  void OnCancel() override { stream_->OnCancelled(); }
  void OnDone() override;

 private:
  RpcWire(grpc::CallbackServerContext& context, std::shared_ptr<SingleWriter> stream)
      : context_(context), stream_(std::move(stream)) {}

  grpc::CallbackServerContext& context_;
  const std::shared_ptr<SingleWriter> stream_;
  grpc::ByteBuffer bytes_;  // of the write in flight
};

}  // namespace edgemoe
