// SPDX-License-Identifier: Apache-2.0
#include "engine/study/kl_meter.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

constexpr std::size_t kStepCount = 65536;
constexpr double kDistanceMax = 32;  // nats

// ---- Positions ----

std::size_t FirstScored(const TextWindows& windows) { return windows.context_tokens / 2; }
// The last token has no next one.
std::size_t ScoredPerWindow(const TextWindows& windows) {
  return windows.context_tokens - 1 - FirstScored(windows);
}

struct ScoredPosition {
  std::uint64_t index = 0;  // among all that are scored
  TokenId next;
  std::span<const float> logits;
};
using OnPosition = std::function<Status(const ScoredPosition& position)>;

Status RunWindows(OfflineModel& model, const TextWindows& windows, const QualityProgress& progress,
                  const OnPosition& on_position) {
  const std::size_t first = FirstScored(windows);
  const std::size_t per_window = ScoredPerWindow(windows);
  for (std::size_t window = 0; window < windows.count(); ++window) {
    const std::span<const TokenId> tokens = windows.of(window);
    Status status;
    EDGEMOE_RETURN_IF_ERROR(
        model.RunWindow(tokens.first(tokens.size() - 1), first,
                        [&](std::size_t position, std::span<const float> logits) {
                          if (!status.ok()) return;
                          status = on_position({.index = window * per_window + position - first,
                                                .next = tokens[position + 1],
                                                .logits = logits});
                        }));
    EDGEMOE_RETURN_IF_ERROR(status);
    if (progress) progress((window + 1) * per_window, ScoredPositionCount(windows));
  }
  return OkStatus();
}

// ---- Distributions ----

// A softmax that was not computed yet: the log-probability of token i is logits[i] - log_sum.
struct Distribution {
  std::size_t top_token = 0;
  double log_sum = 0;
};

Result<Distribution> DistributionOf(const ScoredPosition& position) {
  const std::span<const float> logits = position.logits;
  Distribution result;
  result.top_token =
      static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  const double top = logits[result.top_token];
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - top);
  if (!std::isfinite(sum) || !std::isfinite(top))
    return Failure(InternalError("logits of scored position " + std::to_string(position.index) +
                                 " are not finite numbers: the weights are damaged"));
  result.log_sum = top + std::log(sum);
  return result;
}

double NextLogprob(const ScoredPosition& position, const Distribution& distribution) {
  return position.logits[static_cast<std::size_t>(position.next.value)] - distribution.log_sum;
}

// The q-quantile of sorted values.
double Quantile(const std::vector<double>& sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double share = place - static_cast<double>(below);
  return sorted[below] + share * (sorted[above] - sorted[below]);
}

// ---- The scratch file ----

Result<UniqueFd> OpenScratch(const std::string& directory, std::uint64_t bytes) {
  std::string path = directory + "/edgemoe-quality-XXXXXX";
  UniqueFd file(::mkostemp(path.data(), O_CLOEXEC));
  if (!file.valid()) return Failure(ErrnoStatus(errno, "scratch file in " + directory));
  if (::unlink(path.c_str()) != 0) return Failure(ErrnoStatus(errno, path));
  // File systems that cannot set room aside say so when it is used up.
  if (::fallocate(file.get(), 0, 0, static_cast<off_t>(bytes)) != 0 && errno != EOPNOTSUPP)
    return Failure(
        ErrnoStatus(errno, "scratch file of " + std::to_string(bytes) + " bytes in " + directory));
  return file;
}

enum class Transfer : std::uint8_t { kRead, kWrite };

Status TransferAll(Transfer transfer, int fd, std::byte* bytes, std::size_t count,
                   std::uint64_t offset) {
  while (count > 0) {
    const auto place = static_cast<off_t>(offset);
    const ssize_t done = transfer == Transfer::kRead ? ::pread(fd, bytes, count, place)
                                                     : ::pwrite(fd, bytes, count, place);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return ErrnoStatus(errno, "scratch file");
    if (done == 0) return DataLossError("scratch file: ends early");
    bytes += done;
    offset += static_cast<std::uint64_t>(done);
    count -= static_cast<std::size_t>(done);
  }
  return OkStatus();
}

}  // namespace

std::uint64_t ScoredPositionCount(const TextWindows& windows) {
  return std::uint64_t{windows.count()} * ScoredPerWindow(windows);
}

Result<double> MeasurePerplexity(OfflineModel& model, const TextWindows& windows,
                                 const QualityProgress& progress) {
  double sum = 0;
  EDGEMOE_FAIL_IF_ERROR(
      RunWindows(model, windows, progress, [&](const ScoredPosition& position) -> Status {
        EDGEMOE_ASSIGN_OR_RETURN(const Distribution distribution, DistributionOf(position));
        sum += NextLogprob(position, distribution);
        return OkStatus();
      }));
  return std::exp(-sum / static_cast<double>(ScoredPositionCount(windows)));
}

KlMeter::KlMeter(const TextWindows& windows, KlMeterOptions options)
    : windows_(windows),
      options_(std::move(options)),
      distances_(kStepCount),
      weights_(kStepCount) {
  EDGEMOE_CHECK(windows.count() > 0 && windows.context_tokens >= kWindowTokensMin,
                "nothing to be scored");
  for (std::size_t step = 0; step < kStepCount; ++step) {
    const double share = static_cast<double>(step) / (kStepCount - 1);
    distances_[step] = static_cast<float>(kDistanceMax * share * share);
    weights_[step] = static_cast<float>(std::exp(-kDistanceMax * share * share));
  }
}

