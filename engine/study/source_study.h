// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/pack/pack_request.h"
#include "engine/pack/pack_source.h"
#include "engine/pack/pack_tensors.h"
#include "engine/study/activation_stats.h"
#include "engine/study/error_weights.h"
#include "engine/study/kl_meter.h"
#include "engine/study/offline_model.h"
#include "engine/study/text_windows.h"

namespace edgemoe {

constexpr std::uint32_t kStudyContextTokens = 512;
// Bounds of text, in windows, and of work, in multiply-adds: of a large model less text is run.
constexpr std::uint64_t kCalibrationWindowsMax = 64;
constexpr double kCalibrationWorkMax = 1e13;
constexpr std::uint64_t kSampleWindowsMax = 8;
constexpr double kSampleWorkMax = 5e11;

// What a job knows of its source: the tensors, what calibration text does in them, and a sample of
// that text on which models are held against the source. Confined to the job's thread.
class SourceStudy {
 public:
  // Opens the source and the text, runs nothing. `options` outlives the study.
  static Result<std::unique_ptr<SourceStudy>> Open(const PackOptions& options);

  PackSource& source() { return source_; }
  const PackSource& source() const { return source_; }
  const std::vector<PackTensor>& tensors() const { return tensors_; }
  bool tied_output() const { return source_.layout().tied_output; }
  // Source, text and settings: what measurements belong to.
  const std::string& identity() const { return identity_; }
  std::uint64_t calibration_tokens() const { return windows_.tokens.size(); }

  using Tell = std::function<void(PackProgress::Phase, std::uint64_t done, std::uint64_t total)>;

  // Runs the text through the source, or takes what an earlier job left at `path`, and leaves it
  // there.
  Status Calibrate(const std::string& path, const Tell& tell);
  // REQUIRES: Calibrate, as the next.
  const ActivationStats& stats() const { return *stats_; }
  const ErrorWeights& weights() const { return *weights_; }

  // The source, ready to be overlaid and measured; kept until Release.
  Result<OfflineModel*> SourceModel();
  // Runs the sample through the source, once: what models are held against.
  Status RecordReference();
  // Holds a model against the source on the sample. REQUIRES: RecordReference.
  Result<Quality> Measure(OfflineModel& model, const QualityProgress& progress = {});
  // Another file, a pack of this source, to be measured. Give the source's memory back first.
  Result<std::unique_ptr<OfflineModel>> OpenModel(const std::string& path) const {
    return OfflineModel::Open(ModelOptions(path));
  }
  // All at once, with this file; records the reference when there is none.
  Result<Quality> MeasureFile(const std::string& path, const QualityProgress& progress = {});
  // Gives back the memory of the source's model.
  void Release() { model_.reset(); }

 private:
  SourceStudy(const PackOptions& options, PackSource source);
  Status CutText();
  OfflineModelOptions ModelOptions(const std::string& path) const;

  const PackOptions& options_;
  PackSource source_;
  std::vector<PackTensor> tensors_;
  std::string identity_;
  TextWindows windows_;  // of the calibration text
  TextWindows sample_;   // some of them, evenly spread
  std::optional<ActivationStats> stats_;
  std::optional<ErrorWeights> weights_;
  std::unique_ptr<OfflineModel> model_;
  std::optional<KlMeter> meter_;
  bool has_reference_ = false;
};

// What a job holds beside a model: statistics, a group of tensors in another type, buffers.
std::uint64_t BytesBesideModel(const PackSource& source, const std::vector<PackTensor>& tensors);

}  // namespace edgemoe
