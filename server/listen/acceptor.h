// SPDX-License-Identifier: Apache-2.0
//
// Accepts connections on unix sockets, asks who is there, and hands them on.
//
// Threads: everything runs on the thread of the io_context, which must outlive the acceptor.
// Bounds: connections_max open ones; a further one is closed at once and logged.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <utility>

#include "engine/base/log.h"
#include "engine/base/system/unique_fd.h"
#include "server/listen/peer_credentials.h"

namespace edgemoe {

class Acceptor {
 public:
  struct Options {
    std::uint32_t connections_max = 256;
    std::function<Status(const PeerCredentials&)> admit;
    // Gets a connected, non-blocking socket, and who was admitted.
    std::function<void(UniqueFd, const PeerCredentials&)> take;
    LogSink log;
    // Gets the connections of peers that are not admitted, a few at a time, to tell them so. Null:
    // they are closed.
    std::function<void(UniqueFd)> refuse = {};
    std::function<void()> changed = {};  // a connection was taken, refused, or has ended
  };

  Acceptor(boost::asio::io_context& context, Options options);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Accepts on a listening unix stream socket until Stop. May be called for several.
  void Listen(UniqueFd socket);

  // Accepts no more; open connections stay.
  void Stop();

  // For connections to come; open ones stay.
  void Change(std::uint32_t connections_max) { options_.connections_max = connections_max; }

  // Of admitted peers.
  std::size_t connection_count() const { return connections_.size(); }

 private:
  using Protocol = boost::asio::local::stream_protocol;
  struct Listener {
    explicit Listener(boost::asio::io_context& context) : acceptor(context), retry(context) {}
    Protocol::acceptor acceptor;
    boost::asio::steady_timer retry;
  };
  // A duplicate of a connection that was handed on, by which its end is seen.
  using Watch = boost::asio::posix::stream_descriptor;
  using Watches = std::list<std::shared_ptr<Watch>>;

  void AcceptNext(const std::shared_ptr<Listener>& listener);
  void OnAccepted(Protocol::socket socket);
  // Null when the socket has failed.
  UniqueFd Release(Protocol::socket socket, Watches& open);
  void WatchEnd(int fd, Watches& open);
  void WaitForEnd(Watches& open, Watches::iterator place);

  boost::asio::io_context& context_;
  Options options_;
  std::list<std::shared_ptr<Listener>> listeners_;
  Watches connections_;
  Watches refused_;
};

}  // namespace edgemoe
