// SPDX-License-Identifier: Apache-2.0
//
// Which addresses belong to the public network. Pure.
#pragma once

#include <sys/socket.h>

#include <string>

namespace edgemoe {

// Of an address in text. False for loopback, link-local, private, shared, multicast, documentation
// and reserved ranges of IPv4 and IPv6 (IANA's special-purpose registries), for IPv4 that is
// wrapped in IPv6, and for what is no address.
bool IsPublicAddress(const std::string& text);

// "192.0.2.1", "2001:db8::1"; "?" for other families.
std::string ShowAddress(const sockaddr& address);

}  // namespace edgemoe
