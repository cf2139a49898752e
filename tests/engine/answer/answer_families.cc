// SPDX-License-Identifier: Apache-2.0
//
// Answers as the families write them; docs/answers.md has the sources.
#include "tests/engine/answer/answer_parts.h"

namespace edgemoe {
namespace {

const std::string kQwen = "<think> </think> <tool_call>\n{\"name\"";
const std::string kQwenCoder = "<tool_call>\n<function=";
const std::string kHarmony = "<|start|> <|channel|> <|message|>";
const std::string kGemma = "<|channel>thought <|tool_call>call:";
const std::string kGlm = "<think> <tool_call> <arg_key>";
const std::string kLfm2 = "<think> <|tool_call_start|>[";
const std::string kLlama = "<|start_header_id|> <|python_tag|>";
const std::string kMistral = "[THINK] [TOOL_CALLS]";
const std::string kDeepSeek = "<think> <｜tool▁calls▁begin｜>";
const std::string kMiniMax = "<think> <minimax:tool_call>";
const std::string kDsml32 = "<think> '｜DSML｜' 'function_calls>'";
const std::string kDsml4 = "<think> '｜DSML｜' 'tool_calls>'";
const std::string kKimi = "<|tool_calls_section_begin|>";

const std::vector<AnswerTool> kWeather = {
    DescribeAnswerTool("weather", R"({"type": "object", "properties":
        {"city": {"type": "string"}, "days": {"type": "integer"}}})")};

std::vector<AnswerCase> ThinkAnswers() {
  return {
      {"qwen3 thinks and answers",
       kQwen,
       "<|im_start|>assistant\n",
       {},
       "<think>\nIs it 4?\n\nYes.\n</think>\n\nIt is **4**.\n",
       {"reasoning Is it 4?\n\nYes.", "content It is **4**.\n"}},
      {"qwen3 without thoughts",
       kQwen,
       "assistant\n<think>\n\n</think>\n\n",
       {},
       "It is 4.",
       {"content It is 4."}},
      {"empty thoughts", kQwen, "", {}, "<think>\n\n</think>\n\nFour", {"content Four"}},
      {"the prompt opens the thoughts",
       kQwen,
       "assistant\n<think>\n",
       {},
       "Hm.\n</think>\n\n4 < 5",
       {"reasoning Hm.", "content 4 < 5"}},
      {"thoughts that do not end",
       kQwen,
       "<think>\n",
       {},
       "and so on </thi",
       {"reasoning and so on </thi"}},
      {"no marks at all",
       kQwen,
       "",
       {},
       " \n Ümläut < x <t>\n\n ",
       {"content  \n Ümläut < x <t>\n\n "}},
      {"a mark after the beginning",
       kQwen,
       "",
       {},
       "Say <think> aloud",
       {"content Say <think> aloud"}},
      {"marks in code",
       kQwen,
       "",
       {},
       "Write\n```xml\n<tool_call>\n{\"name\": \"f\"}\n</tool_call>\n<think>\n```\ndone",
       {"content Write\n```xml\n<tool_call>\n{\"name\": \"f\"}\n</tool_call>\n<think>\n```\ndone"}},
      {"a call behind a block",
       kQwen,
       "",
       {},
       "```\nx\n```<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>",
       {"content ```\nx\n```", "call 0 f", "arguments {}", "end 0"}},
      {"deepseek r1",
       kDeepSeek,
       "<｜Assistant｜><think>\n",
       {},
       "Sum.\n</think>\n\n**3**",
       {"reasoning Sum.", "content **3**"}},
  };
}

std::vector<AnswerCase> HermesAnswers() {
  return {
      {"two calls",
       kQwen,
       "",
       kWeather,
       "<think>\nLook.\n</think>\n\nI look.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": "
       "{\"city\": \"Köln\", \"days\": 2}}\n</tool_call>\n<tool_call>\n{\"arguments\": {\"a\": "
       "[1, {\"b\": null}]}, \"name\": \"other\"}\n</tool_call>",
       {"reasoning Look.", "content I look.", "call 0 weather",
        "arguments {\"city\": \"Köln\", \"days\": 2}", "end 0", "call 1 other",
        "arguments {\"a\": [1, {\"b\": null}]}", "end 1"}},
      {"arguments as a text, an id, no arguments",
       kQwen,
       "",
       {},
       R"(<tool_call>{"id": "x1", "name": "f", "arguments": "{\"a\": 1}"}</tool_call>)"
       R"(<tool_call>{"type": "function", "name": "g"}</tool_call>)",
       {"call 0 f x1", "arguments {\"a\": 1}", "end 0", "call 1 g", "arguments {}", "end 1"}},
      {"the closing mark is missing",
       kQwen,
       "",
       {},
       "<tool_call>{\"name\": \"f\", \"arguments\": {}}\n",
       {"call 0 f", "arguments {}", "end 0"}},
      {"arguments that are not JSON",
       kQwen,
       "",
       {},
       "Go.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": oops}}\n</tool_call> on",
       {"content Go.", "call 0 f", "arguments {\"a\": ", "not parsed 0: a call that is not JSON",
        "content \n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": oops}}\n</tool_call> on"}},
      {"a list of arguments",
       kQwen,
       "",
       {},
       "<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>",
       {"not parsed: a call whose arguments are no JSON object",
        "content <tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>"}},
      {"a mark that is spoken of",
       kQwen,
       "",
       {},
       "The tag `<tool_call>` opens.",
       {"content The tag `", "not parsed: a call that is not JSON", "content <tool_call>` opens."}},
      {"cut off",
       kQwen,
       "",
       {},
       "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"lon",
       {"call 0 f", "arguments {\"a\": \"lon",
        "not parsed 0: a call that the answer's end cuts off",
        "content <tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"lon"}},
      {"thoughts between calls",
       kQwen,
       "",
       {},
       "<tool_call>{\"name\": \"f\"}</tool_call>\n<think>b</think>\n<tool_call>{\"name\": "
       "\"g\"}</tool_call>",
       {"call 0 f", "arguments {}", "end 0", "reasoning b", "call 1 g", "arguments {}", "end 1"}},
  };
}

std::vector<AnswerCase> CallsInReasoning() {
  return {
      {"a call before the thoughts are closed",
       kQwen,
       "<think>\n",
       kWeather,
       "I look.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {}}\n</tool_call>",
       {"reasoning I look.", "call 0 weather", "arguments {}", "end 0"}},
      {"thoughts go on behind a call",
       kQwen,
       "",
       kWeather,
       "<think>a\n<tool_call>{\"name\": \"weather\"}</tool_call>\nb</think>\nc",
       {"reasoning a", "call 0 weather", "arguments {}", "end 0", "reasoning b", "content c"}},
      {"a call in code among the thoughts",
       kQwen,
       "<think>\n",
       kWeather,
       "So:\n```\n<tool_call>{\"name\": \"weather\"}</tool_call>\n</think>\nb",
       {"reasoning So:\n```\n<tool_call>{\"name\": \"weather\"}</tool_call>", "content b"}},
      {"a mark that is thought of",
       kQwen,
       "<think>\n",
       kWeather,
       "The tag <tool_call> or <tool_call>{\"name\": \"weather\"}</tool_call>?</think>b",
       {"reasoning The tag", "not parsed: a call that is not JSON",
        "reasoning  <tool_call> or <tool_call>{\"name\": \"weather\"}</tool_call>?", "content b"}},
      {"what is no call closes the thoughts",
       kGlm,
       "<think>",
       kWeather,
       "a <tool_call>f<arg_key>x</arg_key><arg_value>1</think>b <tool_call>weather</tool_call>",
       {"reasoning a", "call 0 f",
        "arguments {\"x\": ", "not parsed 0: a call that the answer's end cuts off",
        "reasoning  <tool_call>f<arg_key>x</arg_key><arg_value>1", "content b", "call 1 weather",
        "arguments {}", "end 1"}},
      {"a call among the thoughts without tools",
       kQwen,
       "<think>\n",
       {},
       "<tool_call>{\"name\": \"weather\"}</tool_call></think>b",
       {"reasoning <tool_call>{\"name\": \"weather\"}</tool_call>", "content b"}},
  };
}

std::vector<AnswerCase> HarmonyAnswers() {
  const std::string prompt = "<|end|><|start|>assistant";
  return {
      {"thoughts and an answer",
       kHarmony,
       prompt,
       {},
       "<|channel|>analysis<|message|>User says hi.<|end|><|start|>assistant<|channel|>final"
       "<|message|>Hello < you!",
       {"reasoning User says hi.", "content Hello < you!"}},
      {"a preamble and a call",
       kHarmony,
       prompt,
       {},
       "<|channel|>analysis<|message|>Need it.<|end|><|start|>assistant<|channel|>commentary"
       "<|message|>I look.<|end|><|start|>assistant<|channel|>commentary to=functions.weather "
       "<|constrain|>json<|message|>{\"city\": \"Köln\"}",
       {"reasoning Need it.", "content I look.", "call 0 weather", "arguments {\"city\": \"Köln\"}",
        "end 0"}},
      {"the recipient before the channel",
       kHarmony,
       prompt,
       {},
       " to=functions.a.b<|channel|>commentary json<|message|>{\"x\":\"<|end|>\"}<|call|>",
       {"call 0 a.b", "arguments {\"x\":\"<|end|>\"}", "end 0"}},
      {"two thoughts, two texts",
       kHarmony,
       prompt,
       {},
       "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>analysis<|message|>b"
       "<|end|><|start|>assistant<|channel|>commentary<|message|>c<|end|><|start|>assistant"
       "<|channel|>final<|message|>d<|return|>",
       {"reasoning a\n\nb", "content c\n\nd"}},
      {"a mark in code",
       kHarmony,
       prompt + "<|channel|>final<|message|>",
       {},
       "So:\n```\n<|start|>assistant<|end|>\n```\nYes<|end|><|start|>assist",
       {"content So:\n```\n<|start|>assistant<|end|>\n```\nYes"}},
      {"no header", kHarmony, prompt, {}, "Just text.", {"content Just text."}},
      {"code for python",
       kHarmony,
       prompt,
       {},
       "<|channel|>analysis to=python code<|message|>print(1)<|call|>",
       {"call 0 python", "not parsed 0: a call whose arguments are no JSON object",
        "content print(1)"}},
      {"a header that does not end", kHarmony, prompt, {}, "<|channel|>analysis", {}},
      {"the end mark is missing",
       kHarmony,
       prompt,
       {},
       "<|channel|>analysis<|message|>a<|channel|>final<|message|>b",
       {"reasoning a", "content b"}},
  };
}

std::vector<AnswerCase> GemmaAnswers() {
  const std::string function_gemma = "<start_function_call>";
  return {
      {"gemma thinks and calls",
       kGemma,
       "<|turn>model\n",
       {},
       "<|channel>thought\nI need it.\n<channel|><|tool_call>call:weather{city:<|\"|>Kö\"ln<|\"|>,"
       "days:2,deep:{a:[1,<|\"|>x<|\"|>,true],b:{}}}<tool_call|>",
       {"reasoning I need it.", "call 0 weather",
        R"(arguments {"city": "Kö\"ln", "days": 2, "deep": {"a": [1, "x", true], "b": {}}})",
        "end 0"}},
      {"gemma answers",
       kGemma,
       "<|channel>thought\n<channel|>",
       {},
       "Hi <|x|>",
       {"content Hi <|x|>"}},
      {"two calls of gemma",
       kGemma,
       "",
       {},
       "<|tool_call>call:f{}<tool_call|><|tool_call>call:g{a:-1.5e3}<tool_call|>",
       {"call 0 f", "arguments {}", "end 0", "call 1 g", "arguments {\"a\": -1.5e3}", "end 1"}},
      {"a value that is none",
       kGemma,
       "",
       {},
       "<|tool_call>call:f{a:b}<tool_call|>",
       {"call 0 f", "arguments {\"a\": ", "not parsed 0: an argument that is no value",
        "content <|tool_call>call:f{a:b}<tool_call|>"}},
      {"functiongemma",
       function_gemma,
       "",
       {},
       "<start_function_call>call:turn{on:true,room:<escape>a<b<escape>}<end_function_call>",
       {"call 0 turn", "arguments {\"on\": true, \"room\": \"a<b\"}", "end 0"}},
  };
}

