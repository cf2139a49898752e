// SPDX-License-Identifier: Apache-2.0
#include "engine/bits/requantised_tensors.h"

#include "engine/base/check.h"

namespace edgemoe {
namespace {

// Dense tensors stand in the same order in every file of a model.
std::size_t DenseIndexOf(const PackSource& source, const PackTensor& tensor) {
  const std::vector<WeightsLayout::DenseTensor>& dense = source.layout().dense;
  for (std::size_t i = 0; i < dense.size(); ++i)
    if (dense[i].file_index == tensor.source_file && dense[i].file_offset == tensor.source_offset)
      return i;
  EDGEMOE_CHECK(false, "a dense tensor of the source");
  return 0;
}

}  // namespace

Status RequantisedTensors::Apply(OfflineModel& model, std::span<const Change> changes) {
  Clear(model);
  Status status = Replace(model, changes);
  if (!status.ok()) Clear(model);
  return status;
}

void RequantisedTensors::Clear(OfflineModel& model) { model.ClearReplacements(); }

Status RequantisedTensors::Replace(OfflineModel& model, std::span<const Change> changes) {
  std::size_t total = 0;
  for (const Change& change : changes)
    total += static_cast<std::size_t>(study_.tensors()[change.tensor].BytesIn(change.type));
  bytes_.resize(total);
  std::span<std::byte> rest = bytes_;
  for (const auto& [index, type] : changes) {
    const PackTensor& tensor = study_.tensors()[index];
    const std::span<std::byte> out = rest.first(static_cast<std::size_t>(tensor.BytesIn(type)));
    rest = rest.subspan(out.size());
    EDGEMOE_RETURN_IF_ERROR(Convert(tensor, type, out));
    if (tensor.of_expert())
      model.overlay().Set(tensor.key, tensor.expert_role(), type, out);
    else
      model.SetDense(DenseIndexOf(study_.source(), tensor), type, out);
  }
  return OkStatus();
}

Status RequantisedTensors::Convert(const PackTensor& tensor, TensorType type,
                                   std::span<std::byte> out) {
  const auto row_bytes = static_cast<std::size_t>(tensor.source_bytes / tensor.rows());
  const std::size_t out_row_bytes = out.size() / static_cast<std::size_t>(tensor.rows());
  const std::vector<float> columns = study_.weights().Columns(tensor);
  const auto convert = [&](std::span<const std::byte> rows, std::uint64_t first) -> Status {
    if (cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed))
      return CancelledError("pack: cancelled; the same job goes on from what it has measured");
    converter_.Convert(tensor.source_type, type, static_cast<std::size_t>(tensor.columns()),
                       rows.size() / row_bytes, rows.data(), columns,
                       out.data() + static_cast<std::size_t>(first) * out_row_bytes);
    return OkStatus();
  };
  return study_.source().ReadRows(tensor.source_file, tensor.source_offset, row_bytes,
                                  tensor.rows(), convert);
}

}  // namespace edgemoe
