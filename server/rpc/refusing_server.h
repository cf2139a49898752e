// SPDX-License-Identifier: Apache-2.0
//
// A gRPC server that answers every call on its connections with PERMISSION_DENIED, so that a peer
// that is not let in hears why, whatever its client.
#pragma once

#include <memory>

#include "engine/base/system/unique_fd.h"

namespace grpc {
class Server;
}

namespace edgemoe {

class RefusingServer {
 public:
  RefusingServer();
  ~RefusingServer();  // ends its connections
  RefusingServer(const RefusingServer&) = delete;
  RefusingServer& operator=(const RefusingServer&) = delete;

  // A connected, non-blocking stream socket, which is closed within seconds. Thread-safe.
  void AddConnection(UniqueFd socket);

 private:
  class Service;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace edgemoe