std::vector<AnswerCase> TaggedAnswers() {
  return {
      {"glm with types",
       kGlm,
       "",
       kWeather,
       "\n<think>Look.</think>\nI look.\n<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>12"
       "</arg_value>\n<arg_key>days</arg_key>\n<arg_value>2</arg_value>\n</tool_call>",
       {"reasoning Look.", "content I look.", "call 0 weather",
        "arguments {\"city\": \"12\", \"days\": 2}", "end 0"}},
      {"glm without types",
       kGlm,
       "",
       {},
       "<tool_call>f<arg_key>a</arg_key><arg_value>{\"b\": [1]}</arg_value><arg_key>c</arg_key>"
       "<arg_value>not \"JSON\"\n</arg_value></tool_call><tool_call>g</tool_call>",
       {"call 0 f", "arguments {\"a\": {\"b\": [1]}, \"c\": \"not \\\"JSON\\\"\\n\"}", "end 0",
        "call 1 g", "arguments {}", "end 1"}},
      {"glm writes json",
       kGlm,
       "",
       {},
       "<tool_call>{\"name\": \"f\"}</tool_call>",
       {"not parsed: a call without a name", "content <tool_call>{\"name\": \"f\"}</tool_call>"}},
      {"qwen3-coder",
       kQwenCoder,
       "",
       kWeather,
       "I look.\n\n<tool_call>\n<function=weather>\n<parameter=city>\nA\nB <b>\n</parameter>\n"
       "<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>",
       {"content I look.", "call 0 weather", "arguments {\"city\": \"A\\nB <b>\", \"days\": 3}",
        "end 0"}},
      {"qwen3-coder without arguments",
       kQwenCoder,
       "",
       {},
       "<tool_call>\n<function=f>\n</function>\n</tool_call>",
       {"call 0 f", "arguments {}", "end 0"}},
      {"qwen3-coder cut off",
       kQwenCoder,
       "",
       kWeather,
       "<tool_call>\n<function=weather>\n<parameter=city>\nKö",
       {"call 0 weather", "arguments {\"city\": \"Kö",
        "not parsed 0: a call that the answer's end cuts off",
        "content <tool_call>\n<function=weather>\n<parameter=city>\nKö"}},
  };
}

