// SPDX-License-Identifier: Apache-2.0
//
// The language: what each construct writes, as Jinja 3.1 does.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/engine/template/rendering.h"

namespace edgemoe {
namespace {

void ExpectWritten(const std::vector<Sample>& samples) {
  for (const Sample& sample : samples) {
    SCOPED_TRACE(sample.source);
    const auto rendered = Render(sample.source);
    ASSERT_TRUE(rendered) << rendered.error().ToString();
    EXPECT_EQ(*rendered, sample.written);
  }
}

TEST(ChatTemplate, WhiteSpace) {
  ExpectWritten({
      {"a\n  {% if t %}\n  b\n  {% endif %}\nc", "a\n  b\nc"},
      {"a\n  {%- if t -%}\n  b\n  {%- endif -%}\nc", "abc"},
      {"a {# c #} b\n  {# c2 #}\nd {{- ' x ' -}} e", "a  b\nd x e"},
      {"  {%+ if t %}x{% endif +%}\ny", "  x\ny"},
      {"{% raw %}{{ x }}{% endraw %} {%- raw -%} {% y %} {%- endraw -%} z", "{{ x }}{% y %}z"},
      {"x\r\ny\n", "x\ny"},
      {" {{ 'a' }}\n {% set q = 1 %}\n {{ q }}\n\n", " a\n 1\n"},
  });
}

TEST(ChatTemplate, ValuesAsText) {
  ExpectWritten({
      {"{{ xs }} {{ n }} {{ t }} {{ f }} {{ e }}|{{ missing }}|", "[3, 1, 2] None True 1.0 []||"},
      {"{{ d }}", "{'b': 1, 'a': [1, 2.5, 'x\\n\"\u00e9', None, True]}"},
      {"{{ 1e16 }} {{ 0.1 + 0.2 }} {{ 1e-5 }} {{ 7 / 2 }}", "1e+16 0.30000000000000004 1e-05 3.5"},
      {"{{ 1 ~ 'a' ~ none ~ true }} {{ 'a' 'b' }}", "1aNoneTrue ab"},
      {R"({{ "a\"b\\n\n\t\x41\u00e9" }}{{ 'q\'s' }})", "a\"b\\n\n\tA\u00e9q's"},
      {"{{ d|tojson }}", R"({"b": 1, "a": [1, 2.5, "x\n\"é", null, true]})"},
      {"{{ xs|tojson(indent=2) }}", "[\n  3,\n  1,\n  2\n]"},
      {"{{ u|tojson(ensure_ascii=true) }}", R"("\u65e5\u672c\u8a9e\ud83e\udd99")"},
  });
}

TEST(ChatTemplate, Operators) {
  ExpectWritten({
      {"{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2 ** 10 }}", "3 -4 2 -2 1024"},
      {"{{ 2 + 3 * 4 - 1 }} {{ (1 + 2) * 3 }} {{ -2 ** 2 }} {{ 1 - -1 }}", "13 9 4 2"},
      {"{{ 1 < 2 < 3 }} {{ 3 > 2 > 2 }} {{ 1 == 1.0 }} {{ 'a' < 'b' }}", "True False True True"},
      {"{{ 'a' in 'abc' }} {{ 'z' not in 'abc' }} {{ 1 in xs }} {{ 'b' in d }} {{ 'a' in missing "
       "}}",
       "True True True True False"},
      {"{{ t and n }} {{ n or 'x' }} {{ not missing }} {{ not 1 == 2 }}", "None x True True"},
      {"{{ 'a' if n else 'b' }}{{ 'a' if n }}", "b"},
      {"{{ xs|length - 1 }} {{ -xs[0] }} {{ 'ab' * 2 }} {{ [1] + [2] }}", "2 -3 abab [1, 2]"},
  });
}

TEST(ChatTemplate, Access) {
  ExpectWritten({
      {"{{ d.b }}{{ d['a'][2] }}{{ xs[-1] }}|{{ xs[10] }}|{{ n.x }}|", "1x\n\"\u00e92|||"},
      {"{{ xs[::-1] }} {{ xs[1:] }} {{ xs[:-1] }} {{ xs[5:1:-1] }}", "[2, 1, 3] [1, 2] [3, 1] [2]"},
      {"{{ u[0] }} {{ u[-1] }} {{ u[1:3] }} {{ u[::-1] }} {{ u|length }}",
       "\u65e5 \U0001F999 \u672c\u8a9e \U0001F999\u8a9e\u672c\u65e5 4"},
  });
}

