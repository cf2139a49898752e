// SPDX-License-Identifier: Apache-2.0
//
// A model as one description, whether it lies in one file or in parts named
// `NAME-00001-of-0000N.gguf`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/gguf_reader.h"

namespace edgemoe {

// The paths of all parts of the model whose first file is `path`, in order; just `path` where its
// name is not that of a part. Pure: looks at no file. INVALID_ARGUMENT when it names a part other
// than the first, or a count out of range.
Result<std::vector<std::string>> GgufPartPaths(std::string_view path);

// Immutable, may be shared by threads.
class GgufSet {
 public:
  // `files` in the order of their parts. INVALID_ARGUMENT when split.no, split.count or
  // split.tensors.count disagree with what is given, when parts are of different architectures, or
  // when a tensor is in two parts; the message names the part (from 1), what it says, and what was
  // expected.
  static Result<GgufSet> Merge(std::vector<GgufFile> files);

  // The first part's, which holds the model's keys.
  const GgufFile& metadata() const { return files_.front(); }
  std::size_t file_count() const { return files_.size(); }
  const GgufFile& file(std::size_t index) const { return files_[index]; }

  // Of all parts, in order; file_index tells the part.
  const std::vector<GgufTensor>& tensors() const { return tensors_; }
  // Null when absent. O(log n).
  const GgufTensor* FindTensor(std::string_view name) const;

 private:
  GgufSet() = default;
  std::vector<GgufFile> files_;
  std::vector<GgufTensor> tensors_;
  std::vector<std::uint32_t> tensors_by_name_;  // indices, sorted
};

}  // namespace edgemoe