std::vector<AnswerCase> InvokedAnswers() {
  return {
      {"minimax",
       kMiniMax,
       "<think>\n",
       kWeather,
       "Look.\n</think>\n\nI look.\n<minimax:tool_call>\n<invoke name=\"weather\">\n<parameter "
       "name=\"city\">12</parameter>\n<parameter name=\"days\">2</parameter>\n</invoke>\n<invoke "
       "name=\"f\">\n<parameter name=\"a\">{\"b\": [\"ü\"]}</parameter>\n</invoke>\n"
       "</minimax:tool_call>",
       {"reasoning Look.", "content I look.", "call 0 weather",
        "arguments {\"city\": \"12\", \"days\": 2}", "end 0", "call 1 f",
        "arguments {\"a\": {\"b\": [\"ü\"]}}", "end 1"}},
      {"minimax without a closing mark",
       kMiniMax,
       "",
       {},
       "<minimax:tool_call><invoke name=\"f\"></invoke>\n",
       {"call 0 f", "arguments {}", "end 0"}},
      {"minimax cut off in the second call",
       kMiniMax,
       "",
       {},
       "<minimax:tool_call>\n<invoke name=\"f\"></invoke>\n<invoke name=\"g\"><param",
       {"call 0 f", "arguments {}", "end 0", "call 1 g", "arguments {",
        "not parsed 1: a call that the answer's end cuts off",
        "content \n<invoke name=\"g\"><param"}},
      {"minimax with text between calls",
       kMiniMax,
       "",
       {},
       "<minimax:tool_call><invoke name=\"f\"></invoke>and</minimax:tool_call>",
       {"call 0 f", "arguments {}", "end 0", "not parsed: text between the tags of a call",
        "content and</minimax:tool_call>"}},
      {"deepseek v3.2",
       kDsml32,
       "<｜Assistant｜></think>",
       {},
       "I look.\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"weather\">\n<｜DSML｜parameter "
       "name=\"city\" string=\"true\">12 \"a\"\n</｜DSML｜parameter>\n<｜DSML｜parameter "
       "name=\"days\" string=\"false\">2</｜DSML｜parameter>\n</｜DSML｜invoke>\n<｜DSML｜invoke "
       "name=\"f\">\n</｜DSML｜invoke>\n</｜DSML｜function_calls>",
       {"content I look.", "call 0 weather", R"(arguments {"city": "12 \"a\"\n", "days": 2})",
        "end 0", "call 1 f", "arguments {}", "end 1"}},
      {"deepseek v3.2 with a type that is not told",
       kDsml32,
       "",
       {},
       "<｜DSML｜function_calls><｜DSML｜invoke name=\"f\"><｜DSML｜parameter name=\"a\">1"
       "</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜function_calls>",
       {"call 0 f", "arguments {", "not parsed 0: a call that the answer's end cuts off",
        "content <｜DSML｜function_calls><｜DSML｜invoke name=\"f\"><｜DSML｜parameter name=\"a\">1"
        "</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜function_calls>"}},
      {"deepseek v4",
       kDsml4,
       "<think>",
       {},
       "Hm</think>\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter "
       "name=\"a\" string=\"false\">[1, {\"b\": null}]</｜DSML｜parameter>\n</｜DSML｜invoke>\n"
       "</｜DSML｜tool_calls>",
       {"reasoning Hm", "call 0 f", "arguments {\"a\": [1, {\"b\": null}]}", "end 0"}},
  };
}

