// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <optional>
#include <string_view>

#include "client/status.h"

namespace edgemoe::client {

// Where a text stops being UTF-8.
std::optional<std::size_t> FirstInvalidByte(std::string_view text);

// INVALID_ARGUMENT names the first text field that is not UTF-8 and the byte where it stops being
// so: protobuf itself would refuse such a message at the other end without saying where.
Status CheckMessageText(const google::protobuf::Message& message);

}  // namespace edgemoe::client
