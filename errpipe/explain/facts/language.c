/* SPDX-License-Identifier: MIT */
/* The language of a script that has no #! line. */
#define _GNU_SOURCE
#include "explain/facts/span.h"

/* --- lines that show a language ----------------------------------------------------------------- */

/* A name after a word, and what follows it: "sys" of "import sys". Dots and commas count as parts of it. */
static struct ep_span after_name(struct ep_span line, const char *word)
{
	line = ep_after(line, strlen(word));
	while (line.size && (ep_is_name(*line.at) || *line.at == '.'))
		line = ep_after(line, 1);
	return line;
}

static bool is_alone(struct ep_span rest)
{
	rest = ep_trim(rest);
	return !rest.size || *rest.at == '#' || *rest.at == ';';
}

/* "import os, sys as s"; the program import takes options, or a file to write. */
static bool is_python_import(struct ep_span line)
{
	struct ep_span rest = after_name(line, "import ");

	if (!ep_starts(line, "import ") || !ep_is_name(ep_byte(line, 7)))
		return false;
	return is_alone(rest) || ep_byte(rest, 0) == ',' || ep_starts(rest, " as ");
}

/* "import sys; print(sys.path)": in other languages the line ends there. */
static bool is_python_import_and_more(struct ep_span line)
{
	struct ep_span rest = after_name(line, "import ");

	return is_python_import(line) && ep_byte(rest, 0) == ';' && ep_trim(ep_after(rest, 1)).size;
}

/* Modules of every Python. */
static bool is_python_module(struct ep_span line)
{
	static const char *const modules[] = { "os",	   "sys",      "json",	   "re",      "subprocess",
					       "argparse", "datetime", "asyncio",  "pathlib", "logging",
					       "socket",   "random",   "math",	   "shutil",  "platform",
					       "requests", "numpy",    "itertools" };
	struct ep_span name = ep_after(line, strlen("import "));

	name.size = ep_until(name, " ,;.#");
	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules) && is_python_import(line); i++) {
		if (ep_equals(name, modules[i]))
			return true;
	}
	return false;
}

static bool is_python_from(struct ep_span line)
{
	return ep_starts(line, "from ") && ep_starts(after_name(line, "from "), " import ");
}

static bool ends_in(struct ep_span line, char c)
{
	line = ep_trim(line);
	return line.size && line.at[line.size - 1] == c;
}

static bool is_python_def(struct ep_span line)
{
	if (ep_starts(line, "async "))
		line = ep_after(line, 6);
	return ep_starts(line, "def ") && ep_byte(after_name(line, "def "), 0) == '(' &&
	       (ends_in(line, ':') || ep_holds(line, "): "));
}

/* "@click.command()", "@cache": the definition follows. */
static bool is_decorator(struct ep_span line)
{
	struct ep_span rest = after_name(line, "@");

	return ep_starts(line, "@") && ep_is_letter(ep_byte(line, 1)) && (is_alone(rest) || ep_byte(rest, 0) == '(');
}

static bool is_python_class(struct ep_span line)
{
	return ep_starts(line, "class ") && ends_in(line, ':');
}

static bool is_python_main(struct ep_span line)
{
	return ep_starts(line, "if __name__ ");
}

static bool is_python_block(struct ep_span line)
{
	return ends_in(line, ':') &&
	       (ep_starts(line, "if ") || ep_starts(line, "for ") || ep_starts(line, "with ") ||
		ep_starts(line, "while ") || ep_equals(line, "try:") || ep_equals(line, "else:"));
}

static bool is_python_except(struct ep_span line)
{
	return ends_in(line, ':') && (ep_starts(line, "except") || ep_equals(line, "finally:"));
}

static bool is_print(struct ep_span line)
{
	return ep_starts(line, "print(") || ep_starts(line, "print \"") || ep_starts(line, "print '");
}

/* "print('x')", "print(f'{x}')"; with a semicolon it would be Perl or PHP. */
static bool is_print_call(struct ep_span line)
{
	return ep_starts(line, "print(") && ends_in(line, ')');
}

/* "with open('x') as f: print(f.read())", "for i in range(3): print(i)", "while True: run()" */
static bool is_python_line(struct ep_span line)
{
	return ep_starts(line, "with open(") || ep_starts(line, "while True:") ||
	       (ep_starts(line, "for ") && ep_holds(line, " in range("));
}

