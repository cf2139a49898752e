// SPDX-License-Identifier: Apache-2.0
//
// The pack jobs of fake_engine.h.
#include <atomic>
#include <thread>

#include "engine/pack.h"

namespace edgemoe {
namespace {

bool Named(const PackOptions& options, const char* part) {
  return options.source_path.find(part) != std::string::npos;
}

}  // namespace

std::string DefaultPackPath(const std::string& source_path) {
  return source_path.substr(0, source_path.rfind(".gguf")) + "-pack.gguf";
}

std::vector<PackProgress::Phase> PackPhases(const PackOptions& options) {
  using Phase = PackProgress::Phase;
  if (options.method == PackMethod::kCopy) return {Phase::kCopying, Phase::kFinishing};
  return {Phase::kCalibrating, Phase::kProbing, Phase::kFinishing};
}

Status CheckPackOptions(const PackOptions& options) {
  return options.target.bits == 99.0 ? InvalidArgumentError("bits: found 99") : OkStatus();
}

Result<PackMemory> PlanPack(const PackOptions& options) {
  EDGEMOE_FAIL_IF_ERROR(CheckPackOptions(options));
  if (options.method == PackMethod::kCopy) return PackMemory{};
  const std::uint64_t factor = Named(options, "huge") ? 10 : 1;
  return PackMemory{.least_bytes = 2000 * factor, .useful_bytes = 4000 * factor};
}

Result<PackReport> WritePack(const PackOptions& options) {
  const bool hangs = Named(options, "hang");
  std::thread second;
  if (hangs) second = std::thread([&options] { options.cancelled->wait(false); });
  PackProgress progress{.done = 30, .total = 100, .resumed = 10};
  if (options.method != PackMethod::kCopy) {
    progress.phase = PackProgress::Phase::kCalibrating;
    options.progress(progress);
    progress.phase = PackProgress::Phase::kProbing;
    progress.planned_file_bytes = 90;
    progress.planned_bits = 4.5;
    progress.planned_kl = 0.25;
  }
  options.progress(progress);
  if (hangs) options.cancelled->wait(false);
  if (second.joinable()) second.join();
  if (*options.cancelled) return Failure(CancelledError("pack: cancelled"));
  if (Named(options, "full"))
    return Failure(ResourceExhaustedError("write: 100 bytes needed, 7 free"));
  progress = {.phase = PackProgress::Phase::kFinishing, .done = 100, .total = 100};
  options.progress(progress);
  PackReport report;
  report.output_path = options.output_path;
  report.file_bytes = options.overwrite ? 101 : 100;
  report.method = options.method;
  report.calibration_tokens = options.memory_bytes;
  report.probe_count = options.threads;
  report.quality = PackQuality{.mean_kl = 0.5};
  report.rows = {
      {.layer = 3, .role = "gate", .bits = 4.5, .types = {{.type = "Q4_K", .tensors = 2}}},
      {.role = "output"}};
  report.curve = {{.file_bytes = 80, .bits = 4, .kl = 0.5}};
  return report;
}

}  // namespace edgemoe
