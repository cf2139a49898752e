// SPDX-License-Identifier: Apache-2.0
//
// The text that a model is calibrated with: the one that comes with the project, or a user's own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace edgemoe {

constexpr std::uint64_t kCalibrationBytesMax = std::uint64_t{64} << 20;

// Conversations, prose, code, tables and mathematics in eleven languages, written for this; UTF-8,
// about 70 KB. Lives as long as the program.
std::string_view DefaultCalibrationText();

// INVALID_ARGUMENT when `text` is empty (white space alone counts as nothing), longer than
// kCalibrationBytesMax, holds a NUL, or is not UTF-8; says where. Any language is accepted.
Status CheckCalibrationText(std::string_view text);

// A user's text, checked. Errors name the path: NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT
// (what is no regular file, and as CheckCalibrationText), DATA_LOSS.
Result<std::string> ReadCalibrationText(const std::string& path);

}  // namespace edgemoe
