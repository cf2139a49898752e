// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <utility>

#include "server/status_mapping.h"
#include "server/worker_pool.h"

namespace edgemoe {

// Answers a unary call with what `work()`, a Status, says, on a worker: gRPC's own threads stay
// free. RESOURCE_EXHAUSTED when too many calls wait for one. The request and the response live
// until the call is finished.
template <class Work>
grpc::ServerUnaryReactor* RunUnary(grpc::CallbackServerContext& context, WorkerPool& workers,
                                   Work work) {
  grpc::ServerUnaryReactor* const reactor = context.DefaultReactor();
  const bool posted =
      workers.TryPost([reactor, work = std::move(work)] { reactor->Finish(ToGrpcStatus(work())); });
  if (!posted)
    reactor->Finish(
        ToGrpcStatus(ResourceExhaustedError("too many calls wait for an answer; try again later")));
  return reactor;
}

}  // namespace edgemoe
