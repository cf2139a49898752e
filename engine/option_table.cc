// SPDX-License-Identifier: Apache-2.0
#include "engine/option_table.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "engine/base/accepted.h"
#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "engine/cache/policy_factory.h"
#include "engine/io/fault_schedule.h"
#include "engine/io/reader_factory.h"

namespace edgemoe {
namespace {

Status CheckFaults(const std::string& text) {
  const Result<FaultSchedule> faults = ParseFaultSchedule(text);
  return faults ? OkStatus() : faults.error();
}

Status CheckUtf8(const std::string& text) {
  const std::size_t invalid = FindInvalidUtf8(text);
  if (invalid == std::string_view::npos) return OkStatus();
  return NotAccepted("a byte that is not UTF-8 at offset " + ShowValue(invalid), "UTF-8");
}

EngineOption Count(std::string_view name, EngineOptionMember<std::uint32_t> at, const char* unit,
                   std::uint32_t least, std::uint32_t most, std::string_view meaning) {
  return {name, CountOption{at, least, most},
          std::string(unit) + ", in " + AcceptedRange(least, most), meaning};
}

// "\"auto\", \"io_uring\" or \"pread\"".
EngineOption Name(std::string_view name, EngineOptionMember<std::string> at,
                  std::span<const std::string_view> names, std::string_view meaning) {
  return {name, NameOption{at, names},
          AcceptedNames(names.first(names.size() - 1)) + " or " + ShowValue(names.back()), meaning};
}

EngineOption Number(std::string_view name, EngineOptionMember<std::optional<double>> at,
                    SamplingRange range, std::string_view meaning, bool whole = false) {
  const NumberOption kind{at, range, whole};
  return {name, kind, "\"auto\" or " + AcceptedNumber(kind), meaning};
}

std::vector<EngineOption> ChatOptions() {
  using O = EngineOptions;
  return {
      {"system_prompt", TextOption{&O::system_prompt, CheckUtf8}, "text",
       "What a conversation begins with that has no system message of its own. Empty: nothing."},
      {"template_file", TextOption{&O::template_file}, "text: a path, or empty",
       "A chat template in Jinja, instead of the one in the model's file. Empty: that one."},
      Number("temperature", &O::temperature, kTemperatureRange,
             "Sampling of requests that do not say it themselves: how evenly tokens are drawn; 0: "
             "always the most likely one. auto: what the model's file recommends, else 0.8."),
      Number("top_k", &O::top_k, {0, kTopKMax},
             "Only so many of the most likely tokens; 0: all. auto: as the file says, else 40.",
             true),
      Number("top_p", &O::top_p, kTopPRange,
             "Only the fewest tokens whose probabilities reach this sum; 1: all. auto: as the file "
             "says, else 0.95."),
      Number("min_p", &O::min_p, kMinPRange,
             "Only tokens at least this likely relative to the best one; 0: all. auto: as the file "
             "says, else 0.05."),
      Number("repetition_penalty", &O::repetition_penalty, kRepetitionPenaltyRange,
             "Divides the logits of recent tokens; 1: off. auto: as the file says, else 1."),
      Number("presence_penalty", &O::presence_penalty, kOccurrencePenaltyRange,
             "Taken off the logits of recent tokens. auto: 0."),
      Number("frequency_penalty", &O::frequency_penalty, kOccurrencePenaltyRange,
             "Taken off for each time that a recent token occurred. auto: 0."),
      Number("penalty_last_n", &O::penalty_last_n, {0, kPenaltyLastNMax},
             "How many recent tokens the penalties see. auto: as the file says, else 64.", true),
  };
}

std::vector<EngineOption> ModelOptions() {
  using O = EngineOptions;
  return {
      {"model_path", TextOption{&O::model_path}, "text: a path; required to run",
       "The GGUF file to serve; of a split model the first part. The daemon takes a model's name, "
       "too."},
      {"model_name", TextOption{&O::model_name}, "text",
       "What requests call the model. Empty: the file's name without .gguf."},
      {"memory_budget_bytes", SizeOption{&O::memory_budget_bytes},
       "\"auto\" or bytes as in \"1200MiB\", \"1.5GiB\", 1258291200",
       "Memory for everything: dense weights, sequence state, workspace and experts. auto: three "
       "quarters of usable memory, at most what the whole model needs."},
      {"expert_budget_bytes", SizeOption{&O::expert_budget_bytes}, "\"auto\" or bytes as above",
       "At most so much of the budget for experts. auto: all that the rest leaves."},
      Count("idle_shrink_after_s", &O::idle_shrink_after_s, "seconds", 0, 2'592'000,
            "After so long without a request the experts' memory shrinks to its least, until the "
            "next request, which then reads experts anew. 0: never, for a fast first token; memory "
            "that others need is given back all the same with memory.adapt."),
      {"state_directory", TextOption{&O::state_directory}, "text: a path, or empty",
       "Directory for what the next start profits from: which experts were worth keeping, how "
       "fast the storage is. Empty: $STATE_DIRECTORY, as systemd sets it; without that nothing is "
       "kept."},
      Count("context_tokens", &O::context_tokens, "tokens", 1, 1u << 20,
            "The longest sequence, prompt and answer; at most the model's own context."),
      Count("sessions_max", &O::sessions_max, "requests", 1, 64, "Requests that run at once."),
      Count("queue_max", &O::queue_max, "requests", 0, 4096,
            "Requests that wait; a further one is refused with RESOURCE_EXHAUSTED."),
      Count("prefill_chunk_tokens", &O::prefill_chunk_tokens, "tokens", 0, 512,
            "Most tokens of a prompt in one step; fewer beside requests that are being answered. "
            "More read experts from storage less often and take more memory. 0: 64 where all "
            "experts are in memory, up to 512 where they are not."),
      Count("threads", &O::threads, "threads", 0, kThreadsMax,
            "Computing threads. 0: one for each core that the daemon may use."),
      Count("stall_timeout_ms", &O::stall_timeout_ms, "milliseconds", 100, 3'600'000,
            "A stream whose client takes nothing for so long is ended."),
  };
}

std::vector<EngineOption> StorageOptions() {
  using O = EngineOptions;
  return {
      Name("io_backend", &O::io_backend, kIoBackendNames,
           "How experts are read. auto: io_uring where the system has it, else pread."),
      Count("io_depth", &O::io_depth, "reads", 0, 1024,
            "Reads in flight. 0: by a probe of the storage, a second once; 32 for models of "
            "little size."),
      {"io_faults", TextOption{&O::io_faults, CheckFaults},
       "text: " + std::string(kFaultGrammar) + ", or empty",
       "Makes reads fail, for tests of what happens then. Empty: none."},
      Name(
          "verify", &O::verify, kVerifyNames,
          "Which reads of experts are compared with the expert's checksum. first: an expert's "
          "first, and its first after the file has changed; sample: these and one of 16; always: "
          "each, for up to a twentieth of the speed. Where the file has no checksums, what is read "
          "first is what later reads have to be."),
      Name("eviction_policy", &O::eviction_policy, kEvictionPolicyNames,
           "Which expert gives way when memory is full. lfru: frequency and recency; edgemoe: as "
           "in the paper of that name."),
      Name("predictor", &O::predictor, kPredictorNames,
           "Which experts of the next layer are read ahead. router: those that the next layer's "
           "own router names too early; path: those that followed the last two layers' experts so "
           "far."),
      Name("kernels", &O::kernels, kKernelNames,
           "Which computing kernels. auto: the fastest that this processor has."),
      Name("mode", &O::mode, kEngineModeNames,
           "How experts come into memory: as the engine does it, or as a baseline does."),
      Name("storage_profile", &O::storage_profile, kStorageProfileNames,
           "Slower storage than there is, modelled. real: as it is."),
      {"storage_scale", FactorOption{&O::storage_scale, 1000}, "a number in (0, 1000]",
       "Multiplies the bandwidth of a modelled storage."},
  };
}

Status Check(const TextOption& kind, const EngineOptions& options) {
  return kind.check == nullptr ? OkStatus() : kind.check(options.*kind.at);
}

Status Check(const NameOption& kind, const EngineOptions& options) {
  const std::string& found = options.*kind.at;
  if (std::ranges::find(kind.names, found) != kind.names.end()) return OkStatus();
  return NotAccepted(ShowValue(found), AcceptedNames(kind.names));
}

Status Check(const CountOption& kind, const EngineOptions& options) {
  const std::uint32_t found = options.*kind.at;
  if (found >= kind.least && found <= kind.most) return OkStatus();
  return NotAccepted(ShowValue(found), AcceptedRange(kind.least, kind.most));
}

Status Check(const SizeOption&, const EngineOptions&) { return OkStatus(); }

Status Check(const NumberOption& kind, const EngineOptions& options) {
  const std::optional<double>& found = options.*kind.at;
  if (!found || Accepts(kind, *found)) return OkStatus();
  return NotAccepted(ShowValue(*found), AcceptedNumber(kind));
}

Status Check(const FactorOption& kind, const EngineOptions& options) {
  const double found = options.*kind.at;
  if (found > 0 && found <= kind.most) return OkStatus();  // NaN is not
  return NotAccepted(ShowValue(found), AcceptedAbove(0, kind.most));
}

}  // namespace

std::span<const EngineOption> EngineOptionTable() {
  static const std::vector<EngineOption> table = [] {
    std::vector<EngineOption> all = ModelOptions();
    std::ranges::move(ChatOptions(), std::back_inserter(all));
    std::ranges::move(StorageOptions(), std::back_inserter(all));
    return all;
  }();
  return table;
}

const EngineOption& EngineOptionNamed(std::string_view name) {
  const std::span<const EngineOption> table = EngineOptionTable();
  const auto at = std::ranges::find(table, name, &EngineOption::name);
  EDGEMOE_CHECK(at != table.end(), "no such option of the engine");
  return *at;
}

std::string AcceptedNumber(const NumberOption& option) {
  const SamplingRange& range = option.range;
  return (option.whole ? "a whole number in " : "a number in ") +
         (range.least_open ? AcceptedAbove(range.least, range.most)
                           : AcceptedRange(range.least, range.most));
}

bool Accepts(const NumberOption& option, double number) {
  const SamplingRange& range = option.range;
  const bool inside = (range.least_open ? number > range.least : number >= range.least) &&
                      number <= range.most;  // NaN is not
  return inside && (!option.whole || std::floor(number) == number);
}

Status CheckOption(const EngineOption& option, const EngineOptions& options) {
  return std::visit([&](const auto& kind) { return Check(kind, options); }, option.kind)
      .InField(option.name);
}

}  // namespace edgemoe
