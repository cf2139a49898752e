// SPDX-License-Identifier: Apache-2.0
#include "server/calls/translate/pull_messages.h"

#include <filesystem>
#include <system_error>

#include "engine/base/accepted.h"
#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

// What both kinds of requests have.
template <class Request>
Result<PullRequest> ToRequest(const Request& request, const std::string& models_directory) {
  if (request.model().empty())
    return Failure(
        InvalidField("model", ShowValue(request.model()), "hf.co/ORG/REPO[:QUANT] or a URL"));
  EDGEMOE_FAIL_IF_ERROR(CheckModelsDirectory(models_directory));
  std::error_code error;
  const std::filesystem::path directory = std::filesystem::canonical(models_directory, error);
  if (error)
    return Failure(ErrnoStatus(error.value(), "models.directory " + ShowValue(models_directory)));
  PullRequest wanted{.model = request.model(), .directory = directory.string()};
  if (request.has_reserve_bytes()) wanted.reserve_bytes = request.reserve_bytes();
  wanted.hub_endpoint = request.hub_endpoint();
  wanted.hub_token = request.hub_token();
  wanted.allow_private_redirects = request.allow_private_redirects();
  return wanted;
}

}  // namespace

Result<PullRequest> ToPullRequest(const v1::PullRequest& request,
                                  const std::string& models_directory) {
  EDGEMOE_ASSIGN_OR_FAIL(PullRequest wanted, ToRequest(request, models_directory));
  wanted.bytes_per_second_max = request.bytes_per_second_max();
  return wanted;
}

Result<PullRequest> ToPullRequest(const v1::PlanRepositoryRequest& request,
                                  const std::string& models_directory) {
  EDGEMOE_ASSIGN_OR_FAIL(PullRequest wanted, ToRequest(request, models_directory));
  wanted.headers_only = true;
  return wanted;
}

v1::PullProgress ToApi(const PullProgress& progress) {
  v1::PullProgress message;
  message.set_checking(progress.is_checking);
  message.set_file_name(progress.file_name);
  message.set_file_number(progress.file_number);
  message.set_file_count(progress.file_count);
  message.set_done_bytes(progress.done_bytes);
  message.set_total_bytes(progress.total_bytes);
  message.set_resumed_bytes(progress.resumed_bytes);
  if (progress.bytes_per_second > 0) message.set_bytes_per_second(progress.bytes_per_second);
  if (progress.seconds_left) message.set_seconds_left(*progress.seconds_left);
  return message;
}

v1::PullReport ToApi(const PullReport& report) {
  v1::PullReport message;
  for (const std::string& path : report.paths) message.add_paths(path);
  message.set_bytes(report.bytes);
  message.set_resumed_bytes(report.resumed_bytes);
  message.set_was_there(report.was_there);
  message.set_verified(report.is_verified);
  return message;
}

v1::RepositoryModel ToApi(const PullHeader& header) {
  v1::RepositoryModel message;
  message.set_pull_name(header.pull_name);
  message.set_quant(header.quant);
  for (const PullHeaderFile& file : header.files) {
    v1::RepositoryFile& of = *message.add_files();
    of.set_name(file.name);
    of.set_bytes(file.bytes);
    of.set_sha256(file.sha256);
  }
  message.set_bytes(header.bytes);
  message.mutable_model()->set_architecture(header.architecture);
  return message;
}

Status CheckModelsDirectory(const std::string& models_directory) {
  if (!models_directory.empty()) return OkStatus();
  return FailedPreconditionError(
      "models.directory is not set: it says where models are kept, as \"/var/lib/edgemoe/models\"");
}

}  // namespace edgemoe
