// SPDX-License-Identifier: Apache-2.0
#include "download/program/gguf_header.h"

#include "engine/gguf/gguf_reader.h"

namespace edgemoe {

Result<std::optional<HeaderFacts>> CheckGgufHeader(std::span<const std::byte> bytes,
                                                   std::uint64_t file_bytes) {
  const Result<GgufFile> file = ParseGguf(bytes, file_bytes);
  if (!file && file.error().code() == StatusCode::kOutOfRange) return std::nullopt;
  if (!file) return Failure(file.error());
  const Result<std::string_view> architecture = file->GetString("general.architecture");
  return HeaderFacts{.header_bytes = file->data_offset(),
                     .architecture = std::string(architecture.value_or(""))};
}

}  // namespace edgemoe