/* Lua, R, Julia and Swift have print() as well. */
static bool is_of_others_with_print(struct ep_span line)
{
	return ep_starts(line, "local ") || ep_starts(line, "-- ") || ep_equals(line, "end") ||
	       ep_starts(line, "library(") || ep_holds(line, " <- ") || ep_starts(line, "let ") ||
	       ep_starts(line, "func ") || ep_starts(line, "var ") || ep_starts(line, "using ") ||
	       ep_starts(line, "function ");
}

static bool is_docstring(struct ep_span line)
{
	return ep_starts(line, "\"\"\"");
}

static bool is_cookie(struct ep_span line)
{
	return ep_starts(line, "# -*- coding:");
}

static bool is_strict_javascript(struct ep_span line)
{
	return ep_starts(line, "'use strict'") || ep_starts(line, "\"use strict\"");
}

static bool is_javascript_import(struct ep_span line)
{
	return ep_starts(line, "import ") && (ep_holds(line, " from '") || ep_holds(line, " from \""));
}

static bool is_require(struct ep_span line)
{
	return (ep_starts(line, "const ") || ep_starts(line, "var ") || ep_starts(line, "let ")) &&
	       ep_holds(line, "= require(");
}

static bool is_declaration(struct ep_span line)
{
	return (ep_starts(line, "const ") || ep_starts(line, "var ") || ep_starts(line, "let ")) &&
	       ep_holds(line, " = ");
}

static bool is_javascript_comment(struct ep_span line)
{
	return ep_starts(line, "// ") || ep_starts(line, "/*");
}

static bool is_console(struct ep_span line)
{
	return ep_starts(line, "console.log(") || ep_starts(line, "console.error(");
}

static bool is_module(struct ep_span line)
{
	return ep_starts(line, "module.exports") || ep_starts(line, "export default ") ||
	       ep_starts(line, "export const ") || ep_starts(line, "export function ");
}

/* A shell's function has nothing between its parentheses. */
static bool is_javascript_function(struct ep_span line)
{
	struct ep_span rest = after_name(line, "function ");

	return (ep_starts(line, "function ") && ep_byte(rest, 0) == '(' && ep_byte(rest, 1) != ')' &&
		ends_in(line, '{')) ||
	       ep_starts(line, "async function ");
}

/* The part of a line before a quote. */
static struct ep_span before_quote(struct ep_span line)
{
	line.size = ep_until(line, "\"'`");
	return line;
}

/* "(()=>{", "(e=>{", "!function(e){": a function that is called at once, as bundlers write it. */
static bool is_called_function(struct ep_span line)
{
	struct ep_span code = before_quote(line), rest = ep_after(code, ep_while(code, ";!+(")), after;

	if (rest.size == code.size)
		return false;
	if (ep_starts(rest, "async"))
		rest = ep_after(rest, strlen("async") + ep_while(ep_after(rest, strlen("async")), " "));
	if (ep_starts(rest, "function(") || ep_starts(rest, "function ("))
		return ep_holds(rest, "){") || ep_holds(rest, ") {");
	after = after_name(rest, "");
	if (ep_byte(after, 0) != '=' && ep_byte(after, 0) != ' ')
		after = ep_after(rest, ep_until(rest, ")") + 1);
	return ep_starts(after, "=>{") || ep_starts(after, " => {");
}

static bool is_perl_use(struct ep_span line)
{
	return (ep_starts(line, "use strict") || ep_starts(line, "use warnings") || ep_starts(line, "use v5") ||
		ep_starts(line, "use 5.")) &&
	       ends_in(line, ';');
}

static bool is_perl_module(struct ep_span line)
{
	return ep_starts(line, "use ") && ep_holds(line, "::") && ends_in(line, ';');
}

static bool is_my(struct ep_span line)
{
	return ep_starts(line, "my $") || ep_starts(line, "my @") || ep_starts(line, "my %") ||
	       ep_starts(line, "my (");
}

static bool is_sub(struct ep_span line)
{
	return ep_starts(line, "sub ") && ends_in(line, '{');
}

static bool is_package(struct ep_span line)
{
	return ep_starts(line, "package ") && ends_in(line, ';') && ep_holds(line, "::");
}

static bool is_ruby_require(struct ep_span line)
{
	return ep_starts(line, "require '") || ep_starts(line, "require \"");
}

