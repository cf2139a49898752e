// SPDX-License-Identifier: Apache-2.0
//
// What the architectures share: keys with the same meaning, and the usual names of tensors. Errors
// are those of MetadataReader.
#pragma once

#include <vector>

#include "engine/model/arch/architecture.h"

namespace edgemoe::arch {

// block_count (into `layers`, all alike and empty), embedding_length, context_length and the RMS
// epsilon.
Status ReadSizes(MetadataReader& metadata, ModelConfig& config);

// Head counts and sizes, and RoPE with its scaling, into `attention`. What else the architecture's
// attention has is set by the caller, and so may the number of key and value heads be.
Status ReadAttention(MetadataReader& metadata, const ModelConfig& config,
                     AttentionConfig& attention);

// attention.head_count_kv of models in which not all layers are attention: 0 for those that are
// not.
Status ReadKvHeadCounts(MetadataReader& metadata, const ModelConfig& config,
                        std::vector<std::uint32_t>* out);

// INVALID_ARGUMENT names the key and even numbers in [2, most] unless `value`, which it has, is
// even.
Status CheckEven(const MetadataReader& metadata, std::string_view name, std::uint32_t value,
                 std::uint32_t most);

// RoPE with its scaling; `size`: how many elements of a head may be rotated, and are where no key
// says it.
Status ReadRope(MetadataReader& metadata, const ModelConfig& config, std::uint32_t size,
                RopeConfig& rope);

// expert_count and expert_used_count; the width of an expert from `width_key`.
Status ReadExpertSizes(MetadataReader& metadata, std::string_view width_key, ModelConfig& config);
// The same for architectures without shared experts and groups: refuses both.
Status ReadExpertCounts(MetadataReader& metadata, std::string_view width_key, ModelConfig& config);

// expert_gating_func, which must say `accepted` or be missing, and expert_weights_scale.
Status ReadGating(MetadataReader& metadata, ExpertGating accepted, ExpertsConfig& experts);

// expert_weights_scale.
Status ReadExpertWeightsScale(MetadataReader& metadata, ExpertsConfig& experts);

// expert_group_count and expert_group_used_count: none, or groups that have the experts which are
// used. After ReadExpertSizes.
Status ReadExpertGroups(MetadataReader& metadata, const ModelConfig& config,
                        ExpertsConfig& experts);

// leading_dense_block_count layers get a dense feed-forward of feed_forward_length, all others
// `experts`.
Status ReadLeadingDense(MetadataReader& metadata, const ExpertsConfig& experts,
                        ModelConfig& config);

// nextn_predict_layers: the last so many of `layers` are not the model's. Called when all that is
// said once for each block has been read.
Status DropPredictionLayers(MetadataReader& metadata, ModelConfig& config);

// Keys that say nothing which would change a result: see MetadataReader::Ignore.
void IgnoreDescriptions(MetadataReader& metadata);

// The names that most architectures use, for what `layer` has.
std::vector<TensorRule> LayerTensors(const LayerConfig& layer);

}  // namespace edgemoe::arch
