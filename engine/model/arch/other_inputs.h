// SPDX-License-Identifier: Apache-2.0
//
// Parts of a file that read images and audio: ollama keeps them in the model's own file. What they
// read becomes rows of the embedding; a prompt of text has none of these, so a model is whole
// without them.
#pragma once

#include <string_view>

namespace edgemoe {

constexpr std::string_view kImages = "images";
constexpr std::string_view kAudio = "audio";
constexpr std::string_view kImagesOrAudio = "images or audio";

// Of a tensor that is of an encoder ("v.", "a."), or of what fits their output to the model
// ("mm."); empty of others.
std::string_view OtherInputOfTensor(std::string_view name);

// The same of a key: "vision.", "audio.", "mm.". `name`: behind the architecture's.
std::string_view OtherInputOfKey(std::string_view name);

}  // namespace edgemoe
