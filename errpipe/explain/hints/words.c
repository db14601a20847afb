/* SPDX-License-Identifier: MIT */
/* A command that was meant for a shell: a whole command in one word, an assignment, or a builtin. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/hints/hints.h"

static const char blanks[] = " \t\n";

static bool refine(struct ep_check *c, struct ep_finding finding)
{
	ep_finding_refine(c, finding);
	return true;
}

/* --- names ---------------------------------------------------------------------------------------------------- */

/* Builtins and keywords of shells: POSIX, XCU 2.4 and 2.14; bash(1). Most, such as cd, cannot be programs. */
static const struct own_word {
	enum errpipe_detail detail;
	const char *names; /* with a blank before and after each */
} own_words[] = {
	{ ERRPIPE_DETAIL_CHANGES_DIRECTORY, " cd " },
	{ ERRPIPE_DETAIL_NONE,
	  " . : alias bg break command continue eval exec exit export fc fg getopts hash jobs local "
	  "read readonly return set shift times trap type ulimit umask unalias unset wait " },
	{ ERRPIPE_DETAIL_BASH_BUILTIN,
	  " bind builtin caller compgen complete compopt declare dirs disown enable history let logout mapfile popd "
	  "pushd readarray shopt source suspend typeset " },
	{ ERRPIPE_DETAIL_KEYWORD, " ! ( case do done elif else esac fi for if then until while { } " },
	{ ERRPIPE_DETAIL_BASH_KEYWORD, " (( [[ coproc function select " },
};

/* Other words that are no program. They begin no command. */
static const struct own_word other_words[] = {
	{ ERRPIPE_DETAIL_OPERATOR, " | || & && ; ;; # > >> < << <<< " },
	{ ERRPIPE_DETAIL_ALIAS, " ll la " },
};

/* Programs whose command often comes with all arguments in one word. */
static const char launchers[] =
	" bash bundle cargo celery deno docker dotnet flask go gunicorn java make nginx node npm npx "
	"php pip pip3 pnpm poetry python python3 rails ruby sh sudo uvicorn yarn ";

static bool is_among(const char *names, const char *word, size_t length)
{
	if (memchr(word, ' ', length))
		return false;
	for (; length && (names = memmem(names, strlen(names), word, length)); names++) {
		if (names[-1] == ' ' && names[length] == ' ')
			return true;
	}
	return false;
}

static const struct own_word *find_word(const struct own_word *words, size_t count, const char *word, size_t length)
{
	for (size_t i = 0; i < count; i++) {
		if (is_among(words[i].names, word, length))
			return &words[i];
	}
	return NULL;
}

#define FIND_WORD(words, word, length) find_word(words, sizeof(words) / sizeof(*(words)), word, length)

static const struct own_word *own_word(const char *word, size_t length)
{
	return FIND_WORD(own_words, word, length);
}

/* --- a whole command in one word ------------------------------------------------------------------------------ */

/* The length of NAME=VALUE and the blanks after it, up to the next word. 0: none. */
static size_t assignment_length(const char *text)
{
	size_t name = ep_variable_length(text), value;

	if (!name || text[name] != '=')
		return 0;
	value = strcspn(text + name, blanks);
	return name + value + strspn(text + name + value, blanks);
}

/* The text after the assignments. */
static const char *after_assignments(const char *text)
{
	for (size_t length; (length = assignment_length(text)) && text[length];)
		text += length;
	return text;
}

/* The length of the program's name at the beginning: up to one of the first blanks, within length. 0: none. */
static size_t program_length(struct ep_check *c, const char *text, size_t length)
{
	enum { BLANKS = 8 };
	size_t end = strcspn(text, blanks);

	if (end > length)
		end = length;
	if (own_word(text, end))
		return end;
	for (int i = 0; i < BLANKS && end < length; i++) {
		if (ep_is_command(c, text, end))
			return end;
		end += 1 + strcspn(text + end + 1, blanks);
	}
	return end >= length && ep_is_command(c, text, length) ? length : 0;
}

/* Does the text after the first word look like arguments? */
static bool looks_like_arguments(const char *text, size_t first)
{
	const char *rest = text + first + strspn(text + first, blanks);

	return *rest == '-' || *rest == '/' || ep_begins_with(rest, "./") || is_among(launchers, text, first);
}