TEST(ChatTemplate, Statements) {
  ExpectWritten({
      {"{% for x in xs %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.first }}"
       "{{ loop.last }}{{ loop.previtem }};{% endfor %}",
       "103TrueFalse;212FalseFalse3;321FalseTrue1;"},
      {"{% for m in msgs if m.role == 'user' %}{{ loop.index }}{% else %}none{% endfor %}", "12"},
      {"{% for m in e %}x{% else %}empty{% endfor %}", "empty"},
      {"{% for k, v in d.items() %}{{ k }}{% endfor %}", "ba"},
      {"{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}"
       "{% endif %}{{ i }}{% endfor %}",
       "0134"},
      {"{% set ns = namespace(a=1) %}{% for x in xs %}{% set ns.a = ns.a + x %}{% endfor %}"
       "{{ ns.a }}{{ ns.c }}",
       "7"},
      {"{% set x = 1 %}{% for i in xs %}{% set x = i %}{{ x }}{% endfor %}{{ x }}", "3121"},
      {"{% if t %}{% set y = 5 %}{% endif %}{{ y }}", "5"},
      {"{% if e %}1{% elif n %}2{% else %}3{% endif %}", "3"},
      {"{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set x %}[{{ a }}]{% endset %}{{ x }}", "12[1]"},
      {"{% macro m(a, b=2) %}[{{ a }}-{{ b }}]{% endmacro %}{{ m(1) }}{{ m(b=1, a=2) }}",
       "[1-2][2-1]"},
      {"{% set g = 5 %}{% macro m() %}{{ g }}{% endmacro %}{% for i in xs %}{% set g = i %}"
       "{{ m() }}{% endfor %}",
       "555"},
      {"{% filter upper %}abc{% endfilter %}{% generation %}x{% endgeneration %}", "ABCx"},
  });
}

TEST(ChatTemplate, MethodsAndFilters) {
  ExpectWritten({
      {"{{ s.strip() }}|{{ s|trim }}|{{ 'xxaxx'.strip('x') }}",
       "Hello W\u00f6rld|Hello W\u00f6rld|a"},
      {"{{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a  b '.split() }}",
       "['a', 'b,c'] ['a,b', 'c'] ['a', 'b']"},
      {"{{ 'abc'.startswith('a') }} {{ 'abc'.endswith(('x', 'c')) }} {{ '\u00e9c'.find('c') }}",
       "True True 1"},
      {"{{ {'a': 1}.get('z') }} {{ {'a': 1}.get('z', 5) }} {{ d.keys()|list }}",
       "None 5 ['b', 'a']"},
      {"{{ words|join(', ') }} {{ words|sort|join }} {{ xs|sum }} {{ xs|max }} {{ xs|first }}",
       "b, A, c, a Aabc 6 3 3"},
      {"{{ msgs|map(attribute='role')|unique|list }} {{ msgs|selectattr('role', 'eq', 'user')|list|"
       "length }} {{ xs|reject('odd')|list }} {{ words|map('upper')|join }}",
       "['user', 'assistant'] 2 [2] BACA"},
      {"{{ missing|default('d') }} {{ ''|default('d', true) }} {{ none|default('d') }}",
       "d d None"},
      {"{{ '3'|int }} {{ 'x'|int(7) }} {{ 3.9|int }} {{ '1.5'|float }} {{ 2.567|round(2) }}",
       "3 7 3 1.5 2.57"},
      {"{{ 'a\\nb\\n\\nc'|indent(2) }}", "a\n  b\n\n  c"},
  });
}