static bool is_require_relative(struct ep_span line)
{
	return ep_starts(line, "require_relative ") || ep_starts(line, "# frozen_string_literal:");
}

static bool is_ruby_class(struct ep_span line)
{
	return ep_starts(line, "class ") && ep_holds(line, " < ");
}

static bool is_ruby_def(struct ep_span line)
{
	return (ep_starts(line, "def ") || ep_starts(line, "module ")) && !ends_in(line, ':');
}

static bool is_end(struct ep_span line)
{
	return ep_equals(line, "end");
}

static bool is_puts(struct ep_span line)
{
	return ep_starts(line, "puts ");
}

/* "set -gx NAME value": for sh these are options, and it has no such one. */
static bool is_fish_scope(struct ep_span line)
{
	struct ep_span options = ep_after(line, strlen("set -"));
	size_t length = ep_while(options, "gxlU");

	return ep_starts(line, "set -") && length && ep_byte(options, length) == ' ' &&
	       ep_is_name(ep_byte(options, length + 1)) && !(length == 1 && *options.at == 'x');
}

/* "set -x NAME value", which sh also takes. */
static bool is_fish_export(struct ep_span line)
{
	return ep_starts(line, "set -x ") && ep_is_name(ep_byte(line, strlen("set -x ")));
}

static bool is_fish_function(struct ep_span line)
{
	return ep_starts(line, "function ") && !ep_holds(line, "(") && !ep_holds(line, "{");
}

static bool is_brace(struct ep_span line)
{
	return ep_equals(line, "{");
}

/* --- the signs together ------------------------------------------------------------------------- */

/* Two are needed: from different kinds of lines, a line of a kind that no other language has, or one and the file's name. */
static const struct sign {
	bool (*is)(struct ep_span line);
	enum errpipe_content language;
	int weight;
} signs[] = {
	{ is_python_import, ERRPIPE_CONTENT_PYTHON, 1 },
	{ is_python_import_and_more, ERRPIPE_CONTENT_PYTHON, 1 },
	{ is_python_module, ERRPIPE_CONTENT_PYTHON, 1 },
	{ is_python_from, ERRPIPE_CONTENT_PYTHON, 2 },
	{ is_python_def, ERRPIPE_CONTENT_PYTHON, 2 },
	{ is_python_class, ERRPIPE_CONTENT_PYTHON, 2 },
	{ is_decorator, ERRPIPE_CONTENT_PYTHON, 1 },
	{ is_python_main, ERRPIPE_CONTENT_PYTHON, 2 },
	{ is_python_block, ERRPIPE_CONTENT_PYTHON, 1 },
	{ is_python_except, ERRPIPE_CONTENT_PYTHON, 1 },
	{ is_python_line, ERRPIPE_CONTENT_PYTHON, 2 },
	{ is_print, ERRPIPE_CONTENT_PYTHON, 1 },
	{ is_print_call, ERRPIPE_CONTENT_PYTHON, 1 },
	{ is_of_others_with_print, ERRPIPE_CONTENT_PYTHON, -2 },
	{ is_docstring, ERRPIPE_CONTENT_PYTHON, 1 },
	{ is_cookie, ERRPIPE_CONTENT_PYTHON, 1 },
	{ is_strict_javascript, ERRPIPE_CONTENT_JAVASCRIPT, 2 },
	{ is_javascript_import, ERRPIPE_CONTENT_JAVASCRIPT, 2 },
	{ is_require, ERRPIPE_CONTENT_JAVASCRIPT, 2 },
	{ is_declaration, ERRPIPE_CONTENT_JAVASCRIPT, 1 },
	{ is_javascript_comment, ERRPIPE_CONTENT_JAVASCRIPT, 1 },
	{ is_console, ERRPIPE_CONTENT_JAVASCRIPT, 2 },
	{ is_module, ERRPIPE_CONTENT_JAVASCRIPT, 2 },
	{ is_javascript_function, ERRPIPE_CONTENT_JAVASCRIPT, 2 },
	{ is_called_function, ERRPIPE_CONTENT_JAVASCRIPT, 2 },
	{ is_perl_use, ERRPIPE_CONTENT_PERL, 2 },
	{ is_perl_module, ERRPIPE_CONTENT_PERL, 2 },
	{ is_my, ERRPIPE_CONTENT_PERL, 2 },
	{ is_sub, ERRPIPE_CONTENT_PERL, 1 },
	{ is_package, ERRPIPE_CONTENT_PERL, 2 },
	{ is_ruby_require, ERRPIPE_CONTENT_RUBY, 1 },
	{ is_require_relative, ERRPIPE_CONTENT_RUBY, 2 },
	{ is_ruby_class, ERRPIPE_CONTENT_RUBY, 2 },
	{ is_ruby_def, ERRPIPE_CONTENT_RUBY, 1 },
	{ is_end, ERRPIPE_CONTENT_RUBY, 1 },
	{ is_puts, ERRPIPE_CONTENT_RUBY, 1 },
	{ is_fish_scope, ERRPIPE_CONTENT_FISH, 2 },
	{ is_fish_export, ERRPIPE_CONTENT_FISH, 1 },
	{ is_fish_function, ERRPIPE_CONTENT_FISH, 1 },
	{ is_end, ERRPIPE_CONTENT_FISH, 1 },
	{ is_brace, ERRPIPE_CONTENT_FISH, -2 },
};

