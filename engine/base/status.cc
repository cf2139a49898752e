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
  detail_ = std::make_shared<const Detail>(Detail{.field = std::move(field)});
}

const std::string& Status::field() const {
  static const std::string none;
  return detail_ ? detail_->field : none;
}

std::string_view Status::problem() const {
  constexpr std::size_t kSeparatorBytes = 2;
  const std::string_view message = message_;
  if (field().empty()) return message;
  return message.substr(detail_->field_begin + field().size() + kSeparatorBytes);
}

std::span<const StatusFigure> Status::figures() const {
  if (!detail_) return {};
  return detail_->figures;
}

std::string Status::ToString() const {
  if (ok()) return "OK";
  return std::string(StatusCodeName(code_)) + ": " + message_;
}

Status Status::WithReason(Reason reason) const {
  if (ok()) return *this;
  Status status = *this;
  Detail detail = DetailCopy();
  detail.reason = reason;
  status.detail_ = std::make_shared<const Detail>(std::move(detail));
  return status;
}

Status Status::WithFigure(StatusFigure figure) const {
  if (ok()) return *this;
  Status status = *this;
  Detail detail = DetailCopy();
  detail.figures.push_back(figure);
  status.detail_ = std::make_shared<const Detail>(std::move(detail));
  return status;
}

Status Status::WithContext(std::string_view context) const {
  if (ok()) return *this;
  const std::string before = std::string(context) + ": ";
  Status status(code_, before + message_);
  if (detail_) {
    Detail detail = *detail_;
    detail.field_begin += before.size();
    status.detail_ = std::make_shared<const Detail>(std::move(detail));
  }
  return status;
}

Status Status::InField(std::string_view outer) const {
  std::string name(outer);
  if (!field().empty()) name += (field().front() == '[' ? "" : ".") + field();
  return WithField(std::move(name));
}

Status Status::WithField(std::string field) const {
  if (ok()) return *this;
  const std::size_t begin = this->field().empty() ? 0 : detail_->field_begin;
  Status status(code_, message_.substr(0, begin) + field + ": " + std::string(problem()));
  Detail detail = DetailCopy();
  detail.field = std::move(field);
  detail.field_begin = begin;
  status.detail_ = std::make_shared<const Detail>(std::move(detail));
  return status;
}

bool Status::operator==(const Status& other) const {
  return code_ == other.code_ && message_ == other.message_ && field() == other.field() &&
         reason() == other.reason();
}

}  // namespace edgemoe
