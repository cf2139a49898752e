// SPDX-License-Identifier: Apache-2.0
//
// The headers of all models that a name can mean, before anything else of them is downloaded.
#pragma once

#include <cstdint>
#include <functional>

#include "download/protocol/pull_lines.h"
#include "download/pull.h"
#include "download/remote_header.h"
#include "engine/base/byte_size.h"
#include "engine/base/result.h"

namespace edgemoe {

// Of one call, of all models.
constexpr std::uint64_t kFetchedHeaderBytesMax = 2 * kGiB;

// Tells each model of FindModels in its order. The headers of the n-th one are in the new folder
// `options.directory`/n; what is wrong with one model alone is its `problem`, and the next one
// follows. The reserve and the progress do not count. Gives a report of how many bytes were
// fetched.
//
// Errors are those of FindModels, and of FetchHeader where they would be the next model's, too: the
// network, rights, the disk; INVALID_ARGUMENT: more than kPullHeadersMax models;
// RESOURCE_EXHAUSTED: more than kFetchedHeaderBytesMax.
Result<PullReport> FetchModelHeaders(const PullOptions& options, const HeaderCheck& check,
                                     const std::function<void(const PullHeader&)>& tell);

}  // namespace edgemoe
