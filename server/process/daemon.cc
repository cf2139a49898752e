// SPDX-License-Identifier: Apache-2.0
#include "server/process/daemon.h"

#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <system_error>
#include <utility>

#include "engine/base/byte_size.h"
#include "server/memory/heap.h"
#include "server/process/engine_options.h"
#include "server/process/reload.h"
#include "server/process/start_check.h"

namespace edgemoe {
namespace {

constexpr std::size_t kWorkers = 2;
constexpr std::size_t kWorkerTasksMax = 1024;
// What streams get to send their last message once the engine is done.
constexpr std::chrono::milliseconds kLastWritesGrace{1000};
// A daemon that cannot serve tells why for so long at most, and so long after the last connection.
constexpr std::chrono::seconds kRefusingMax{10};
constexpr std::chrono::seconds kRefusingIdle{1};
// Told to systemd: how long each sign of progress, and what follows the drain, may take.
constexpr std::uint64_t kProgressMs = 60'000;
constexpr std::uint64_t kAfterDrainMs = 15'000;
constexpr std::uint64_t kProgressIntervalNs = 1'000'000'000;

// Each connection takes two descriptors; the soft limit is often 1,024.
void RaiseFileLimit() {
  struct rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

std::uint64_t RandomSeed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

// The default one is made; where that cannot be, there is none.
std::string MakeModelsDirectory(const Config& config) {
  std::string directory = ModelsDirectory(config, std::getenv("STATE_DIRECTORY"));
  if (!config.models.directory.empty() || directory.empty()) return directory;
  std::error_code error;
  std::filesystem::create_directory(directory, error);
  return std::filesystem::is_directory(directory, error) ? directory : std::string();
}

}  // namespace

Daemon::Daemon(Config config, Outside outside)
    : config_(std::move(config)),
      served_(config_),
      outside_(std::move(outside)),
      budget_(slot_, config_.engine.memory_budget_bytes, outside_.log),
      packs_(budget_, clock_, outside_.log),
      pulls_([path = config_.models.download_socket] { return ConnectToDownloadProgram(path); },
             packs_, outside_.log),
      headers_([path = config_.models.download_socket] { return ConnectToDownloadProgram(path); },
               outside_.log),
      retry_delay_(config_.engine.sessions_max),
      live_(RandomSeed),
      workers_(kWorkers, kWorkerTasksMax),
      streams_(clock_),
      requests_(streams_, TrimHeap),
      watchdog_(
          context_, notifier_,
          {.pulse = [this] { return engine_ ? std::optional(engine_->pulse()) : std::nullopt; },
           .recovered = [this] { OnAvailability(); },
           .log = outside_.log}) {}

Daemon::~Daemon() {
  for (std::thread* thread : {&loader_, &stopper_, &hurrier_})
    if (thread->joinable()) thread->join();
}

ExitCode Daemon::Run() { return Start(std::nullopt); }

ExitCode Daemon::RunRefusing(StartProblem problem) { return Start(std::move(problem)); }

ExitCode Daemon::Start(std::optional<StartProblem> problem) {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  signals_.add(SIGHUP);
  WaitForSignal();
  RaiseFileLimit();
  if (Status status = Listen(); !status.ok()) {
    Say(LogLevel::kError, status.message());
    return ExitCodeForListenFailure(status);
  }
  PeerPolicy peers = ChoosePeers(problem);
  if (!problem) problem = FindModel();
  if (!problem) {
    if (Status status = StartServer(); !status.ok())
      problem = {status.message(), ExitCodeForListenFailure(status)};
  }
  if (problem && !activated_) {
    Say(LogLevel::kError, problem->message);
    return problem->exit_code;
  }
  if (problem) {
    config_.listen.tcp.clear();
    if (Status status = StartServer(); !status.ok()) return problem->exit_code;
  }
  MakeAcceptor(std::move(peers));
  watchdog_.Start();
  if (problem) {
    Refuse(*problem);
  } else {
    LoadOrServeWithout();
  }
  context_.run();
  return exit_code_;
}

// Where the configured ones cannot be had: root and our own user, and the problem says why.
PeerPolicy Daemon::ChoosePeers(std::optional<StartProblem>& problem) const {
  auto peers = AdmittedPeers(config_);
  if (peers) return *std::move(peers);
  if (!problem) problem = {peers.error().message(), ExitCodeForListenFailure(peers.error())};
  return *PeerPolicy::Make(::geteuid(), {});
}

std::optional<StartProblem> Daemon::FindModel() {
  places_ = FindModelPlaces(config_, outside_.log);
  Result<Config> config = WithModelPath(config_, places_);
  if (!config && config.error().code() != StatusCode::kNotFound)
    return ModelProblem(config_, config.error());
  no_model_ = !config                             ? NoModel(config.error())
              : config->engine.model_path.empty() ? NoModel()
                                                  : OkStatus();
  if (config) config_ = *std::move(config);
  served_.Set(config_);
  return std::nullopt;
}

Status Daemon::StartServer() {
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
      .engine_options = [this] { return ToEngineOptions(served_.Get(), outside_.log); },
      .options_of = [this](const std::string& path) { return OptionsOfFile(served_.Get(), path); },
      .models_directory = MakeModelsDirectory(config_),
      .new_seed = RandomSeed,
      .in_configuration = [](const Status& status) { return InConfiguration(status).status; },
      .log = outside_.log,
      .catalogue = places_.catalogue,
      .foreign_places = places_.foreign});
  EDGEMOE_ASSIGN_OR_RETURN(server_, GrpcServer::Start(*parts_, config_.listen.tcp));
  if (!config_.listen.tcp.empty()) Say(LogLevel::kInfo, "listening on tcp " + config_.listen.tcp);
  return OkStatus();
}

