// SPDX-License-Identifier: Apache-2.0
//
// What a hub's repository holds: its answer, understood. Pure; no network.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "download/hub/model_reference.h"
#include "engine/base/result.h"

namespace edgemoe {

struct HubFile {
  std::string path;  // in the repository
  std::uint64_t bytes = 0;
  std::string sha256;  // 64 hexadecimal digits; empty where the hub does not tell
};

// A model of the repository: one file, or all parts of a split one.
struct HubModel {
  std::string quant;           // "Q4_K_M", "UD-Q4_K_XL"; empty where the name tells none
  std::vector<HubFile> files;  // in the order of their parts
  std::uint64_t bytes = 0;
  std::uint32_t part_count = 1;  // how many there should be
};

constexpr std::size_t kHubFilesMax = 20000;

// Appends the GGUF files in one page of the answer to /api/models/ORG/REPO/tree/REVISION. Names
// that FileNameOf refuses are left out. DATA_LOSS: it is no such answer; RESOURCE_EXHAUSTED: more
// than kHubFilesMax files.
Status AppendHubFiles(std::string_view json, std::vector<HubFile>& files);

// The commit in the answer to /api/models/ORG/REPO/revision/REVISION. DATA_LOSS as before.
Result<std::string> ParseHubCommit(std::string_view json);

// "Q4_K_M" of "Qwen3-30B-A3B-Q4_K_M-00001-of-00002.gguf"; empty where the name has none.
std::string QuantOfName(std::string_view file_name);

// All parts of the split file that a path or URL without query names one part of, in their order;
// itself alone for another name.
std::vector<std::string> PartPaths(const std::string& path);

// One model a quant or split set, smallest first. Projectors ("mmproj") are no models and left out.
std::vector<HubModel> GroupModels(const std::vector<HubFile>& files);

// FAILED_PRECONDITION: a split model of which parts are missing.
Status CheckWhole(const HubModel& model);

// The model that the reference means: its path; its quant, in letters of either case; without both
// the only one, or the one of Q4_K_M. NOT_FOUND and INVALID_ARGUMENT list what there is; those of
// CheckWhole.
Result<HubModel> ChooseModel(const std::vector<HubModel>& models, const ModelReference& reference);

}  // namespace edgemoe
