// SPDX-License-Identifier: Apache-2.0
#include "client/message_text.h"

#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgemoe::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Bytes of the character at the start of `text`, or 0 when it is not UTF-8.
std::size_t CharacterBytes(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return 0;
  for (std::size_t i = 1; i < bytes; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F)) return 0;
  if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) return 0;
  return bytes;
}

Status CheckFields(const Message& message, const std::string& path);

Status CheckField(const Message& message, const FieldDescriptor* field, int index,
                  const std::string& path) {
  const Reflection* reflection = message.GetReflection();
  const bool repeated = field->is_repeated();
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
    return CheckFields(repeated ? reflection->GetRepeatedMessage(message, field, index)
                                : reflection->GetMessage(message, field),
                       path + ".");
  std::string scratch;
  const std::string& text =
      repeated ? reflection->GetRepeatedStringReference(message, field, index, &scratch)
               : reflection->GetStringReference(message, field, &scratch);
  const std::optional<std::size_t> at = FirstInvalidByte(text);
  if (!at) return Status();
  return Status{.code = StatusCode::kInvalidArgument,
                .message = path + ": is not UTF-8 from byte " + std::to_string(*at) +
                           " on; accepted: UTF-8 text",
                .reason = "INVALID_FIELD",
                .field = path};
}

// `path`: what the message's fields begin with.
Status CheckFields(const Message& message, const std::string& path) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->type() != FieldDescriptor::TYPE_STRING &&
        field->type() != FieldDescriptor::TYPE_MESSAGE)
      continue;
    const int count = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const std::string place = field->is_repeated() ? "[" + std::to_string(i) + "]" : "";
      if (Status status = CheckField(message, field, i, path + field->name() + place); !status.ok())
        return status;
    }
  }
  return Status();
}

}  // namespace

std::optional<std::size_t> FirstInvalidByte(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t bytes = CharacterBytes(text.substr(i));
    if (bytes == 0) return i;
    i += bytes;
  }
  return std::nullopt;
}

Status CheckMessageText(const Message& message) { return CheckFields(message, ""); }

}  // namespace edgemoe::client
