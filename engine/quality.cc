// SPDX-License-Identifier: Apache-2.0
//
// The facade's measure of quality: one model after the other, so that only one is in memory.
#include "engine/quality.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/clock.h"
#include "engine/base/system/usable_memory.h"
#include "engine/describe.h"
#include "engine/options.h"
#include "engine/serving/option_check.h"
#include "engine/study/kl_meter.h"
#include "engine/study/offline_model.h"
#include "engine/study/text_windows.h"

namespace edgemoe {
namespace {

Result<std::string> ReadText(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return Failure(NotFoundError(path + ": no such text"));
  if (!std::filesystem::is_regular_file(path, error))
    return Failure(InvalidArgumentError(path + ": is no regular file; expected a text"));
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error || bytes > kEncodeBytesMax)
    return Failure(NotAccepted(ShowValue(bytes) + " bytes", AcceptedAtMost(kEncodeBytesMax))
                       .WithContext(path));
  std::ifstream file(path, std::ios::binary);
  if (!file) return Failure(PermissionDeniedError(path + ": cannot be read"));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<std::unique_ptr<OfflineModel>> OpenModel(const std::string& path,
                                                const QualityOptions& options) {
  EngineOptions threads;
  threads.threads = options.threads;
  OfflineModelOptions model = {.path = path,
                               .memory_bytes = options.memory_bytes,
                               .context_tokens = options.context_tokens,
                               .threads = ThreadCount(threads),
                               .io_backend = options.io_backend,
                               .kernels = options.kernels,
                               .cancelled = options.cancelled};
  if (model.memory_bytes == 0) {
    EDGEMOE_ASSIGN_OR_FAIL(const ModelHeader header, ReadModelHeader(path));
    EDGEMOE_ASSIGN_OR_FAIL(const OfflineMemory all, PlanOfflineMemory(header, model));
    const std::uint64_t usable_bytes = UsableMemoryBytes();
    model.memory_bytes = all.total_bytes();
    if (usable_bytes != 0) model.memory_bytes = std::min(model.memory_bytes, usable_bytes / 4 * 3);
  }
  Result<std::unique_ptr<OfflineModel>> opened = OfflineModel::Open(model);
  if (!opened) return Failure(opened.error().WithContext(path));
  return opened;
}

QualityProgress ProgressOf(const QualityOptions& options, const std::string& path) {
  if (!options.progress) return {};
  return [&options, &path](std::uint64_t done, std::uint64_t total) {
    options.progress(path, done, total);
  };
}

std::string ScratchDirectory(const QualityOptions& options) {
  if (!options.scratch_directory.empty()) return options.scratch_directory;
  std::error_code error;
  const std::filesystem::path path = std::filesystem::temp_directory_path(error);
  return error ? "/tmp" : path.string();
}

Result<TextWindows> WindowsFor(const OfflineModel& model, std::string_view text,
                               const QualityOptions& options) {
  Result<TextWindows> windows =
      CutWindows(model.tokenizer(), text, options.context_tokens, options.windows_max);
  if (!windows) return Failure(windows.error().WithContext(options.text_path));
  return windows;
}

QualityReport::Divergence ToDivergence(const Quality& quality) {
  return {.mean_kl = quality.mean_kl,
          .kl_p50 = quality.kl_p50,
          .kl_p99 = quality.kl_p99,
          .kl_max = quality.kl_max,
          .reference_perplexity = quality.reference_perplexity,
          .same_top_fraction = quality.same_top_fraction};
}

// `meter`: empty without a reference.
Status Judge(OfflineModel& model, const TextWindows& windows, std::optional<KlMeter>& meter,
             const QualityProgress& progress, QualityReport& report) {
  const SteadyClock clock{};
  const std::uint64_t begin_ns = clock.NowNs();
  if (meter) {
    EDGEMOE_ASSIGN_OR_RETURN(const Quality quality, meter->Measure(model, progress));
    report.divergence = ToDivergence(quality);
    report.perplexity = quality.perplexity;
  } else {
    EDGEMOE_ASSIGN_OR_RETURN(report.perplexity, MeasurePerplexity(model, windows, progress));
  }
  report.windows = windows.count();
  report.tokens = ScoredPositionCount(windows);
  report.memory_bytes = model.memory().total_bytes();
  report.expert_bytes_read = model.account().bytes_read;
  report.elapsed_ns = clock.NowNs() - begin_ns;
  return OkStatus();
}

// The reference's windows and, in `meter`, its probabilities; it is closed again.
Status RecordReference(const QualityOptions& options, std::string_view text, TextWindows& windows,
                       std::optional<KlMeter>& meter) {
  EDGEMOE_ASSIGN_OR_RETURN(const std::unique_ptr<OfflineModel> reference,
                           OpenModel(options.reference_path, options));
  EDGEMOE_ASSIGN_OR_RETURN(windows, WindowsFor(*reference, text, options));
  meter.emplace(windows, KlMeterOptions{.scratch_directory = ScratchDirectory(options)});
  return meter->RecordReference(*reference, ProgressOf(options, options.reference_path));
}

}  // namespace

Result<std::vector<QualityReport>> MeasureQuality(const QualityOptions& options) {
  if (options.model_paths.empty())
    return Failure(InvalidField("model_paths", "none", "at least 1 model"));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string text, ReadText(options.text_path));
  TextWindows reference_windows;
  std::optional<KlMeter> meter;
  if (!options.reference_path.empty())
    EDGEMOE_FAIL_IF_ERROR(RecordReference(options, text, reference_windows, meter));

  std::vector<QualityReport> reports;
  for (const std::string& path : options.model_paths) {
    QualityReport& report = reports.emplace_back();
    EDGEMOE_ASSIGN_OR_FAIL(report.model, DescribeModel(path));
    EDGEMOE_ASSIGN_OR_FAIL(const std::unique_ptr<OfflineModel> model, OpenModel(path, options));
    EDGEMOE_ASSIGN_OR_FAIL(const TextWindows windows, WindowsFor(*model, text, options));
    if (meter && windows.tokens != reference_windows.tokens)
      return Failure(InvalidArgumentError(options.reference_path + ": tokenises the text in " +
                                          "another way than " + path));
    EDGEMOE_FAIL_IF_ERROR(Judge(*model, windows, meter, ProgressOf(options, path), report));
  }
  return reports;
}

}  // namespace edgemoe
