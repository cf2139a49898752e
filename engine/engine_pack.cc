// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <optional>
#include <utility>

#include "engine/engine.h"
#include "engine/engine_options.h"
#include "engine/pack/pack_writer.h"

namespace edgemoe {

std::string DefaultPackPath(const std::string& source_path) {
  const std::filesystem::path folder = std::filesystem::path(source_path).parent_path();
  return (folder / (ModelNameFromPath(source_path) + "-pack.gguf")).string();
}

Result<PackReport> WritePack(const PackOptions& options) {
  PackJob job;
  job.source_path = options.source_path;
  job.output_path =
      options.output_path.empty() ? DefaultPackPath(options.source_path) : options.output_path;
  job.overwrite = options.overwrite;
  job.cancelled = options.cancelled;
  std::optional<std::uint64_t> resumed_bytes;
  job.progress = [&](std::uint64_t bytes_done, std::uint64_t bytes_total) {
    if (!resumed_bytes) resumed_bytes = bytes_done;
    if (!options.progress) return;
    const bool copying = bytes_done < bytes_total;
    options.progress(
        {.phase = copying ? PackProgress::Phase::kCopying : PackProgress::Phase::kFinishing,
         .bytes_done = bytes_done,
         .bytes_total = bytes_total,
         .bytes_resumed = *resumed_bytes});
  };
  EDGEMOE_ASSIGN_OR_FAIL(PackResult result, RunPackJob(job));
  return PackReport{.output_path = std::move(job.output_path),
                    .source_digest = std::move(result.source_digest),
                    .source_bytes = result.source_bytes,
                    .file_bytes = result.file_bytes,
                    .weight_bytes = result.weight_bytes,
                    .resumed_bytes = result.resumed_bytes,
                    .layer_count = result.layer_count,
                    .experts_per_layer = result.experts_per_layer};
}

}  // namespace edgemoe
