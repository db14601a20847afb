/* SPDX-License-Identifier: MIT */
/* Source code, settings and documents: the name of the file is one sign, and its lines are another. */
#define _GNU_SOURCE
#include "explain/facts/span.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* "key = value", "key=value" or "[section]" */
static bool is_setting(struct ep_span line)
{
	size_t length = 0;

	line = ep_trim(line);
	if (ep_byte(line, 0) == '[')
		return !ep_is_blank(ep_byte(line, 1)) && line.at[line.size - 1] == ']';
	while (ep_is_name(ep_byte(line, length)) || ep_byte(line, length) == '.' || ep_byte(line, length) == '-')
		length++;
	line = ep_after(line, length);
	return length && ep_byte(line, ep_while(line, " \t")) == '=';
}

enum { LINES_MAX = 200 };

/* Every line that is neither empty nor a comment. A shell script may also begin with settings. */
static bool has_only_settings(struct ep_span text)
{
	struct ep_span line;
	bool has = false;

	for (int i = 0; i < LINES_MAX && ep_take_line(&text, &line); i++) {
		line = ep_trim(line);
		if (!line.size || *line.at == '#' || *line.at == ';')
			continue;
		has = is_setting(line);
		if (!has)
			return false;
	}
	return has;
}

/*
 * Lines that begin like this, or, after "*", that contain this. A text that is not for a shell does not need such a line,
 * because that is a sign by itself.
 */
static const struct kind {
	const char *name; /* its ending, or the whole name up to a dot */
	enum errpipe_content content;
	const char *lines[9];
} kinds[] = {
	{ ".php", ERRPIPE_CONTENT_PHP, { "<?" } },
	{ ".lua", ERRPIPE_CONTENT_LUA, { "local ", "--", "require", "print(", "function ", "io." } },
	{ ".tcl", ERRPIPE_CONTENT_TCL, { "package ", "puts ", "proc ", "set " } },
	{ ".R", ERRPIPE_CONTENT_R, { "library(", "print(", "* <- " } },
	{ ".r", ERRPIPE_CONTENT_R, { "library(", "print(", "* <- " } },
	{ ".awk", ERRPIPE_CONTENT_AWK, { "{", "/", "function ", "$" } },
	{ ".sed", ERRPIPE_CONTENT_SED, { "s/", "s|", "s,", "/", "$", ":", "1" } },
	{ ".ps1", ERRPIPE_CONTENT_POWERSHELL, { "param", "$", "function ", "if (", "try " } },
	{ ".bash", ERRPIPE_CONTENT_BASH, { "" } },
	{ ".zsh", ERRPIPE_CONTENT_ZSH, { "" } },
	{ ".fish", ERRPIPE_CONTENT_FISH, { "" } },
	{ ".c", ERRPIPE_CONTENT_C, { "#include", "#define", "/*", "//" } },
	{ ".cc", ERRPIPE_CONTENT_CXX, { "#include", "#define", "/*", "//" } },
	{ ".cpp", ERRPIPE_CONTENT_CXX, { "#include", "#define", "/*", "//" } },
	{ ".cxx", ERRPIPE_CONTENT_CXX, { "#include", "#define", "/*", "//" } },
	{ ".go", ERRPIPE_CONTENT_GO, { "package ", "//" } },
	{ ".rs", ERRPIPE_CONTENT_RUST, { "use ", "fn ", "mod ", "pub ", "//" } },
	{ ".java", ERRPIPE_CONTENT_JAVA, { "package ", "public ", "class ", "//", "/*" } },
	{ ".ts",
	  ERRPIPE_CONTENT_TYPESCRIPT,
	  { "import ", "export default ", "interface ", "type ", "enum ", "declare ", "//", "/*" } },
	{ ".tsx", ERRPIPE_CONTENT_TYPESCRIPT, { "import ", "export default ", "interface ", "type ", "//", "/*" } },
	{ ".jsx", ERRPIPE_CONTENT_SOURCE, { "import " } },
	{ ".kt", ERRPIPE_CONTENT_SOURCE, { "fun ", "package ", "import ", "//" } },
	{ ".swift", ERRPIPE_CONTENT_SOURCE, { "import ", "func ", "//" } },
	{ ".scala", ERRPIPE_CONTENT_SOURCE, { "object ", "package ", "import ", "//" } },
	{ ".hs", ERRPIPE_CONTENT_SOURCE, { "module ", "import ", "main ", "--" } },
	{ ".cs", ERRPIPE_CONTENT_SOURCE, { "using ", "namespace ", "//" } },
	{ ".ex", ERRPIPE_CONTENT_SOURCE, { "defmodule " } },
	{ ".jl", ERRPIPE_CONTENT_SOURCE, { "using ", "println(", "function " } },
	{ ".s", ERRPIPE_CONTENT_SOURCE, { ".globl", ".text", ".section" } },
	{ ".S", ERRPIPE_CONTENT_SOURCE, { "#include", ".globl", ".text", ".section" } },
	{ ".tf", ERRPIPE_CONTENT_SETTINGS, { "resource ", "provider ", "variable ", "terraform " } },
	{ ".css", ERRPIPE_CONTENT_SOURCE, { "body ", "." } },
	{ ".mk", ERRPIPE_CONTENT_MAKEFILE, { ".PHONY", "\t", "*:=", "*: ", "* = " } },
	{ "Makefile", ERRPIPE_CONTENT_MAKEFILE, { ".PHONY", "\t", "*:=", "*: ", "* = " } },
	{ "makefile", ERRPIPE_CONTENT_MAKEFILE, { ".PHONY", "\t", "*:=", "*: ", "* = " } },
	{ "GNUmakefile", ERRPIPE_CONTENT_MAKEFILE, { ".PHONY", "\t", "*:=", "*: ", "* = " } },
	{ "Dockerfile", ERRPIPE_CONTENT_DOCKERFILE, { "FROM " } },
	{ "Containerfile", ERRPIPE_CONTENT_DOCKERFILE, { "FROM " } },
	{ ".sql", ERRPIPE_CONTENT_SQL, { "select ", "create ", "insert ", "drop ", "--" } },
	{ ".csv", ERRPIPE_CONTENT_CSV, { "*,", "*;" } },
	{ ".tsv", ERRPIPE_CONTENT_CSV, { "*\t" } },
	{ ".toml", ERRPIPE_CONTENT_SETTINGS, { NULL } },
	{ ".properties", ERRPIPE_CONTENT_SETTINGS, { NULL } },
	{ ".md", ERRPIPE_CONTENT_MARKDOWN, { "# ", "## ", "- ", "```", "[", "===" } },
};

