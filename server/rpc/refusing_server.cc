// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/refusing_server.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>

#include <chrono>
#include <cstddef>

#include "engine/base/check.h"
#include "server/rpc/status_mapping.h"

namespace edgemoe {
namespace {

// After that the connection is told to end, and after as long again it is cut.
constexpr int kConnectionMsMax = 2'000;
constexpr int kStreamsMax = 8;  // of a connection
// Buffers of all connections together.
constexpr std::size_t kRefusingBuffersBytesMax = std::size_t{2} << 20;

// Deletes itself.
class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  Refusal() {
    Finish(ToGrpcStatus(PermissionDeniedError(
                            "this user may not use the daemon: its administrator lets in users and "
                            "groups by listen.allow_users and listen.allow_groups")
                            .WithReason(Reason::kNotAdmitted)));
  }
  void OnDone() override { delete this; }
};

}  // namespace

class RefusingServer::Service final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new Refusal();
  }
};

RefusingServer::RefusingServer() : service_(std::make_unique<Service>()) {
  grpc::ServerBuilder builder;
  builder.RegisterCallbackGenericService(service_.get());
  // What libraries' own services, health and reflection, take threads for.
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsMax);
  grpc::ResourceQuota quota("refused");
  quota.Resize(kRefusingBuffersBytesMax);
  builder.SetResourceQuota(quota);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kConnectionMsMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kConnectionMsMax);
  server_ = builder.BuildAndStart();
  EDGEMOE_CHECK(server_ != nullptr, "a server without addresses");
}

RefusingServer::~RefusingServer() {
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
}

void RefusingServer::AddConnection(UniqueFd socket) {
  grpc::AddInsecureChannelFromFd(server_.get(), socket.Release());
}

}  // namespace edgemoe