/* Names of files may contain "&" or ">", but hardly ever these. */
static bool has_operator(const char *text)
{
	static const char *const operators[] = { "&&", "||", "; ", " | ", " > ", " >> ", " < ", "2>" };

	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		const char *at = strstr(text, operators[i]);

		if (at && at > text && at[strlen(operators[i])])
			return true;
	}
	return false;
}

/* "gzip|tar". With more than one bar it may come from a synopsis: "start|stop|status". */
static bool has_pipe(const char *text)
{
	const char *bar = strchr(text, '|');

	return bar && bar > text && bar[1] && !strchr(bar + 1, '|');
}

/* "`which java`", "$(which java)" */
static bool has_substitution(const char *text)
{
	const char *quote = strchr(text, '`'), *dollar = strstr(text, "$(");

	return (quote && strchr(quote + 1, '`')) ||
	       (dollar && dollar[strcspn(dollar, " )")] == ' ' && strchr(dollar, ')'));
}

static bool needs_shell(const char *text)
{
	return (strpbrk(text, "|&;<>$`*?\"'()\n") || strstr(text, " #")) &&
	       ep_expansion(text) != ERRPIPE_DETAIL_KUBERNETES;
}

/* "'npm start'" */
static bool is_all_quoted(const char *text)
{
	const char *end = strchr("\"'", *text) ? strchr(text + 1, *text) : NULL;

	return end && !end[1] && strpbrk(text, blanks);
}

static bool needs_bash(const char *text)
{
	const struct own_word *word = own_word(text, strcspn(text, " \t;&|"));

	return (word &&
		(word->detail == ERRPIPE_DETAIL_BASH_BUILTIN || word->detail == ERRPIPE_DETAIL_BASH_KEYWORD)) ||
	       strstr(text, "[[ ") || strstr(text, "<(") || strstr(text, "<<<") || strstr(text, "&>");
}

static bool whole_command(struct ep_check *c, const char *text, const char *command, size_t length)
{
	struct ep_finding finding = { .cause = ERRPIPE_CAUSE_WHOLE_COMMAND,
				      .certainty = ERRPIPE_LIKELY,
				      .detail = ERRPIPE_DETAIL_PLAIN_WORDS,
				      .object = ep_keep(c, "%.*s", (int)length, text) };

	if (is_all_quoted(text))
		finding.detail = ERRPIPE_DETAIL_QUOTED_WORDS;
	else if (needs_bash(command))
		finding.detail = ERRPIPE_DETAIL_BASH_SYNTAX;
	else if (needs_shell(text) || own_word(command, strcspn(command, blanks)))
		finding.detail = ERRPIPE_DETAIL_SHELL_SYNTAX;
	else if (command != text)
		finding.detail = ERRPIPE_DETAIL_ASSIGNED_WORDS;
	return refine(c, finding);
}

/* The length of the part that shows that the text is a command: a program, or all of it. 0: it is not a command. */
static size_t command_length(struct ep_check *c, const char *text)
{
	size_t all = strlen(text), part = strcspn(text, "|&;<>"), first = strcspn(text, blanks), length;

	if (has_substitution(text) || has_operator(text))
		return first;
	while (part && strchr(blanks, text[part - 1]))
		part--;
	length = part < all ? program_length(c, text, part) : 0;
	if (length || has_pipe(text))
		return length ? length : first;
	if (!text[first + strspn(text + first, blanks)])
		return 0;
	length = program_length(c, text, all);
	return !length && looks_like_arguments(text, first) ? first : length;
}

/* Environment variables usually have names in capitals. Files have other names with "=", such as "year=2024". */
static bool is_in_capitals(const char *text)
{
	size_t length = ep_variable_length(text);

	while (length && (text[length - 1] < 'a' || text[length - 1] > 'z'))
		length--;
	return !length;
}

