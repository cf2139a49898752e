// SPDX-License-Identifier: Apache-2.0
#include "engine/io/metered_reader.h"

namespace edgemoe {

std::size_t MeteredReader::Poll(std::span<ReadCompletion> completions) {
  const std::size_t count = inner_->Poll(completions);
  if (count > 0) heartbeat_.Beat();
  return count;
}

std::size_t MeteredReader::Wait(std::span<ReadCompletion> completions) {
  const std::uint64_t begin_ns = clock_.NowNs();
  const std::size_t count = inner_->Wait(completions);
  meter_.ns += clock_.NowNs() - begin_ns;
  if (count > 0) heartbeat_.Beat();
  for (std::size_t i = 0; i < count; ++i) meter_.bytes += completions[i].bytes_read;
  return count;
}

}  // namespace edgemoe
