// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/warm_state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/check.h"
#include "engine/base/checksum.h"
#include "engine/base/system/errno_status.h"
#include "engine/base/system/unique_fd.h"
#include "engine/base/system/whole_file.h"

namespace edgemoe {
namespace {

constexpr std::array<char, 8> kMagic = {'E', 'D', 'G', 'E', 'M', 'O', 'E', '\n'};
constexpr std::uint32_t kVersion = 1;

// As it lies in the file, in the machine's own byte order: a file of the other order has another
// version. The payload follows.
struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t reserved = 0;
  std::array<char, StateFile::kKindMax> kind{};
  std::uint64_t model_digest = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t checksum = 0;  // of the header with 0 here, and the payload
};
static_assert(sizeof(Header) == 48);

std::uint64_t ChecksumOf(Header header, std::span<const std::byte> payload) {
  header.checksum = 0;
  Checksum64 checksum;
  checksum.Update(std::as_bytes(std::span(&header, 1)));
  checksum.Update(payload);
  return checksum.value();
}

// The whole file, whose size is checked first.
Result<std::vector<std::byte>> ReadAll(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return Failure(ErrnoStatus(errno, "open: " + path));
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return Failure(ErrnoStatus(errno, "stat: " + path));
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (!S_ISREG(info.st_mode) || size < sizeof(Header) || size > kStateBytesMax)
    return Failure(DataLossError(path + ": is not a state file"));
  std::vector<std::byte> bytes(size);
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t count = ::read(fd.get(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failure(ErrnoStatus(errno, "read: " + path));
    if (count == 0) return Failure(DataLossError(path + ": shorter than it was"));
    filled += static_cast<std::size_t>(count);
  }
  return bytes;
}

}  // namespace

std::uint64_t ModelDigest(const ModelDescription& description, const ExpertLayout& layout) {
  Checksum64 digest;
  const auto add = [&digest](std::uint64_t value) {
    digest.Update(std::as_bytes(std::span(&value, 1)));
  };
  digest.Update(std::as_bytes(std::span(description.name)));
  add(description.file_bytes);
  add(layout.layer_count);
  add(layout.experts_per_layer);
  for (const ExpertExtents& extents : layout.extents) {
    for (const ExpertExtent& extent : extents) {
      add(extent.file_index);
      add(extent.offset);
      add(extent.bytes);
      add(static_cast<std::uint64_t>(extent.type));
    }
  }
  return digest.value();
}

StateFile::StateFile(std::string directory, std::string_view kind, std::uint64_t model_digest)
    : kind_(kind), model_digest_(model_digest) {
  EDGEMOE_CHECK(kind.size() <= kKindMax, "too long a kind");
  if (directory.empty()) return;
  path_ = std::move(directory) + "/" + kind_ + "-" + ChecksumText(model_digest) + ".bin";
}

Result<std::vector<std::byte>> StateFile::Read() const {
  EDGEMOE_ASSIGN_OR_FAIL(std::vector<std::byte> bytes, ReadAll(path_));
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kMagic) return Failure(DataLossError(path_ + ": is not a state file"));
  if (header.version != kVersion)
    return Failure(FailedPreconditionError(
        path_ + ": " +
        FoundAndAccepted("version " + ShowValue(header.version), ShowValue(kVersion))));
  Header expected;
  std::ranges::copy(kind_, expected.kind.begin());
  if (header.kind != expected.kind || header.model_digest != model_digest_)
    return Failure(FailedPreconditionError(path_ + ": is of another kind or of another model"));
  bytes.erase(bytes.begin(), bytes.begin() + sizeof header);
  if (header.payload_bytes != bytes.size() || header.checksum != ChecksumOf(header, bytes))
    return Failure(DataLossError(path_ + ": is damaged: its checksum is wrong"));
  return bytes;
}

Status StateFile::Write(std::span<const std::byte> payload) const {
  EDGEMOE_CHECK(enabled(), "nowhere to write to");
  if (payload.size() > kStateBytesMax - sizeof(Header))
    return ResourceExhaustedError(
        path_ + ": " +
        FoundAndAccepted(ShowValue(payload.size()) + " bytes to be kept",
                         AcceptedAtMost(kStateBytesMax - sizeof(Header))));
  Header header;
  std::ranges::copy(kind_, header.kind.begin());
  header.model_digest = model_digest_;
  header.payload_bytes = payload.size();
  header.checksum = ChecksumOf(header, payload);
  const std::array pieces = {std::as_bytes(std::span(&header, 1)), payload};
  return WriteWholeFile(path_, pieces, {.make_folders = true});
}

std::vector<std::byte> EncodeKeys(std::span<const ExpertKey> keys) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(2 * keys.size());
  for (const ExpertKey& key : keys) {
    numbers.push_back(key.layer.value);
    numbers.push_back(key.expert.value);
  }
  const auto bytes = std::as_bytes(std::span(numbers));
  return {bytes.begin(), bytes.end()};
}

Result<std::vector<ExpertKey>> DecodeKeys(std::span<const std::byte> payload,
                                          const ExpertLayout& layout) {
  constexpr std::size_t kKeyBytes = 2 * sizeof(std::uint32_t);
  if (payload.size() % kKeyBytes != 0)
    return Failure(DataLossError("experts to be warmed: not a whole number of them"));
  std::vector<ExpertKey> keys;
  std::set<ExpertKey> seen;
  for (; !payload.empty(); payload = payload.subspan(kKeyBytes)) {
    std::array<std::uint32_t, 2> numbers{};
    std::memcpy(numbers.data(), payload.data(), kKeyBytes);
    const ExpertKey key{ExpertLayerIndex{numbers[0]}, ExpertIndex{numbers[1]}};
    const bool exists = numbers[0] < layout.layer_count && numbers[1] < layout.experts_per_layer &&
                        layout.of(key)[0].bytes > 0;
    if (!exists || !seen.insert(key).second)
      return Failure(DataLossError("experts to be warmed: expert " + std::to_string(numbers[1]) +
                                   " of layer " + std::to_string(numbers[0]) +
                                   " occurs twice, or the model does not have it"));
    keys.push_back(key);
  }
  return keys;
}

}  // namespace edgemoe
