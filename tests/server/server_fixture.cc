// SPDX-License-Identifier: Apache-2.0
#include "tests/server/server_fixture.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <future>
#include <utility>

#include "engine/base/check.h"
#include "server/process/engine_options.h"

namespace edgemoe {

namespace {

FakeEngine::Options With(FakeEngine::Options options, const Clock& clock) {
  options.clock = &clock;
  return options;
}

}  // namespace

TestServer::TestServer(Options options)
    : engine_(With(options.engine, engine_clock_)), retry_delay_(options.engine.sessions_max) {
  EngineOptions engine_options;
  engine_options.sessions_max = options.engine.sessions_max;
  engine_options.queue_max = options.engine.queue_max;
  engine_options.stall_timeout_ms = options.engine.stall_timeout_ms;
  engine_options.threads = 3;
  parts_.emplace(ServiceParts{
      .engines = slot_,
      .budget = budget_,
      .packs = packs_,
      .pulls = pulls_,
      .headers = headers_,
      .workers = workers_,
      .streams = streams_,
      .requests = requests_,
      .retry_delay = retry_delay_,
      .live = live_,
      .engine_options = [engine_options] { return engine_options; },
      .options_of =
          [engine_options](const std::string& path) {
            EngineOptions of_file = engine_options;
            of_file.model_path = path;
            return of_file;
          },
      .models_directory = options.models_directory,
      .new_seed = [seed = 1000]() mutable { return static_cast<std::uint64_t>(seed++); },
      .in_configuration = [](const Status& status) { return InConfiguration(status).status; },
      .log = {}});
  auto server = GrpcServer::Start(*parts_, "");
  EDGEMOE_CHECK(server.has_value(), "the server starts");
  server_ = *std::move(server);
  if (options.loaded) {
    slot_.Publish(engine_);
    server_->SetServing(true);
  } else {
    slot_.SetProgress(42, 100);
  }
  auto listener = UnixListener::Bind(path_, 0600);
  EDGEMOE_CHECK(listener.has_value(), "the socket is bound");
  listener_.emplace(*std::move(listener));
  acceptor_.emplace(
      context_,
      Acceptor::Options{.connections_max = 64,
                        .admit = [](const PeerCredentials&) { return OkStatus(); },
                        .take =
                            [this](UniqueFd socket, const PeerCredentials&) {
                              EDGEMOE_CHECK(
                                  server_->AddConnection(std::move(socket), next_peer_.load()).ok(),
                                  "there are descriptors");
                            },
                        .log = {}});
  acceptor_->Listen(listener_->TakeSocket());
  thread_ = std::thread([this] { context_.run(); });
}

TestServer::~TestServer() {
  context_.stop();
  thread_.join();
  acceptor_.reset();
  server_->Shutdown(std::chrono::milliseconds(0));
  pulls_.Stop();
  workers_.Join();
  streams_.Join();
  slot_.Withdraw();
}

void TestServer::PassEngineMs(std::uint64_t ms) {
  engine_clock_.Advance(ms * 1'000'000);
  engine_.Wake();
}

void TestServer::PassStreamMs(std::uint64_t ms) {
  stream_clock_.Advance(ms * 1'000'000);
  for (int round = 0; round < 2; ++round) {  // timers, and what they posted
    std::promise<void> done;
    streams_.Post([&] { done.set_value(); });
    done.get_future().wait();
  }
}

std::shared_ptr<grpc::Channel> TestServer::NewChannel() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel("unix:" + path_, grpc::InsecureChannelCredentials(), arguments);
}

std::shared_ptr<grpc::Channel> TestServer::NewNarrowChannel() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 4096);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return grpc::CreateCustomChannel("unix:" + path_, grpc::InsecureChannelCredentials(), arguments);
}

UniqueFd TestServer::Connect() const {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
  EDGEMOE_CHECK(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
                "connect");
  return fd;
}

}  // namespace edgemoe
