// SPDX-License-Identifier: Apache-2.0
#include "download/http/network_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace edgemoe {
namespace {

struct Block {
  std::uint32_t address;
  unsigned prefix_bits;
};

// What is not global, of the registry of IPv4's special purposes, with multicast and class E.
constexpr std::array kSpecial = {
    Block{0x00000000, 8},  Block{0x0a000000, 8},  Block{0x64400000, 10}, Block{0x7f000000, 8},
    Block{0xa9fe0000, 16}, Block{0xac100000, 12}, Block{0xc0000000, 24}, Block{0xc0000200, 24},
    Block{0xc0586300, 24}, Block{0xc0a80000, 16}, Block{0xc6120000, 15}, Block{0xc6336400, 24},
    Block{0xcb007100, 24}, Block{0xe0000000, 4},  Block{0xf0000000, 4},
};

bool IsPublic4(std::uint32_t address) {
  return std::ranges::none_of(kSpecial, [address](const Block& block) {
    return (address ^ block.address) >> (32 - block.prefix_bits) == 0;
  });
}

std::uint32_t Word(const unsigned char* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | static_cast<std::uint32_t>(bytes[3]);
}

bool IsPublic6(const unsigned char* bytes) {
  const std::uint32_t first = Word(bytes);
  // 64:ff9b::/96: translated to IPv4.
  const bool is_translated = first == 0x0064ff9b && Word(bytes + 4) == 0 && Word(bytes + 8) == 0;
  if (is_translated) return IsPublic4(Word(bytes + 12));
  const bool is_global = first >> 29 == 1;                 // 2000::/3
  const bool is_protocol = first >> 9 == 0x20010000 >> 9;  // 2001::/23, Teredo among them
  const bool is_documentation = first == 0x20010db8 || first >> 12 == 0x3fff0000 >> 12;
  if (!is_global || is_protocol || is_documentation) return false;
  // 2002::/16 is 6to4: IPv4 in the next four bytes.
  return first >> 16 != 0x2002 || IsPublic4(Word(bytes + 2));
}

}  // namespace

bool IsPublicAddress(const std::string& text) {
  in_addr address4 = {};
  if (::inet_pton(AF_INET, text.c_str(), &address4) == 1) return IsPublic4(ntohl(address4.s_addr));
  in6_addr address6 = {};
  if (::inet_pton(AF_INET6, text.c_str(), &address6) != 1) return false;
  return IN6_IS_ADDR_V4MAPPED(&address6) ? IsPublic4(Word(address6.s6_addr + 12))
                                         : IsPublic6(address6.s6_addr);
}

std::string ShowAddress(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  if (address.sa_family == AF_INET) {
    sockaddr_in in = {};
    std::memcpy(&in, &address, sizeof(in));
    ::inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 in = {};
    std::memcpy(&in, &address, sizeof(in));
    ::inet_ntop(AF_INET6, &in.sin6_addr, text.data(), text.size());
  } else {
    return "?";
  }
  return text.data();
}

}  // namespace edgemoe
