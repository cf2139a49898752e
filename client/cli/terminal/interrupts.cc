// SPDX-License-Identifier: Apache-2.0
#include "client/cli/terminal/interrupts.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <utility>

namespace edgemoe::cli {

Interrupts::Interrupts() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

Interrupts::~Interrupts() { ::close(fd_); }

bool Interrupts::Take() {
  bool taken = false;
  signalfd_siginfo info;
  while (::read(fd_, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) taken = true;
  return taken;
}

bool Interrupts::WaitFor(std::chrono::milliseconds time) {
  pollfd wait{fd_, POLLIN, 0};
  return ::poll(&wait, 1, static_cast<int>(time.count())) > 0 && Take();
}

InterruptWatch::InterruptWatch(Interrupts& interrupts, std::function<void()> on_interrupt)
    : stop_fd_(::eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::thread([this, &interrupts, call = std::move(on_interrupt)] {
    std::array<pollfd, 2> wait = {{{interrupts.fd(), POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
    while (::poll(wait.data(), wait.size(), -1) < 0 && errno == EINTR) {
    }
    if (wait[0].revents == 0 || !interrupts.Take()) return;
    interrupted_ = true;
    call();
  });
}

InterruptWatch::~InterruptWatch() {
  const std::uint64_t one = 1;
  while (::write(stop_fd_, &one, sizeof(one)) < 0 && errno == EINTR) {
  }
  thread_.join();
  ::close(stop_fd_);
}

}  // namespace edgemoe::cli
