// SPDX-License-Identifier: Apache-2.0
#include "client/address.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace edgemoe::client {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::size_t kSocketPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

tl::unexpected<Status> Invalid(std::string message) {
  return tl::unexpected(Status{StatusCode::kInvalidArgument, std::move(message)});
}

// 0 when a connection was made, else errno.
int TryConnect(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), kSocketPathBytesMax));
  const int error =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ? 0 : errno;
  ::close(fd);
  return error;
}

// Whom to ask for access to a socket.
std::string HowToBeLetIn(const std::string& path) {
  struct stat info = {};
  const bool is_shared = ::stat(path.c_str(), &info) == 0 && (info.st_mode & S_IWGRP) != 0;
  const group* const owner = is_shared && info.st_gid != 0 ? ::getgrgid(info.st_gid) : nullptr;
  if (owner == nullptr) return "; ask for membership of its group";
  const std::string name = owner->gr_name;
  return "; members of the group " + name + " may: `sudo usermod -aG " + name +
         " $USER`, then log in again";
}

}  // namespace

std::string DefaultSocketPath() {
  if (std::string path = Environment("EDGEMOE_SOCKET"); !path.empty()) return path;
  if (const std::string runtime = Environment("XDG_RUNTIME_DIR"); !runtime.empty()) {
    std::string path = runtime + "/edgemoe/edgemoed.sock";
    if (::access(path.c_str(), F_OK) == 0) return path;
  }
  return "/run/edgemoe/edgemoed.sock";
}

Result<std::string> ParseAddress(std::string_view address) {
  std::string text = address.empty() ? DefaultSocketPath() : std::string(address);
  if (const std::size_t scheme = text.find("://"); scheme != std::string::npos)
    return Invalid("address: found the scheme \"" + text.substr(0, scheme) + "\" in \"" + text +
                   "\"; accepted: unix:/path/of/socket, /path/of/socket, host:port");
  const bool has_prefix = text.starts_with(kUnixPrefix);
  if (has_prefix || text.find('/') != std::string::npos) {
    const std::string path = has_prefix ? text.substr(kUnixPrefix.size()) : text;
    if (path.empty()) return Invalid("address \"" + text + "\": the socket's path is empty");
    if (path.size() > kSocketPathBytesMax)
      return Invalid("address: the socket's path has " + std::to_string(path.size()) +
                     " bytes, at most " + std::to_string(kSocketPathBytesMax) +
                     " are possible: " + path);
    return std::string(kUnixPrefix) + path;
  }
  const std::size_t colon = text.rfind(':');
  int port = 0;
  if (colon != std::string::npos && colon > 0) {
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
    if (parsed.ec != std::errc() || parsed.ptr != end) port = 0;
  }
  if (port < 1 || port > 65535)
    return Invalid("address \"" + text + "\": expected unix:/path/of/socket or host:port");
  return text;
}

Status WhyUnreachable(const std::string& target) {
  const auto unavailable = [](std::string why) {
    return Status{StatusCode::kUnavailable, std::move(why)};
  };
  if (!target.starts_with(kUnixPrefix))
    return unavailable("nobody answers at " + target + "; is edgemoed running with --tcp?");
  const std::string path = target.substr(kUnixPrefix.size());
  const int error = TryConnect(path);
  const std::string start = "start edgemoed, or name its socket with --socket";
  if (error == ENOENT) return unavailable("there is no socket " + path + "; " + start);
  if (error == ECONNREFUSED)
    return unavailable("no daemon listens on the socket " + path + "; " + start);
  if (error == EACCES || error == EPERM)
    return {StatusCode::kPermissionDenied,
            "no permission to use the socket " + path + HowToBeLetIn(path)};
  if (error == 0) return unavailable("the daemon at " + path + " does not answer as edgemoed does");
  return unavailable("cannot connect to " + path + ": " + std::strerror(error));
}

}  // namespace edgemoe::client
