// SPDX-License-Identifier: Apache-2.0
//
// The daemon's parts in start order, and its life: signals, socket, server, model; serving; drain;
// and back in reverse order.
//
// It listens before the model is loaded: a client that comes early is told how far loading is, and
// health checks say NOT_SERVING. systemd is told READY when requests are served.
//
// Signals (SIGTERM, SIGINT): while loading, the first ends the daemon. While serving, the first
// drains: health says NOT_SERVING, new requests get UNAVAILABLE, running ones have
// drain_timeout_ms. The second cancels what still runs. The third leaves at once.
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
#include "server/jobs/pack_runner.h"
#include "server/listen/acceptor.h"
#include "server/listen/unix_listener.h"
#include "server/memory/memory_watcher.h"
#include "server/models/engine_slot.h"
#include "server/process/config.h"
#include "server/process/exit_codes.h"
#include "server/process/service_notifier.h"
#include "server/rpc/grpc_server.h"
#include "server/threads/stream_thread.h"
#include "server/threads/worker_pool.h"

namespace edgemoe {

class Daemon {
 public:
  // Engine::Open, or a test's.
  using OpenEngine = std::function<Result<std::unique_ptr<Engine>>(EngineOptions options,
                                                                   Engine::OpenProgress progress)>;

  Daemon(Config config, LogSink log, OpenEngine open_engine);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Runs until a signal ends it or it cannot go on. Once.
  ExitCode Run();

  // True when Run came back while a thread still loads the model or waits for the engine: neither
  // can be interrupted. The socket is gone then; the process must end with std::_Exit, without
  // destroying the daemon.
  bool abandoned() const { return state_ == State::kAbandoned; }

 private:
  enum class State { kLoading, kServing, kDraining, kStopped, kAbandoned };

  Status Listen();
  Status MakeAcceptor();
  void WaitForSignal();
  void OnSignal();
  void KeepAlive();

  void StartLoading();
  void OnProgress(std::uint64_t bytes_loaded, std::uint64_t bytes_total);
  void OnLoaded(Result<std::unique_ptr<Engine>> engine);
  // The engine's model has become available or unavailable.
  void OnAvailability();

  void StartDraining();
  void OnDrained(bool all_finished);
  void Stop(State state, ExitCode code);
  void Say(LogLevel level, const std::string& line) const;

  const Config config_;
  const LogSink log_;
  const OpenEngine open_engine_;
  const ServiceNotifier notifier_{};
  State state_ = State::kLoading;
  ExitCode exit_code_ = ExitCode::kOk;
  int signal_count_ = 0;

  boost::asio::io_context context_;
  boost::asio::signal_set signals_{context_};
  boost::asio::steady_timer keep_alive_{context_};
  std::optional<UnixListener> listener_;
  std::vector<UniqueFd> sockets_;  // to listen on, until the acceptor has them

  // The engine outlives what follows it.
  const SteadyClock clock_{};
  std::unique_ptr<Engine> engine_;
  EngineSlot slot_;
  SharedBudget budget_;
  PackRunner packs_;
  RetryDelay retry_delay_;
  WorkerPool workers_;
  StreamThread streams_;
  RequestMemory requests_;
  std::optional<MemoryWatcher> watcher_;
  std::optional<ServiceParts> parts_;
  std::unique_ptr<GrpcServer> server_;
  std::optional<Acceptor> acceptor_;
  std::thread loader_;
  std::thread stopper_;
  std::thread hurrier_;
  std::optional<std::uint64_t> progress_told_ns_;  // on the loader's thread
};

}  // namespace edgemoe
