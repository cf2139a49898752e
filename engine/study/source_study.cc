// SPDX-License-Identifier: Apache-2.0
#include "engine/study/source_study.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "engine/base/byte_size.h"
#include "engine/base/check.h"
#include "engine/base/checksum.h"
#include "engine/study/calibration_text.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kBufferBytes = 32 * kMiB;           // of reads, writes and row conversions
constexpr std::uint64_t kReferenceMemoryBytes = 16 * kMiB;  // beyond it they are in a file
// Of each tensor: its place, its measurements in twelve types in a log and a table, its choices.
constexpr std::uint64_t kTensorBytes = 4 * kKiB;
// Of text for each token that is wanted: more than any text worth calibrating with has.
constexpr std::uint64_t kTextBytesPerToken = 64;
constexpr std::string_view kMethodVersion = "2";  // of what is measured, and how

// Weights that one token is multiplied by.
double ActiveWeights(const ModelConfig& config, const std::vector<PackTensor>& tensors) {
  const double share = static_cast<double>(config.expert_used_count) /
                       std::max<std::uint32_t>(config.expert_count, 1);
  double active = 0;
  for (const PackTensor& tensor : tensors)
    active += static_cast<double>(tensor.weights()) * (tensor.of_expert() ? share : 1);
  return active;
}

std::uint64_t WindowsWithin(double work_max, double window_work, std::uint64_t windows_max) {
  const double within = std::clamp(work_max / window_work, 1.0, static_cast<double>(windows_max));
  return static_cast<std::uint64_t>(within);
}

TextWindows Spread(const TextWindows& from, std::uint64_t count) {
  TextWindows picked{from.context_tokens, {}};
  count = std::min<std::uint64_t>(count, from.count());
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto window = from.of(static_cast<std::size_t>(i * from.count() / count));
    picked.tokens.insert(picked.tokens.end(), window.begin(), window.end());
  }
  return picked;
}

