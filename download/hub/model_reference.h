// SPDX-License-Identifier: Apache-2.0
//
// Names of models that are somewhere else: what a person writes, to what is asked for.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace edgemoe {

// Of a hub's repository, or, where `repository` is empty, any URL.
struct ModelReference {
  std::string repository{};  // "ORG/REPO"
  std::string revision = "main";
  std::string path{};    // one file of the repository; empty: `quant` chooses
  std::string quant{};   // as it was written; empty: see ChooseModel
  std::string url{};     // http or https
  std::string sha256{};  // what the URL's file must have, 64 hexadecimal digits; empty: not known
};

// What people mean by hf.co and huggingface.co where no other hub is set.
constexpr std::string_view kDefaultHub = "https://huggingface.co";

// Takes "hf.co/ORG/REPO[:QUANT]", "huggingface.co/ORG/REPO[:QUANT]", both also behind "https://",
// the same of the host of `hub`, the addresses of a hub's pages
// ("https://hf.co/ORG/REPO/blob/main/PATH", also resolve, raw and tree), and other URLs of http and
// https, whose fragment may be "#sha256=HEX". `hub`: an origin, as kDefaultHub. INVALID_ARGUMENT
// says which part is wrong.
Result<ModelReference> ParseModelReference(std::string_view text, std::string_view hub);

// The name that a file of this path or URL gets in a folder: its last component, with %XX decoded.
// INVALID_ARGUMENT for what could leave the folder or be hidden in it ("..", "/", a leading "."),
// for control characters, for what does not end in ".gguf", and for more than 200 bytes.
Result<std::string> FileNameOf(std::string_view path_or_url);

}  // namespace edgemoe
