// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/rpc_wire.h"

#include "server/rpc/message_bytes.h"
#include "server/rpc/status_mapping.h"

namespace edgemoe {

RpcWire* RpcWire::Make(grpc::CallbackServerContext& context, std::shared_ptr<SingleWriter> stream,
                       std::shared_ptr<RequestMemory::Share> share) {
  SingleWriter& writer = *stream;
  auto* const wire = new RpcWire(context, std::move(stream), std::move(share));
  writer.Attach(*wire);
  return wire;
}

void RpcWire::Write(const google::protobuf::Message& message) {
  bytes_ = SerializeMessage(message);
  StartWrite(&bytes_);
}

void RpcWire::End(const Status& status, std::optional<std::uint32_t> retry_delay_ms) {
  if (!retry_delay_ms) retry_delay_ms = retry_delay_ms_;
  if (retry_delay_ms) AddRetryDelay(context_, *retry_delay_ms);
  Finish(ToGrpcStatus(status));
}

void RpcWire::OnDone() {
  stream_->OnOver();
  delete this;
}

}  // namespace edgemoe