// At most so much, in whole characters of UTF-8.
std::string_view BeginningOf(std::string_view text, std::uint64_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  auto end = static_cast<std::size_t>(bytes_max);
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

std::uint64_t BytesBesideModel(const PackSource& source, const std::vector<PackTensor>& tensors) {
  std::map<std::pair<TensorRole, std::uint32_t>, std::uint64_t> groups;
  for (const PackTensor& tensor : tensors)
    groups[{tensor.role, tensor.layer.value}] += tensor.weights();
  std::uint64_t weights_max = 0;
  for (const auto& [group, weights] : groups) weights_max = std::max(weights_max, weights);
  // A group that is probed has at most 4.5 bits a weight; see sensitivity.h.
  return ActivationStats::Bytes(ActivationShape::Of(source.config())) + weights_max * 9 / 16 +
         kReferenceMemoryBytes + kBufferBytes + tensors.size() * kTensorBytes;
}

SourceStudy::SourceStudy(const PackOptions& options, PackSource source)
    : options_(options), source_(std::move(source)) {}

Result<std::unique_ptr<SourceStudy>> SourceStudy::Open(const PackOptions& options) {
  EDGEMOE_ASSIGN_OR_FAIL(PackSource source, PackSource::Open(options.source_path));
  std::unique_ptr<SourceStudy> study(new SourceStudy(options, std::move(source)));
  EDGEMOE_ASSIGN_OR_FAIL(study->tensors_, ListPackTensors(study->source_));
  EDGEMOE_FAIL_IF_ERROR(study->CutText());
  return study;
}

Status SourceStudy::CutText() {
  std::string own_text;
  if (!options_.calibration_path.empty()) {
    EDGEMOE_ASSIGN_OR_RETURN(own_text, ReadCalibrationText(options_.calibration_path));
  }
  const std::string_view text =
      options_.calibration_path.empty() ? DefaultCalibrationText() : std::string_view(own_text);
  EDGEMOE_ASSIGN_OR_RETURN(OfflineModel* const model, SourceModel());
  const std::uint32_t context = std::min(kStudyContextTokens, source_.config().context_length);
  const double window_work = ActiveWeights(source_.config(), tensors_) * context;
  const std::uint64_t windows_max =
      WindowsWithin(kCalibrationWorkMax, window_work, kCalibrationWindowsMax);
  Result<TextWindows> windows =
      CutWindows(model->tokenizer(), BeginningOf(text, windows_max * context * kTextBytesPerToken),
                 context, static_cast<std::size_t>(windows_max));
  if (!windows) {
    const std::string of =
        options_.calibration_path.empty() ? "calibration text" : options_.calibration_path;
    return {windows.error().code(), "calibration_path", of + ": " + windows.error().message()};
  }
  windows_ = *std::move(windows);
  sample_ = Spread(windows_, WindowsWithin(kSampleWorkMax, window_work, kSampleWindowsMax));
  const std::string what = source_.IdentityText() + std::string(kMethodVersion) + " " +
                           Digest128Of(std::as_bytes(std::span(windows_.tokens)));
  identity_ = Digest128Of(std::as_bytes(std::span<const char>(what)));
  const std::filesystem::path folder = std::filesystem::path(options_.output_path).parent_path();
  meter_.emplace(sample_, KlMeterOptions{.memory_bytes_max = kReferenceMemoryBytes,
                                         .scratch_directory = folder.empty() ? "." : folder});
  return OkStatus();
}

OfflineModelOptions SourceStudy::ModelOptions(const std::string& path) const {
  const std::uint64_t beside = BytesBesideModel(source_, tensors_);
  // One byte is refused, and the message says what is needed.
  const std::uint64_t memory = options_.memory_bytes == 0        ? 0
                               : options_.memory_bytes <= beside ? 1
                                                                 : options_.memory_bytes - beside;
  return {.path = path,
          .memory_bytes = memory,
          .context_tokens = std::min(kStudyContextTokens, source_.config().context_length),
          .threads = options_.threads,
          .io_backend = options_.io_backend,
          .cancelled = options_.cancelled};
}

Result<OfflineModel*> SourceStudy::SourceModel() {
  if (model_ == nullptr) {
    EDGEMOE_ASSIGN_OR_FAIL(model_, OfflineModel::Open(ModelOptions(options_.source_path)));
  }
  return model_.get();
}

Status SourceStudy::Calibrate(const std::string& path, const Tell& tell) {
  const ActivationShape shape = ActivationShape::Of(source_.config());
  if (Result<ActivationStats> kept = ActivationStats::Load(path, identity_, shape)) {
    stats_.emplace(*std::move(kept));
    tell(PackProgress::Phase::kCalibrating, calibration_tokens(), calibration_tokens());
  } else {
    EDGEMOE_ASSIGN_OR_RETURN(ActivationStats stats, ActivationStats::Create(shape));
    stats_.emplace(std::move(stats));
    OfflineModelOptions options = ModelOptions(options_.source_path);
    options.observer = &*stats_;
    Release();
    EDGEMOE_ASSIGN_OR_RETURN(const std::unique_ptr<OfflineModel> model,
                             OfflineModel::Open(options));
    for (std::size_t window = 0; window < windows_.count(); ++window) {
      tell(PackProgress::Phase::kCalibrating, window * windows_.context_tokens,
           calibration_tokens());
      // The output matrix has inputs where a next token is predicted.
      EDGEMOE_RETURN_IF_ERROR(model->RunWindow(windows_.of(window), 0, [](auto, auto) {}));
    }
    tell(PackProgress::Phase::kCalibrating, calibration_tokens(), calibration_tokens());
    EDGEMOE_RETURN_IF_ERROR(stats_->Save(path, identity_));
  }
  weights_.emplace(*stats_, source_.config(), tied_output());
  return OkStatus();
}

Result<Quality> SourceStudy::Measure(OfflineModel& model, const QualityProgress& progress) {
  EDGEMOE_CHECK(has_reference_, "the reference was recorded");
  return meter_->Measure(model, progress);
}

Status SourceStudy::RecordReference() {
  if (has_reference_) return OkStatus();
  EDGEMOE_ASSIGN_OR_RETURN(OfflineModel* const source, SourceModel());
  source->ClearReplacements();
  EDGEMOE_RETURN_IF_ERROR(meter_->RecordReference(*source));
  has_reference_ = true;
  return OkStatus();
}

Result<Quality> SourceStudy::MeasureFile(const std::string& path, const QualityProgress& progress) {
  EDGEMOE_FAIL_IF_ERROR(RecordReference());
  Release();
  EDGEMOE_ASSIGN_OR_FAIL(const std::unique_ptr<OfflineModel> model, OpenModel(path));
  return Measure(*model, progress);
}

}  // namespace edgemoe
