// SPDX-License-Identifier: Apache-2.0
#include "download/protocol/pull_lines.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "engine/base/accepted.h"

namespace edgemoe {
namespace {

using nlohmann::json;

std::string ToLine(const json& message) {
  return message.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

json ToJson(const PullProgress& progress) {
  json message = {
      {"checking", progress.is_checking},        {"file_name", progress.file_name},
      {"file_number", progress.file_number},     {"file_count", progress.file_count},
      {"done_bytes", progress.done_bytes},       {"total_bytes", progress.total_bytes},
      {"resumed_bytes", progress.resumed_bytes}, {"bytes_per_second", progress.bytes_per_second}};
  if (progress.seconds_left) message["seconds_left"] = *progress.seconds_left;
  return {{"progress", std::move(message)}};
}

json ToJson(const PullReport& report) {
  return {{"report",
           {{"paths", report.paths},
            {"bytes", report.bytes},
            {"resumed_bytes", report.resumed_bytes},
            {"was_there", report.was_there},
            {"verified", report.is_verified}}}};
}

json ErrorOf(const Status& status) {
  return {{"code", static_cast<int>(status.code())},
          {"message", status.message()},
          {"field", status.field()},
          {"problem", std::string(status.problem())},
          {"busy", status.reason() == Reason::kBusy},
          {"storage_full", status.reason() == Reason::kStorageFull}};
}

json ToJson(const Status& status) { return {{"error", ErrorOf(status)}}; }

json ToJson(const PullHeader& header) {
  json files = json::array();
  for (const PullHeaderFile& file : header.files)
    files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  json message = {
      {"quant", header.quant}, {"pull_name", header.pull_name},       {"files", std::move(files)},
      {"bytes", header.bytes}, {"architecture", header.architecture}, {"path", header.path}};
  if (!header.problem.ok()) message["problem"] = ErrorOf(header.problem);
  return {{"header", std::move(message)}};
}

// These throw what nlohmann::json throws for keys that are missing and values of other types.
PullProgress ProgressFrom(const json& message) {
  PullProgress progress{.is_checking = message.at("checking").get<bool>(),
                        .file_name = message.at("file_name").get<std::string>(),
                        .file_number = message.at("file_number").get<std::uint32_t>(),
                        .file_count = message.at("file_count").get<std::uint32_t>(),
                        .done_bytes = message.at("done_bytes").get<std::uint64_t>(),
                        .total_bytes = message.at("total_bytes").get<std::uint64_t>(),
                        .resumed_bytes = message.at("resumed_bytes").get<std::uint64_t>(),
                        .bytes_per_second = message.at("bytes_per_second").get<double>()};
  if (message.contains("seconds_left"))
    progress.seconds_left = message.at("seconds_left").get<double>();
  return progress;
}

PullReport ReportFrom(const json& message) {
  return {.paths = message.at("paths").get<std::vector<std::string>>(),
          .bytes = message.at("bytes").get<std::uint64_t>(),
          .resumed_bytes = message.at("resumed_bytes").get<std::uint64_t>(),
          .was_there = message.at("was_there").get<bool>(),
          .is_verified = message.at("verified").get<bool>()};
}

Status ErrorFrom(const json& message) {
  const int number = message.at("code").get<int>();
  const bool is_code = number > 0 && number <= static_cast<int>(StatusCode::kUnauthenticated);
  const StatusCode code = is_code ? static_cast<StatusCode>(number) : StatusCode::kUnknown;
  const auto field = message.at("field").get<std::string>();
  const Status status = field.empty()
                            ? Status(code, message.at("message").get<std::string>())
                            : Status(code, field, message.at("problem").get<std::string>());
  if (message.at("busy").get<bool>()) return status.WithReason(Reason::kBusy);
  if (message.at("storage_full").get<bool>()) return status.WithReason(Reason::kStorageFull);
  return status;
}

PullHeader HeaderFrom(const json& message) {
  PullHeader header{.quant = message.at("quant").get<std::string>(),
                    .pull_name = message.at("pull_name").get<std::string>(),
                    .bytes = message.at("bytes").get<std::uint64_t>(),
                    .architecture = message.at("architecture").get<std::string>(),
                    .path = message.at("path").get<std::string>()};
  for (const json& file : message.at("files"))
    header.files.push_back({.name = file.at("name").get<std::string>(),
                            .bytes = file.at("bytes").get<std::uint64_t>(),
                            .sha256 = file.at("sha256").get<std::string>()});
  if (message.contains("problem")) header.problem = ErrorFrom(message.at("problem"));
  return header;
}

Status NoMessage(std::string_view line) {
  return InvalidArgumentError("between daemon and edgemoe-download: found " + ShowValue(line) +
                              "; expected a message");
}

}  // namespace

std::string EncodePullRequest(const PullRequest& request) {
  return ToLine({{"model", request.model},
                 {"directory", request.directory},
                 {"bytes_per_second_max", request.bytes_per_second_max},
                 {"reserve_bytes", request.reserve_bytes},
                 {"hub_endpoint", request.hub_endpoint},
                 {"hub_token", request.hub_token},
                 {"allow_private_redirects", request.allow_private_redirects},
                 {"headers_only", request.headers_only}});
}

std::string EncodePullAnswer(const PullAnswer& answer) {
  return std::visit([](const auto& message) { return ToLine(ToJson(message)); }, answer);
}

Result<PullRequest> DecodePullRequest(std::string_view line) {
  const json message = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!message.is_object()) return Failure(NoMessage("no request"));
  try {
    return PullRequest{
        .model = message.at("model").get<std::string>(),
        .directory = message.at("directory").get<std::string>(),
        .bytes_per_second_max = message.at("bytes_per_second_max").get<std::uint64_t>(),
        .reserve_bytes = message.at("reserve_bytes").get<std::uint64_t>(),
        .hub_endpoint = message.at("hub_endpoint").get<std::string>(),
        .hub_token = message.at("hub_token").get<std::string>(),
        .allow_private_redirects = message.at("allow_private_redirects").get<bool>(),
        .headers_only = message.at("headers_only").get<bool>()};
  } catch (const json::exception&) {
    return Failure(NoMessage("another request"));  // its text could hold a token
  }
}

Result<PullAnswer> DecodePullAnswer(std::string_view line) {
  const json message = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!message.is_object()) return Failure(NoMessage(line));
  try {
    if (message.contains("progress")) return ProgressFrom(message.at("progress"));
    if (message.contains("header")) return HeaderFrom(message.at("header"));
    if (message.contains("report")) return ReportFrom(message.at("report"));
    return ErrorFrom(message.at("error"));
  } catch (const json::exception&) {
    return Failure(NoMessage(line));
  }
}

Status LineReader::Add(std::string_view bytes) {
  waiting_ += bytes;
  if (waiting_.size() <= kPullLineBytesMax || waiting_.find('\n') <= kPullLineBytesMax)
    return OkStatus();
  return ResourceExhaustedError("between daemon and edgemoe-download: a line of more than " +
                                std::to_string(kPullLineBytesMax) + " bytes");
}

std::optional<std::string> LineReader::Next() {
  const std::size_t end = waiting_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = waiting_.substr(0, end);
  waiting_.erase(0, end + 1);
  return line;
}

}  // namespace edgemoe
