// SPDX-License-Identifier: Apache-2.0
#include "client/cli/json.h"

#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>

namespace edgemoe::cli {

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;  // scripts need not ask whether a key is there
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (status.ok()) return text;
  return ErrorJson({client::StatusCode::kInternal, std::string(status.message())});
}

std::string ErrorJson(const client::Status& status) {
  nlohmann::ordered_json error = {{"code", client::StatusCodeName(status.code)},
                                  {"message", status.message}};
  if (!status.reason.empty()) error["reason"] = status.reason;
  if (!status.field.empty()) error["field"] = status.field;
  if (!status.metadata.empty()) error["metadata"] = status.metadata;
  if (status.retry_delay_ms) error["retryDelayMs"] = *status.retry_delay_ms;
  return nlohmann::ordered_json{{"error", error}}.dump(-1, ' ', false,
                                                       nlohmann::json::error_handler_t::replace);
}

}  // namespace edgemoe::cli
