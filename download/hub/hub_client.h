// SPDX-License-Identifier: Apache-2.0
//
// Asks a hub, in the form of Hugging Face's API, what a repository holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "download/http/http_client.h"
#include "download/http/retry.h"
#include "download/hub/hub_listing.h"
#include "download/hub/model_reference.h"
#include "engine/base/result.h"

namespace edgemoe {

struct Hub {
  std::string origin{kDefaultHub};  // scheme, host and port
  std::string token{};              // sent to this origin alone; empty: none
};

// `origin`: HF_ENDPOINT's value, a slash at the end does no harm. INVALID_ARGUMENT names the field
// "HF_ENDPOINT"; "HF_TOKEN" for a token with characters that no header may have.
Result<Hub> MakeHub(const std::string& origin, const std::string& token);

struct HubRepository {
  std::string commit;  // what the reference's revision is now
  std::vector<HubModel> models;
};

// Two requests, and one more for each 1000 files; tried again as `retry` says. Errors are those of
// HttpClient and AppendHubFiles, and say what to do: set a token, accept a licence.
Result<HubRepository> ListRepository(HttpClient& client, const Hub& hub,
                                     const ModelReference& reference, const RetryOptions& retry);

// Where the hub has a file of a commit.
std::string HubFileUrl(const Hub& hub, std::string_view repository, std::string_view commit,
                       std::string_view path);

// An error of a request to this hub, with what to do.
Status ExplainHubError(const Status& status, const Hub& hub, std::string_view repository);

}  // namespace edgemoe
