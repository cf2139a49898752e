// SPDX-License-Identifier: Apache-2.0
//
// The report of a pack as a file, for whoever asks later how the pack came to be.
#pragma once

#include <string>

#include "engine/pack/pack_request.h"

namespace edgemoe {

// "dir/m-pack.gguf" -> "dir/m-pack.report.json".
std::string PackReportPath(const std::string& output_path);

// The report as JSON text; names as in proto/edgemoe/v1/models.proto, methods in small letters,
// what is absent left out.
std::string ToJson(const PackReport& report);

// Writes it beside the output, whole or not at all, in the place of one that is there. Sets
// report_path, or report_error: the pack is good without.
void KeepReport(PackReport& report);

}  // namespace edgemoe
