// SPDX-License-Identifier: Apache-2.0
#include "engine/study/calibration_text.h"

#include <span>

#include "engine/base/accepted.h"
#include "engine/base/utf8.h"
#include "engine/io/read_fully.h"
#include "engine/io/storage_file.h"

// The file's bytes, between two symbols.
asm(R"(.pushsection .rodata.edgemoe_calibration_text,"a",%progbits
.global edgemoe_calibration_text_begin
.hidden edgemoe_calibration_text_begin
edgemoe_calibration_text_begin:
.incbin ")" EDGEMOE_CALIBRATION_TEXT R"("
.global edgemoe_calibration_text_end
.hidden edgemoe_calibration_text_end
edgemoe_calibration_text_end:
.popsection
)");
extern "C" {
[[gnu::visibility("hidden")]] extern const char edgemoe_calibration_text_begin[];
[[gnu::visibility("hidden")]] extern const char edgemoe_calibration_text_end[];
}

namespace edgemoe {
namespace {

// What "calibration text" is refused for.
Status Refused(std::string_view found, std::string_view accepted) {
  return NotAccepted(found, accepted).WithContext("calibration text");
}

Status TooLong(std::uint64_t bytes) {
  return Refused(ShowValue(bytes) + " bytes", AcceptedAtMost(kCalibrationBytesMax));
}

}  // namespace

std::string_view DefaultCalibrationText() {
  return {edgemoe_calibration_text_begin,
          static_cast<std::size_t>(edgemoe_calibration_text_end - edgemoe_calibration_text_begin)};
}

Status CheckCalibrationText(std::string_view text) {
  if (text.size() > kCalibrationBytesMax) return TooLong(text.size());
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return Refused("nothing in " + ShowValue(text.size()) + " bytes",
                   "text, better some 20,000 tokens of it");
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos)
    return Refused("a NUL at byte " + ShowValue(nul), "text in UTF-8");
  if (const std::size_t bad = FindInvalidUtf8(text); bad != std::string_view::npos)
    return Refused("what is not UTF-8 at byte " + ShowValue(bad), "text in UTF-8");
  return OkStatus();
}

Result<std::string> ReadCalibrationText(const std::string& path) {
  EDGEMOE_ASSIGN_OR_FAIL(const StorageFile file,
                         StorageFile::Open(path, StorageFile::Caching::kKernel));
  if (file.bytes() > kCalibrationBytesMax) return Failure(TooLong(file.bytes()).WithContext(path));
  std::string text(static_cast<std::size_t>(file.bytes()), '\0');
  EDGEMOE_FAIL_IF_ERROR(ReadFully(file, 0, std::as_writable_bytes(std::span(text))));
  EDGEMOE_FAIL_IF_ERROR(CheckCalibrationText(text).WithContext(path));
  return text;
}

}  // namespace edgemoe
