// SPDX-License-Identifier: Apache-2.0
//
// Status: the outcome of anything that can go wrong outside our code. Codes are gRPC's canonical
// codes, by number. Messages read "what failed: object: detail". A status about bad input also
// carries, as data, the field that is wrong; its message reads "field: found X; accepted: Y", which
// engine/base/accepted.h writes. Where a code says too little for a program, a reason tells more.
// An OK status owns no memory; copies share field, reason and figures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edgemoe {

enum class StatusCode : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// "INVALID_ARGUMENT" and so on; the pointer is to static storage.
const char* StatusCodeName(StatusCode code);

// Why, where one code has several reasons that callers tell apart. What each means, and with which
// code, stands in proto/edgemoe/v1/errors.proto; kNone is the reason that goes with the code.
enum class Reason : std::uint8_t {
  kNone,
  kContextExceeded,
  kNotAdmitted,
  kAdministratorNeeded,
  kQueueFull,
  kTooManyCalls,
  kSlowReader,
  kStorageFull,
  kBudgetTooSmall,
  kBudgetTooLarge,
  kBusy,
  kLoading,
  kNoModel,
  kStopping,
};

// A number of the message that callers reckon with. `name` is a literal, as a field of the API has
// it: "context_tokens".
struct StatusFigure {
  const char* name = "";
  std::uint64_t value = 0;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}
  // About a field of the input; the message is "field: problem". REQUIRES: an error code, and a
  // field with a name.
  Status(StatusCode code, std::string field, std::string_view problem);

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

  // The field that is wrong, as whoever gave the input names it: a dotted path of a request
  // ("stopping.sequences[2]"), an engine option ("threads"), a key of the configuration
  // ("memory.budget"). Empty where no field is to blame.
  const std::string& field() const;
  // The message without the field and without what WithContext put before it: what is wrong with
  // the field. All of the message where there is no field.
  std::string_view problem() const;

  Reason reason() const { return detail_ ? detail_->reason : Reason::kNone; }
  // In the order in which they were given; those that belong to a reason stand beside it in
  // proto/edgemoe/v1/errors.proto.
  std::span<const StatusFigure> figures() const;

  // "DATA_LOSS: message", or "OK".
  std::string ToString() const;

  // The same with a reason; an OK status stays as it is.
  Status WithReason(Reason reason) const;
  // The same with one more figure; an OK status stays as it is.
  Status WithFigure(StatusFigure figure) const;

  // The same code with "context: " in front of the message, the same field, reason and figures; an
  // OK status stays as it is. For objects that are no field of the input, as the path of a file.
  Status WithContext(std::string_view context) const;

  // The same problem one level further out: a field "b" becomes "outer.b", "[2]" becomes
  // "outer[2]"; without a field `outer` is it. In the message, too. An OK status stays as it is.
  Status InField(std::string_view outer) const;

  // The same problem with another name for its field, or with one where it had none. In the
  // message, too. An OK status stays as it is.
  Status WithField(std::string field) const;

  bool operator==(const Status& other) const;

 private:
  struct Detail {
    std::string field;            // empty: none
    std::size_t field_begin = 0;  // where "field: problem" begins in the message
    Reason reason = Reason::kNone;
    std::vector<StatusFigure> figures{};
  };
  Detail DetailCopy() const { return detail_ ? *detail_ : Detail{}; }

  StatusCode code_ = StatusCode::kOk;
  std::string message_;
  std::shared_ptr<const Detail> detail_;
};

inline Status OkStatus() { return Status(); }
inline Status CancelledError(std::string m) { return {StatusCode::kCancelled, std::move(m)}; }
inline Status InvalidArgumentError(std::string m) {
  return {StatusCode::kInvalidArgument, std::move(m)};
}
inline Status DeadlineExceededError(std::string m) {
  return {StatusCode::kDeadlineExceeded, std::move(m)};
}
inline Status NotFoundError(std::string m) { return {StatusCode::kNotFound, std::move(m)}; }
inline Status AlreadyExistsError(std::string m) {
  return {StatusCode::kAlreadyExists, std::move(m)};
}
inline Status PermissionDeniedError(std::string m) {
  return {StatusCode::kPermissionDenied, std::move(m)};
}
inline Status ResourceExhaustedError(std::string m) {
  return {StatusCode::kResourceExhausted, std::move(m)};
}
inline Status FailedPreconditionError(std::string m) {
  return {StatusCode::kFailedPrecondition, std::move(m)};
}
inline Status OutOfRangeError(std::string m) { return {StatusCode::kOutOfRange, std::move(m)}; }
inline Status UnimplementedError(std::string m) {
  return {StatusCode::kUnimplemented, std::move(m)};
}
inline Status InternalError(std::string m) { return {StatusCode::kInternal, std::move(m)}; }
inline Status UnavailableError(std::string m) { return {StatusCode::kUnavailable, std::move(m)}; }
inline Status DataLossError(std::string m) { return {StatusCode::kDataLoss, std::move(m)}; }

// INVALID_ARGUMENT about a field, where "found X; accepted: Y" does not say what is wrong.
inline Status InvalidFieldError(std::string field, std::string_view problem) {
  return {StatusCode::kInvalidArgument, std::move(field), problem};
}

}  // namespace edgemoe
