// SPDX-License-Identifier: Apache-2.0
#include "engine/bits/adaptive_pack.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "engine/base/byte_size.h"
#include "engine/base/check.h"
#include "engine/base/checksum.h"
#include "engine/bits/expert_ablation.h"
#include "engine/bits/sensitivity.h"
#include "engine/bits/type_search.h"
#include "engine/pack/pack_layout.h"
#include "engine/pack/type_summary.h"
#include "engine/pack/writer.h"
#include "engine/study/source_study.h"

namespace edgemoe {
namespace {

using Phase = PackProgress::Phase;

constexpr TensorType kCandidates[] = {TensorType::kQ2_K,   TensorType::kQ3_K, TensorType::kMXFP4,
                                      TensorType::kIQ4_NL, TensorType::kQ4_0, TensorType::kQ4_K,
                                      TensorType::kQ4_1,   TensorType::kQ5_0, TensorType::kQ5_K,
                                      TensorType::kQ5_1,   TensorType::kQ6_K, TensorType::kQ8_0};
constexpr double kProbeBitsDefault = 4;  // where the target names none
constexpr int kFitTriesMax = 8;          // until the padded file is within its size

// An error of a search for types: what no choice can reach is a fault of the target.
Status AboutTarget(const char* field, const Status& error) {
  return error.code() == StatusCode::kOutOfRange ? error.InField(field) : error.WithContext(field);
}

class AdaptivePack {
 public:
  explicit AdaptivePack(const PackOptions& options)
      : options_(options), pool_(options.threads), progress_{.phase = Phase::kCalibrating} {}

  Result<PackReport> Run() {
    EDGEMOE_FAIL_IF_ERROR(CheckOutput());
    EDGEMOE_ASSIGN_OR_FAIL(study_, SourceStudy::Open(options_));
    for (const PackTensor& tensor : study_->tensors()) weights_ += tensor.weights();
    EDGEMOE_ASSIGN_OR_FAIL(const PackLayout as_source, PackLayout::Make(study_->source(), {}));
    header_bytes_ = as_source.header_bytes();
    EDGEMOE_FAIL_IF_ERROR(CheckTarget());
    EDGEMOE_ASSIGN_OR_FAIL(MeasurementLog log,
                           MeasurementLog::Open(Beside("probes"), study_->identity()));
    log_.emplace(std::move(log));
    EDGEMOE_FAIL_IF_ERROR(study_->Calibrate(
        Beside("calibration"), [this](Phase phase, std::uint64_t done, std::uint64_t total) {
          Tell(phase, done, total);
        }));
    EDGEMOE_FAIL_IF_ERROR(MakeSearch());
    EDGEMOE_ASSIGN_OR_FAIL(const TensorTypes types, Choose());
    EDGEMOE_ASSIGN_OR_FAIL(PackReport report, Report(types));
    if (!options_.plan_only) EDGEMOE_FAIL_IF_ERROR(Write(types, &report));
    return report;
  }

 private:
  std::string Beside(const char* what) const { return options_.output_path + ".partial." + what; }

  // What the writer would find after hours.
  Status CheckOutput() const {
    if (options_.plan_only) return OkStatus();
    EDGEMOE_ASSIGN_OR_RETURN(const PackSource source, PackSource::Open(options_.source_path));
    return CheckPackTarget(options_.output_path, options_.overwrite, source.files());
  }

  // What no measurement could change; nothing is written yet.
  Status CheckTarget() const {
    const std::uint64_t least_bytes = LeastBytes();
    const PackTarget& target = options_.target;
    if (target.bits && BytesFor(*target.bits) < least_bytes) return TooFewBits(least_bytes);
    if (target.file_bytes && *target.file_bytes < header_bytes_ + least_bytes)
      return {StatusCode::kOutOfRange, "size_bytes",
              "found " + std::to_string(*target.file_bytes) +
                  "; the least that any choice of types takes is " +
                  FormatByteSize(header_bytes_ + least_bytes) + " (" +
                  std::to_string(header_bytes_ + least_bytes) + " bytes)"};
    return OkStatus();
  }