// What Jinja 3.1.6 gives.
TEST(ChatTemplate, LettersBeyondAscii) {
  ExpectWritten({
      {"{{ 'straße éдω'.upper() }} {{ 'ÉДΩ İ'|lower }}", "STRASSE ÉДΩ éдω i̇"},
      {"{{ 'ΟΔΟΣ ΣΑ'|lower }} {{ 'ǆx'|capitalize }}", "οδος σα ǅx"},
      {"{{ \"it's élève-été\"|title }} {{ \"it's été\".title() }}", "It's Élève-Été It'S Été"},
      {"{{ 'ÉTÉ' is upper }} {{ 'é'.islower() }} {{ '٣'.isdigit() }} "
       "{{ '日a'.isalpha() }} {{ 'aÉ'.swapcase() }} {{ '' is upper }}",
       "True True True True Aé False"},
      {"{{ ['​', 'é', ' '] }} {{ 'a b\\x0bc'.splitlines() }}",
       "['\\u200b', 'é', '\\xa0'] ['a', 'b', 'c']"},
      {"{{ '日本'.replace('', '-') }} {{ '日 b_1, c'|wordcount }}", "-日-本- 3"},
  });
}

// What Jinja 3.1.6 gives.
TEST(ChatTemplate, FiltersThatWereMissingOrDiffered) {
  ExpectWritten({
      {"[{{ 'abc'|center(6) }}][{{ 'ab'|center(5) }}][{{ 'abc'|center(2) }}]",
       "[ abc  ][  ab ][abc]"},
      {"{{ 'foo bar baz qux'|truncate(9, leeway=0) }} {{ 'foo bar baz qux'|truncate(9, true, "
       "leeway=0) }} {{ 'foo bar baz qux'|truncate(11) }} {{ 'abcdefgh'|truncate(2, end='', "
       "leeway=0) }}",
       "foo... foo ba... foo bar baz qux ab"},
      {"{{ '0x1f'|int(0, 16) }} {{ '1f'|int(0, 16) }} {{ '0b11'|int(base=0) }} "
       "{{ '-1_000'|int }} {{ '+5'|int }} {{ '010'|int(7, 0) }} {{ '1__0'|int(7) }}",
       "31 31 3 -1000 5 10 7"},
      {"{{ 9223372036854775807|round(1) }} {{ 9007199254740993|round }} {{ 15|round(-1) }} "
       "{{ true|round }} {{ 2.5|round }}",
       "9223372036854775807 9007199254740993 20 1 2.0"},
      {"{{ [1]|truncate(9223372036854775807, leeway=9223372036854775807) }} "
       "{{ [[2], [1, 3], [1]]|sort }}",
       "[1] [[1], [1, 3], [2]]"},
      {"{{ none|selectattr('a')|list }}{{ 0|map('upper')|list }}{{ none|reject|list }}", "[][][]"},
      {"[{{ {'a': 1}|attr('a') }}]{{ namespace(a=1)|attr('a') }}", "[]1"},
  });
}

// What Jinja 3.1.6 gives.
TEST(ChatTemplate, StatementsThatWereMissing) {
  ExpectWritten({
      {"{% set a = 1 %}{% with a=2, b=a %}{{ a }}{{ b }}{% set c = 3 %}{% endwith %}{{ a }}{{ c }}",
       "211"},
      {"{% with %}{% set q = 5 %}{{ q }}{% endwith %}[{{ q }}]", "5[]"},
      {"{% set x | upper | replace('B', '-') %}abc{% endset %}{{ x }}", "A-C"},
      {"{% macro m(a) %}{{ a }}:{{ varargs|join(',') }}:{{ kwargs.z }}{{ kwargs|length }}"
       "{% endmacro %}{{ m(1, 2, 3, z=4) }} {{ m() }}",
       "1:2,3:41 ::0"},
      {"{% for x in [1, 1, 2, 2, 1] %}{{ x if loop.changed(x) else '.' }}{% endfor %}", "1.2.1"},
      {"{{ [1, 2, 3, 4, 5]|batch(2)|list }} {{ 'abc'|batch(2, '-')|list }}",
       "[[1, 2], [3, 4], [5]] [['a', 'b'], ['c', '-']]"},
      {"{{ range(7)|slice(3)|list }} {{ [1, 2]|slice(3, 'x')|list }}",
       "[[0, 1, 2], [3, 4], [5, 6]] [[1], [2], ['x']]"},
  });
  EXPECT_FALSE(Render("{% macro m(a) %}{{ a.varargs }}{% endmacro %}{{ m(1, 2) }}"));
  EXPECT_FALSE(Render("{% macro m(a) %}{{ varargs }}{% endmacro %}{{ m(1, z=2) }}"));
}