static const struct {
	const char *ending;
	enum errpipe_content language;
} endings[] = {
	{ ".py", ERRPIPE_CONTENT_PYTHON },	{ ".js", ERRPIPE_CONTENT_JAVASCRIPT },
	{ ".mjs", ERRPIPE_CONTENT_JAVASCRIPT }, { ".cjs", ERRPIPE_CONTENT_JAVASCRIPT },
	{ ".pl", ERRPIPE_CONTENT_PERL },	{ ".rb", ERRPIPE_CONTENT_RUBY },
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { LANGUAGES = ERRPIPE_CONTENT_FISH + 1, LINES_MAX = 200 };

/* Each kind of line counts once. The first lines count; those of a block are indented. */
static void add_signs(struct ep_span text, int weight[LANGUAGES])
{
	bool seen[COUNT(signs)] = { false };
	struct ep_span line;

	for (int i = 0; i < LINES_MAX && ep_take_line(&text, &line); i++) {
		for (size_t s = 0; s < COUNT(signs); s++) {
			if (seen[s] || !signs[s].is(line))
				continue;
			seen[s] = true;
			weight[signs[s].language] += signs[s].weight;
		}
	}
}

static bool is_named(const char *path, enum errpipe_content language)
{
	for (size_t i = 0; i < COUNT(endings); i++) {
		if (endings[i].language == language && ep_has_ending(path, endings[i].ending))
			return true;
	}
	return false;
}

/* The kind of a text that is not for a shell, by the ending of its name. */
static enum errpipe_content by_name(const struct ep_text *text)
{
	for (size_t i = 0; i < COUNT(endings); i++) {
		if (ep_has_ending(text->path, endings[i].ending) && !ep_is_shell(text))
			return endings[i].language;
	}
	return ERRPIPE_CONTENT_UNKNOWN;
}

/* A shell's script may hold lines of another language, but does not begin with one. */
static bool begins_with_sign(struct ep_span text, enum errpipe_content language)
{
	struct ep_span first, code = ep_skip_comments(text);
	bool is = false;

	if (!ep_take_line(&code, &first))
		return false;
	for (size_t s = 0; s < COUNT(signs); s++)
		is = is || (signs[s].language == language && signs[s].weight > 0 && signs[s].is(first));
	return is;
}

/*
 * Print statements of Python 2, Perl and others: a string, and then nothing or an operator. ksh and zsh also have a print, which
 * prints variables. sh has none.
 */
static bool is_print_statement(struct ep_span line)
{
	const char quote[] = { ep_byte(line, 6), '\0' };
	struct ep_span string = ep_after(line, 7), rest = string;

	if (!is_print(line) || !*quote || !strchr("\"'", *quote))
		return false;
	string.size = ep_until(string, quote);
	rest = ep_trim(ep_after(rest, string.size + 1));
	if (rest.size)
		return strchr("%,;.+", *rest.at);
	return ep_byte(ep_after(line, 7), string.size) == *quote && !ep_holds(string, "$");
}

/* The file of a shell has its ending. */
static bool begins_with_print(const struct ep_text *text)
{
	struct ep_span first, code = ep_skip_comments(text->all);

	return ep_take_line(&code, &first) && is_print_statement(first) && !ep_has_ending(text->path, "sh");
}

enum errpipe_content ep_language(const struct ep_text *text)
{
	const struct ep_span start = ep_after(text->all, ep_while(text->all, " \t\r\n"));
	int weight[LANGUAGES] = { 0 };
	enum errpipe_content best = ERRPIPE_CONTENT_UNKNOWN;

	if (ep_starts_caseless(start, "<?php") || ep_starts(start, "<?="))
		return ERRPIPE_CONTENT_PHP;
	add_signs(text->all, weight);
	for (int language = ERRPIPE_CONTENT_PYTHON; language < LANGUAGES; language++) {
		if (weight[language] && is_named(text->path, language))
			weight[language]++;
		if (weight[language] >= 2 && weight[language] > weight[best])
			best = language;
	}
	if (is_named(text->path, best) || begins_with_sign(text->all, best))
		return best;
	best = by_name(text);
	return !best && begins_with_print(text) ? ERRPIPE_CONTENT_SOURCE : best;
}

const char *ep_interpreter_of(enum errpipe_content language)
{
	static const char *const interpreters[] = {
		[ERRPIPE_CONTENT_PYTHON] = "python3",  [ERRPIPE_CONTENT_PHP] = "php",
		[ERRPIPE_CONTENT_JAVASCRIPT] = "node", [ERRPIPE_CONTENT_PERL] = "perl",
		[ERRPIPE_CONTENT_RUBY] = "ruby",       [ERRPIPE_CONTENT_LUA] = "lua",
		[ERRPIPE_CONTENT_TCL] = "tclsh",       [ERRPIPE_CONTENT_R] = "Rscript",
		[ERRPIPE_CONTENT_AWK] = "awk -f",      [ERRPIPE_CONTENT_SED] = "sed -f",
		[ERRPIPE_CONTENT_POWERSHELL] = "pwsh", [ERRPIPE_CONTENT_BASH] = "bash",
		[ERRPIPE_CONTENT_ZSH] = "zsh",	       [ERRPIPE_CONTENT_FISH] = "fish",
	};

	return language < COUNT(interpreters) ? interpreters[language] : NULL;
}

/* --- the shell ---------------------------------------------------------------------------------- */

static size_t count_of(struct ep_span line, char c)
{
	size_t count = 0;

	for (size_t i = 0; i < line.size; i++)
		count += line.at[i] == c;
	return count;
}

/* After a here-document or a quote that goes on, the lines may be those of another language. */
static bool goes_on(struct ep_span line)
{
	return ep_holds(line, "<<") || count_of(line, '\'') % 2 || count_of(line, '"') % 2;
}

static bool is_one_of(struct ep_span word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (ep_equals(word, words[i]))
			return true;
	}
	return false;
}

