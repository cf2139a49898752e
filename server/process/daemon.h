// SPDX-License-Identifier: Apache-2.0
//
// The daemon's parts in start order, and its life: signals, socket, server, model; serving; drain;
// and back in reverse order.
//
// It listens before the model is loaded: a client that comes early is told how far loading is, and
// health checks say NOT_SERVING. systemd is told READY when requests are served. Without a model,
// because none is named or its name means nothing here yet, everything else is served: models are
// listed, planned, downloaded, packed. SIGHUP then takes over what loads one, and it is loaded.
//
// Signals (SIGTERM, SIGINT): while loading, the first ends the daemon. While serving, the first
// drains: new connections are refused, so that a proxy goes elsewhere, or wait in systemd's socket
// for the next start; on open ones health says NOT_SERVING and new requests get UNAVAILABLE;
// running requests have drain_timeout_ms. The second cancels what still runs. The third leaves at
// once. SIGHUP reads the configuration again: keys that reload are taken over, the others are named
// in the log; a configuration that is refused changes nothing.
//
// A daemon that systemd started for a connection, and that cannot serve, first tells those who wait
// why: else the connection, still there, would have it started again and again. It ends by itself
// when nobody was connected for listen.idle_exit_s.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "engine/base/clock.h"
#include "server/calls/service_parts.h"
#include "server/jobs/header_runner.h"
#include "server/jobs/pack_runner.h"
#include "server/jobs/pull_runner.h"
#include "server/listen/acceptor.h"
#include "server/listen/unix_listener.h"
#include "server/memory/memory_watcher.h"
#include "server/models/engine_slot.h"
#include "server/process/config.h"
#include "server/process/exit_codes.h"
#include "server/process/model_choice.h"
#include "server/process/served_config.h"
#include "server/process/service_notifier.h"
#include "server/process/start_check.h"
#include "server/process/watchdog.h"
#include "server/rpc/grpc_server.h"
#include "server/rpc/refusing_server.h"
#include "server/threads/stream_thread.h"
#include "server/threads/worker_pool.h"

namespace edgemoe {

class Daemon {
 public:
  // Engine::Open, or a test's.
  using OpenEngine = std::function<Result<std::unique_ptr<Engine>>(EngineOptions options,
                                                                   Engine::OpenProgress progress)>;

  // What the process has beside the daemon.
  struct Outside {
    LogSink log;
    OpenEngine open_engine;
    std::function<Result<Config>()> read_config;              // again, for SIGHUP
    std::function<void(const std::string&)> set_log_level{};  // null: lines are not filtered
  };

  Daemon(Config config, Outside outside);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Runs until a signal ends it or it cannot go on. Once.
  ExitCode Run();

  // For a configuration that was refused: to be used where systemd handed over sockets, instead of
  // Run. Gives the problem's exit code.
  ExitCode RunRefusing(StartProblem problem);

  // True when Run came back while a thread still loads the model or waits for the engine: neither
  // can be interrupted. The socket is gone then; the process must end with std::_Exit, without
  // destroying the daemon.
  bool abandoned() const { return state_ == State::kAbandoned; }

 private:
  enum class State { kLoading, kRefusing, kServing, kDraining, kStopped, kAbandoned };

  ExitCode Start(std::optional<StartProblem> problem);
  Status Listen();
  // Takes the path of the model that is named over into the configuration, or says why there is
  // none.
  std::optional<StartProblem> FindModel();
  Status StartServer();
  PeerPolicy ChoosePeers(std::optional<StartProblem>& problem) const;
  void MakeAcceptor(PeerPolicy policy);
  void Take(UniqueFd socket, const PeerCredentials& peer);
  void RefusePeer(UniqueFd socket);
  void WaitForSignal();
  void OnSignal();
  void OnHangUp();
  void Refuse(const StartProblem& problem);
  void OnConnectionsChanged();
  void LeaveWhenIdle();

  void LoadOrServeWithout();
  void ServeWithout(const edgemoe::Status& why);
  void StartLoading();
  void OnProgress(std::uint64_t bytes_loaded, std::uint64_t bytes_total);
  void OnLoaded(Result<std::unique_ptr<Engine>> engine);
  // The engine's model has become available or unavailable.
  void OnAvailability();

  void ReloadConfig();
  void TakeOver(const Config& wanted, PeerPolicy peers);
  void ChangeBudget(std::uint64_t bytes_before);

  void StartDraining();
  void OnDrained(bool all_finished);
  void Stop(State state, ExitCode code);
  void Say(LogLevel level, const std::string& line) const;

  Config config_;
  ServedConfig served_;
  ModelPlaces places_;
  edgemoe::Status no_model_;  // OK: there is one to be loaded
  bool was_ready_ = false;    // systemd was told so
  const Outside outside_;
  const ServiceNotifier notifier_{};
  State state_ = State::kLoading;
  ExitCode exit_code_ = ExitCode::kOk;
  int signal_count_ = 0;
  bool reload_wanted_ = false;  // by a SIGHUP while the model was loading
  bool activated_ = false;      // the sockets are systemd's

  boost::asio::io_context context_;
  boost::asio::signal_set signals_{context_};
  boost::asio::steady_timer idle_{context_};   // nobody is connected
  boost::asio::steady_timer leave_{context_};  // while refusing: at the latest
  std::optional<UnixListener> listener_;
  std::vector<UniqueFd> sockets_;  // to listen on, until the acceptor has them

  // The engine outlives what follows it.
  const SteadyClock clock_{};
  std::unique_ptr<Engine> engine_;
  EngineSlot slot_;
  SharedBudget budget_;
  PackRunner packs_;
  PullRunner pulls_;
  HeaderRunner headers_;
  RetryDelay retry_delay_;
  RequestTable live_;
  WorkerPool workers_;
  StreamThread streams_;
  RequestMemory requests_;
  std::optional<MemoryWatcher> watcher_;
  std::optional<ServiceParts> parts_;
  std::unique_ptr<GrpcServer> server_;
  std::optional<RefusingServer> refusing_;
  PeerPolicy policy_;  // for connections to come
  std::optional<Acceptor> acceptor_;
  std::thread loader_;
  std::thread stopper_;
  std::thread hurrier_;
  std::optional<std::uint64_t> progress_told_ns_;  // on the loader's thread
  Watchdog watchdog_;
};

}  // namespace edgemoe