// What Jinja 3.1.6 gives.
TEST(ChatTemplate, Tuples) {
  ExpectWritten({
      {"{{ (1, 2) }} {{ (1,) }} {{ () }} {{ 1, 'a' }} {{ [(1, 2)] }}",
       "(1, 2) (1,) () (1, 'a') [(1, 2)]"},
      {"{{ (1, 2) == [1, 2] }} {{ (1, 2) + (3,) }} {{ (1, 2)[::-1] }} {{ (0,) * 2 }}",
       "False (1, 2, 3) (2, 1) (0, 0)"},
      {"{{ (1, 2)|list }} {{ (1, 2)|tojson }} {{ {'a': 1}|dictsort }} {{ {'a': 1}|items|list }}",
       "[1, 2] [1, 2] [('a', 1)] [('a', 1)]"},
      {"{{ d.items() }} {{ d.keys() }} {{ 'a=b'.partition('=') }}",
       "dict_items([('b', 1), ('a', [1, 2.5, 'x\\n\"\u00e9', None, True])]) dict_keys(['b', 'a']) "
       "('a', '=', 'b')"},
      {"{{ 'abc'.startswith(('x', 'a')) }} {{ [missing, n] }}", "True [Undefined, None]"},
  });
}

TEST(ChatTemplate, KeysThatAreNoTexts) {
  ExpectWritten({
      {"{{ {0: 1} }} {{ {0: 'a', none: 2, (1, 2): 3}[(1, 2)] }} {{ {1: 'a', true: 'b'} }}",
       "{0: 1} 3 {1: 'b'}"},
      {"{{ {2: 'b', 1: 'a'}|dictsort }} {{ 1.0 in {1: 2} }} {{ {1: 2, none: 3}|tojson }}",
       "[(1, 'a'), (2, 'b')] True {\"1\": 2, \"null\": 3}"},
      {"{{ {1: 'x'}.get(1) }}{{ {'1': 'x'}[1] }}", "x"},
  });
}

TEST(ChatTemplate, NamespacesAnywhere) {
  ExpectWritten({
      {"{% set a = namespace(x=1) %}{% set b = namespace(a=a) %}{% set a.x = 2 %}{{ b.a.x }} {{ b "
       "}}",
       "2 <Namespace {'a': <Namespace {'x': 2}>}>"},
      {"{% set a = namespace(x=1) %}{% set l = [a, 5] %}{% for n in l if n.x %}{% set n.x = 7 %}"
       "{% endfor %}{{ l[0].x }} {{ l }}",
       "7 [<Namespace {'x': 7}>, 5]"},
      {"{% set a = namespace() %}{% set a.a = a %}{{ a.a.a is defined }}{{ a == a.a }}",
       "TrueTrue"},
      {"{% set ns = namespace() %}{% macro m(x) %}[{{ x }}]{% endmacro %}{% set ns.f = m %}"
       "{{ ns.f(1) }}{{ {'g': m}.g(2) }}",
       "[1][2]"},
  });
}

// Milliseconds if time is linear, minutes if not.
TEST(ChatTemplate, SearchIsLinear) {
  ExpectWritten({
      {"{% set b = 'a' * 1000 * 1500 %}{% set a = b ~ b %}{{ b ~ 'b' in a }}{{ a.find(b ~ 'b') "
       "}}"
       "{{ a.rfind('b' ~ b) }}{{ a.count(b ~ 'b') }}{{ a.replace(b ~ 'b', '')|length }}"
       "{{ a.split(b ~ 'b')|length }}{{ a.rsplit('b' ~ b, 1)|length }}",
       "False-1-10300000011"},
      {"{{ ('a' * 1000 * 3000).strip('b' * 1000 * 3000 ~ 'a')|length }}", "0"},
      {"{{ 'abcabcab'.rfind('abc') }} {{ 'aabaaab'.rfind('aab') }} {{ 'aXXbXXXc'.rsplit('XX') }} "
       "{{ 'abc'.rfind('') }} {{ ''.find('') }} {{ 'xyxz'.rsplit('x', 1) }}",
       "3 4 ['a', 'bX', 'c'] 3 0 ['xy', 'z']"},
  });
}

