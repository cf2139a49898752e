// SPDX-License-Identifier: Apache-2.0
#include "engine/gguf/gguf_set.h"

#include <optional>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/split_name.h"
#include "engine/gguf/name_index.h"

namespace edgemoe {
namespace {

// Key `key` of part `index`, if it is there, must be `expected`; `required` says that it must be.
Status CheckSplitKey(const GgufFile& file, std::size_t index, const char* key,
                     std::uint64_t expected, bool required) {
  const std::string part = "part " + std::to_string(index + 1);
  if (file.Find(key) == nullptr && !required) return OkStatus();
  const Result<std::uint64_t> found = file.GetU64(key);
  if (!found) return InvalidArgumentError(found.error().WithContext(part).message());
  if (*found != expected)
    return InvalidArgumentError(part + ": key \"" + key + "\": found " + std::to_string(*found) +
                                "; expected " + std::to_string(expected));
  return OkStatus();
}

Status CheckSplitKeys(const std::vector<GgufFile>& files) {
  const bool split = files.size() > 1;
  std::uint64_t tensor_count = 0;
  for (const GgufFile& file : files) tensor_count += file.tensors().size();
  for (std::size_t i = 0; i < files.size(); ++i) {
    EDGEMOE_RETURN_IF_ERROR(CheckSplitKey(files[i], i, "split.count", files.size(), split));
    EDGEMOE_RETURN_IF_ERROR(CheckSplitKey(files[i], i, "split.no", i, split));
    EDGEMOE_RETURN_IF_ERROR(CheckSplitKey(files[i], i, "split.tensors.count", tensor_count, false));
  }
  return OkStatus();
}

Status CheckArchitectures(const std::vector<GgufFile>& files) {
  constexpr const char* kKey = "general.architecture";
  const GgufValue* first = files.front().Find(kKey);
  for (std::size_t i = 1; i < files.size(); ++i) {
    const GgufValue* other = files[i].Find(kKey);
    if (other == nullptr || (first != nullptr && *other == *first)) continue;
    return InvalidArgumentError("part " + std::to_string(i + 1) + ": key \"" + kKey + "\": found " +
                                DescribeGgufValue(*other) + "; expected " +
                                (first != nullptr ? DescribeGgufValue(*first) : "none") +
                                ", as in part 1");
  }
  return OkStatus();
}

}  // namespace

Result<std::vector<std::string>> GgufPartPaths(std::string_view path) {
  const std::optional<SplitName> name = ParseSplitName(path);
  if (!name) return std::vector<std::string>{std::string(path)};
  if (name->count < 1 || name->count > kSplitCountMax)
    return Failure(InvalidArgumentError("path " + std::string(path) + ": " +
                                        std::to_string(name->count) + " parts; accepted are 1 to " +
                                        std::to_string(kSplitCountMax)));
  if (name->part != 1)
    return Failure(InvalidArgumentError("path " + std::string(path) + ": part " +
                                        std::to_string(name->part) +
                                        "; expected the first, 00001"));
  std::vector<std::string> paths;
  for (std::uint32_t part = 1; part <= name->count; ++part) paths.push_back(name->PathOf(part));
  return paths;
}

Result<GgufSet> GgufSet::Merge(std::vector<GgufFile> files) {
  EDGEMOE_CHECK(!files.empty() && files.size() <= kSplitCountMax, "not a set of files");
  EDGEMOE_FAIL_IF_ERROR(CheckSplitKeys(files));
  EDGEMOE_FAIL_IF_ERROR(CheckArchitectures(files));
  GgufSet set;
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (GgufTensor tensor : files[i].tensors()) {
      tensor.file_index = static_cast<std::uint32_t>(i);
      set.tensors_.push_back(std::move(tensor));
    }
  }
  set.tensors_by_name_ = SortByName(set.tensors_);
  if (const GgufTensor* twice = FindDuplicate(set.tensors_by_name_, set.tensors_))
    return Failure(InvalidArgumentError("part " + std::to_string(twice->file_index + 1) +
                                        ": tensor " + QuoteForMessage(twice->name) +
                                        " is in an earlier part too"));
  set.files_ = std::move(files);
  return set;
}

const GgufTensor* GgufSet::FindTensor(std::string_view name) const {
  return FindByName(tensors_by_name_, tensors_, name);
}

}  // namespace edgemoe
