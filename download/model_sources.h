// SPDX-License-Identifier: Apache-2.0
//
// What a person named, as files and where they are to be had.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "download/http/http_client.h"
#include "download/http/retry.h"
#include "download/hub/hub_client.h"
#include "download/transfer/file_transfer.h"
#include "engine/base/result.h"

namespace edgemoe {

// One file, or all parts of a split model.
struct ModelSource {
  std::string repository{};           // "ORG/REPO"; empty: URLs
  std::string quant{};                // as HubModel's
  std::string pull_name{};            // a name that means this model alone: see ParseModelReference
  std::uint64_t bytes = 0;            // of all files; 0 where a server does not tell
  std::vector<TransferFile> files{};  // in the order of their parts
  Status problem{};                   // why it cannot be had: see CheckWhole
};

// The model that the name means. Errors are those of ParseModelReference, ListRepository,
// ChooseModel and Probe.
Result<ModelSource> FindModel(HttpClient& client, const Hub& hub, const RetryOptions& retry,
                              const std::string& name);

// The same, but for a repository's name without a quant or path all of its models, smallest first.
// NOT_FOUND: it has none.
Result<std::vector<ModelSource>> FindModels(HttpClient& client, const Hub& hub,
                                            const RetryOptions& retry, const std::string& name);

}  // namespace edgemoe
