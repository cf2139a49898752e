// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "download/protocol/pull_lines.h"
#include "edgemoe/v1/models.pb.h"

namespace edgemoe {

// The download that a request asks for, into the models' directory. FAILED_PRECONDITION: there is
// none; INVALID_ARGUMENT: no model. What it names is for edgemoe-download to judge.
Result<PullRequest> ToPullRequest(const v1::PullRequest& request,
                                  const std::string& models_directory);

// The headers that a request asks for, likewise.
Result<PullRequest> ToPullRequest(const v1::PlanRepositoryRequest& request,
                                  const std::string& models_directory);

v1::PullProgress ToApi(const PullProgress& progress);
v1::PullReport ToApi(const PullReport& report);
// What is known of a model before its header has been understood.
v1::RepositoryModel ToApi(const PullHeader& header);

// FAILED_PRECONDITION where `models.directory` is not set.
Status CheckModelsDirectory(const std::string& models_directory);

}  // namespace edgemoe