// What it takes to look up a key of many does not add up to the limit.
TEST(ChatTemplate, LargeDictionaries) {
  Json large = Json::object();
  for (int i = 0; i < 20000; ++i) large["k" + std::to_string(i)] = i;
  const Json context = {{"large", large}, {"rows", Json::array({Json{{"d", large}}})}};
  EXPECT_EQ(Render("{% for i in range(20) %}{{ 'k19999' in large }}{{ large.k7 }}"
                   "{{ rows|map(attribute='d')|first|length }}{% endfor %}{{ large|length }}",
                   context)
                .value_or("?")
                .size(),
            20 * (4 + 1 + 5) + 5);
}

TEST(ChatTemplate, GroupBy) {
  ExpectWritten({
      {"{% for g in msgs|groupby('role') %}{{ g.grouper }}:{{ g.list|length }}:{{ g[0] }};"
       "{% endfor %}",
       "assistant:1:assistant;user:2:user;"},
      {"{% for k, xs in [{'k': 'b', 'v': 1}, {'k': 'A'}, {'k': 'B'}]|groupby('k') %}{{ k }}"
       "{{ xs|map(attribute='v', default='-')|join }} {% endfor %}",
       "A- b1- "},
      {"{{ [{'k': 'b'}, {'k': 'B'}]|groupby('k', case_sensitive=true)|map('first')|join }} "
       "{{ [{'k': 1}, {}]|groupby('k', default=0) }}",
       "Bb [(0, [{}]), (1, [{'k': 1}])]"},
      {"{{ [[1, 2], [0, 3]]|groupby(0) }} {{ []|groupby('x') }}",
       "[(0, [[0, 3]]), (1, [[1, 2]])] []"},
  });
}

TEST(ChatTemplate, Format) {
  ExpectWritten({
      {"{{ '%s is %5.2f%% of %d'|format('x', 2.5, 7.9) }}|{{ '%-4s|%04d|%x|%X|%#o|%+d'|format('a', "
       "-3, 255, 255, 8, 3) }}",
       "x is  2.50% of 7|a   |-003|ff|FF|0o10|+3"},
      {"{{ '%(a)s-%(b)r'|format(a=1, b='é') }} {{ '%a'|format('é') }} {{ '%c%c'|format(233, 'x') "
       "}}",
       "1-'é' '\\xe9' éx"},
      {"{{ '%s' % 'a' }} {{ '%s+%s' % (1, none) }} {{ '%(k)5d' % {'k': 3} }} {{ '%.3s'|format(s) "
       "}}",
       "a 1+None     3   H"},
      {"{{ '%e %g %G %.0f'|format(12345.678, 1e20, 1e-10, 2.5) }} {{ '%*d'|format(5, 3) }}",
       "1.234568e+04 1e+20 1E-10 2     3"},
  });
}

TEST(ChatTemplate, Calls) {
  ExpectWritten({
      {"{% macro m(a) %}<{{ caller() }}{{ a }}>{% endmacro %}{% call m(1) %}x{{ t }}{% endcall %}",
       "<xTrue1>"},
      {"{% macro m(xs) %}{% for x in xs %}{{ caller(x, loop.index) }}{% endfor %}{% endmacro %}"
       "{% call(v, i=0) m(words) %}{{ i }}{{ v }} {% endcall %}",
       "1b 2A 3c 4a "},
      {"{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}{% call m() %}{% endcall %}",
       "FalseTrue"},
      {"{% macro m() %}{{ caller() }}{% endmacro %}{% for i in xs %}{% call m() %}{{ i }}{% "
       "endcall %}"
       "{% endfor %}",
       "312"},
      // A macro sees what stands around it, also when that is over.
      {"{% set ns = namespace() %}{% for i in xs %}{% macro m() %}{{ i }}{% endmacro %}"
       "{% if i == 1 %}{% set ns.f = m %}{% endif %}{% endfor %}{{ ns.f() }}",
       "1"},
      {"{% macro m(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, z=4) }}",
       "(2, 3){'z': 4}"},
  });
}

