// SPDX-License-Identifier: Apache-2.0
#include "download/hub/model_reference.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "engine/base/accepted.h"
#include "engine/base/utf8.h"

namespace edgemoe {
namespace {

constexpr std::size_t kReferenceBytesMax = 4096;
constexpr std::size_t kNameBytesMax = 200;  // room for ".part.json" in 255
constexpr std::size_t kComponentBytesMax = 96;
constexpr std::string_view kForms = "hf.co/ORG/REPO, hf.co/ORG/REPO:QUANT, an http or https URL";

bool IsHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

int HexValue(char c) {
  if (c <= '9') return c - '0';
  return (c | 0x20) - 'a' + 10;
}

std::optional<std::string> Unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !IsHex(text[i + 1]) || !IsHex(text[i + 2])) return std::nullopt;
    out += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
    i += 2;
  }
  return out;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return lower;
}

bool IsComponent(std::string_view text) {
  const auto is_accepted = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !text.empty() && text.size() <= kComponentBytesMax && text != "." && text != ".." &&
         std::ranges::all_of(text, is_accepted);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (true) {
    const std::size_t end = text.find(separator);
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

// What stands behind the hub's host, or nothing where the text names no hub.
std::optional<std::string_view> BehindHub(std::string_view text, std::string_view hub) {
  const std::string lower = Lower(text);
  const std::string own = Lower(hub);
  for (const std::string_view begin :
       {std::string_view(own), std::string_view("https://hf.co"),
        std::string_view("https://huggingface.co"), std::string_view("hf.co"),
        std::string_view("huggingface.co")}) {
    if (lower.starts_with(begin) && lower.size() > begin.size() && lower[begin.size()] == '/')
      return text.substr(begin.size() + 1);
  }
  return std::nullopt;
}

Status BadReference(std::string_view text, std::string_view problem) {
  return InvalidFieldError("model",
                           std::string(problem) + ": " + FoundAndAccepted(ShowValue(text), kForms));
}

// Not so are a hub's other files, as of a mirror that serves both.
bool IsPage(std::string_view path) {
  path = path.substr(0, path.find_first_of("?#"));
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::vector<std::string_view> pieces = Split(path, '/');
  return pieces.size() <= 2 || pieces[2] == "blob" || pieces[2] == "resolve" ||
         pieces[2] == "raw" || pieces[2] == "tree";
}

// "ORG/REPO[:QUANT]", or of a page: "ORG/REPO/{blob,resolve,raw}/REVISION/PATH",
// ".../tree/REVISION".
Result<ModelReference> ParseRepository(std::string_view text, std::string_view path) {
  path = path.substr(0, path.find_first_of("?#"));
  while (path.ends_with('/')) path.remove_suffix(1);
  std::vector<std::string_view> pieces = Split(path, '/');
  if (pieces.size() < 2) return Failure(BadReference(text, "names no repository"));
  ModelReference reference;
  if (const std::size_t colon = pieces[1].find(':');
      pieces.size() == 2 && colon != std::string_view::npos) {
    reference.quant = pieces[1].substr(colon + 1);
    pieces[1] = pieces[1].substr(0, colon);
    if (!IsComponent(reference.quant))
      return Failure(BadReference(text, "what stands behind the colon is no quant"));
  }
  if (!IsComponent(pieces[0]) || !IsComponent(pieces[1]))
    return Failure(BadReference(text, "organisation or repository has an odd name"));
  reference.repository = std::string(pieces[0]) + "/" + std::string(pieces[1]);
  if (pieces.size() == 2) return reference;
  const bool is_tree = pieces[2] == "tree";
  const bool is_file = pieces[2] == "blob" || pieces[2] == "resolve" || pieces[2] == "raw";
  if ((!is_tree && !is_file) || pieces.size() < (is_file ? 5u : 4u))
    return Failure(BadReference(text, "is neither a repository nor a file of one"));
  const std::optional<std::string> revision = Unescape(pieces[3]);
  if (!revision || !IsComponent(*revision))
    return Failure(BadReference(text, "the revision has an odd name"));
  reference.revision = *revision;
  if (is_tree) return reference;
  for (std::size_t i = 4; i < pieces.size(); ++i) {
    const std::optional<std::string> piece = Unescape(pieces[i]);
    if (!piece || piece->empty() || *piece == "." || piece->find("..") != std::string::npos ||
        piece->find('/') != std::string::npos)
      return Failure(BadReference(text, "the path in the repository is odd"));
    reference.path += (i == 4 ? "" : "/") + *piece;
  }
  EDGEMOE_FAIL_IF_ERROR([&] {
    const Result<std::string> name = FileNameOf(reference.path);
    return name ? OkStatus() : name.error();
  }());
  return reference;
}

Result<ModelReference> ParseUrl(std::string_view text) {
  ModelReference reference;
  const std::size_t hash = text.find('#');
  reference.url = text.substr(0, hash);
  if (hash != std::string_view::npos) {
    constexpr std::string_view kSum = "#sha256=";
    const std::string_view fragment = text.substr(hash);
    const std::string sum = Lower(fragment.substr(std::min(kSum.size(), fragment.size())));
    if (!fragment.starts_with(kSum) || sum.size() != 64 || !std::ranges::all_of(sum, IsHex))
      return Failure(InvalidField("model", ShowValue(fragment), "#sha256= and 64 digits"));
    reference.sha256 = sum;
  }
  const std::string_view url = reference.url;
  const std::string_view behind = url.substr(url.find("://") + 3);
  if (behind.find('/') == std::string_view::npos || behind.starts_with('/'))
    return Failure(BadReference(text, "names no file"));
  const Result<std::string> name = FileNameOf(url);
  if (!name) return Failure(name.error());
  return reference;
}

}  // namespace

Result<ModelReference> ParseModelReference(std::string_view text, std::string_view hub) {
  if (text.empty() || text.size() > kReferenceBytesMax)
    return Failure(InvalidField("model", std::to_string(text.size()) + " bytes", kForms));
  if (const std::size_t invalid_at = FindInvalidUtf8(text); invalid_at != std::string_view::npos)
    return Failure(NotUtf8Field("model", invalid_at));
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= 0x20; }))
    return Failure(BadReference(text, "has blanks or control characters"));
  if (const std::optional<std::string_view> path = BehindHub(text, hub);
      path && (text.find("://") == std::string_view::npos || IsPage(*path)))
    return ParseRepository(text, *path);
  const std::string lower = Lower(text.substr(0, 8));
  if (lower.starts_with("http://") || lower.starts_with("https://")) return ParseUrl(text);
  return Failure(InvalidField("model", ShowValue(text), kForms));
}

Result<std::string> FileNameOf(std::string_view path_or_url) {
  std::string_view path = path_or_url;
  if (const std::size_t scheme = path.find("://"); scheme != std::string_view::npos)
    path = path.substr(0, path.find_first_of("?#"));
  const std::string_view last = path.substr(path.rfind('/') + 1);
  const bool is_url =
      path.size() != path_or_url.size() || path.find("://") != std::string_view::npos;
  const std::optional<std::string> name = is_url ? Unescape(last) : std::string(last);
  const bool is_bad =
      !name || name->empty() || name->size() > kNameBytesMax || name->starts_with('.') ||
      name->find('/') != std::string::npos || name->find("..") != std::string::npos ||
      FindInvalidUtf8(*name) != std::string_view::npos || std::ranges::any_of(*name, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\';
      });
  if (is_bad || !Lower(*name).ends_with(".gguf"))
    return Failure(InvalidField("model", "a file named " + ShowValue(last),
                                "a name that ends in .gguf, without \"..\", \"/\", \"\\\", control "
                                "characters or a dot in front, of at most " +
                                    std::to_string(kNameBytesMax) + " bytes"));
  return *name;
}

}  // namespace edgemoe