/* The first words of other languages, which look like commands. */
static bool is_foreign_word(struct ep_span word)
{
	static const char *const words[] = { "package", "func",	   "fn",     "use",	  "module",  "def",
					     "class",	"public",  "using",  "import",	  "include", "namespace",
					     "struct",	"typedef", "int",    "void",	  "static",  "const",
					     "var",	"pub",	   "extern", "interface", "enum" };

	return is_one_of(word, words, COUNT(words));
}

/* Names of commands are in lower case, with few exceptions. */
static bool is_command(struct ep_span word)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-./+@%;";
	bool is_path = memchr(word.at, '/', word.size);

	if (!word.size || *word.at == '-')
		return false;
	/* An address, a date, a time, or a status. */
	if (ep_is_digit(ep_byte(word, 0)) && ep_while(word, "0123456789.:-/TZ") == word.size)
		return false;
	for (size_t i = 0; i < word.size; i++) {
		char c = is_path ? ep_lower(word.at[i]) : word.at[i];

		if (!c || !strchr(letters, c))
			return false;
	}
	return !is_foreign_word(word);
}

static bool is_assignment(struct ep_span word)
{
	struct ep_span rest = word;

	while (ep_is_name(ep_byte(rest, 0)))
		rest = ep_after(rest, 1);
	if (rest.size == word.size || ep_is_digit(*word.at))
		return false;
	return ep_starts(rest, "+=") || (ep_starts(rest, "=") && !ep_starts(rest, "=="));
}

/* "name()"; "name();" calls a function of another language. */
static bool is_function(struct ep_span word)
{
	size_t length = ep_until(word, "(");
	struct ep_span rest = ep_after(word, length);

	return length && ep_is_name(*word.at) && ep_starts(rest, "()") && ep_byte(rest, 2) != ';' &&
	       ep_byte(rest, 2) != '.';
}

