// SPDX-License-Identifier: Apache-2.0
//
// What is refused, with which words: mistakes in templates, and templates that would use up the
// machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>

#include "tests/engine/template/rendering.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

// Each is refused at a line and column, with the words that are given.
void ExpectRefused(std::span<const Sample> samples, const RenderOptions& options = {}) {
  for (const Sample& sample : samples) {
    SCOPED_TRACE(sample.source);
    const auto rendered = Render(sample.source, Context(), options);
    ASSERT_FALSE(rendered) << rendered->substr(0, 1000);
    EXPECT_EQ(rendered.error().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(rendered.error().message(), HasSubstr("chat template, line "));
    EXPECT_THAT(rendered.error().message(), HasSubstr(sample.written));
  }
}

TEST(ChatTemplateRefusal, RaiseExceptionIsTheMessageItself) {
  const auto rendered = Render("{{ raise_exception('Roles must alternate') }}");
  ASSERT_FALSE(rendered);
  EXPECT_EQ(rendered.error(), InvalidArgumentError("Roles must alternate"));
}

TEST(ChatTemplateRefusal, ParseErrorsNameLineAndColumn) {
  const Sample samples[] = {
      {"a\n{{ 1 + }}", "line 2, column 8: expected a value, found \"}}\""},
      {"{% if x %}", "line 1, column 11: the part that starts here has no {% endif %}"},
      {"{% for x of y %}", "line 1, column 10: expected \"in\", found \"of\""},
      {"{{ 'abc }}", "line 1, column 4: string without its closing quote"},
      {"{{ a", "line 1, column 1: tag without \"}}\""},
      {"{# a", "line 1, column 1: comment without \"#}\""},
      {"{% raw %}", "{% raw %} without {% endraw %}"},
      {"{% include 'x' %}", "tag \"include\" is not known here"},
      {"{% endfor %}", "tag \"endfor\" is not known here"},
      {"{% break %}", "\"break\" outside of a loop"},
      {"{{ a ? b }}", "line 1, column 6: unexpected character \"?\""},
      {"{{ 99999999999999999999 }}", "does not fit in 64 bits"},
      {"{{ f(a=1, 2) }}", "expected a named argument"},
      {"{{ f(*a, 2) }}", "expected a named argument"},
      {"{{ f(**a, b=2) }}", "expected \")\", found \"b\""},
      {"{{ *a }}", "expected a value, found \"*\""},
      {"{% set a, b %}{% endset %}", "expected \"=\""},
      {"{% set (a, %})", "tag without \"%}\""},
      {"{% set (a = 1) %}", "expected \")\", found \"=\""},
      {"{% for a, in x %}", "expected \"in\", found \"x\""},
      {"{% for x in y %}{% generation %}{% break %}", "\"break\" outside of a loop"},
      {"{{ 0xFFFFFFFFFFFFFFFFF }}", "does not fit in 64 bits"},
      {"{{ x[1:2:3:4] }}", "slice with three colons"},
      {"{{ x[] }}", "empty subscript"},
      {"{% call 1 %}{% endcall %}", "line 1, column 9: expected a call of a macro"},
      {"{% call m() %}", "has no {% endcall %}"},
  };
  for (const Sample& sample : samples) {
    SCOPED_TRACE(sample.source);
    const auto parsed = ChatTemplate::Parse(sample.source);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(parsed.error().message(), HasSubstr(sample.written));
  }
}

TEST(ChatTemplateRefusal, RenderErrorsNameLineAndColumn) {
  const Sample samples[] = {
      {"{{ [[1, 'a'], [2, 3], [2, 'b']]|sort }}", "cannot order"},
      {"\n{{ missing.x }}", "line 2, column 11: an undefined value (\"missing\") has no attribute"},
      {"{{ 'x' + n }}", "column 8: \"+\" does not work on a string and none"},
      {"{{ 'x'|foo }}", "no filter is called \"foo\""},
      {"{{ 1 is foo }}", "no test is called \"foo\""},
      {"{{ 'x'.foo() }}", "a string has no method \"foo\""},
      {"{{ foo() }}", "an undefined value (\"foo\") cannot be called"},
      {"{% for x in 5 %}{% endfor %}", "a number cannot be iterated"},
      {"{{ 1 / 0 }}", "division by zero"},
      {"{{ 9223372036854775807 + 1 }}", "does not fit in 64 bits"},
      {"{{ 1e308 * 10 }}", "not a finite number"},
      {"{% set a, b = [1] %}", "1 values for 2 names"},
      {"{% set s.x = 1 %}", "only a namespace's attributes can be set"},
      {"{% set ns = namespace() %}{% for i in range(20) %}{% set ns.x = namespace(x=ns.x) %}"
       "{% endfor %}{{ ns }}",
       "namespaces in each other, more than 16"},
      {"{% filter length %}x{% endfilter %}", "a filtered part is a number, not a text"},
      {"{{ [1] in {} }}", "does not work on a list and a dictionary"},
      {"{{ {[1]: 2} }}", "a dictionary's key is a list"},
      {"{{ xs[::0] }}", "slice step"},
      {"{{ 'a'|wordwrap(0) }}", "wordwrap: found width 0"},
      {"{{ dict(**xs) }}", "\"**\" with a list, not a dictionary"},
      {"{{ dict(a=1, **{'a': 2}) }}", "argument \"a\" is given twice"},
      {"{{ range(*5) }}", "a number cannot be iterated"},
      {"{{ [range] }}", "a function cannot be written as text"},
      {"{{ [namespace()]|tojson }}", "tojson: a namespace is not data"},
      {"{{ '%d' % 'x' }}", "format: %d with a string"},
      {"{{ '%s'|format }}", "format: fewer values than it uses"},
      {"{{ '%#g'|format(1) }}", "format: \"#\" with %e, %f and %g is not supported"},
      {"{% macro m() %}{% endmacro %}{% call m() %}{% endcall %}", "has no parameter \"caller\""},
      {"{% for x in [1] %}{{ loop([1]) }}{% endfor %}", "a loop cannot be called"},
      {"{{ words|sort(attribute='x') }}{{ [1, 'a']|sort }}", "cannot order"},
      {"{{ d|tojson(nope=1) }}", "no argument is called \"nope\""},
      {"{{ 'a'.split('') }}", "the separator is empty"},
      {"{{ missing|tojson }}", "tojson: an undefined value"},
  };
  ExpectRefused(samples);
}

TEST(ChatTemplateRefusal, GeneratorsMethodsAndFormats) {
  const Sample samples[] = {
      {"{{ xs|map('string') }}",
       "a generator cannot be written as text: \"|list\" makes it a list"},
      {"{{ xs|select|tojson }}", "tojson: a view of a dictionary or a generator is not data"},
      {"{{ xs|select|length }}", "a view has no length"},
      {"{{ xs|select|last }}", "last: a generator has no last item"},
      {"{{ d.items }}", "cannot be written as text"},
      {"{{ d.items.x() }}", "a method has no method \"x\""},
      {"{% set l = [] %}{% set m = [l] %}{{ l.append(1) }}",
       "column 45: a list or dictionary inside another one cannot be changed"},
      {"{% set l = [] %}{{ l.append(l) }}", "inside another one cannot be changed"},
      {"{% set l = [] %}{{ l['append'](1) }}", "inside another one cannot be changed"},
      {"{{ msgs[0].update(role='x') }}", "inside another one cannot be changed"},
      {"{% set l = [1] %}{{ l.pop(1) }}", "pop: no item 1 in a list of 1"},
      {"{{ d.pop('no') }}", "pop: the key is not in the dictionary"},
      {"{{ 'a'.index('b') }}", "index: the part is not in the text"},
      {"{{ '{} {}'.format(1) }}", "format: no argument 1"},
      {"{{ '{x}'.format(1) }}", "format: no argument is called \"x\""},
      {"{{ '{} {0}'.format(1) }}", "format: fields with and without numbers"},
      {"{{ '{'.format(1) }}", "format: \"{\" without \"}\""},
      {"{{ '{:{:{}}}'.format(1, 2, 3) }}", "more than two levels deep"},
      {"{{ '{:>9q}'.format('a') }}", "format: no specification that is supported"},
      {"{{ '{:d}'.format('a') }}", "format: a number's specification with a text"},
      {"{{ '{:>9}'.format([1]) }}", "format: a specification with a list"},
      {"{{ dict([1]) }}", "a number cannot be iterated"},
      {"{{ dict(['abc']) }}", "dict: a string is no pair of key and value"},
  };
  ExpectRefused(samples);
}

std::string Repeat(const std::string& part, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += part;
  return text;
}

TEST(ChatTemplateRefusal, NestingIsBounded) {
  const std::string hostile[] = {
      "{{ " + Repeat("(", 100000) + Repeat(")", 100000) + " }}",
      "{{ " + Repeat("[", 100000),
      "{{ " + Repeat("not ", 100000) + "x }}",
      "{{ " + Repeat("-", 100000) + "1 }}",
      "{{ 1" + Repeat(" + 1", 100000) + " }}",
      "{{ x" + Repeat(".a", 100000) + " }}",
      "{{ x" + Repeat("|trim", 100000) + " }}",
      "{{ " + Repeat("1 if x else ", 50000) + "2 }}",
      Repeat("{% if x %}", 50000),
      Repeat("{% for x in y %}", 50000),
      std::string((1 << 20) + 1, 'x'),
  };
  for (const std::string& source : hostile) {
    SCOPED_TRACE(source.substr(0, 40));
    const auto parsed = ChatTemplate::Parse(source);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code(), StatusCode::kInvalidArgument);
  }
}