  // Of weights; no choice of types takes fewer.
  std::uint64_t LeastBytes() const {
    switch (options_.method) {
      case PackMethod::kCopy: EDGEMOE_CHECK(false, "a copy chooses nothing"); break;
      case PackMethod::kUniform: return MakeUniformSearch(*study_)->least_bytes();
      case PackMethod::kEdgemoe: {
        const ModelConfig& config = study_->source().config();
        const std::vector<double> alike(std::size_t{config.layer_count()} * config.expert_count);
        return MakeEdgemoeSearch(*study_, alike)->least_bytes();
      }
      case PackMethod::kSensitivity: break;
    }
    std::uint64_t least_bytes = 0;
    for (const PackTensor& tensor : study_->tensors()) {
      std::uint64_t bytes = PaddedBytes(tensor, tensor.source_type);
      for (const TensorType type : kCandidates)
        if (tensor.Takes(type)) bytes = std::min(bytes, PaddedBytes(tensor, type));
      least_bytes += bytes;
    }
    return least_bytes;
  }

  std::uint64_t BytesFor(double bits) const {
    return static_cast<std::uint64_t>(bits / 8 * static_cast<double>(weights_));
  }

  Status TooFewBits(std::uint64_t least_bytes) const {
    char text[96];
    std::snprintf(text, sizeof(text), "found %.4g, the least that any choice has is %.4g",
                  *options_.target.bits, BitsFor(least_bytes));
    return {StatusCode::kOutOfRange, "bits", text};
  }

  void Tell(Phase phase, std::uint64_t done, std::uint64_t total, std::uint64_t resumed = 0) {
    progress_.phase = phase;
    progress_.done = done;
    progress_.total = total;
    progress_.resumed = resumed;
    if (options_.progress) options_.progress(progress_);
  }

  double BitsFor(std::uint64_t weight_bytes) const {
    return 8.0 * static_cast<double>(weight_bytes) / static_cast<double>(weights_);
  }

  Status MakeSearch() {
    switch (options_.method) {
      case PackMethod::kCopy: EDGEMOE_CHECK(false, "a copy chooses nothing"); break;
      case PackMethod::kUniform: search_ = MakeUniformSearch(*study_); break;
      case PackMethod::kEdgemoe: return MakeEdgemoe();
      case PackMethod::kSensitivity: return MakeSensitivity();
    }
    return OkStatus();
  }

  Status MakeEdgemoe() {
    const AblationJob job = {
        .base_path = Beside("base"),
        .threads = options_.threads,
        .pool = &pool_,
        .log = &*log_,
        .cancelled = options_.cancelled,
        .progress = [this](auto done, auto total) { CountProbe(done, total); }};
    EDGEMOE_ASSIGN_OR_RETURN(const std::vector<double> importance, AblateExperts(*study_, job));
    search_ = MakeEdgemoeSearch(*study_, importance);
    return OkStatus();
  }

  Status MakeSensitivity() {
    const DamageJob damage = {
        .tensors = study_->tensors(),
        .types = {std::begin(kCandidates), std::end(kCandidates)},
        .weights = &study_->weights(),
        .pool = &pool_,
        .log = &*log_,
        .cancelled = options_.cancelled,
        .progress = [this](auto done, auto total) { Tell(Phase::kMeasuring, done, total); }};
    study_->Release();
    EDGEMOE_ASSIGN_OR_RETURN(DamageTable damages, MeasureDamage(study_->source(), damage));
    damages_.emplace(std::move(damages));
    const SensitivityJob job = {
        .damages = &*damages_,
        .bits = ProbeBits(),
        .pool = &pool_,
        .log = &*log_,
        .cancelled = options_.cancelled,
        .progress = [this](auto done, auto total) { CountProbe(done, total); }};
    EDGEMOE_ASSIGN_OR_RETURN(Sensitivity sensitivity, MeasureSensitivity(*study_, job));
    sensitivity_.emplace(std::move(sensitivity));
    search_ = MakeSensitivitySearch(*study_, *damages_, *sensitivity_, options_.granularity);
    return OkStatus();
  }

  void CountProbe(std::uint64_t done, std::uint64_t total) {
    probe_count_ = total;
    Tell(Phase::kProbing, done, total);
  }

  double ProbeBits() const {
    if (options_.target.bits) return *options_.target.bits;
    if (options_.target.file_bytes) return BitsFor(*options_.target.file_bytes);
    return kProbeBitsDefault;
  }

  PackRecipe RecipeOf(const TensorTypes& types) const {
    const ErrorWeights& weights = study_->weights();
    return {.method = PackMethodName(options_.method),
            .types = types,
            .entries = {{std::string(kPackCalibrationKey), study_->identity()}},
            .importance = [&weights](const PackTensor& tensor, std::vector<float>* importance) {
              *importance = weights.Columns(tensor);
            }};
  }

