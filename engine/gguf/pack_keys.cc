// SPDX-License-Identifier: Apache-2.0
#include "engine/gguf/pack_keys.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "engine/base/check.h"
#include "engine/base/checksum.h"

namespace edgemoe {
namespace {

// The key and its value's type as they stand in the file.
std::string HeaderChecksumMark() {
  const std::uint64_t key_bytes = kPackHeaderChecksumKey.size();
  const auto type = static_cast<std::uint32_t>(GgufValueType::kUint64);
  std::string mark(sizeof(key_bytes) + key_bytes + sizeof(type), '\0');
  std::memcpy(mark.data(), &key_bytes, sizeof(key_bytes));
  std::memcpy(mark.data() + sizeof(key_bytes), kPackHeaderChecksumKey.data(), key_bytes);
  std::memcpy(mark.data() + sizeof(key_bytes) + key_bytes, &type, sizeof(type));
  return mark;
}

}  // namespace

bool IsPack(const GgufFile& file) {
  return std::ranges::any_of(
      file.metadata(), [](const GgufEntry& entry) { return entry.key.starts_with(kPackPrefix); });
}

Status CheckPackVersion(const GgufFile& file) {
  if (!IsPack(file)) return OkStatus();
  EDGEMOE_ASSIGN_OR_RETURN(const std::uint32_t version, file.GetU32(kPackVersionKey));
  if (version != kPackVersion)
    return UnimplementedError("key \"" + std::string(kPackVersionKey) + "\": found " +
                              std::to_string(version) + ", accepted is " +
                              std::to_string(kPackVersion) +
                              "; the pack was written by another version of edgemoe: pack the "
                              "source anew, or use that version");
  if (file.alignment() != kPackAlignment && file.alignment() != kGgufDefaultAlignment)
    return InvalidArgumentError("key \"general.alignment\": found " +
                                std::to_string(file.alignment()) + "; expected in a pack are " +
                                std::to_string(kPackAlignment) + " and " +
                                std::to_string(kGgufDefaultAlignment));
  return OkStatus();
}

Result<std::uint64_t> PackHeaderChecksum(std::span<const std::byte> header) {
  const std::string mark = HeaderChecksumMark();
  const auto wanted = std::as_bytes(std::span<const char>(mark));
  const auto found = std::search(header.begin(), header.end(), wanted.begin(), wanted.end());
  const auto value = static_cast<std::size_t>(found - header.begin()) + mark.size();
  if (found == header.end() || value + sizeof(std::uint64_t) > header.size())
    return Failure(NotFoundError("key \"" + std::string(kPackHeaderChecksumKey) +
                                 "\": not in the pack's metadata; expected a u64"));
  constexpr std::array<std::byte, sizeof(std::uint64_t)> kZeros{};
  Checksum64 checksum;
  checksum.Update(header.first(value));
  checksum.Update(kZeros);
  checksum.Update(header.subspan(value + kZeros.size()));
  return checksum.value();
}

Status CheckPackHeader(std::span<const std::byte> header, const GgufFile& file) {
  EDGEMOE_RETURN_IF_ERROR(CheckPackVersion(file));
  if (!IsPack(file)) return OkStatus();
  EDGEMOE_CHECK(file.data_offset() <= header.size(), "the header is not whole");
  EDGEMOE_ASSIGN_OR_RETURN(const std::uint64_t expected, file.GetU64(kPackHeaderChecksumKey));
  EDGEMOE_ASSIGN_OR_RETURN(
      const std::uint64_t found,
      PackHeaderChecksum(header.first(static_cast<std::size_t>(file.data_offset()))));
  if (found == expected) return OkStatus();
  return DataLossError("pack header: its checksum is " + ChecksumText(found) + ", expected " +
                       ChecksumText(expected) +
                       ": it is damaged, or was changed after it was written; pack the source "
                       "anew");
}

Result<std::vector<std::uint64_t>> ReadPackChecksums(const GgufFile& file, std::string_view key,
                                                     std::size_t count) {
  EDGEMOE_ASSIGN_OR_FAIL(std::vector<std::uint64_t> checksums, file.GetU64Array(key));
  if (checksums.size() != count)
    return Failure(InvalidArgumentError("key " + QuoteForMessage(key) + ": found " +
                                        std::to_string(checksums.size()) + " checksums; expected " +
                                        std::to_string(count)));
  return checksums;
}

}  // namespace edgemoe
