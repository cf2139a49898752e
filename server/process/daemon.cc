// SPDX-License-Identifier: Apache-2.0
#include "server/process/daemon.h"

#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdlib>
#include <random>
#include <utility>

#include "engine/base/byte_size.h"
#include "server/memory/heap.h"
#include "server/process/engine_options.h"

namespace edgemoe {
namespace {

constexpr std::size_t kWorkers = 2;
constexpr std::size_t kWorkerTasksMax = 1024;
// What streams get to send their last message once the engine is done.
constexpr std::chrono::milliseconds kLastWritesGrace{1000};
// Told to systemd: how long each sign of progress, and what follows the drain, may take.
constexpr std::uint64_t kProgressMs = 60'000;
constexpr std::uint64_t kAfterDrainMs = 15'000;
constexpr std::uint64_t kProgressIntervalNs = 1'000'000'000;

// Each connection takes two descriptors; the soft limit is often 1,024.
void RaiseFileLimit() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

std::uint64_t RandomSeed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

Daemon::Daemon(Config config, LogSink log, OpenEngine open_engine)
    : config_(std::move(config)),
      log_(std::move(log)),
      open_engine_(std::move(open_engine)),
      budget_(slot_, config_.engine.memory_budget_bytes == 0, log_),
      packs_(budget_, clock_, log_),
      retry_delay_(config_.engine.sessions_max),
      workers_(kWorkers, kWorkerTasksMax),
      streams_(clock_),
      requests_(streams_, TrimHeap) {}

Daemon::~Daemon() {
  for (std::thread* thread : {&loader_, &stopper_, &hurrier_})
    if (thread->joinable()) thread->join();
}

ExitCode Daemon::Run() {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  WaitForSignal();
  RaiseFileLimit();
  if (Status status = Listen(); !status.ok()) {
    Say(LogLevel::kError, status.message());
    return ExitCodeForListenFailure(status);
  }
  parts_.emplace(ServiceParts{
      .engines = slot_,
      .budget = budget_,
      .packs = packs_,
      .workers = workers_,
      .streams = streams_,
      .requests = requests_,
      .retry_delay = retry_delay_,
      .engine_options = ToEngineOptions(config_, log_),
      .models_directory = config_.models.directory,
      .new_seed = RandomSeed,
      .in_configuration = [](const Status& status) { return InConfiguration(status).status; },
      .log = log_});
  auto server = GrpcServer::Start(*parts_, config_.listen.tcp);
  if (!server) {
    Say(LogLevel::kError, server.error().message());
    return ExitCodeForListenFailure(server.error());
  }
  server_ = *std::move(server);
  if (Status status = MakeAcceptor(); !status.ok()) {
    Say(LogLevel::kError, status.message());
    return ExitCodeForListenFailure(status);
  }
  KeepAlive();
  StartLoading();
  context_.run();
  return exit_code_;
}

Status Daemon::Listen() {
  EDGEMOE_ASSIGN_OR_RETURN(sockets_, TakeActivatedSockets());
  if (!sockets_.empty()) {
    Say(LogLevel::kInfo, "listening on " + std::to_string(sockets_.size()) +
                             " socket(s) of systemd's socket activation");
    return OkStatus();
  }
  std::string path = config_.listen.unix_socket;
  if (path.empty()) {
    EDGEMOE_ASSIGN_OR_RETURN(path, DefaultSocketPath(std::getenv("RUNTIME_DIRECTORY"),
                                                     std::getenv("XDG_RUNTIME_DIR"), ::geteuid()));
  }
  EDGEMOE_ASSIGN_OR_RETURN(UnixListener listener,
                           UnixListener::Bind(path, config_.listen.socket_mode));
  sockets_.push_back(listener.TakeSocket());
  listener_.emplace(std::move(listener));
  Say(LogLevel::kInfo, "listening on " + path);
  return OkStatus();
}

Status Daemon::MakeAcceptor() {
  EDGEMOE_ASSIGN_OR_RETURN(
      PeerPolicy policy,
      PeerPolicy::Make(::geteuid(), config_.listen.allow_users, config_.listen.allow_groups));
  acceptor_.emplace(
      context_, Acceptor::Options{
                    .connections_max = config_.listen.connections_max,
                    .admit = [policy = std::move(policy)](
                                 const PeerCredentials& peer) { return policy.Admit(peer); },
                    .take = [this](UniqueFd socket) { server_->AddConnection(std::move(socket)); },
                    .log = log_});
  for (UniqueFd& socket : sockets_) acceptor_->Listen(std::move(socket));
  sockets_.clear();
  if (!config_.listen.tcp.empty()) Say(LogLevel::kInfo, "listening on tcp " + config_.listen.tcp);
  return OkStatus();
}

void Daemon::WaitForSignal() {
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    WaitForSignal();
    OnSignal();
  });
}

void Daemon::OnSignal() {
  ++signal_count_;
  switch (state_) {
    case State::kLoading:
      Say(LogLevel::kInfo, "stopping before the model is loaded");
      notifier_.Stopping(kAfterDrainMs);
      return Stop(State::kAbandoned, ExitCode::kOk);
    case State::kServing: return StartDraining();
    case State::kDraining:
      if (signal_count_ == 2) {
        Say(LogLevel::kInfo, "second signal: cancelling what still runs");
        hurrier_ = std::thread([this] { engine_->Drain(0); });
      } else {
        Say(LogLevel::kWarning, "third signal: leaving at once");
        Stop(State::kAbandoned, ExitCode::kForced);
      }
      return;
    case State::kStopped:
    case State::kAbandoned: return;
  }
}