std::vector<AnswerCase> Lfm2Answers() {
  return {
      {"lfm2",
       kLfm2,
       "",
       {},
       R"(<|tool_call_start|>[weather(city="Kö'ln", days=2), f(a=[1, None], b={'c': (True, 2.5)}, )"
       R"(d='it\'s\n', e='\u00e9')]<|tool_call_end|>Wait.)",
       {"call 0 weather", R"(arguments {"city": "Kö'ln", "days": 2})", "end 0", "call 1 f",
        R"(arguments {"a": [1, null], "b": {"c": [true, 2.5]}, "d": "it's\n", "e": "é"})", "end 1",
        "content Wait."}},
      {"lfm2 thinks", kLfm2, "", {}, "<think>Hm</think>[1]", {"reasoning Hm", "content [1]"}},
      {"lfm2 writes json",
       kLfm2,
       "",
       {},
       R"(<|tool_call_start|>[{"name": "f", "arguments": {"a": 1}}]<|tool_call_end|>)",
       {"call 0 f", "arguments {\"a\": 1}", "end 0"}},
      {"lfm2 without names",
       kLfm2,
       "",
       {},
       "<|tool_call_start|>[f(1)]<|tool_call_end|>",
       {"call 0 f", "arguments {", "not parsed 0: an argument without a name",
        "content <|tool_call_start|>[f(1)]<|tool_call_end|>"}},
  };
}

