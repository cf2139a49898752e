// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>

namespace edgemoe::cli {

// The hub that this user means, and the token for it: HF_ENDPOINT and HF_TOKEN, where they are set.
template <class Request>
void SetHubFromEnvironment(Request& request) {
  if (const char* endpoint = std::getenv("HF_ENDPOINT")) request.set_hub_endpoint(endpoint);
  if (const char* token = std::getenv("HF_TOKEN")) request.set_hub_token(token);
}

}  // namespace edgemoe::cli