/* The whole text has only settings. */
static const struct {
	const char *ending;
	enum errpipe_content content;
} settings[] = {
	{ ".service", ERRPIPE_CONTENT_UNIT },	  { ".timer", ERRPIPE_CONTENT_UNIT },
	{ ".socket", ERRPIPE_CONTENT_UNIT },	  { ".env", ERRPIPE_CONTENT_SETTINGS },
	{ ".ini", ERRPIPE_CONTENT_SETTINGS },	  { ".cfg", ERRPIPE_CONTENT_SETTINGS },
	{ ".conf", ERRPIPE_CONTENT_SETTINGS },	  { ".cnf", ERRPIPE_CONTENT_SETTINGS },
	{ ".desktop", ERRPIPE_CONTENT_SETTINGS },
};

/* Regardless of the name: two kinds of lines, or one line that nothing else has. */
static const struct {
	const char *line, *other;
	enum errpipe_content content;
} pairs[] = {
	{ "int main(", "", ERRPIPE_CONTENT_C },
	{ "package main", "func ", ERRPIPE_CONTENT_GO },
	{ "package main", "import ", ERRPIPE_CONTENT_GO },
	{ "fn main()", "", ERRPIPE_CONTENT_RUST },
	{ "public class ", "", ERRPIPE_CONTENT_JAVA },
	{ "local ", "* = require(", ERRPIPE_CONTENT_LUA },
	{ "local ", "* = require ", ERRPIPE_CONTENT_LUA },
	{ "interface ", "const ", ERRPIPE_CONTENT_TYPESCRIPT },
	{ "interface ", "console.log(", ERRPIPE_CONTENT_TYPESCRIPT },
	{ "FROM ", "RUN ", ERRPIPE_CONTENT_DOCKERFILE },
	{ "FROM ", "COPY ", ERRPIPE_CONTENT_DOCKERFILE },
	{ "FROM ", "CMD ", ERRPIPE_CONTENT_DOCKERFILE },
	{ "FROM ", "ENTRYPOINT ", ERRPIPE_CONTENT_DOCKERFILE },
	{ "$ErrorActionPreference", "", ERRPIPE_CONTENT_POWERSHELL },
	{ "Write-Host ", "", ERRPIPE_CONTENT_POWERSHELL },
	{ "CREATE TABLE ", "", ERRPIPE_CONTENT_SQL },
	{ "INSERT INTO ", "", ERRPIPE_CONTENT_SQL },
	{ "-- MySQL dump", "", ERRPIPE_CONTENT_SQL },
	{ "-- PostgreSQL database dump", "", ERRPIPE_CONTENT_SQL },
	{ "[Unit]", "Description=", ERRPIPE_CONTENT_UNIT },
	{ "[Unit]", "[Service]", ERRPIPE_CONTENT_UNIT },
	{ ".PHONY:", "\t", ERRPIPE_CONTENT_MAKEFILE },
	{ "all:", "\t", ERRPIPE_CONTENT_MAKEFILE },
};

static bool is_line(struct ep_span line, const char *pattern)
{
	return *pattern == '*' ? ep_holds(line, pattern + 1) : ep_starts(line, pattern);
}

static bool has_line(struct ep_span text, const char *pattern)
{
	struct ep_span line;

	for (int i = 0; i < LINES_MAX && ep_take_line(&text, &line); i++) {
		if (is_line(line, pattern))
			return true;
	}
	return false;
}

static bool is_named(const char *path, const char *name)
{
	const char *last = path ? ep_last_name(path) : "";
	size_t length = strlen(name);

	if (*name == '.')
		return ep_has_ending(path, name);
	return ep_begins_with(last, name) && (!last[length] || last[length] == '.');
}

static bool is_kind(const struct ep_text *text, const struct kind *kind)
{
	bool is = is_named(text->path, kind->name) && !ep_is_shell(text);

	for (size_t i = 0; !is && i < COUNT(kind->lines) && kind->lines[i]; i++)
		is = is_named(text->path, kind->name) && has_line(text->all, kind->lines[i]);
	return is;
}

enum errpipe_content ep_named_content(const struct ep_text *text)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (is_kind(text, &kinds[i]))
			return kinds[i].content;
	}
	for (size_t i = 0; i < COUNT(settings); i++) {
		if (ep_has_ending(text->path, settings[i].ending) && has_only_settings(text->all))
			return settings[i].content;
	}
	for (size_t i = 0; i < COUNT(pairs) && !ep_is_shell(text); i++) {
		if (has_line(text->all, pairs[i].line) && has_line(text->all, pairs[i].other))
			return pairs[i].content;
	}
	return ERRPIPE_CONTENT_UNKNOWN;
}
