// SPDX-License-Identifier: Apache-2.0
#include "server/calls/translate/errors.h"

#include <string>
#include <string_view>

#include "edgemoe/v1/errors.pb.h"
#include "google/rpc/error_details.pb.h"

namespace edgemoe {
namespace {

constexpr const char* kDomain = "edgemoe";
constexpr std::string_view kReasonPrefix = "ERROR_REASON_";
// A client takes 8 KiB of trailers; the message is in them three times, once with escapes.
constexpr std::size_t kMessageBytesMax = 1024;
constexpr std::uint32_t kLoadingDelayMs = 1000;

// Without the beginning of a character that does not fit.
std::string Cut(std::string_view text) {
  if (text.size() <= kMessageBytesMax) return std::string(text);
  std::size_t size = kMessageBytesMax;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  return std::string(text.substr(0, size));
}

v1::ErrorReason ReasonOfCode(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk: return v1::ERROR_REASON_UNSPECIFIED;
    case StatusCode::kInvalidArgument: return v1::ERROR_REASON_INVALID_FIELD;
    case StatusCode::kNotFound: return v1::ERROR_REASON_NOT_FOUND;
    case StatusCode::kAlreadyExists: return v1::ERROR_REASON_ALREADY_EXISTS;
    case StatusCode::kPermissionDenied:
    case StatusCode::kUnauthenticated: return v1::ERROR_REASON_PERMISSION_DENIED;
    case StatusCode::kResourceExhausted: return v1::ERROR_REASON_MEMORY_SHORT;
    case StatusCode::kFailedPrecondition:
    case StatusCode::kAborted: return v1::ERROR_REASON_FAILED_PRECONDITION;
    // A field: what no pack reaches. Else a file that goes on behind its end.
    case StatusCode::kOutOfRange:
      return status.field().empty() ? v1::ERROR_REASON_UNSUPPORTED
                                    : v1::ERROR_REASON_TARGET_UNREACHABLE;
    case StatusCode::kUnimplemented: return v1::ERROR_REASON_UNSUPPORTED;
    case StatusCode::kUnavailable: return v1::ERROR_REASON_MODEL_UNAVAILABLE;
    case StatusCode::kDataLoss: return v1::ERROR_REASON_DATA_LOSS;
    case StatusCode::kCancelled:
    case StatusCode::kDeadlineExceeded: return v1::ERROR_REASON_CANCELLED;
    case StatusCode::kUnknown:
    case StatusCode::kInternal: return v1::ERROR_REASON_INTERNAL;
  }
  return v1::ERROR_REASON_INTERNAL;
}

v1::ErrorReason ReasonOf(const Status& status) {
  switch (status.reason()) {
    case Reason::kNone: return ReasonOfCode(status);
    case Reason::kContextExceeded: return v1::ERROR_REASON_CONTEXT_EXCEEDED;
    case Reason::kNotAdmitted: return v1::ERROR_REASON_NOT_ADMITTED;
    case Reason::kAdministratorNeeded: return v1::ERROR_REASON_ADMINISTRATOR_NEEDED;
    case Reason::kQueueFull: return v1::ERROR_REASON_QUEUE_FULL;
    case Reason::kTooManyCalls: return v1::ERROR_REASON_TOO_MANY_CALLS;
    case Reason::kSlowReader: return v1::ERROR_REASON_SLOW_READER;
    case Reason::kStorageFull: return v1::ERROR_REASON_STORAGE_FULL;
    case Reason::kBudgetTooSmall: return v1::ERROR_REASON_BUDGET_TOO_SMALL;
    case Reason::kBudgetTooLarge: return v1::ERROR_REASON_BUDGET_TOO_LARGE;
    case Reason::kBusy: return v1::ERROR_REASON_BUSY;
    case Reason::kLoading: return v1::ERROR_REASON_LOADING;
    case Reason::kNoModel: return v1::ERROR_REASON_NO_MODEL;
    case Reason::kStopping: return v1::ERROR_REASON_STOPPING;
  }
  return v1::ERROR_REASON_INTERNAL;
}

// Clients try RESOURCE_EXHAUSTED again, and take UNIMPLEMENTED for a call that is not there.
StatusCode CodeOf(StatusCode code, v1::ErrorReason reason) {
  switch (reason) {
    case v1::ERROR_REASON_BUDGET_TOO_SMALL:
    case v1::ERROR_REASON_BUDGET_TOO_LARGE:
    case v1::ERROR_REASON_UNSUPPORTED: return StatusCode::kFailedPrecondition;
    default: return code;
  }
}

}  // namespace

google::rpc::Status ToApi(const Status& status, std::optional<std::uint32_t> retry_delay_ms) {
  google::rpc::Status out;
  if (status.ok()) return out;
  const v1::ErrorReason reason = ReasonOf(status);
  out.set_code(static_cast<int>(CodeOf(status.code(), reason)));
  out.set_message(Cut(status.message()));
  google::rpc::ErrorInfo info;
  info.set_reason(v1::ErrorReason_Name(reason).substr(kReasonPrefix.size()));
  info.set_domain(kDomain);
  for (const StatusFigure& figure : status.figures())
    (*info.mutable_metadata())[figure.name] = std::to_string(figure.value);
  out.add_details()->PackFrom(info);
  if (!status.field().empty()) {
    google::rpc::BadRequest bad;
    google::rpc::BadRequest::FieldViolation& violation = *bad.add_field_violations();
    violation.set_field(Cut(status.field()));
    violation.set_description(Cut(status.problem()));
    out.add_details()->PackFrom(bad);
  }
  if (retry_delay_ms) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(*retry_delay_ms / 1000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int>(*retry_delay_ms % 1000) * 1'000'000);
    out.add_details()->PackFrom(retry);
  }
  return out;
}

std::optional<std::uint32_t> RetryDelayMs(const Status& status, std::uint32_t place_delay_ms) {
  switch (status.reason()) {
    case Reason::kQueueFull:
    case Reason::kTooManyCalls: return place_delay_ms;
    case Reason::kLoading: return kLoadingDelayMs;
    default: return std::nullopt;
  }
}

}  // namespace edgemoe