  Result<TensorTypes> Choose() {
    const PackTarget& target = options_.target;
    if (target.kl_max) {
      Result<TensorTypes> types =
          search_->Smallest(*target.kl_max, [&](const TensorTypes& tried) -> Result<double> {
            EDGEMOE_ASSIGN_OR_FAIL(const Trial trial, TryOut(tried));
            return trial.kl / *target.kl_max;
          });
      if (!types) return Failure(AboutTarget("max_kl", types.error()));
      return types;
    }
    if (target.perplexity_increase_max) {
      const double most = *target.perplexity_increase_max;
      Result<TensorTypes> types =
          search_->Smallest(std::log1p(most), [&](const TensorTypes& tried) -> Result<double> {
            EDGEMOE_ASSIGN_OR_FAIL(const Trial trial, TryOut(tried));
            return (trial.perplexity_ratio - 1) / most;
          });
      if (!types) return Failure(AboutTarget("max_ppl_increase", types.error()));
      return types;
    }
    if (target.bits) {
      Result<TensorTypes> types = search_->WithinBytes(BytesFor(*target.bits));
      if (types || types.error().code() != StatusCode::kOutOfRange) return types;
      return Failure(TooFewBits(search_->least_bytes()));
    }
    return ChooseForFile(*target.file_bytes);
  }

  // Padding depends on neighbours: what is too much is taken off.
  Result<TensorTypes> ChooseForFile(std::uint64_t file_bytes) {
    std::uint64_t bytes = file_bytes - std::min(file_bytes, header_bytes_);
    for (int i = 0;; ++i) {
      Result<TensorTypes> types = search_->WithinBytes(bytes);
      if (!types)
        return Failure(AboutTarget(
            "size_bytes",
            types.error().WithContext("found " + std::to_string(file_bytes) + ", of which " +
                                      std::to_string(header_bytes_) + " are the header's")));
      EDGEMOE_ASSIGN_OR_FAIL(const PackLayout plan,
                             PackLayout::Make(study_->source(), RecipeOf(*types)));
      if (plan.file_bytes() <= file_bytes) return types;
      const std::uint64_t excess = plan.file_bytes() - file_bytes;
      if (i == kFitTriesMax || excess >= bytes)
        return Failure(Status(StatusCode::kOutOfRange, "size_bytes",
                              "found " + std::to_string(file_bytes) + ", the nearest pack has " +
                                  std::to_string(plan.file_bytes())));
      bytes -= excess;
    }
  }

  struct Trial {
    double kl = 0;
    double perplexity_ratio = 0;
  };
  // Writes a pack of these types, measures it, and takes it away again.
  Result<Trial> TryOut(const TensorTypes& types) {
    const std::string digest = Digest128Of(std::as_bytes(std::span(types)));
    const std::optional<double> kl = log_->Find("try/kl/" + digest);
    const std::optional<double> ratio = log_->Find("try/ratio/" + digest);
    if (kl && ratio) return Trial{*kl, *ratio};
    PackJob job = JobFor(types, Beside("trial"), Phase::kTrying);
    job.overwrite = true;
    EDGEMOE_FAIL_IF_ERROR(study_->RecordReference());
    study_->Release();
    const Result<PackResult> written = RunPackJob(job);
    if (!written) return Failure(written.error());
    const Result<Quality> quality = study_->MeasureFile(job.output_path);
    std::error_code ignored;
    std::filesystem::remove(job.output_path, ignored);
    if (!quality) return Failure(quality.error());
    const Trial trial = {quality->mean_kl, quality->perplexity / quality->reference_perplexity};
    EDGEMOE_FAIL_IF_ERROR(log_->Add("try/kl/" + digest, trial.kl));
    EDGEMOE_FAIL_IF_ERROR(log_->Add("try/ratio/" + digest, trial.perplexity_ratio));
    EDGEMOE_FAIL_IF_ERROR(log_->Sync());
    return trial;
  }

  PackJob JobFor(const TensorTypes& types, const std::string& path, Phase phase) {
    PackJob job;
    job.source_path = options_.source_path;
    job.output_path = path;
    job.overwrite = options_.overwrite;
    job.recipe = RecipeOf(types);
    job.threads = options_.threads;
    job.cancelled = options_.cancelled;
    // Told first: what an earlier job had written.
    job.progress = [this, phase, resumed = std::optional<std::uint64_t>()](
                       std::uint64_t done, std::uint64_t total) mutable {
      if (!resumed) resumed = done;
      Tell(phase, done, total, *resumed);
    };
    return job;
  }