Status Daemon::Listen() {
  EDGEMOE_ASSIGN_OR_RETURN(sockets_, TakeActivatedSockets());
  activated_ = !sockets_.empty();
  if (activated_) {
    Say(LogLevel::kInfo, "listening on " + std::to_string(sockets_.size()) +
                             " socket(s) of systemd's socket activation");
    return OkStatus();
  }
  EDGEMOE_ASSIGN_OR_RETURN(const std::string path, SocketPath(config_));
  EDGEMOE_ASSIGN_OR_RETURN(UnixListener listener,
                           UnixListener::Bind(path, config_.listen.socket_mode));
  sockets_.push_back(listener.TakeSocket());
  listener_.emplace(std::move(listener));
  Say(LogLevel::kInfo, "listening on " + path);
  return OkStatus();
}

void Daemon::MakeAcceptor(PeerPolicy policy) {
  policy_ = std::move(policy);
  acceptor_.emplace(
      context_, Acceptor::Options{
                    .connections_max = config_.listen.connections_max,
                    .admit = [this](const PeerCredentials& peer) { return policy_.Admit(peer); },
                    .take = [this](UniqueFd socket,
                                   const PeerCredentials& peer) { Take(std::move(socket), peer); },
                    .log = outside_.log,
                    .refuse = [this](UniqueFd socket) { RefusePeer(std::move(socket)); },
                    .changed = [this] { OnConnectionsChanged(); }});
  for (UniqueFd& socket : sockets_) acceptor_->Listen(std::move(socket));
  sockets_.clear();
}

void Daemon::Take(UniqueFd socket, const PeerCredentials& peer) {
  const edgemoe::Status status = server_->AddConnection(
      std::move(socket),
      {.uid = peer.uid, .pid = peer.pid, .is_administrator = policy_.IsAdministrator(peer)});
  if (!status.ok()) Say(LogLevel::kWarning, status.message());
}

// Made for the first such peer: most daemons never see one.
void Daemon::RefusePeer(UniqueFd socket) {
  if (!refusing_) refusing_.emplace();
  refusing_->AddConnection(std::move(socket));
}

void Daemon::WaitForSignal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    WaitForSignal();
    if (signal == SIGHUP) {
      OnHangUp();
    } else {
      OnSignal();
    }
  });
}

void Daemon::OnSignal() {
  ++signal_count_;
  switch (state_) {
    case State::kLoading:
      Say(LogLevel::kInfo, "stopping before the model is loaded");
      notifier_.Stopping(kAfterDrainMs);
      return Stop(State::kAbandoned, ExitCode::kOk);
    case State::kRefusing: return Stop(State::kStopped, exit_code_);
    case State::kServing: return StartDraining();
    case State::kDraining:
      if (signal_count_ == 2) {
        Say(LogLevel::kInfo, "second signal: cancelling what still runs");
        if (engine_) hurrier_ = std::thread([this] { engine_->Drain(0); });
      } else {
        Say(LogLevel::kWarning, "third signal: leaving at once");
        Stop(State::kAbandoned, ExitCode::kForced);
      }
      return;
    case State::kStopped:
    case State::kAbandoned: return;
  }
}

