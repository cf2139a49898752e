// SPDX-License-Identifier: Apache-2.0
#include "server/listen/acceptor.h"

#include <fcntl.h>
#include <poll.h>

#include <boost/asio/error.hpp>
#include <chrono>
#include <string>
#include <utility>

namespace edgemoe {
namespace {

// After an error such as "too many open files", which would otherwise repeat at once.
constexpr std::chrono::milliseconds kRetryDelay{100};
constexpr std::size_t kRefusedMax = 8;  // who are being told; further ones are closed

}  // namespace

Acceptor::Acceptor(boost::asio::io_context& context, Options options)
    : context_(context), options_(std::move(options)) {}

Acceptor::~Acceptor() {
  Stop();
  for (const Watches* const open : {&connections_, &refused_}) {
    for (const auto& watch : *open) {
      boost::system::error_code ignored;
      watch->close(ignored);
    }
  }
}

void Acceptor::Listen(UniqueFd socket) {
  auto listener = std::make_shared<Listener>(context_);
  listener->acceptor.assign(Protocol(), socket.Release());
  listeners_.push_back(listener);
  AcceptNext(listener);
}

void Acceptor::Stop() {
  for (const auto& listener : listeners_) {
    boost::system::error_code ignored;
    listener->acceptor.close(ignored);
    listener->retry.cancel();
  }
  listeners_.clear();
}

void Acceptor::AcceptNext(const std::shared_ptr<Listener>& listener) {
  listener->acceptor.async_accept(
      [this, listener](const boost::system::error_code& error, Protocol::socket socket) {
        if (!listener->acceptor.is_open() || error == boost::asio::error::operation_aborted) return;
        if (!error) {
          OnAccepted(std::move(socket));
          if (options_.changed) options_.changed();
          AcceptNext(listener);
          return;
        }
        if (options_.log) options_.log(LogLevel::kWarning, "accept: " + error.message());
        listener->retry.expires_after(kRetryDelay);
        listener->retry.async_wait([this, listener](const boost::system::error_code& cancelled) {
          if (!cancelled && listener->acceptor.is_open()) AcceptNext(listener);
        });
      });
}

void Acceptor::OnAccepted(Protocol::socket socket) {
  const auto peer = ReadPeerCredentials(socket.native_handle());
  const Status status = peer ? options_.admit(*peer) : peer.error();
  if (!status.ok()) {
    if (options_.log) options_.log(LogLevel::kWarning, status.message());
    if (options_.refuse && refused_.size() < kRefusedMax) {
      if (UniqueFd fd = Release(std::move(socket), refused_); fd.valid())
        options_.refuse(std::move(fd));
    }
    return;
  }
  if (connections_.size() >= options_.connections_max) {
    if (options_.log)
      options_.log(LogLevel::kWarning, "connection of pid " + std::to_string(peer->pid) +
                                           " closed: listen.connections_max = " +
                                           std::to_string(options_.connections_max) + " are open");
    return;
  }
  if (UniqueFd fd = Release(std::move(socket), connections_); fd.valid())
    options_.take(std::move(fd), *peer);
}

UniqueFd Acceptor::Release(Protocol::socket socket, Watches& open) {
  boost::system::error_code error;
  socket.native_non_blocking(true, error);
  if (error) return {};
  WatchEnd(socket.native_handle(), open);
  return UniqueFd(socket.release());
}

void Acceptor::WatchEnd(int fd, Watches& open) {
  const int duplicate = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) return;  // not counted: descriptors are short, which bounds them too
  auto watch = std::make_shared<Watch>(context_, duplicate);
  const auto place = open.insert(open.end(), watch);
  WaitForEnd(open, place);
}

void Acceptor::WaitForEnd(Watches& open, Watches::iterator place) {
  // The kernel reports the hang-up of either side as an error, also when nobody reads.
  const std::shared_ptr<Watch>& watch = *place;
  watch->async_wait(Watch::wait_error,
                    [this, watch, place, &open](const boost::system::error_code& error) {
                      if (error == boost::asio::error::operation_aborted) return;
                      // Urgent data wakes this wait too, and is no end.
                      pollfd state{.fd = watch->native_handle(), .events = 0, .revents = 0};
                      if (!error && ::poll(&state, 1, 0) == 0) return WaitForEnd(open, place);
                      open.erase(place);
                      if (options_.changed) options_.changed();
                    });
}

}  // namespace edgemoe