  Result<PackReport> Report(const TensorTypes& types) {
    EDGEMOE_ASSIGN_OR_FAIL(const PackLayout plan,
                           PackLayout::Make(study_->source(), RecipeOf(types)));
    PackReport report;
    report.output_path = options_.output_path;
    report.source_bytes = study_->source().file_bytes();
    report.file_bytes = plan.file_bytes();
    report.weight_bytes = plan.weight_bytes();
    report.layer_count = study_->source().config().layer_count();
    report.experts_per_layer = study_->source().config().expert_count;
    report.method = options_.method;
    report.plan_only = options_.plan_only;
    std::uint64_t source_bytes = 0;
    for (const PackTensor& tensor : study_->tensors()) source_bytes += tensor.source_bytes;
    report.source_bits = BitsFor(source_bytes);
    report.bits = BitsFor(plan.weight_bytes());
    if (const double kl = search_->ExpectedKl(types); kl >= 0) report.expected_kl = kl;
    report.calibration_tokens = study_->calibration_tokens();
    report.probe_count = probe_count_;
    report.experts_never_used = static_cast<std::uint32_t>(study_->stats().never_used_count());
    report.rows = SummarizeTypes(study_->tensors(), types);
    report.curve = search_->Curve();
    for (PackPoint& point : report.curve) {
      point.bits = BitsFor(point.file_bytes);
      point.file_bytes += header_bytes_;
    }
    progress_.planned_file_bytes = report.file_bytes;
    progress_.planned_bits = report.bits;
    progress_.planned_kl = report.expected_kl;
    return report;
  }

  Status Write(const TensorTypes& types, PackReport* report) {
    PackJob job = JobFor(types, options_.output_path, Phase::kCopying);
    job.before_publish = [&](const std::string& path) { return Verify(path, report); };
    study_->Release();
    Result<PackResult> written = RunPackJob(job);
    if (!written) return written.error();
    report->resumed_bytes = written->resumed_bytes;
    report->source_digest = std::move(written->source_digest);
    RemoveCheckpoints();
    return OkStatus();
  }

  // Those of jobs with another target or method, too.
  void RemoveCheckpoints() {
    std::error_code ignored;
    for (const char* const what : {"calibration", "base", "trial"})
      for (const char* const state : {"", ".partial", ".partial.journal"})
        std::filesystem::remove(Beside(what) + state, ignored);
    log_->Remove();  // the lock last
  }

  Status Verify(const std::string& path, PackReport* report) {
    const auto tell = [this](std::uint64_t done, std::uint64_t total) {
      Tell(Phase::kVerifying, done, total);
    };
    EDGEMOE_ASSIGN_OR_RETURN(const Quality quality, study_->MeasureFile(path, tell));
    report->quality = PackQuality{.source_perplexity = quality.reference_perplexity,
                                  .perplexity = quality.perplexity,
                                  .mean_kl = quality.mean_kl,
                                  .kl_p99 = quality.kl_p99,
                                  .same_top_fraction = quality.same_top_fraction,
                                  .tokens = quality.tokens};
    Tell(Phase::kFinishing, report->weight_bytes, report->weight_bytes);
    return OkStatus();
  }

  const PackOptions& options_;
  ComputePool pool_;
  PackProgress progress_;
  std::unique_ptr<SourceStudy> study_;
  std::optional<MeasurementLog> log_;
  std::uint64_t weights_ = 0;  // of the model
  std::uint64_t header_bytes_ = 0;
  std::uint64_t probe_count_ = 0;
  std::optional<DamageTable> damages_;
  std::optional<Sensitivity> sensitivity_;
  std::unique_ptr<TypeSearch> search_;
};

}  // namespace

Result<PackReport> RunAdaptivePack(const PackOptions& options) {
  return AdaptivePack(options).Run();
}

Result<PackMemory> PlanPackMemory(const PackOptions& options) {
  EDGEMOE_ASSIGN_OR_FAIL(const PackSource source, PackSource::Open(options.source_path));
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<PackTensor> tensors, ListPackTensors(source));
  EDGEMOE_ASSIGN_OR_FAIL(const ModelHeader header, ReadModelHeader(options.source_path));
  const std::uint64_t beside = BytesBesideModel(source, tensors);
  const OfflineModelOptions model = {
      .path = options.source_path,
      .context_tokens = std::min(kStudyContextTokens, source.config().context_length),
      .threads = options.threads};
  EDGEMOE_ASSIGN_OR_FAIL(const OfflineMemory memory, PlanOfflineMemory(header, model));
  return PackMemory{.least_bytes = memory.least_bytes + beside,
                    .useful_bytes = memory.total_bytes() + beside};
}

}  // namespace edgemoe
