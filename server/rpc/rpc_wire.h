// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "server/calls/retry_delay.h"
#include "server/calls/streams/single_writer.h"
#include "server/memory/request_memory.h"
#include "server/rpc/front_end.h"
#include "server/rpc/open_calls.h"

namespace edgemoe {

// A streaming gRPC call as a stream's wire. Owned by itself until gRPC has said OnDone; the stream
// may live longer.
class RpcWire final : public CallWire, public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // `share`, what the call takes, is kept until it is over.
  static RpcWire* Make(const ArrivedCall& arrived, std::shared_ptr<SingleWriter> stream,
                       std::shared_ptr<RequestMemory::Share> share);

  void Write(const google::protobuf::Message& message) override;
  void End(const Status& status) override;
  void Cancel() override { context_.TryCancel(); }

  void OnWriteDone(bool ok) override { stream_->OnWritten(ok); }
  void OnCancel() override { stream_->OnCancelled(); }
  void OnDone() override;

 private:
  RpcWire(const ArrivedCall& arrived, std::shared_ptr<SingleWriter> stream,
          std::shared_ptr<RequestMemory::Share> share)
      : context_(arrived.context),
        retry_delay_(arrived.front_end.parts.retry_delay),
        open_(arrived.front_end.open_calls),
        stream_(std::move(stream)),
        share_(std::move(share)) {}

  grpc::CallbackServerContext& context_;
  const RetryDelay& retry_delay_;
  const OpenCalls::Call open_;
  const std::shared_ptr<SingleWriter> stream_;
  const std::shared_ptr<RequestMemory::Share> share_;
  grpc::ByteBuffer bytes_;  // of the write in flight
};

}  // namespace edgemoe
