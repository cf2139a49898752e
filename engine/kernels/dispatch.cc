// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/dispatch.h"

#include <string>
#include <vector>

#include "engine/base/accepted.h"
#include "engine/base/system/cpu_features.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe {
namespace {

constexpr std::size_t Index(TensorType type) { return static_cast<std::size_t>(type); }

// One table from the functions of one namespace.
#define EDGEMOE_KERNEL_TABLE(isa)                                                     \
  [] {                                                                                \
    KernelTable table{};                                                              \
    table.name = #isa;                                                                \
    table.mat_mul[Index(TensorType::kF32)] = isa::MatMulF32;                          \
    table.mat_mul[Index(TensorType::kF16)] = isa::MatMulF16;                          \
    table.mat_mul[Index(TensorType::kBF16)] = isa::MatMulBF16;                        \
    table.mat_mul[Index(TensorType::kQ8_0)] = isa::MatMulQ8_0;                        \
    table.mat_mul[Index(TensorType::kQ4_0)] = isa::MatMulQ4_0;                        \
    table.mat_mul[Index(TensorType::kQ4_K)] = isa::MatMulQ4_K;                        \
    table.mat_mul[Index(TensorType::kQ5_K)] = isa::MatMulQ5_K;                        \
    table.mat_mul[Index(TensorType::kQ6_K)] = isa::MatMulQ6_K;                        \
    table.mat_mul[Index(TensorType::kQ2_K)] = isa::MatMulQ2_K;                        \
    table.mat_mul[Index(TensorType::kQ3_K)] = isa::MatMulQ3_K;                        \
    table.mat_mul[Index(TensorType::kQ4_1)] = isa::MatMulQ4_1;                        \
    table.mat_mul[Index(TensorType::kQ5_0)] = isa::MatMulQ5_0;                        \
    table.mat_mul[Index(TensorType::kQ5_1)] = isa::MatMulQ5_1;                        \
    table.mat_mul[Index(TensorType::kIQ4_NL)] = isa::MatMulIQ4_NL;                    \
    table.mat_mul[Index(TensorType::kMXFP4)] = isa::MatMulMXFP4;                      \
    table.mat_mul[Index(TensorType::kIQ4_XS)] = isa::MatMulIQ4_XS;                    \
    table.mat_mul[Index(TensorType::kIQ3_S)] = isa::MatMulIQ3_S;                      \
    table.mat_mul[Index(TensorType::kIQ3_XXS)] = isa::MatMulIQ3_XXS;                  \
    table.mat_mul[Index(TensorType::kIQ2_S)] = isa::MatMulIQ2_S;                      \
    table.mat_mul[Index(TensorType::kIQ2_XS)] = isa::MatMulIQ2_XS;                    \
    table.mat_mul[Index(TensorType::kIQ2_XXS)] = isa::MatMulIQ2_XXS;                  \
    table.encode = {isa::EncodeF32, isa::EncodeF16, isa::EncodeBF16, isa::EncodeQ8_0, \
                    isa::EncodeQ8_K};                                                 \
    table.rms_norm = isa::RmsNorm;                                                    \
    table.rope_neox = isa::RopeNeox;                                                  \
    table.swiglu = isa::Swiglu;                                                       \
    table.clamped_swiglu = isa::ClampedSwiglu;                                        \
    table.geglu = isa::Geglu;                                                         \
    table.soft_cap = isa::SoftCap;                                                    \
    table.softmax = isa::Softmax;                                                     \
    table.add_scaled = isa::AddScaled;                                                \
    table.to_half = isa::ToHalf;                                                      \
    table.attention_scores = isa::AttentionScores;                                    \
    table.attention_mix = isa::AttentionMix;                                          \
    table.state_scan = isa::StateScan;                                                \
    table.delta_rule = isa::DeltaRule;                                                \
    return table;                                                                     \
  }()

constexpr KernelTable kReference = EDGEMOE_KERNEL_TABLE(ref);
#if defined(__x86_64__)
constexpr KernelTable kAvx2 = EDGEMOE_KERNEL_TABLE(avx2);
constexpr KernelTable kAvx512 = EDGEMOE_KERNEL_TABLE(avx512);
#elif defined(__aarch64__)
constexpr KernelTable kNeon = EDGEMOE_KERNEL_TABLE(neon);
#endif

#undef EDGEMOE_KERNEL_TABLE

std::vector<const KernelTable*> FindTables() {
  [[maybe_unused]] const CpuFeatures& cpu = HostCpuFeatures();
  std::vector<const KernelTable*> tables;
#if defined(__x86_64__)
  if (cpu.avx512) tables.push_back(&kAvx512);
  if (cpu.avx2) tables.push_back(&kAvx2);
#elif defined(__aarch64__)
  if (cpu.neon && cpu.neon_dotprod) tables.push_back(&kNeon);
#endif
  tables.push_back(&kReference);
  return tables;
}

}  // namespace

const KernelTable& ReferenceKernels() { return kReference; }

std::span<const KernelTable* const> AvailableKernels() {
  static const std::vector<const KernelTable*> tables = FindTables();
  return tables;
}

Result<const KernelTable*> SelectKernels(std::string_view name) {
  if (name == "auto") return AvailableKernels().front();
  std::vector<std::string_view> accepted = {"auto"};
  for (const KernelTable* table : AvailableKernels()) {
    if (name == table->name) return table;
    accepted.push_back(table->name);
  }
  return Failure(
      NotAccepted(ShowValue(name) + ", which this machine does not have", AcceptedNames(accepted)));
}

}  // namespace edgemoe