void Daemon::KeepAlive() {
  const std::uint64_t interval_ms = ServiceNotifier::WatchdogMs();
  if (interval_ms == 0) return;
  notifier_.KeepAlive();
  keep_alive_.expires_after(std::chrono::milliseconds(interval_ms / 2));
  keep_alive_.async_wait([this](const boost::system::error_code& error) {
    if (!error) KeepAlive();
  });
}

void Daemon::StartLoading() {
  Say(LogLevel::kInfo, "loading " + config_.engine.model_path);
  notifier_.Status("Loading " + config_.engine.model_path, kProgressMs);
  EngineOptions options = parts_->engine_options;
  options.on_availability = [this] { boost::asio::post(context_, [this] { OnAvailability(); }); };
  loader_ = std::thread([this, options = std::move(options)] {
    auto engine =
        open_engine_(options, [this](std::uint64_t bytes_loaded, std::uint64_t bytes_total) {
          OnProgress(bytes_loaded, bytes_total);
        });
    auto loaded = std::make_shared<Result<std::unique_ptr<Engine>>>(std::move(engine));
    boost::asio::post(context_, [this, loaded] { OnLoaded(std::move(*loaded)); });
  });
}

void Daemon::OnProgress(std::uint64_t bytes_loaded, std::uint64_t bytes_total) {
  slot_.SetProgress(bytes_loaded, bytes_total);
  const std::uint64_t now_ns = clock_.NowNs();
  if (progress_told_ns_ && now_ns - *progress_told_ns_ < kProgressIntervalNs) return;
  progress_told_ns_ = now_ns;
  notifier_.Status("Model: " + slot_.Progress() + " of " + FormatByteSize(bytes_total),
                   kProgressMs);
}

void Daemon::OnLoaded(Result<std::unique_ptr<Engine>> engine) {
  loader_.join();
  if (!engine) {
    const OptionError error = InConfiguration(engine.error());
    Say(LogLevel::kError,
        "model '" + config_.engine.model_path + "' cannot be served: " + error.status.message());
    return Stop(State::kStopped, ExitCodeForOpenFailure(error.status, error.is_option));
  }
  engine_ = *std::move(engine);
  slot_.Publish(*engine_);
  state_ = State::kServing;
  OnAvailability();
  const EngineStats stats = engine_->GetStats();
  const std::string serving = "serving " + engine_->model().name;
  Say(LogLevel::kInfo, serving + ": budget " + FormatByteSize(stats.memory.budget_bytes) +
                           ", experts " + FormatByteSize(stats.memory.expert_bytes) + " of " +
                           FormatByteSize(stats.memory.expert_total_bytes) + ", kernels " +
                           stats.kernels + ", " + stats.io_backend +
                           (stats.io_note.empty() ? "" : " (" + stats.io_note + ")"));
  if (MemoryAdapts(config_)) {
    watcher_.emplace(MemoryWatcher::Parts{context_, workers_, budget_, clock_}, stats.memory, log_);
    watcher_->Start();
  }
  notifier_.Ready("Ready: " + serving);
}

void Daemon::OnAvailability() {
  if (state_ != State::kServing) return;
  const edgemoe::Status status = engine_->availability();
  server_->SetServing(status.ok());
  notifier_.Status(status.ok() ? "Serving " + engine_->model().name : status.message(), 0);
}

void Daemon::StartDraining() {
  state_ = State::kDraining;
  Say(LogLevel::kInfo,
      "stopping: running requests have " + std::to_string(config_.drain_timeout_ms) + " ms");
  notifier_.Stopping(config_.drain_timeout_ms + kAfterDrainMs);
  server_->SetServing(false);
  if (watcher_) watcher_->Stop();
  stopper_ = std::thread([this] {
    const bool all_finished = engine_->Drain(config_.drain_timeout_ms);
    boost::asio::post(context_, [this, all_finished] { OnDrained(all_finished); });
  });
}

void Daemon::OnDrained(bool all_finished) {
  Say(LogLevel::kInfo,
      all_finished ? "every request has finished" : "requests that still ran were cancelled");
  acceptor_->Stop();
  stopper_.join();
  // On a thread of its own, so that a further signal is still heard.
  stopper_ = std::thread([this] {
    server_->Shutdown(kLastWritesGrace);
    boost::asio::post(context_, [this] { Stop(State::kStopped, ExitCode::kOk); });
  });
}

void Daemon::Stop(State state, ExitCode code) {
  state_ = state;
  exit_code_ = code;
  acceptor_.reset();
  if (state == State::kStopped) {
    server_->Shutdown(std::chrono::milliseconds(0));
    workers_.Join();
    streams_.Join();
    if (stopper_.joinable()) stopper_.join();
    if (hurrier_.joinable()) hurrier_.join();
    watcher_.reset();
    slot_.Withdraw();
    engine_.reset();
  }
  listener_.reset();
  Say(LogLevel::kInfo, "stopped");
  context_.stop();
}

void Daemon::Say(LogLevel level, const std::string& line) const {
  if (log_) log_(level, line);
}

}  // namespace edgemoe
