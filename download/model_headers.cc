// SPDX-License-Identifier: Apache-2.0
#include "download/model_headers.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "download/model_sources.h"
#include "engine/base/accepted.h"
#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

// Other files of a repository have headers of nearly the same length.
constexpr std::uint64_t kMarginBytes = 64 * kKiB;

bool IsOfOneModel(StatusCode code) {
  switch (code) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kUnimplemented:
    case StatusCode::kOutOfRange:
    case StatusCode::kDataLoss: return true;
    default: return false;
  }
}

PullHeader Describe(const ModelSource& source) {
  PullHeader header{.quant = source.quant,
                    .pull_name = source.pull_name,
                    .bytes = source.bytes,
                    .problem = source.problem};
  for (const TransferFile& file : source.files)
    header.files.push_back(
        {.name = file.name, .bytes = file.bytes.value_or(0), .sha256 = file.sha256});
  return header;
}

Status TooManyModels(const std::vector<ModelSource>& models) {
  return InvalidField(
      "model", std::to_string(models.size()) + " models",
      "at most " + std::to_string(kPullHeadersMax) + "; name one of them, as hf.co/ORG/REPO:QUANT");
}

// Fetches one model after another, with what is known from those before.
class HeaderFetcher {
 public:
  HeaderFetcher(const PullOptions& options, const HeaderCheck& check)
      : options_(options), check_(check), client_(options.http) {}

  HttpClient& client() { return client_; }
  std::uint64_t fetched_bytes() const { return fetched_bytes_; }

  // All parts, into `folder`, which is made.
  Status Fetch(const ModelSource& source, const std::string& folder, PullHeader& header) {
    if (::mkdir(folder.c_str(), 0755) != 0)
      return Local(ErrnoStatus(errno, "make the folder " + folder));
    for (const TransferFile& file : source.files) {
      const bool is_first = &file == &source.files.front();
      const HeaderWanted wanted{.source = file,
                                .path = folder + "/" + file.name,
                                .first_bytes = is_first ? first_bytes_ : kMiB};
      Result<RemoteHeader> part =
          FetchHeader(client_, wanted, ToTransferOptions(options_, source), check_);
      if (!part) return part.error();
      fetched_bytes_ += part->fetched_bytes;
      if (fetched_bytes_ > kFetchedHeaderBytesMax)
        return ResourceExhaustedError("the headers take more than " +
                                      FormatByteSize(kFetchedHeaderBytesMax));
      if (is_first) {
        first_bytes_ = std::max(kMiB, part->facts.header_bytes + kMarginBytes);
        header.architecture = std::move(part->facts.architecture);
      }
    }
    header.path = folder + "/" + source.files.front().name;
    return OkStatus();
  }

 private:
  // What the disk does is the same for all models.
  static Status Local(const Status& status) {
    return IsOfOneModel(status.code()) ? InternalError(status.message()) : status;
  }

  const PullOptions& options_;
  const HeaderCheck& check_;
  HttpClient client_;
  std::uint64_t first_bytes_ = kMiB;
  std::uint64_t fetched_bytes_ = 0;
};

}  // namespace

Result<PullReport> FetchModelHeaders(const PullOptions& options, const HeaderCheck& check,
                                     const std::function<void(const PullHeader&)>& tell) {
  HeaderFetcher fetcher(options, check);
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<ModelSource> models,
                         FindModels(fetcher.client(), options.hub, options.retry, options.model));
  if (models.size() > kPullHeadersMax) return Failure(TooManyModels(models));
  std::size_t number = 0;
  for (const ModelSource& source : models) {
    PullHeader header = Describe(source);
    ++number;
    if (header.problem.ok())
      header.problem =
          fetcher.Fetch(source, options.directory + "/" + std::to_string(number), header);
    const Status& problem = header.problem;
    if (!problem.ok() && !IsOfOneModel(problem.code()))
      return Failure(source.repository.empty()
                         ? problem
                         : ExplainHubError(problem, options.hub, source.repository));
    tell(header);
  }
  PullReport report;
  report.bytes = fetcher.fetched_bytes();
  return report;
}

}  // namespace edgemoe