static bool is_expansion(struct ep_span word)
{
	return ep_starts(word, "$") || ep_starts(word, "\"$") || ep_starts(word, "'/") || ep_starts(word, "\"/") ||
	       ep_starts(word, "`") || ep_starts(word, "~/") || (ep_starts(word, "((") && !ep_holds(word, "=>"));
}

/* ">log", "2>&1", "<<E"; "<file" without the end of a tag. */
static bool is_redirection(struct ep_span code, struct ep_span word)
{
	struct ep_span line = { code.at, ep_until(code, "\n") };

	word = ep_after(word, ep_while(word, "0123456789"));
	return ep_byte(word, 0) == '>' || ep_starts(word, "<<") || (ep_byte(word, 0) == '<' && !ep_holds(line, ">"));
}

/* "(cd x; ...)". Lisp and JavaScript have words of their own there. */
static bool is_subshell(struct ep_span word)
{
	static const char *const others[] = { "async",	 "define",  "defun",   "defpackage", "display",	   "function",
					      "import",	 "let",	    "load",    "module",     "in-package", "ns",
					      "println", "provide", "require", "setq",	     "use-modules" };
	struct ep_span rest = ep_after(word, 1);

	return ep_byte(word, 0) == '(' && is_command(rest) && !is_one_of(rest, others, COUNT(others));
}

/* Python reads it as a string: https://github.com/pypa/distlib/blob/master/distlib/scripts.py */
static bool is_exec_of_pip(struct ep_span word)
{
	return ep_equals(word, "'''exec'");
}

/* "x = 1", "local x = 1": a shell wants no blanks there. */
static bool is_other_assignment(struct ep_span line, struct ep_span word)
{
	static const char *const declarations[] = { "local", "let", "const", "var", "val", "type" };
	struct ep_span rest = ep_after(line, word.size);

	if (is_one_of(word, declarations, COUNT(declarations)))
		rest = ep_starts(rest, " ") ? after_name(rest, " ") : rest;
	return ep_starts(rest, " = ");
}

/* "version 1.2", "homepage https://x": a key of a list and its value. */
static bool is_record(struct ep_span line, struct ep_span word)
{
	static const char *const keys[] = { "version", "name", "title", "url", "homepage", "author", "description" };
	struct ep_span value = ep_trim(ep_after(line, word.size));
	size_t digits = ep_while(value, "0123456789");

	return is_one_of(word, keys, COUNT(keys)) &&
	       (ep_starts(value, "http") || (digits && ep_byte(value, digits) == '.'));
}

/* A word after which a shell takes a block. */
static bool takes_block(struct ep_span before)
{
	static const char *const words[] = { "if", "while", "until", "then", "else", "elif", "do", "time",
					     "!",  "{",	    "(",     "||",   "&&",   "|",    "in" };

	for (size_t i = before.size; i > 0; i--) {
		if (ep_is_blank(before.at[i - 1]))
			return is_one_of(ep_after(before, i), words, COUNT(words)) || ends_in(before, ';');
	}
	return is_one_of(before, words, COUNT(words));
}

/* "server {", "if (x) {": not the block of a shell's function. */
static bool is_other_block(struct ep_span line, struct ep_span word)
{
	struct ep_span before = ep_trim(line);

	if (!ends_in(before, '{') || before.size == 1 || goes_on(line) || ep_equals(word, "function") ||
	    ep_equals(word, "coproc"))
		return false;
	before.size--;
	if (!ep_is_blank(before.at[before.size - 1]))
		return false;
	before = ep_trim(before);
	return !ep_holds(before, "()") && !ep_holds(before, "( )") && !takes_block(before);
}

/* A requirement of pip: "name==1.0", "name[extra]>=2". */
static bool is_requirement(struct ep_span line)
{
	static const char *const operators[] = { "==", ">=", "<=", "~=", "!=" };
	struct ep_span rest = line;

	while (rest.size && (ep_is_name(*rest.at) || strchr("-.[]", *rest.at)))
		rest = ep_after(rest, 1);
	for (size_t i = 0; i < COUNT(operators); i++) {
		if (rest.size < line.size && ep_is_name(*line.at) && ep_starts(rest, operators[i]))
			return ep_is_digit(ep_byte(rest, 2));
	}
	return false;
}

