// SPDX-License-Identifier: Apache-2.0
//
// Messages as JSON for programs, as protobuf's own mapping has it and grpcurl prints it: names in
// lowerCamelCase, integers of 64 bits as strings, enums by name, `bytes` in base64, optional fields
// that are absent left out.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "client/status.h"

namespace edgemoe::cli {

// One line, without the line break.
std::string ToJson(const google::protobuf::Message& message);

// {"error":{"code":"DATA_LOSS","message":"..."}}, with "reason", "field", "metadata" and
// "retryDelayMs" where the daemon told them.
std::string ErrorJson(const client::Status& status);

}  // namespace edgemoe::cli
