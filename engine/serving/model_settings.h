// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/status.h"
#include "engine/describe.h"
#include "engine/gguf/gguf_reader.h"
#include "engine/options.h"

namespace edgemoe {

// What requests get that do not say it: of each setting the options' value, else the file's, else
// ours. Fills in `sampling`, `pooling`, `settings` and, of a template beside the file,
// `has_chat_template`. REQUIRES: the rest of the description is filled in. INVALID_ARGUMENT names a
// key of the file whose value cannot be used and is not overridden by the options, and what it may
// be.
Status ChooseSettings(const GgufFile& metadata, const EngineOptions& options,
                      ModelDescription& description);

}  // namespace edgemoe