void Daemon::OnHangUp() {
  switch (state_) {
    case State::kLoading:
      Say(LogLevel::kInfo, "SIGHUP: the configuration is read again when the model is loaded");
      reload_wanted_ = true;
      return;
    case State::kServing: return ReloadConfig();
    case State::kRefusing:
    case State::kDraining:
    case State::kStopped:
    case State::kAbandoned: Say(LogLevel::kInfo, "SIGHUP: not heeded, as the daemon stops"); return;
  }
}

void Daemon::Refuse(const StartProblem& problem) {
  state_ = State::kRefusing;
  exit_code_ = problem.exit_code;
  Say(LogLevel::kError, problem.message);
  notifier_.Status(problem.message, 0);
  slot_.Refuse(FailedPreconditionError(problem.message));
  leave_.expires_after(kRefusingMax);
  leave_.async_wait([this](const boost::system::error_code& error) {
    if (!error && state_ == State::kRefusing) Stop(State::kStopped, exit_code_);
  });
  OnConnectionsChanged();
}

void Daemon::OnConnectionsChanged() {
  idle_.cancel();
  if (acceptor_->connection_count() != 0) return;
  if (state_ == State::kServing) return LeaveWhenIdle();
  if (state_ != State::kRefusing) return;
  // A client that was told to try again comes back at once.
  idle_.expires_after(kRefusingIdle);
  idle_.async_wait([this](const boost::system::error_code& error) {
    if (!error && state_ == State::kRefusing) Stop(State::kStopped, exit_code_);
  });
}

// Where systemd listens, the next connection starts the daemon again.
void Daemon::LeaveWhenIdle() {
  if (!activated_ || config_.listen.idle_exit_s == 0) return;
  idle_.expires_after(std::chrono::seconds(config_.listen.idle_exit_s));
  idle_.async_wait([this](const boost::system::error_code& error) {
    if (error || state_ != State::kServing || acceptor_->connection_count() != 0) return;
    if (packs_.running() || pulls_.is_running()) return LeaveWhenIdle();
    Say(LogLevel::kInfo, "nobody was connected for " + std::to_string(config_.listen.idle_exit_s) +
                             " s (listen.idle_exit_s)");
    StartDraining();
  });
}

void Daemon::LoadOrServeWithout() {
  if (no_model_.ok()) {
    StartLoading();
  } else {
    ServeWithout(no_model_);
  }
}

void Daemon::ServeWithout(const edgemoe::Status& why) {
  state_ = State::kServing;
  slot_.Refuse(why);
  Say(LogLevel::kWarning, why.message() + "; everything else is served");
  notifier_.Ready("Ready without a model: " + why.message());
  was_ready_ = true;
  OnConnectionsChanged();
  if (reload_wanted_) ReloadConfig();
}

