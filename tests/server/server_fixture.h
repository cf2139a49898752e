// SPDX-License-Identifier: Apache-2.0
//
// The real server on a real unix socket in a temporary folder, with a fake engine. Time passes only
// when a test says so.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "server/listen/acceptor.h"
#include "server/listen/unix_listener.h"
#include "server/rpc/grpc_server.h"
#include "tests/server/fake_engine.h"
#include "tests/support/child_process.h"
#include "tests/support/fake_clock.h"

namespace grpc {
class Channel;
}

namespace edgemoe {

class TestServer {
 public:
  struct Options {
    FakeEngine::Options engine{};
    bool loaded = true;  // else the slot stays empty
    std::string models_directory{};
  };
  explicit TestServer(Options options);
  TestServer() : TestServer(Options()) {}
  ~TestServer();

  // A connection of its own.
  std::shared_ptr<grpc::Channel> NewChannel() const;
  // One on which much less than a stream's buffer fits between server and client.
  std::shared_ptr<grpc::Channel> NewNarrowChannel() const;
  // Who is at the other end of connections that are made from now on: at first an administrator.
  void SetNextPeer(const LocalPeer& peer) { next_peer_ = peer; }
  // A connected socket of the caller's.
  UniqueFd Connect() const;

  // Lets time pass for the engine, which hears of it at once; or for streams and jobs, until what
  // is due has been done.
  void PassEngineMs(std::uint64_t ms);
  void PassStreamMs(std::uint64_t ms);

  FakeEngine& engine() { return engine_; }
  RequestMemory& requests() { return requests_; }
  int trim_count() const { return trim_count_; }
  GrpcServer& server() { return *server_; }
  const std::string& path() const { return path_; }

 private:
  TempFolder dir_;
  std::string path_ = dir_ / "s.sock";
  std::atomic<int> trim_count_ = 0;
  FakeClock engine_clock_;
  FakeClock stream_clock_;
  FakeEngine engine_;
  EngineSlot slot_;
  SharedBudget budget_{slot_, 10'000, {}};
  PackRunner packs_{budget_, stream_clock_, {}};
  PullRunner pulls_{[] { return ConnectToDownloadProgram({}); }, packs_, {}};
  HeaderRunner headers_{[] { return ConnectToDownloadProgram({}); }, {}};
  RetryDelay retry_delay_;
  std::atomic<std::uint64_t> last_id_ = 0;
  RequestTable live_{[this] { return ++last_id_; }};
  std::atomic<LocalPeer> next_peer_{{.uid = 7, .pid = 9, .is_administrator = true}};
  WorkerPool workers_{2, 2048};
  StreamThread streams_{stream_clock_};
  RequestMemory requests_{streams_, [this] { ++trim_count_; }};
  std::optional<ServiceParts> parts_;
  std::unique_ptr<GrpcServer> server_;
  std::optional<UnixListener> listener_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  std::optional<Acceptor> acceptor_;
  std::thread thread_;
};

}  // namespace edgemoe
