// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/calls/call_reader.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace edgemoe {
namespace {

using Json = nlohmann::json;

bool IsText(const Json& parameter) {
  if (!parameter.is_object()) return false;
  const auto type = parameter.find("type");
  return type != parameter.end() && *type == "string";
}

}  // namespace

AnswerTool DescribeAnswerTool(std::string name, std::string_view parameters) {
  AnswerTool tool{std::move(name), {}};
  const Json schema = Json::parse(parameters, nullptr, /*allow_exceptions=*/false);
  if (!schema.is_object()) return tool;
  const auto properties = schema.find("properties");
  if (properties == schema.end() || !properties->is_object()) return tool;
  for (const auto& [key, parameter] : properties->items()) {
    if (IsText(parameter)) tool.text_parameters.push_back(key);
  }
  return tool;
}

bool IsCallNameByte(char byte) {
  const auto c = static_cast<unsigned char>(byte);
  if (c >= 0x80) return true;
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return std::string_view("_-.:/$@").find(byte) != std::string_view::npos;
}

std::string JsonText(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

void AppendJsonByte(char byte, std::string& json) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto c = static_cast<unsigned char>(byte);
  switch (byte) {
    case '"':
    case '\\':
      json += '\\';
      json += byte;
      return;
    case '\n': json += "\\n"; return;
    case '\t': json += "\\t"; return;
    case '\r': json += "\\r"; return;
    default: break;
  }
  if (c < 0x20) {
    json += "\\u00";
    json += kHex[c >> 4];
    json += kHex[c & 15];
  } else {
    json += byte;
  }
}

bool IsJson(std::string_view text) {
  // The parser takes a zero byte for the end.
  return text.find('\0') == std::string_view::npos && Json::accept(text);
}

void TrimSpace(std::string_view& text) {
  constexpr std::string_view kSpace = " \n\t\r";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) {
    text = {};
    return;
  }
  text = text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace edgemoe
