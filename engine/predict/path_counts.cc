// SPDX-License-Identifier: Apache-2.0
#include "engine/predict/path_counts.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "engine/base/accepted.h"
#include "engine/base/check.h"

namespace edgemoe {
namespace {

constexpr std::string_view kMagic = "EMOEPATH";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 8 + 3 * 4;  // magic, version, layer_count, experts_per_layer
constexpr std::size_t kChecksumBytes = 8;

void AppendLittleEndian(std::uint64_t value, std::size_t byte_count,
                        std::vector<std::byte>& bytes) {
  for (std::size_t i = 0; i < byte_count; ++i)
    bytes.push_back(static_cast<std::byte>(value >> (8 * i)));
}

std::uint64_t LittleEndian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  return value;
}

// FNV-1a, for accidents only.
std::uint64_t Checksum(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const std::byte byte : bytes)
    hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

PathCounts::PathCounts(std::uint32_t layer_count, std::uint32_t experts_per_layer)
    : layer_count_(layer_count),
      experts_per_layer_(experts_per_layer),
      counts_(std::size_t{kStepsBack} * layer_count * experts_per_layer * (experts_per_layer + 1)) {
}

std::span<const std::uint8_t> PathCounts::Row(std::uint32_t back, ExpertLayerIndex layer,
                                              std::uint32_t earlier) const {
  return std::span(counts_).subspan(RowBegin(back, layer, earlier), experts_per_layer_ + 1);
}

std::vector<std::byte> PathCounts::Serialize() const {
  std::vector<std::byte> bytes;
  bytes.reserve(kHeaderBytes + counts_.size() + kChecksumBytes);
  for (const char c : kMagic) bytes.push_back(static_cast<std::byte>(c));
  AppendLittleEndian(kVersion, 4, bytes);
  AppendLittleEndian(layer_count_, 4, bytes);
  AppendLittleEndian(experts_per_layer_, 4, bytes);
  const std::span<const std::byte> counts = std::as_bytes(std::span(counts_));
  bytes.insert(bytes.end(), counts.begin(), counts.end());
  AppendLittleEndian(Checksum(bytes), kChecksumBytes, bytes);
  return bytes;
}

Status PathCounts::Restore(std::span<const std::byte> bytes) {
  if (bytes.size() < kHeaderBytes + kChecksumBytes ||
      !std::equal(kMagic.begin(), kMagic.end(), bytes.begin(),
                  [](char c, std::byte byte) { return static_cast<std::byte>(c) == byte; })) {
    return DataLossError(
        "path counts: no such header, or cut short: " + std::to_string(bytes.size()) + " bytes");
  }
  const std::array<std::uint64_t, 3> expected = {kVersion, layer_count_, experts_per_layer_};
  constexpr std::array<std::string_view, 3> kNames = {"version", "layers", "experts a layer"};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::uint64_t found = LittleEndian(bytes.subspan(kMagic.size() + 4 * i, 4));
    if (found != expected[i]) {
      return FailedPreconditionError(
          "path counts: " + std::string(kNames[i]) + ": " +
          FoundAndAccepted(std::to_string(found), std::to_string(expected[i])));
    }
  }
  const std::size_t expected_bytes = kHeaderBytes + counts_.size() + kChecksumBytes;
  if (bytes.size() != expected_bytes) {
    return DataLossError("path counts: " + FoundAndAccepted(std::to_string(bytes.size()) + " bytes",
                                                            std::to_string(expected_bytes)));
  }
  if (Checksum(bytes.first(bytes.size() - kChecksumBytes)) !=
      LittleEndian(bytes.last(kChecksumBytes))) {
    return DataLossError("path counts: the checksum does not match");
  }
  const auto counts = bytes.subspan(kHeaderBytes, counts_.size());
  const std::size_t row_size = experts_per_layer_ + 1;
  for (std::size_t row = 0; row < counts.size(); row += row_size) {
    for (std::size_t i = 1; i < row_size; ++i)
      if (counts[row + i] > counts[row])
        return DataLossError("path counts: an expert follows more often than was counted");
  }
  std::transform(counts.begin(), counts.end(), counts_.begin(),
                 [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
  return OkStatus();
}

std::span<std::uint8_t> PathCounts::MutableRow(std::uint32_t back, ExpertLayerIndex layer,
                                               std::uint32_t earlier) {
  return std::span(counts_).subspan(RowBegin(back, layer, earlier), experts_per_layer_ + 1);
}

std::size_t PathCounts::RowBegin(std::uint32_t back, ExpertLayerIndex layer,
                                 std::uint32_t earlier) const {
  EDGEMOE_CHECK(
      back >= 1 && back <= kStepsBack && layer.value < layer_count_ && earlier < experts_per_layer_,
      "no such path");
  return ((std::size_t{back - 1} * layer_count_ + layer.value) * experts_per_layer_ + earlier) *
         (experts_per_layer_ + 1);
}

void PathCounts::Halve(std::span<std::uint8_t> row) {
  for (std::uint8_t& count : row) count = static_cast<std::uint8_t>(count / 2);
}

}  // namespace edgemoe
