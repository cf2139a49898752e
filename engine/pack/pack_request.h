// SPDX-License-Identifier: Apache-2.0
//
// What can be asked of a pack job, what it tells meanwhile, and what it reports.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace edgemoe {

// How the type of each tensor is chosen.
enum class PackMethod : std::uint8_t {
  kCopy,  // as in the source, bit for bit
  // By what each tensor's errors do to the output, measured on calibration text: least damage for
  // the bytes, or least bytes for the damage.
  kSensitivity,
  kUniform,  // one type for all matrices
  // The EdgeMoE paper's: experts by the KL of each alone at 2 bits, the least important ones at the
  // lower of two neighbouring widths of 2, 4 and 8 bits; dense matrices at 8.
  kEdgemoe,
};
// "copy", "sensitivity", "uniform", "edgemoe".
const char* PackMethodName(PackMethod method);

// Which tensors share a type, for kSensitivity.
enum class PackGranularity : std::uint8_t {
  kExpert,  // none: each expert's gate, up and down have types of their own
  kRole,    // all experts of a layer: one type each for their gates, ups and downs
};

// What the pack has to be like: exactly one for every method but kCopy, which takes none.
struct PackTarget {
  std::optional<std::uint64_t> file_bytes{};  // at most so long
  std::optional<double> bits{};               // a weight, over all weights of the file: (0, 32]
  std::optional<double> kl_max{};             // mean KL to the source in nats: (0, 10]
  std::optional<double> perplexity_increase_max{};  // 0.01: one per cent: (0, 10]
};

// How far a pack's output is from its source's on calibration text, as llama-perplexity measures:
// the second half of each window.
struct PackQuality {
  double source_perplexity = 0;
  double perplexity = 0;
  double mean_kl = 0;  // nats
  double kl_p99 = 0;
  double same_top_fraction = 0;  // where both find the same token most likely
  std::uint64_t tokens = 0;
};

struct PackProgress {
  enum class Phase : std::uint8_t {
    kCalibrating,  // calibration text through the source; counts tokens
    kMeasuring,    // errors of each tensor in each type; counts weights
    kProbing,      // what groups of errors do to the output; counts passes over the sample
    kTrying,       // writes and measures a pack that may be the one; counts bytes
    kCopying,      // writes the pack; counts bytes of weights
    kVerifying,    // measures the pack; counts tokens
    kFinishing,    // everything is written; the last of it goes to the disk
  };
  Phase phase = Phase::kCopying;
  std::uint64_t done = 0;     // with what an earlier job had done of this phase
  std::uint64_t total = 0;    // of this phase
  std::uint64_t resumed = 0;  // of `done`, by an earlier job
  // The plan as it stands: absent until there is one.
  std::optional<std::uint64_t> planned_file_bytes{};
  std::optional<double> planned_bits{};
  std::optional<double> planned_kl{};
};

struct PackOptions {
  std::string source_path{};  // a GGUF file; the first part of a split one
  std::string output_path{};  // empty: DefaultPackPath(source_path)
  bool overwrite = false;
  PackMethod method = PackMethod::kCopy;
  PackTarget target{};
  PackGranularity granularity = PackGranularity::kExpert;
  std::string calibration_path{};  // UTF-8 text; empty: the text that comes with the program
  bool plan_only = false;          // stops when the types are chosen; writes no output

  std::uint64_t memory_bytes = 0;  // for the model while it is measured; 0: what it can use
  // That compute, the caller's included; for WritePack 0: one for each core allowed.
  std::size_t threads = 1;
  std::string io_backend = "auto";
  const std::atomic<bool>* cancelled = nullptr;         // looked at every few MiB, and each layer
  std::function<void(const PackProgress&)> progress{};  // often; on the calling thread
};

// What a job goes through, in order; kTrying and kProbing may take turns.
std::vector<PackProgress::Phase> PackPhases(const PackOptions& options);

// Bytes of memory that measuring the source takes at least, and beyond which more is of no use;
// both 0 where nothing is measured.
struct PackMemory {
  std::uint64_t least_bytes = 0;
  std::uint64_t useful_bytes = 0;
};

// Tensors of one role in one layer, or of one role outside layers.
struct TypeSummary {
  std::optional<std::uint32_t> layer{};
  std::string role;  // "gate", "up", "down", "query", "embedding" ...; see TensorRoleName
  std::uint64_t weights = 0;
  std::uint64_t bytes = 0;  // in the pack, as the next
  double bits = 0;          // a weight
  struct TypeCount {
    std::string type;  // "Q4_K"
    std::uint32_t tensors = 0;
  };
  std::vector<TypeCount> types{};  // fewest bits first
};

// What the allocation would be worth at another size.
struct PackPoint {
  std::uint64_t file_bytes = 0;
  double bits = 0;
  double kl = 0;  // expected
};

struct PackReport {
  std::string output_path{};
  // XXH3-128 over the checksums of the source's weights; empty when only planned.
  std::string source_digest{};
  std::uint64_t source_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t weight_bytes = 0;   // in the pack
  std::uint64_t resumed_bytes = 0;  // of weight_bytes, written by an earlier job
  std::uint32_t layer_count = 0;
  std::uint32_t experts_per_layer = 0;

  // Of methods other than kCopy.
  PackMethod method = PackMethod::kCopy;
  bool plan_only = false;
  double source_bits = 0;  // a weight, over all weights, as the next
  double bits = 0;
  std::optional<double> expected_kl{};   // by the damage model; kSensitivity
  std::optional<PackQuality> quality{};  // of the pack as written; absent when only planned
  std::uint64_t calibration_tokens = 0;
  std::uint64_t probe_count = 0;         // passes over the sample
  std::uint32_t experts_never_used = 0;  // by calibration text: these count as their layer's mean
  std::vector<TypeSummary> rows{};       // layers in order, then what is outside
  std::vector<PackPoint> curve{};        // smallest file first; kSensitivity
  std::string report_path{};             // the same as JSON, beside the output
  std::string report_error{};            // why that could not be written; the pack is whole
};

}  // namespace edgemoe
