// SPDX-License-Identifier: Apache-2.0
//
// Where the daemon listens.
#pragma once

#include <string>
#include <string_view>

#include "client/status.h"

namespace edgemoe::client {

// The path of the daemon's unix socket when nothing else was said: $EDGEMOE_SOCKET; else
// $XDG_RUNTIME_DIR/edgemoe/edgemoed.sock if that exists; else /run/edgemoe/edgemoed.sock.
std::string DefaultSocketPath();

// What gRPC connects to, from "unix:/path", "/path", "./path", "host:port" or "" (the default
// socket). INVALID_ARGUMENT for other forms and for paths that are too long for a unix socket.
Result<std::string> ParseAddress(std::string_view address);

// Why nobody answers at an address that ParseAddress gave, in words for people. UNAVAILABLE: no
// such socket, nobody listens; PERMISSION_DENIED: it is not ours to use.
Status WhyUnreachable(const std::string& target);

}  // namespace edgemoe::client
