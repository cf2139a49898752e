// SPDX-License-Identifier: Apache-2.0
//
// A model's file in another type: which tensors change, and the conversion row by row. Reads and
// writes no file.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/gguf_reader.h"
#include "engine/gguf/gguf_writer.h"

namespace edgemoe {

struct RequantizePlan {
  GgufHeader header;                // of the new file
  std::vector<GgufTensor> sources;  // for each of header.tensors, where its values come from
};

// Weight matrices (two dimensions or more, "....weight") become `target`, but routers
// ("ffn_gate_inp"), norms and anything of one dimension keep their type. A matrix whose columns are
// not whole blocks of `target` becomes Q8_0, or F16 where that does not fit either. Metadata is
// copied; general.file_type and general.quantization_version say what the file now is.
// INVALID_ARGUMENT for a part of a split model and for a target that no code here can write;
// UNIMPLEMENTED names a matrix whose own type cannot be read.
Result<RequantizePlan> PlanRequantize(const GgufFile& source, TensorType target);

// `rows` [row_count, columns] of `from` -> `out` [row_count, columns] of `to`; a copy when both are
// the same. `scratch` [columns]. Pure.
// REQUIRES: both types computable or the same; columns whole blocks of both.
void RequantizeRows(TensorType from, TensorType to, std::uint64_t columns, std::uint64_t row_count,
                    const std::byte* rows, float* scratch, std::byte* out);

}  // namespace edgemoe