/* FOO=bar before a program. The program may be the next argument. */
static bool hint_assignment(struct ep_check *c, const char *text)
{
	char *const *argv = c->question->argv;
	const char *next = argv && *argv ? argv[1] : NULL;

	if (next && !ep_is_command(c, next, strlen(next)))
		next = NULL;
	return (next || is_in_capitals(text)) &&
	       refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_ASSIGNMENT,
					      .certainty = ERRPIPE_LIKELY,
					      .object = next ? ep_keep(c, "%s", next) : NULL });
}

/* "./server<no-break space>--port": what comes before it is a program. */
static bool hint_other_blank(struct ep_check *c, const char *text)
{
	size_t length = 0;

	while (text[length] && !ep_other_blank_length(text + length))
		length++;
	return text[length] && ep_is_command(c, text, length) &&
	       refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_WHOLE_COMMAND,
					      .certainty = ERRPIPE_LIKELY,
					      .detail = ERRPIPE_DETAIL_OTHER_BLANK });
}

/* "- ./server", ": ./server", "* ./server", of a list; "$ ls", of a prompt. Returns the text after it, or NULL. */
static const char *after_mark(const char *text)
{
	const char *rest = text + 1 + strspn(text[0] ? text + 1 : text, blanks);

	return *text && strchr("-:*$", *text) && rest > text + 1 && *rest ? rest : NULL;
}

static bool hint_mark(struct ep_check *c, const char *rest)
{
	if (ep_is_command(c, rest, strlen(rest)))
		return refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NEAR_MISS,
						      .detail = ERRPIPE_DETAIL_MARK,
						      .object = ep_keep(c, "%s", rest) });
	return (*rest == '/' || *rest == '.' || command_length(c, rest)) &&
	       refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_WHOLE_COMMAND,
					      .certainty = ERRPIPE_LIKELY,
					      .detail = ERRPIPE_DETAIL_MARKED_WORDS });
}

bool ep_hint_words(struct ep_check *c, const struct errpipe_link *link)
{
	const char *text = link->path, *command = after_assignments(text), *rest = after_mark(text);
	size_t length;

	if (rest)
		return hint_mark(c, rest);
	if (command == text && assignment_length(text))
		return hint_assignment(c, text);
	if (command != text &&
	    (is_in_capitals(text) || command_length(c, command) || ep_is_command(c, command, strlen(command))))
		return whole_command(c, text, command, strcspn(text, blanks));
	length = *text && !strchr(blanks, *text) ? command_length(c, text) : 0;
	return length ? whole_command(c, text, text, length) : hint_other_blank(c, text);
}

/* --- a word that only a shell has ----------------------------------------------------------------------------- */

/* ">log", "2>&1", "&>log" */
static bool is_redirection(const char *text)
{
	text += *text == '&' || (*text >= '0' && *text <= '9');
	return *text == '>' && text[1];
}

/* "$" of a prompt and "-" of a list, before a program; "CMD" of a Dockerfile, before anything. */
static enum errpipe_detail word_before_program(struct ep_check *c, const char *text)
{
	static const char instructions[] = " CMD ENTRYPOINT RUN ";
	char *const *argv = c->question->argv;
	const char *next = argv && *argv && strcmp(*argv, text) == 0 ? argv[1] : NULL;

	if (!next)
		return ERRPIPE_DETAIL_NONE;
	if (is_among(instructions, text, strlen(text)))
		return ERRPIPE_DETAIL_INSTRUCTION;
	if (strlen(text) == 1 && strchr("$-:*", *text) && ep_is_command(c, next, strlen(next)))
		return ERRPIPE_DETAIL_PROMPT;
	return ERRPIPE_DETAIL_NONE;
}

static enum errpipe_detail detail_of_word(struct ep_check *c, const char *text)
{
	const struct own_word *word = FIND_WORD(other_words, text, strlen(text));

	if (word)
		return word->detail;
	return is_redirection(text) ? ERRPIPE_DETAIL_OPERATOR : word_before_program(c, text);
}

bool ep_hint_builtin(struct ep_check *c, const struct errpipe_link *link)
{
	const struct own_word *word = own_word(link->path, strlen(link->path));
	enum errpipe_detail detail = word ? word->detail : detail_of_word(c, link->path);

	return (word || detail) && c->ex->cause == ERRPIPE_CAUSE_NOT_IN_PATH &&
	       refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_SHELL_BUILTIN, .detail = detail });
}
