// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/describe_header.h"

#include <array>

#include "engine/model/unused_tensors.h"
#include "engine/model_name.h"
#include "engine/quant/tensor_type.h"
#include "engine/serving/model_settings.h"

namespace edgemoe {
namespace {

std::string QuantisationOf(const ExpertLayout& layout) {
  std::array<std::uint64_t, kTensorTypeCount> bytes{};
  for (const ExpertExtents& extents : layout.extents)
    for (const ExpertExtent& extent : extents)
      bytes[static_cast<std::size_t>(extent.type)] += extent.bytes;
  std::size_t most = 0;
  for (std::size_t type = 0; type < bytes.size(); ++type)
    if (bytes[type] > bytes[most]) most = type;
  return std::string(TraitsOf(static_cast<TensorType>(most)).name);
}

}  // namespace

Result<ModelDescription> DescribeHeader(const ModelHeader& header, const EngineOptions& options) {
  const ModelConfig& config = header.config;
  ModelDescription description;
  description.path = header.parts.front().path;
  description.name =
      options.model_name.empty() ? ModelNameFromPath(description.path) : options.model_name;
  description.architecture = config.architecture;
  description.quantisation = QuantisationOf(header.layout.experts);
  description.file_bytes = header.file_bytes;
  for (const GgufTensor& tensor : header.files.tensors())
    if (!IsUnused(tensor.name, config))
      description.parameter_count += tensor.columns() * tensor.rows();
  description.unused_inputs = UnusedInputsOf(header.files);
  description.layer_count = config.layer_count();
  description.expert_count = config.expert_count;
  description.expert_used_count = config.expert_used_count;
  description.vocabulary_size = config.vocabulary_size;
  description.context_length = config.context_length;
  description.has_chat_template =
      header.files.metadata().Find("tokenizer.chat_template") != nullptr;
  EDGEMOE_FAIL_IF_ERROR(
      ChooseSettings(header.files.metadata(), options, description).WithContext(description.path));
  return description;
}

}  // namespace edgemoe