/* "print('x')", "run(x);" */
static bool is_call(struct ep_span line)
{
	struct ep_span rest = after_name(line, "");
	char first = ep_byte(rest, 1);

	if (rest.size == line.size || ep_byte(rest, 0) != '(')
		return false;
	return first == '"' || first == '\'' || (ep_is_name(first) && (ends_in(rest, ')') || ends_in(rest, ';')));
}

enum { SENTENCE_BLANKS = 3 };

/* Four words at least, with a capital letter and a full stop. */
static bool is_sentence(struct ep_span line)
{
	char last = line.size > 1 ? line.at[line.size - 2] : '\0';

	if (!ends_in(line, '.') || !ep_is_letter(last) || !ep_is_letter(*line.at) || ep_lower(*line.at) == *line.at)
		return false;
	for (size_t i = 0; i < line.size; i++) {
		if (!ep_is_letter(line.at[i]) && !ep_is_digit(line.at[i]) && !strchr(" ,.':-", line.at[i]))
			return false;
	}
	return count_of(line, ' ') >= SENTENCE_BLANKS;
}

/* Words with which sentences and lines of a log begin. No program has these names. */
static const char *const first_words[] = {
	"the",	    "this",    "that",	     "these",	 "those",     "it",	   "we",	   "you",
	"they",	    "there",   "hello",	     "dear",	 "please",    "thanks",	   "our",	   "your",
	"error",    "warning", "debug",	     "fatal",	 "notice",    "failed",	   "starting",	   "started",
	"stopping", "stopped", "loading",    "loaded",	 "listening", "connected", "connecting",   "waiting",
	"received", "running", "processing", "finished", "completed", "created",   "initializing",
};

/* Words inside a sentence, which hardly any command has as arguments. */
static const char *const inner_words[] = {
	"the",	     "a",	  "an",	    "of",	    "to",    "and",   "or",	"is",	   "are",    "was",
	"were",	     "be",	  "has",    "have",	    "it",    "its",   "this",	"that",	   "with",   "from",
	"by",	     "on",	  "in",	    "at",	    "as",    "not",   "will",	"should",  "cannot", "failed",
	"succeeded", "completed", "exited", "successfully", "error", "after", "during", "because",
};

/* Shells' own words and commands that take a sentence. */
static const char *const takers[] = { "echo", "printf", "print", "say",	 "wall",   "logger", "for",   "case",
				      "if",   "while",	"until", "set",	 "select", "git",    "trap",  "alias",
				      "cat",  "read",	"exec",	 "test", "info",   "die",    "espeak" };

/* Lower-case sentences and log lines. Two signs: such words, and nothing else in the line. */
static bool is_prose(struct ep_span line)
{
	struct ep_span rest = line, first = { line.at, ep_until(line, " ") };
	unsigned words = 0, inner = 0;

	if (ep_until(line, "$`\\|&;<>={}*~\"") < line.size || is_one_of(first, takers, COUNT(takers)))
		return false;
	for (; rest.size; words++) {
		struct ep_span word = { rest.at, ep_until(rest, " ") };

		if (ep_byte(word, 0) == '-' && word.size > 1)
			return false;
		inner += words && is_one_of(word, inner_words, COUNT(inner_words));
		rest = ep_trim(ep_after(rest, word.size));
	}
	return (words > 1 && is_one_of(first, first_words, COUNT(first_words))) || (words > 3 && inner > 1);
}

/* "time=... level=info msg=..." */
static bool is_logfmt(struct ep_span line)
{
	return (ep_starts(line, "time=") || ep_starts(line, "ts=") || ep_starts(line, "level=")) &&
	       ep_holds(line, " msg=");
}

/* Lines that no shell takes, up to a quote or a here-document that goes on. */
static bool has_foreign_line(struct ep_span text)
{
	bool continues = false;
	struct ep_span line;

	for (int i = 0; i < LINES_MAX && ep_take_line(&text, &line); i++) {
		bool is_part = continues;

		continues = ends_in(line, '\\');
		if (is_part || !line.size || *line.at == '#')
			continue;
		if (is_requirement(line) || is_call(line) || is_sentence(line))
			return true;
		if (goes_on(line))
			break;
	}
	return false;
}