std::vector<AnswerCase> LlamaAnswers() {
  return {
      {"llama",
       kLlama,
       "",
       kWeather,
       R"({"name": "weather", "parameters": {"city": "Köln"}})",
       {"call 0 weather", "arguments {\"city\": \"Köln\"}", "end 0"}},
      {"llama behind its tag",
       kLlama,
       "",
       kWeather,
       R"(<|python_tag|>{"type": "function", "name": "weather", "parameters": {}})",
       {"call 0 weather", "arguments {}", "end 0"}},
      {"llama answers in json",
       kLlama,
       "",
       kWeather,
       R"({"name": "Bob", "parameters": {}})",
       {"not parsed: a call of a tool that was not given",
        R"(content {"name": "Bob", "parameters": {}})"}},
      {"llama without tools",
       kLlama,
       "",
       {},
       R"({"name": "weather", "parameters": {}})",
       {R"(content {"name": "weather", "parameters": {}})"}},
      {"llama writes python",
       kLlama,
       "",
       kWeather,
       "<|python_tag|>search.call(query=\"a\")",
       {"not parsed: a call that is not JSON", "content <|python_tag|>search.call(query=\"a\")"}},
      {"llama with text before",
       kLlama,
       "",
       kWeather,
       "See {\"name\": 1}",
       {"content See {\"name\": 1}"}},
  };
}

