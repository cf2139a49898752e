// SPDX-License-Identifier: Apache-2.0
//
// Messages as JSON for programs: field names as in the .proto files, numbers as numbers (64-bit
// ones too), enums by name, `bytes` as text in which what is not UTF-8 is U+FFFD, absent fields
// left out.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "client/status.h"

namespace edgemoe::cli {

// One line, without the line break.
std::string ToJson(const google::protobuf::Message& message);

// {"error":{"code":"DATA_LOSS","message":"..."}}, with "retry_delay_ms" when known.
std::string ErrorJson(const client::Status& status);

}  // namespace edgemoe::cli