bool ep_is_shell(const struct ep_text *text)
{
	static const char *const words[] = { ":", "!", "[", "[[", "{", "(" };
	struct ep_span code = ep_skip_comments(text->all), word = { code.at, ep_until(code, " \t\r\n") };
	struct ep_span line = { code.at, ep_until(code, "\r\n") };

	/* The screen shot program of ImageMagick. */
	if (!code.size || ep_has_ending(text->path, ".sh") || ep_starts(code, "import -"))
		return true;
	/* The rest is Python. */
	if (is_exec_of_pip(word))
		return true;
	if (is_other_assignment(line, word) || is_record(line, word) || is_other_block(line, word) ||
	    is_prose(line) || is_logfmt(line) || has_foreign_line(code))
		return false;
	return is_one_of(word, words, COUNT(words)) || is_assignment(word) || is_function(word) ||
	       is_expansion(word) || is_redirection(code, word) || is_subshell(word) || is_command(word);
}

/* --- bash --------------------------------------------------------------------------------------- */

/* The command after a keyword or a negation: "if [[ -f x ]]; then" */
static struct ep_span after_keywords(struct ep_span line)
{
	static const char *const keywords[] = { "if ", "elif ", "while ", "until ", "then ", "else ", "do ", "! " };

	line = ep_trim(line);
	for (size_t i = 0; i < COUNT(keywords); i++) {
		if (!ep_starts(line, keywords[i]))
			continue;
		line = ep_trim(ep_after(line, strlen(keywords[i])));
		i = (size_t)-1;
	}
	return line;
}

/* "function x {", "function x() {" */
static bool is_bash_function(struct ep_span line)
{
	struct ep_span rest = ep_trim(after_name(line, "function "));

	if (!ep_starts(line, "function ") || !ep_is_name(ep_byte(line, 9)))
		return false;
	if (ep_starts(rest, "()"))
		rest = ep_trim(ep_after(rest, 2));
	return ep_starts(rest, "{");
}

/* "names=(a b)" */
static bool is_array(struct ep_span line)
{
	struct ep_span rest = after_name(line, "");

	return rest.size < line.size && ep_is_name(*line.at) && (ep_starts(rest, "=(") || ep_starts(rest, "+=("));
}

/* "set -euo pipefail": not every sh has it. */
static bool sets_pipefail(struct ep_span line)
{
	return ep_starts(line, "set -") && ep_holds(line, "o pipefail");
}

static bool is_bash_line(struct ep_span line)
{
	static const char *const starts[] = { "[[ ",	    "for ((",	  "source ",	"shopt -",
					      "declare -a", "declare -A", "mapfile -t", "readarray -t" };

	for (size_t i = 0; i < COUNT(starts); i++) {
		if (ep_starts(line, starts[i]))
			return true;
	}
	return is_bash_function(line) || is_array(line) || sets_pipefail(line);
}

/* Lines of csh, fish and zsh, which share words with bash; and of a script that asks which shell it is run by. */
static bool is_of_other_shell(struct ep_span line)
{
	static const char *const starts[] = { "setenv ",   "endif",	"set -g",   "set -x ", "setopt ",
					      "autoload ", "zmodload ", "emulate ", "print -P" };

	for (size_t i = 0; i < COUNT(starts); i++) {
		if (ep_starts(line, starts[i]))
			return true;
	}
	return is_end(line) || ep_holds(line, "BASH_VERSION") || ep_holds(line, "ZSH_VERSION");
}

bool ep_is_bash(const struct ep_text *text)
{
	struct ep_span rest = text->all, line;
	bool is = false;

	if (ep_has_ending(text->path, "ksh") || ep_has_ending(text->path, "csh"))
		return false;
	for (int i = 0; i < LINES_MAX && ep_take_line(&rest, &line); i++) {
		line = after_keywords(line);
		if (!line.size || *line.at == '#')
			continue;
		if (is_of_other_shell(line))
			return false;
		is = is || is_bash_line(line);
		if (goes_on(line))
			break;
	}
	return is && ep_is_shell(text);
}

/* "exit 0", "do_it; exit $?"; not "exit 1" after a test. */
bool ep_ends_shell(struct ep_span line)
{
	struct ep_span last = line = ep_trim(line);

	for (size_t i = 0; i < line.size; i++) {
		if (line.at[i] == ';')
			last = ep_trim(ep_after(line, i + 1));
	}
	return ep_equals(last, "exit") || ep_equals(last, "exit 0") || ep_equals(last, "exit $?") ||
	       ep_equals(last, "exit \"$?\"");
}
