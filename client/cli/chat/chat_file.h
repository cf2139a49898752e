// SPDX-License-Identifier: Apache-2.0
//
// A conversation as a file: a ChatRequest, as protobuf's own mapping has it in JSON.
#pragma once

#include <string>

#include "client/status.h"
#include "edgemoe/v1/inference.pb.h"

namespace edgemoe::cli {

// Writes the whole request, for its owner's eyes. The file is whole or not there, and
// ALREADY_EXISTS where it was before and may not be replaced.
client::Status SaveChat(const v1::ChatRequest& request, const std::string& path, bool replaces);

// Reads what SaveChat wrote, or what somebody else did: INVALID_ARGUMENT names file, field, what
// was found and what would be accepted. Codes as ReadText for a file that cannot be read.
client::Result<v1::ChatRequest> LoadChat(const std::string& path);

}  // namespace edgemoe::cli
