// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/rpc_wire.h"

#include "server/rpc/message_bytes.h"
#include "server/rpc/status_mapping.h"

namespace edgemoe {

RpcWire* RpcWire::Make(const ArrivedCall& arrived, std::shared_ptr<SingleWriter> stream,
                       std::shared_ptr<RequestMemory::Share> share) {
  SingleWriter& writer = *stream;
  auto* const wire = new RpcWire(arrived, std::move(stream), std::move(share));
  writer.Attach(*wire);
  return wire;
}

void RpcWire::Write(const google::protobuf::Message& message) {
  bytes_ = SerializeMessage(message);
  StartWrite(&bytes_);
}

void RpcWire::End(const Status& status) {
  Finish(ToGrpcStatus(status, context_, retry_delay_.Ms()));
}

void RpcWire::OnDone() {
  stream_->OnOver();
  delete this;
}

}  // namespace edgemoe
