// SPDX-License-Identifier: Apache-2.0
#include "engine/base/status.h"

#include "engine/base/check.h"

namespace edgemoe {

const char* StatusCodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk: return "OK";
    case StatusCode::kCancelled: return "CANCELLED";
    case StatusCode::kUnknown: return "UNKNOWN";
    case StatusCode::kInvalidArgument: return "INVALID_ARGUMENT";
    case StatusCode::kDeadlineExceeded: return "DEADLINE_EXCEEDED";
    case StatusCode::kNotFound: return "NOT_FOUND";
    case StatusCode::kAlreadyExists: return "ALREADY_EXISTS";
    case StatusCode::kPermissionDenied: return "PERMISSION_DENIED";
    case StatusCode::kResourceExhausted: return "RESOURCE_EXHAUSTED";
    case StatusCode::kFailedPrecondition: return "FAILED_PRECONDITION";
    case StatusCode::kAborted: return "ABORTED";
    case StatusCode::kOutOfRange: return "OUT_OF_RANGE";
    case StatusCode::kUnimplemented: return "UNIMPLEMENTED";
    case StatusCode::kInternal: return "INTERNAL";
    case StatusCode::kUnavailable: return "UNAVAILABLE";
    case StatusCode::kDataLoss: return "DATA_LOSS";
    case StatusCode::kUnauthenticated: return "UNAUTHENTICATED";
  }
  return "UNKNOWN";
}

Status::Status(StatusCode code, std::string field, std::string_view problem)
    : code_(code), message_(field + ": " + std::string(problem)) {
  EDGEMOE_CHECK(code != StatusCode::kOk && !field.empty(), "an error about a field names it");
  field_ = std::make_shared<const Field>(Field{.name = std::move(field)});
}

const std::string& Status::field() const {
  static const std::string none;
  return field_ ? field_->name : none;
}

std::string_view Status::problem() const {
  constexpr std::size_t kSeparatorBytes = 2;
  return std::string_view(message_).substr(
      field_ ? field_->begin + field_->name.size() + kSeparatorBytes : 0);
}

std::string Status::ToString() const {
  if (ok()) return "OK";
  return std::string(StatusCodeName(code_)) + ": " + message_;
}

Status Status::WithContext(std::string_view context) const {
  if (ok()) return *this;
  const std::string before = std::string(context) + ": ";
  Status status(code_, before + message_);
  if (field_) {
    status.field_ = std::make_shared<const Field>(
        Field{.name = field_->name, .begin = field_->begin + before.size()});
  }
  return status;
}

Status Status::InField(std::string_view outer) const {
  std::string name(outer);
  if (field_) name += (field_->name.front() == '[' ? "" : ".") + field_->name;
  return WithField(std::move(name));
}

Status Status::WithField(std::string field) const {
  if (ok()) return *this;
  const std::size_t begin = field_ ? field_->begin : 0;
  Status status(code_, std::move(field), problem());
  if (begin == 0) return status;
  status.message_.insert(0, message_, 0, begin);
  status.field_ = std::make_shared<const Field>(Field{.name = status.field_->name, .begin = begin});
  return status;
}

bool Status::operator==(const Status& other) const {
  return code_ == other.code_ && message_ == other.message_ && field() == other.field();
}

}  // namespace edgemoe
