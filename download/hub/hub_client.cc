// SPDX-License-Identifier: Apache-2.0
#include "download/hub/hub_client.h"

#include <algorithm>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kAnswerBytesMax = 16 * kMiB;
constexpr int kPagesMax = 32;

// A whole answer in memory.
class TextSink final : public HttpSink {
 public:
  Status OnHead(const HttpHead&) override {
    text_.clear();
    return OkStatus();
  }
  Status OnBody(std::span<const std::byte> bytes) override {
    if (text_.size() + bytes.size() > kAnswerBytesMax)
      return ResourceExhaustedError("the hub's answer is longer than " +
                                    FormatByteSize(kAnswerBytesMax));
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return OkStatus();
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

struct Page {
  std::string text;
  std::string next;
};

Result<Page> FetchPage(HttpClient& client, const Hub& hub, const std::string& url,
                       const RetryOptions& retry) {
  RetrySchedule schedule(retry);
  while (true) {
    TextSink sink;
    const HttpOutcome outcome =
        client.Get({.url = url, .token = hub.token, .token_origin = hub.origin}, sink);
    if (outcome.status.ok()) return Page{sink.Take(), outcome.head.next_page};
    if (!outcome.is_retryable || !client.WaitForRetry(retry, schedule, outcome.head))
      return Failure(outcome.status);
  }
}

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~' || c == '/';
}

std::string Escape(std::string_view path) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : path) {
    if (IsPlain(c)) {
      escaped += c;
      continue;
    }
    escaped += '%';
    escaped += kDigits[static_cast<unsigned char>(c) >> 4];
    escaped += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return escaped;
}

Result<HubRepository> List(HttpClient& client, const Hub& hub, const ModelReference& reference,
                           const RetryOptions& retry) {
  const std::string api = hub.origin + "/api/models/" + reference.repository;
  EDGEMOE_ASSIGN_OR_FAIL(const Page about,
                         FetchPage(client, hub, api + "/revision/" + reference.revision, retry));
  HubRepository repository;
  EDGEMOE_ASSIGN_OR_FAIL(repository.commit, ParseHubCommit(about.text));
  std::vector<HubFile> files;
  std::string url = api + "/tree/" + repository.commit + "?recursive=true";
  for (int pages = 0; !url.empty(); ++pages) {
    if (pages == kPagesMax)
      return Failure(ResourceExhaustedError("the repository's list is longer than " +
                                            std::to_string(kPagesMax) + " pages"));
    EDGEMOE_ASSIGN_OR_FAIL(const Page page, FetchPage(client, hub, url, retry));
    EDGEMOE_FAIL_IF_ERROR(AppendHubFiles(page.text, files));
    const Result<std::string> origin = OriginOfUrl(page.next);
    if (!page.next.empty() && (!origin || *origin != hub.origin))
      return Failure(PermissionDeniedError("the repository's list goes on at another host, " +
                                           ShowValue(page.next)));
    url = page.next;
  }
  repository.models = GroupModels(files);
  return repository;
}

}  // namespace

Result<Hub> MakeHub(const std::string& origin, const std::string& token) {
  Hub hub;
  hub.token = token;
  if (std::ranges::any_of(token, [](char c) { return c <= ' ' || c > '~'; }))
    return Failure(InvalidField("HF_TOKEN", "a value with blanks or other odd characters",
                                "a token as the hub shows it, \"hf_\" and letters"));
  if (origin.empty()) return hub;
  std::string trimmed = origin;
  while (trimmed.ends_with('/')) trimmed.pop_back();
  const Result<std::string> parsed = OriginOfUrl(trimmed);
  const std::size_t path = trimmed.find('/', std::min(trimmed.find("://"), trimmed.size() - 3) + 3);
  if (!parsed || path != std::string::npos || trimmed.find('@') != std::string::npos)
    return Failure(
        InvalidField("HF_ENDPOINT", ShowValue(origin),
                     "an http or https URL without a path, as " + std::string(kDefaultHub)));
  hub.origin = *parsed;
  return hub;
}

Result<HubRepository> ListRepository(HttpClient& client, const Hub& hub,
                                     const ModelReference& reference, const RetryOptions& retry) {
  Result<HubRepository> repository = List(client, hub, reference, retry);
  if (!repository) return Failure(ExplainHubError(repository.error(), hub, reference.repository));
  return repository;
}

std::string HubFileUrl(const Hub& hub, std::string_view repository, std::string_view commit,
                       std::string_view path) {
  return hub.origin + "/" + std::string(repository) + "/resolve/" + std::string(commit) + "/" +
         Escape(path);
}

Status ExplainHubError(const Status& status, const Hub& hub, std::string_view repository) {
  const std::string page = hub.origin + "/" + std::string(repository);
  const std::string token = hub.token.empty() ? "HF_TOKEN is not set" : "HF_TOKEN was sent";
  std::string advice;
  if (status.code() == StatusCode::kUnauthenticated)
    advice = "; the repository does not exist, or is private or gated: see " + page +
             ", then set HF_TOKEN to a token that may read it (" + token + ")";
  if (status.code() == StatusCode::kPermissionDenied &&
      status.message().find("HTTP 403") != std::string::npos)
    advice = "; accept the model's licence at " + page +
             " and set HF_TOKEN to a token of the same "
             "account (" +
             token + ")";
  if (advice.empty()) return status.WithContext(repository);
  return Status(status.code(), std::string(repository) + ": " + status.message() + advice);
}

}  // namespace edgemoe