std::vector<AnswerCase> MistralAnswers() {
  return {
      {"mistral's list",
       kMistral,
       "[/INST]",
       {},
       R"(I look.[TOOL_CALLS] [{"name": "f", "arguments": {"a": 1}, "id": "abcdefghi"}, )"
       R"({"name": "g", "arguments": {}}])",
       {"content I look.", "call 0 f", "arguments {\"a\": 1}", "end 0", "call 1 g", "arguments {}",
        "end 1"}},
      {"mistral's names",
       kMistral,
       "",
       {},
       "[TOOL_CALLS]f[CALL_ID]abc123def[ARGS]{\"a\": \"]\"}[TOOL_CALLS]g{\"b\": {}}[TOOL_CALLS]h"
       "[ARGS]{}",
       {"call 0 f abc123def", "arguments {\"a\": \"]\"}", "end 0", "call 1 g",
        "arguments {\"b\": {}}", "end 1", "call 2 h", "arguments {}", "end 2"}},
      {"magistral thinks",
       kMistral,
       "",
       {},
       "[THINK]So [1].[/THINK]Two",
       {"reasoning So [1].", "content Two"}},
      {"mistral's list breaks",
       kMistral,
       "",
       {},
       R"([TOOL_CALLS][{"name": "f", "arguments": {}}, oops])",
       {"call 0 f", "arguments {}", "end 0", "not parsed: no JSON object where a call should be",
        "content , oops]"}},
  };
}

std::vector<AnswerCase> SectionAnswers() {
  return {
      {"deepseek v3.1",
       kDeepSeek,
       "</think>",
       {},
       "I look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"a\": "
       "1}<｜tool▁call▁end｜>"
       "<｜tool▁call▁begin｜>g<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
       {"content I look.", "call 0 f", "arguments {\"a\": 1}", "end 0", "call 1 g", "arguments {}",
        "end 1"}},
      {"deepseek v3",
       kDeepSeek,
       "",
       {},
       "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n{"
       "\"city\": "
       "\"```\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
       {"call 0 weather", "arguments {\"city\": \"```\"}", "end 0"}},
      {"deepseek without arguments",
       kDeepSeek,
       "",
       {},
       "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>[]<｜tool▁call▁end｜>",
       {"not parsed: a call without a name",
        "content <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>[]<｜tool▁call▁end｜>"}},
      {"a section without calls",
       kDeepSeek,
       "",
       {},
       "<｜tool▁calls▁begin｜>",
       {"not parsed: a call that the answer's end cuts off", "content <｜tool▁calls▁begin｜>"}},
      {"kimi k2",
       kKimi,
       "",
       {},
       "<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0"
       "<|tool_call_argument_begin|>{\"city\": \"Köln\"}<|tool_call_end|>"
       "<|tool_calls_section_end|>",
       {"call 0 weather functions.weather:0", "arguments {\"city\": \"Köln\"}", "end 0"}},
  };
}

}  // namespace

const std::vector<AnswerCase>& FamilyAnswers() {
  static const std::vector<AnswerCase> all = [] {
    std::vector<AnswerCase> cases;
    for (auto family : {ThinkAnswers, HermesAnswers, CallsInReasoning, HarmonyAnswers, GemmaAnswers,
                        TaggedAnswers, InvokedAnswers, Lfm2Answers, LlamaAnswers, MistralAnswers,
                        SectionAnswers}) {
      for (AnswerCase& answer : family()) cases.push_back(std::move(answer));
    }
    return cases;
  }();
  return all;
}

}  // namespace edgemoe
