// SPDX-License-Identifier: Apache-2.0
//
// The gRPC server with all its services: inference, models, observe, grpc.health.v1, reflection.
// Healthy ("" and each service) only between SetServing(true) and SetServing(false).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "engine/base/system/unique_fd.h"
#include "server/calls/service_parts.h"
#include "server/rpc/connection_peers.h"
#include "server/rpc/open_calls.h"

namespace grpc {
class Server;
}

namespace edgemoe {

constexpr int kMessageBytesMax = 4 << 20;  // of a request

class GrpcServer {
 public:
  // Starts serving; `tcp` is an address of loopback, or empty. The parts outlive the server.
  // UNAVAILABLE when the address cannot be had.
  static Result<std::unique_ptr<GrpcServer>> Start(const ServiceParts& parts,
                                                   const std::string& tcp);
  ~GrpcServer();  // as Shutdown(0)
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // A connected, non-blocking stream socket, and who is at its other end. Thread-safe; not after
  // Shutdown. An error when the process has no descriptor left.
  Status AddConnection(UniqueFd socket, const LocalPeer& peer);

  // What health checks are told. Thread-safe.
  void SetServing(bool serving);

  // Waits for the open calls, then takes no new ones; cancels after `grace` what is still open.
  // Peers are told to go when the calls have ended: see OpenCalls. When it returns, no service runs
  // any more and none of the parts is used by the server. Repeatable.
  void Shutdown(std::chrono::milliseconds grace);

 private:
  struct Services;
  GrpcServer();

  ConnectionPeers peers_;
  OpenCalls open_calls_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<grpc::Server> server_;
  bool shut_down_ = false;
};

}  // namespace edgemoe