void Daemon::StartLoading() {
  state_ = State::kLoading;
  Say(LogLevel::kInfo, "loading " + config_.engine.model_path);
  notifier_.Status("Loading " + config_.engine.model_path, kProgressMs);
  EngineOptions options = parts_->engine_options();
  options.on_availability = [this] { boost::asio::post(context_, [this] { OnAvailability(); }); };
  loader_ = std::thread([this, options = std::move(options)] {
    auto engine = outside_.open_engine(
        options, [this](std::uint64_t bytes_loaded, std::uint64_t bytes_total) {
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
    const StartProblem problem = ModelProblem(config_, engine.error());
    if (was_ready_)
      return ServeWithout(FailedPreconditionError(problem.message).WithReason(Reason::kNoModel));
    if (activated_) return Refuse(problem);
    Say(LogLevel::kError, problem.message);
    return Stop(State::kStopped, problem.exit_code);
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
    watcher_.emplace(MemoryWatcher::Parts{context_, workers_, budget_, clock_}, stats.memory,
                     outside_.log);
    watcher_->Start();
  }
  notifier_.Ready("Ready: " + serving);
  was_ready_ = true;
  OnConnectionsChanged();
  if (reload_wanted_) ReloadConfig();
}

void Daemon::ReloadConfig() {
  reload_wanted_ = false;
  notifier_.Reloading();
  Result<Config> wanted = outside_.read_config();
  Result<PeerPolicy> peers = wanted ? AdmittedPeers(*wanted) : Failure(wanted.error());
  if (!peers) {
    Say(LogLevel::kError, "SIGHUP: nothing changes: " + peers.error().message());
  } else {
    TakeOver(*wanted, *std::move(peers));
  }
  if (engine_) {
    notifier_.Ready("Ready: serving " + engine_->model().name);
  } else if (!peers) {
    notifier_.Ready("Ready without a model: " + no_model_.message());
  }
}

void Daemon::TakeOver(const Config& wanted, PeerPolicy peers) {
  const bool has_model = engine_ != nullptr;
  // A name that means nothing any more is told as the change that it is.
  Result<Config> named = has_model ? WithModelPath(wanted, places_) : wanted;
  Reload reload = PlanReload(config_, named ? *named : wanted, has_model);
  const std::uint64_t budget_before = config_.engine.memory_budget_bytes;
  if (has_model && MemoryAdapts(reload.config) != MemoryAdapts(config_))
    reload.postponed += (reload.postponed.empty() ? "" : ", ") + std::string("memory.adapt");
  config_ = std::move(reload.config);
  policy_ = std::move(peers);
  acceptor_->Change(config_.listen.connections_max);
  if (outside_.set_log_level) outside_.set_log_level(config_.log.level);
  Say(LogLevel::kInfo,
      "SIGHUP: taken over: " + (reload.taken.empty() ? "nothing" : reload.taken) +
          (reload.postponed.empty() ? "" : "; with the next start: " + reload.postponed));
  OnConnectionsChanged();
  if (has_model) {
    if (config_.engine.memory_budget_bytes != budget_before) ChangeBudget(budget_before);
    return;
  }
  budget_.Configure(config_.engine.memory_budget_bytes);
  if (const auto problem = FindModel()) no_model_ = NoModel(InternalError(problem->message));
  if (packs_.running())  // it may have the memory
    no_model_ = NoModel(UnavailableError("a pack job runs; SIGHUP loads one when it has ended"));
  if (no_model_.ok()) {
    slot_.Expect();
    notifier_.Ready("Ready without a model, which is being loaded");
  }
  LoadOrServeWithout();
}

// To what is configured now; back to `bytes_before` in the configuration where that fails.
void Daemon::ChangeBudget(std::uint64_t bytes_before) {
  const EngineOptions options = ToEngineOptions(config_, outside_.log);
  const auto change = [this, options, bytes_before] {
    Result<MemoryPlan> plan = PlanMemory(options);
    if (plan) plan = budget_.Resize(plan->budget_bytes);
    if (plan) {
      Say(LogLevel::kInfo, "memory.budget is now " + FormatByteSize(plan->budget_bytes));
      return;
    }
    Say(LogLevel::kError,
        "memory.budget stays as it was: " + InConfiguration(plan.error()).status.message());
    boost::asio::post(context_,
                      [this, bytes_before] { config_.engine.memory_budget_bytes = bytes_before; });
  };
  if (workers_.TryPost(change)) return;
  Say(LogLevel::kError, "memory.budget stays as it was: too much is to do; reload again");
  config_.engine.memory_budget_bytes = bytes_before;
}

void Daemon::OnAvailability() {
  if (state_ != State::kServing || !engine_) return;
  const edgemoe::Status status = engine_->availability();
  server_->SetServing(status.ok());
  notifier_.Status(status.ok() ? "Serving " + engine_->model().name : status.message(), 0);
}

void Daemon::StartDraining() {
  state_ = State::kDraining;
  acceptor_->Stop();
  Say(LogLevel::kInfo,
      "stopping: running requests have " + std::to_string(config_.drain_timeout_ms) + " ms");
  notifier_.Stopping(config_.drain_timeout_ms + kAfterDrainMs);
  server_->SetServing(false);
  if (watcher_) watcher_->Stop();
  stopper_ = std::thread([this] {
    const bool all_finished = !engine_ || engine_->Drain(config_.drain_timeout_ms);
    boost::asio::post(context_, [this, all_finished] { OnDrained(all_finished); });
  });
}

void Daemon::OnDrained(bool all_finished) {
  Say(LogLevel::kInfo,
      all_finished ? "every request has finished" : "requests that still ran were cancelled");
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
  refusing_.reset();
  if (state == State::kStopped) {
    server_->Shutdown(std::chrono::milliseconds(0));
    pulls_.Stop();
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
  if (outside_.log) outside_.log(level, line);
}

}  // namespace edgemoe
