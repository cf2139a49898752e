// SPDX-License-Identifier: Apache-2.0
//
// What an engine leaves behind for its next run: which experts were worth keeping. A hint: it may
// be missing, old, damaged or of another model, and only speed changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/expert_key.h"
#include "engine/base/result.h"
#include "engine/describe.h"
#include "engine/stream/expert_layout.h"

namespace edgemoe {

// Tells one model from another: its name, and where and how its experts lie.
std::uint64_t ModelDigest(const ModelDescription& description, const ExpertLayout& layout);

// One file of the state directory, "<kind>-<digest>.bin": version, kind, model and payload under a
// checksum. Each is at most kStateBytesMax long. Errors name the path.
class StateFile {
 public:
  // `directory` empty: there is no file. REQUIRES: kind has at most kKindMax characters.
  StateFile(std::string directory, std::string_view kind, std::uint64_t model_digest);
  static constexpr std::size_t kKindMax = 8;

  bool enabled() const { return !path_.empty(); }
  const std::string& path() const { return path_; }

  // NOT_FOUND when there is none; DATA_LOSS, FAILED_PRECONDITION for one that is damaged, of
  // another version or of another model.
  Result<std::vector<std::byte>> Read() const;

  // Replaces the file at once: who reads it sees the old one or the new one, whatever happens.
  // Makes the directory where it is missing.
  Status Write(std::span<const std::byte> payload) const;

 private:
  std::string path_;
  std::string kind_;
  std::uint64_t model_digest_ = 0;
};
constexpr std::size_t kStateBytesMax = std::size_t{64} << 20;

// The experts as a payload, in their order.
std::vector<std::byte> EncodeKeys(std::span<const ExpertKey> keys);
// DATA_LOSS unless they are distinct experts that the layout has.
Result<std::vector<ExpertKey>> DecodeKeys(std::span<const std::byte> payload,
                                          const ExpertLayout& layout);

}  // namespace edgemoe
