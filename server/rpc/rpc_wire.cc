// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/rpc_wire.h"

#include <string>

#include "server/rpc/message_bytes.h"
#include "server/rpc/status_mapping.h"

namespace edgemoe {

RpcWire* RpcWire::Make(grpc::CallbackServerContext& context, std::shared_ptr<SingleWriter> stream) {
  SingleWriter& writer = *stream;
  auto* const wire = new RpcWire(context, std::move(stream));
  writer.Attach(*wire);
  return wire;
}

void RpcWire::Write(const google::protobuf::Message& message) {
  bytes_ = SerializeMessage(message);
  StartWrite(&bytes_);
}

void RpcWire::End(const Status& status, std::optional<std::uint32_t> retry_delay_ms) {
  if (retry_delay_ms)
    context_.AddTrailingMetadata(kRetryDelayTrailer, std::to_string(*retry_delay_ms));
  Finish(ToGrpcStatus(status));
}

void RpcWire::OnDone() {
  stream_->OnOver();
  delete this;
}

}  // namespace edgemoe
