// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/grpc_server.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/grpc.h>
#include <grpc/health/v1/health.pb.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>

#include <mutex>
#include <utility>

#include "server/rpc/inference_service.h"
#include "server/rpc/models_service.h"
#include "server/rpc/observe_service.h"
#include "server/rpc/reflection_service.h"

namespace edgemoe {
namespace {

// Buffers of all calls together; beyond it gRPC reads no further requests.
constexpr std::size_t kBuffersBytesMax = std::size_t{24} << 20;
// Streams of one connection beyond those that could be admitted: enough for refusals and unary
// calls to be answered at once.
constexpr std::uint32_t kSpareStreams = 256;

// A client may ping as often, with or without a call; a client that does not answer ours is gone.
constexpr int kClientPingMsMin = 10'000;
constexpr int kPingMs = 60'000;
constexpr int kPingTimeoutMs = 20'000;

void AcceptQuietStreams(grpc::ServerBuilder& builder) {
  // Below the least that is promised: clients' clocks and the way here are not exact.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kClientPingMsMin / 2);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
}

// gRPC wants these before its first server is built.
void PrepareLibrary() {
  static std::once_flag once;
  std::call_once(once, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    // Links the descriptor that reflection describes the health service by.
    (void)grpc::health::v1::HealthCheckRequest::descriptor();
    google::protobuf::SetLogHandler(nullptr);  // bad requests are answered, not logged
    // Held until the process ends: when the last reference goes, the library waits up to ten
    // seconds for a thread that polls for a client that did not read.
    grpc_init();
  });
}

}  // namespace

struct GrpcServer::Services {
  explicit Services(const FrontEnd& shared)
      : front_end(shared), inference(front_end), models(front_end), observe(front_end) {}
  const FrontEnd front_end;
  InferenceService inference;
  ModelsService models;
  ObserveService observe;
  ReflectionService reflection;
};

GrpcServer::GrpcServer() = default;

GrpcServer::~GrpcServer() { Shutdown(std::chrono::milliseconds(0)); }

Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(const ServiceParts& parts,
                                                      const std::string& tcp) {
  PrepareLibrary();
  std::unique_ptr<GrpcServer> result(new GrpcServer());
  result->services_ =
      std::make_unique<Services>(FrontEnd{parts, result->peers_, result->open_calls_});

  const EngineOptions options = parts.engine_options();
  grpc::ServerBuilder builder;
  builder.RegisterService(&result->services_->inference);
  builder.RegisterService(&result->services_->models);
  builder.RegisterService(&result->services_->observe);
  builder.RegisterService(&result->services_->reflection);
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  // The draft of reflection alone is synchronous.
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(
      GRPC_ARG_MAX_CONCURRENT_STREAMS,
      static_cast<int>(options.sessions_max + options.queue_max + kSpareStreams));
  AcceptQuietStreams(builder);
  grpc::ResourceQuota quota("edgemoed");
  quota.Resize(kBuffersBytesMax);
  builder.SetResourceQuota(quota);
  int port = 0;
  if (!tcp.empty()) builder.AddListeningPort(tcp, grpc::InsecureServerCredentials(), &port);
  result->server_ = builder.BuildAndStart();
  if (result->server_ == nullptr || (!tcp.empty() && port == 0)) {
    result->shut_down_ = result->server_ == nullptr;
    return Failure(UnavailableError("listen.tcp '" + tcp +
                                    "': cannot be listened on; is another process there?"));
  }
  result->SetServing(false);
  return result;
}

Status GrpcServer::AddConnection(UniqueFd socket, const LocalPeer& peer) {
  EDGEMOE_ASSIGN_OR_RETURN(UniqueFd known, peers_.Add(std::move(socket), peer));
  grpc::AddInsecureChannelFromFd(server_.get(), known.Release());
  return OkStatus();
}

void GrpcServer::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface* const health = server_->GetHealthCheckService();
  health->SetServingStatus("", serving);
  for (const char* service :
       {v1::InferenceService::service_full_name(), v1::ModelsService::service_full_name(),
        v1::ObserveService::service_full_name()})
    health->SetServingStatus(service, serving);
}

void GrpcServer::Shutdown(std::chrono::milliseconds grace) {
  if (std::exchange(shut_down_, true)) return;
  const auto end = std::chrono::system_clock::now() + grace;
  open_calls_.WaitForNone(grace);
  server_->Shutdown(end);
  server_->Wait();
}

}  // namespace edgemoe