std::uint64_t KlMeter::ReferenceBytes(std::uint32_t vocabulary_size) const {
  return ScoredPositionCount(windows_) * vocabulary_size * sizeof(std::uint16_t);
}

Status KlMeter::RecordReference(OfflineModel& model, const QualityProgress& progress) {
  vocabulary_size_ = 0;
  EDGEMOE_RETURN_IF_ERROR(OpenStore(model.config().vocabulary_size));
  positions_.assign(ScoredPositionCount(windows_), {});
  EDGEMOE_RETURN_IF_ERROR(
      RunWindows(model, windows_, progress, [&](const ScoredPosition& position) -> Status {
        EDGEMOE_ASSIGN_OR_RETURN(const Distribution distribution, DistributionOf(position));
        positions_[position.index] = {NextLogprob(position, distribution), distribution.top_token};
        return Store(position.index, position.logits);
      }));
  vocabulary_size_ = model.config().vocabulary_size;
  return OkStatus();
}

Status KlMeter::OpenStore(std::uint32_t vocabulary_size) {
  file_.Reset();
  steps_.clear();
  const std::uint64_t bytes = ReferenceBytes(vocabulary_size);
  if (bytes <= options_.memory_bytes_max) {
    steps_.resize(bytes / sizeof(std::uint16_t));
    return OkStatus();
  }
  steps_.resize(vocabulary_size);
  EDGEMOE_ASSIGN_OR_RETURN(file_, OpenScratch(options_.scratch_directory, bytes));
  return OkStatus();
}

Status KlMeter::Store(std::uint64_t position, std::span<const float> logits) {
  std::uint16_t* const row = steps_.data() + (file_.valid() ? 0 : position * logits.size());
  const float top = *std::max_element(logits.begin(), logits.end());
  constexpr auto kScale = static_cast<float>((kStepCount - 1) * (kStepCount - 1) / kDistanceMax);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const float step = std::sqrt((top - logits[i]) * kScale) + 0.5F;
    row[i] = static_cast<std::uint16_t>(std::min(step, static_cast<float>(kStepCount - 1)));
  }
  if (!file_.valid()) return OkStatus();
  const std::size_t bytes = logits.size() * sizeof(*row);
  return TransferAll(Transfer::kWrite, file_.get(), reinterpret_cast<std::byte*>(row), bytes,
                     position * bytes);
}

Result<const std::uint16_t*> KlMeter::Load(std::uint64_t position) {
  if (!file_.valid()) return steps_.data() + position * vocabulary_size_;
  const std::size_t bytes = vocabulary_size_ * sizeof(steps_[0]);
  EDGEMOE_FAIL_IF_ERROR(TransferAll(Transfer::kRead, file_.get(),
                                    reinterpret_cast<std::byte*>(steps_.data()), bytes,
                                    position * bytes));
  return steps_.data();
}

Result<Quality> KlMeter::Measure(OfflineModel& model, const QualityProgress& progress) {
  if (vocabulary_size_ == 0) return Failure(FailedPreconditionError("no reference was recorded"));
  if (model.config().vocabulary_size != vocabulary_size_)
    return Failure(FailedPreconditionError(
        "the model's vocabulary has " + std::to_string(model.config().vocabulary_size) +
        " tokens; expected the reference's " + std::to_string(vocabulary_size_)));
  double logprob_sum = 0;
  std::uint64_t same_top = 0;
  std::vector<double> divergences(positions_.size());
  EDGEMOE_FAIL_IF_ERROR(
      RunWindows(model, windows_, progress, [&](const ScoredPosition& position) -> Status {
        EDGEMOE_ASSIGN_OR_RETURN(const Distribution distribution, DistributionOf(position));
        EDGEMOE_ASSIGN_OR_RETURN(const std::uint16_t* const steps, Load(position.index));
        const double divergence = DivergenceOf(steps, position.logits) + distribution.log_sum;
        divergences[position.index] = std::max(divergence, 0.0);  // below by rounding alone
        logprob_sum += NextLogprob(position, distribution);
        same_top += distribution.top_token == positions_[position.index].top_token ? 1 : 0;
        return OkStatus();
      }));

  const auto count = static_cast<double>(positions_.size());
  double reference_sum = 0;
  for (const Position& position : positions_) reference_sum += position.next_logprob;
  Quality quality;
  for (const double divergence : divergences) quality.mean_kl += divergence / count;
  std::sort(divergences.begin(), divergences.end());
  quality.kl_p50 = Quantile(divergences, 0.5);
  quality.kl_p99 = Quantile(divergences, 0.99);
  quality.kl_max = divergences.back();
  quality.reference_perplexity = std::exp(-reference_sum / count);
  quality.perplexity = std::exp(-logprob_sum / count);
  quality.same_top_fraction = static_cast<double>(same_top) / count;
  quality.tokens = positions_.size();
  return quality;
}

// Less the model's own log_sum: with p(i) = weight(i) / sum, the sum of p(i) * (log p(i) - logit).
double KlMeter::DivergenceOf(const std::uint16_t* steps, std::span<const float> logits) const {
  double sum = 0;
  double weighted = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    // A token that neither model ever writes.
    if (steps[i] == kStepCount - 1 && std::isinf(logits[i])) continue;
    const double weight = weights_[steps[i]];
    sum += weight;
    weighted -= weight * (double{distances_[steps[i]]} + double{logits[i]});
  }
  return weighted / sum - std::log(sum);
}

}  // namespace edgemoe