TEST(ChatTemplateRefusal, WorkIsBounded) {
  RenderOptions options;
  options.limits = {.steps_max = 20000, .handled_bytes_max = 1 << 20, .output_bytes_max = 1 << 16};
  const Sample hostile[] = {
      {"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "levels deep"},
      {"{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(20) }}",
       "steps"},
      {"{% set x = 'x' * 999 %}{% macro m(n) %}{{ m(n - 1) ~ m(n - 1) if n else x }}{% endmacro %}"
       "{{ m(8)|length }}",
       "bytes"},
      {"{% for a in range(99) %}{% for b in range(300) %}{{ a }}{% endfor %}{% endfor %}", "steps"},
      {"{{ range(1000000000000) }}", "steps"},
      {"{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}"
       "{% endfor %}",
       "bytes of text"},
      {"{% set ns = namespace(x=[]) %}{% for i in range(200) %}{% set ns.x = [ns.x] %}{% endfor %}",
       "levels deep"},
      {"{{ 'ab' * 1000000 }}", "steps"},
      {"{{ 'aaaaaaaaaaaaaaaaaaaaaaaa'.replace('a', 'b' * 9999).replace('b', 'c' * 999) }}",
       "bytes of text"},
      {"{{ ('\\x0b' * 2000)|indent('x' * 2000) }}", "bytes of text"},
      {"{{ 'a'|center(9000000) }}", "bytes of text"},
      {"{{ 'a'|batch(9000000000, 0) }}", "steps"},
      {"{{ 'a'|slice(9000000000) }}", "steps"},
      {"{{ '%1000000000s'|format('a') }}", "bytes of text"},
      {"{{ '%.1000000000f'|format(1) }}", "bytes of text"},
      {"{{ '%.999999999d' % 1 }}", "bytes of text"},
      {"{{ '%99999999999999999999s' % 1 }}", "a width or precision above 1000000000"},
      {"{{ '%*s'|format(-9223372036854775807 - 1, 1) }}", "a width or precision above 1000000000"},
      {"{{ 'a'.center(9000000) }}", "bytes of text"},
      {"{% set x = 'x' * 999 %}{{ x.endswith((x,) * 2000) }}", "bytes of text"},
      {"{% set p = 'a' * 9000 %}{{ ([{}] * 900)|map(attribute=p)|list }}", "bytes of text"},
      {"{{ ('a ' * 9000)|wordwrap(1, wrapstring='x' * 900) }}", "bytes of text"},
      {"{{ ('-' * 17000)|wordwrap }}", "bytes of text"},
      {"{{ '1'.zfill(9223372036854775807) }}", "bytes of text"},
      {"{{ (['x' * 900] * 100)|groupby(none) }}", "bytes of text"},
      {"{{ range(9000)|list|tojson(indent=64) }}", "bytes of text"},
      {"{{ range(9000)|list|tojson(separators=('x' * 900, '')) }}", "bytes of text"},
      {"{% for x in [[]] recursive %}{{ loop([x]) }}{% endfor %}", "levels deep"},
      {"{% macro m() %}{% call m() %}{% endcall %}{{ caller() }}{% endmacro %}{{ m() }}",
       "levels deep"},
      {"{% macro m() %}{{ caller() }}{{ caller() }}{% endmacro %}{% macro n(i) %}{% if i %}"
       "{% call m() %}{{ n(i - 1) }}{% endcall %}{% endif %}{% endmacro %}{{ n(20) }}",
       "steps"},
      // Shared parts count as often as they are written.
      {"{% set ns = namespace(x=['x']) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}"
       "{% endfor %}{{ ns.x }}",
       "bytes of text"},
      {"{% set ns = namespace(x=['x']) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}"
       "{% endfor %}{{ ns.x == [ns.x[0], ns.x[1]] }}",
       "bytes of text"},
      {"{% set ns = namespace() %}{% for i in range(12) %}{% set ns.x = namespace(a=ns.x, b=ns.x, "
       "c=ns.x, d=ns.x) %}{% endfor %}{{ ns }}",
       "steps"},
      {"{% set x = 'x' * 1000 %}{% for a in range(100) %}{{ x }}{% endfor %}", "output is longer"},
  };
  ExpectRefused(hostile, options);
}

TEST(ChatTemplateRefusal, WorkOfChangesAndFormatsIsBounded) {
  RenderOptions options;
  options.limits = {.steps_max = 20000, .handled_bytes_max = 1 << 20, .output_bytes_max = 1 << 16};
  const Sample hostile[] = {
      {"{% set l = ['x'] %}{% for i in range(60) %}{% set _ = l.extend(l) %}{% endfor %}", "bytes"},
      {"{% set l = range(999)|list %}{% for i in range(999) %}{% set _ = l.insert(0, l.pop()) %}"
       "{% endfor %}",
       "bytes of text"},
      {"{% set l = [] %}{% for i in range(9999) %}{% set _ = l.append('x' * 9) %}"
       "{% set _ = l|join %}{% endfor %}",
       "steps"},
      {"{% set d = {} %}{% for i in range(999) %}{% set _ = d.update({i: i}) %}{% endfor %}",
       "bytes of text"},
      {"{% set ns = namespace(l=[]) %}{% for i in range(200) %}{% set l = [] %}"
       "{% set _ = l.append(ns.l) %}{% set ns.l = l %}{% endfor %}",
       "levels deep"},
      {"{{ '{:999999}'.format(1) * 9 }}", "bytes of text"},
      {"{{ '{:9999999}'.format(1) }}", "a width or precision above 1000000"},
      {"{{ ('<'|safe) ~ ('<' * 9000)|e * 100 }}", "bytes of text"},
      {"{% set g = (range(900)|list * 9)|batch(1) %}{{ g|list|string * 99 }}", "bytes of text"},
  };
  ExpectRefused(hostile, options);
}

// With the bounds that a real conversation has: endless loops and recursion, a gigabyte of output.
TEST(ChatTemplateRefusal, UsualBounds) {
  RenderOptions options;
  // Time is what a sanitizer has less of.
  if (kSanitized) options.limits.steps_max /= 16;
  const Sample hostile[] = {
      {"\n{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
       "line 2, column 45: rendering takes more than"},
      {"{% set ns = namespace(l=[1]) %}\n{% for a in range(9999999999) %}{% endfor %}",
       "line 2, column 18: rendering takes more than"},
      {"{% macro m(x) %}\n{{ m(x + 1) }}{% endmacro %}{{ m(0) }}", "levels deep"},
      {"{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}\n\n{{ a() }}{% endmacro %}{{ a() }}",
       "levels deep"},
      {"{% set x = 'x' * 1000 %}{% set x = x * 1000 %}\n {% for a in range(1000) %}{{ x }}"
       "{% endfor %}",
       "line 2, column 28: the output is longer than 67108864 bytes"},
      {"{% set ns = namespace(x='0123456789abcdef') %}{% for i in range(26) %}\n"
       "{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
       "line 2, column 20: rendering handles more than 536870912 bytes"},
  };
  ExpectRefused(hostile, options);
}

// Names are looked for one by one.
TEST(ChatTemplateRefusal, ManyNamesAreBounded) {
  std::string names;
  for (int i = 0; i < 3000; ++i) names += "{% set v" + std::to_string(i) + " = 1 %}";
  RenderOptions options;
  options.limits.handled_bytes_max = 16 << 20;
  const auto found_first =
      Render(names + "{% for i in range(9999) %}{{ i }}{% endfor %}", Context(), options);
  EXPECT_TRUE(found_first) << found_first.error().ToString();
  const auto found_last =
      Render(names + "{% for i in range(9999) %}{{ v2999 }}{% endfor %}", Context(), options);
  ASSERT_FALSE(found_last);
  EXPECT_THAT(found_last.error().message(), HasSubstr("bytes of text"));
}

TEST(ChatTemplateRefusal, InputThatIsNoJsonObjectIsRefused) {
  EXPECT_FALSE(Render("x", Json::array()));
  EXPECT_FALSE(Render("x", Json{{"a", Json::binary({1, 2})}}));
  Json deep = 1;
  for (int i = 0; i < 200; ++i) deep = Json::array({std::move(deep)});
  const auto rendered = Render("x", Json{{"a", deep}});
  ASSERT_FALSE(rendered);
  EXPECT_THAT(rendered.error().message(), HasSubstr("nested more than 100 levels"));
}

}  // namespace
}  // namespace edgemoe
