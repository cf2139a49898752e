// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/read_shape.h"

#include <algorithm>
#include <string>

#include "engine/base/byte_size.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/probe.h"
#include "engine/serving/modes.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kReadAheadBytesMin = 64u << 10;
constexpr std::uint64_t kReadAheadBytesMax = 8u << 20;
// Times what keeps the device busy: we look after reads only between pieces of work.
constexpr double kReadAheadFill = 4;
// A demand waits so long at most for guesses in flight, on modelled storage.
constexpr double kReadAheadSeconds = 0.004;

std::uint32_t ReadAheadBytes(double bytes) {
  const auto whole = static_cast<std::uint64_t>(std::min(bytes, 1e12));
  return static_cast<std::uint32_t>(
      AlignUp(std::clamp(whole, kReadAheadBytesMin, kReadAheadBytesMax), kReadAlignment));
}

}  // namespace

Result<ReadShape> ChooseReads(const EngineOptions& options, const ExpertLayout& layout) {
  ReadShape shape;
  if (options.io_depth != 0) shape.depth = options.io_depth;
  EDGEMOE_ASSIGN_OR_FAIL(const StorageProfile profile,
                         ParseStorageProfile(options.storage_profile, options.storage_scale));
  if (profile.bytes_per_second != 0) {
    shape.read_ahead_bytes =
        ReadAheadBytes(static_cast<double>(profile.bytes_per_second) * kReadAheadSeconds);
    return shape;
  }
  std::uint64_t expert_bytes = 0;
  for (const ExpertExtents& extents : layout.extents)
    for (const ExpertExtent& extent : extents) expert_bytes += extent.bytes;
  if (options.io_depth != 0 || expert_bytes < kProbedExpertBytesMin) return shape;

  EDGEMOE_ASSIGN_OR_FAIL(const ProbeReport probe,
                         ProbeStorage({.path = options.model_path,
                                       .state_directory = options.state_directory,
                                       .io_backend = options.io_backend}));
  // More reads than keep the device busy do not slow it down, and go on while we compute; but what
  // guesses have in flight, a demand has to wait for.
  shape.depth = std::max<std::size_t>(shape.depth, probe.depth);
  shape.request_bytes = probe.read_bytes;
  shape.read_ahead_bytes =
      ReadAheadBytes(kReadAheadFill * static_cast<double>(probe.in_flight_bytes_max));
  if (options.log) {
    options.log(LogLevel::kInfo,
                "storage " + probe.device + " (" + probe.file_system +
                    "): " + FormatByteSize(static_cast<std::uint64_t>(probe.bytes_per_second)) +
                    "/s with " + std::to_string(probe.depth) + " reads of " +
                    FormatByteSize(probe.read_bytes) + (probe.note.empty() ? "" : ": ") +
                    probe.note);
  }
  return shape;
}

}  // namespace edgemoe