TEST(ChatTemplate, SpreadArguments) {
  ExpectWritten({
      {"{% macro m(a, b=0) %}{{ a }}-{{ b }}{% endmacro %}{{ m(*xs[:2]) }} {{ m(1, **{'b': 2}) }} "
       "{{ '%s%s'|format(*words[:2]) }}",
       "3-1 1-2 bA"},
      {"{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{% macro n() %}"
       "{{ m(*varargs, **kwargs) }}{% endmacro %}{{ n(1, 2, c=3) }}",
       "(1, 2){'c': 3}"},
  });
}

TEST(ChatTemplate, WordWrap) {
  ExpectWritten({
      {"{{ 'the quick brown-eyed fox'|wordwrap(11) }}", "the quick\nbrown-eyed\nfox"},
      {"{{ 'well-known words--all'|wordwrap(7, wrapstring='|') }}", "well-|known|words--|all"},
      {"{{ 'abcdefgh ij'|wordwrap(3, false) }}|{{ 'abcdefgh ij'|wordwrap(3) }}",
       "abcdefgh\nij|abc\ndef\ngh\nij"},
      {"{{ 'a b\n\nc d'|wordwrap(1) }}|{{ '日本 語'|wordwrap(2) }}", "a\nb\n\nc\nd|日本\n語"},
  });
}

TEST(ChatTemplate, RecursiveLoops) {
  ExpectWritten({
      {"{% for n in [{'v': 1, 'c': [{'v': 2}, {'v': 3, 'c': [{'v': 4}]}]}] recursive %}"
       "{{ loop.depth }}:{{ n.v }}{% if n.c %}({{ loop(n.c) }}){% endif %}{% endfor %}",
       "1:1(2:22:3(3:4))"},
      {"{% for x in [1] %}{% for y in [1] %}{{ loop.depth }}{{ loop }}{% endfor %}{% endfor %}",
       "1<LoopContext 1/1>"},
  });
}

TEST(ChatTemplate, Tests) {
  ExpectWritten({
      {"{{ missing is defined }} {{ s is string }} {{ n is none }} {{ d is mapping }}",
       "False True True True"},
      {"{{ xs is iterable }} {{ 1 is iterable }} {{ true is integer }} {{ t is sameas true }}",
       "True False False True"},
      {"{{ n is not none }} {{ 3 is odd }} {{ 9 is divisibleby 3 }} {{ 'a' is in ['a'] }}",
       "False True True True"},
      {"{{ 'x' is string and 1 is number }} {{ missing is not defined or t }}", "True True"},
  });
}

TEST(ChatTemplate, StrftimeNowIsThereOnlyWithATime) {
  const char* source = "{{ strftime_now('%d %b %Y') if strftime_now is defined else 'no' }}";
  EXPECT_EQ(Render(source).value_or("?"), "no");
  RenderOptions options;
  options.now.emplace();
  options.now->tm_year = 124;
  options.now->tm_mon = 6;
  options.now->tm_mday = 5;
  EXPECT_EQ(Render(source, Context(), options).value_or("?"), "05 Jul 2024");
  EXPECT_FALSE(Render("{{ strftime_now('%Q') }}", Context(), options));
}

TEST(ChatTemplate, TextThatIsNotUtf8PassesThrough) {
  const Json context = {{"s", "a\xff\xc3"}};
  EXPECT_EQ(Render("{{ s }}|{{ s|length }}|{{ s[1] }}", context).value_or("?"), "a\xff\xc3|3|\xff");
}

TEST(ChatTemplate, ThreadsShareOneTemplate) {
  const auto parsed = ChatTemplate::Parse("{% for x in xs %}{{ x ~ d.b }}{% endfor %}");
  ASSERT_TRUE(parsed);
  std::vector<std::string> rendered(4);
  std::vector<std::thread> threads;
  for (std::string& text : rendered) {
    threads.emplace_back([&text, copy = *parsed] {
      for (int i = 0; i < 100; ++i) text = copy.Render(Context()).value_or("?");
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& text : rendered) EXPECT_EQ(text, "311121");
}

}  // namespace
}  // namespace edgemoe
