// SPDX-License-Identifier: Apache-2.0
#include "download/http/network_address.h"

#include <gtest/gtest.h>

namespace edgemoe {
namespace {

TEST(NetworkAddressTest, TellsPublicAddresses) {
  for (const char* text :
       {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255",
        "172.32.0.0", "192.167.255.255", "192.0.1.0", "223.255.255.255", "2600::1", "2a00:1450::1",
        "::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808", "2001:4860::8888"})
    EXPECT_TRUE(IsPublicAddress(text)) << text;
  for (const char* text : {"0.0.0.0",
                           "10.0.0.1",
                           "100.64.0.1",
                           "127.0.0.1",
                           "127.255.255.255",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.1",
                           "192.168.1.1",
                           "198.18.0.1",
                           "224.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "fc00::1",
                           "fd12::1",
                           "fe80::1",
                           "ff02::1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "::127.0.0.1",
                           "2002:a00:1::1",
                           "2002:7f00:1::",
                           "64:ff9b::a00:1",
                           "64:ff9b:1::1",
                           "2001::1",
                           "2001:db8::1",
                           "3fff::1",
                           "5f00::1",
                           "",
                           "localhost",
                           "1.1.1",
                           "0x7f.1"})
    EXPECT_FALSE(IsPublicAddress(std::string(text))) << text;
}

}  // namespace
}  // namespace edgemoe
