// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>

#include "server/calls/service_parts.h"
#include "server/rpc/connection_peers.h"
#include "server/rpc/open_calls.h"

namespace edgemoe {

// What every gRPC service works with; its owner outlives the services.
struct FrontEnd {
  const ServiceParts& parts;
  const ConnectionPeers& peers;
  OpenCalls& open_calls;
};

// What a call needs.
enum class Right { kInference, kAdministration };

// A call that has come in.
struct ArrivedCall {
  grpc::CallbackServerContext& context;
  const FrontEnd& front_end;
  Right right = Right::kAdministration;
};

}  // namespace edgemoe
