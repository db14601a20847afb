/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static const char usage[] = "Usage: errpipe explain [OPTION...] [--] PROGRAM [ARG...]\n"
			    "\n"
			    "Check whether PROGRAM (looked up in PATH) would start. If not, name the file at\n"
			    "fault: the program, its interpreter, its loader, or the command that env(1)\n"
			    "would run. Nothing is run.\n"
			    "\n"
			    "  --root DIR       treat DIR as the root directory; it overrides a bundle's\n"
			    "  --bundle DIR     read the settings from an OCI bundle's DIR/config.json;\n"
			    "                   PROGRAM, if given, overrides its process.args\n"
			    "  --cwd DIR        the working directory, as seen in the root\n"
			    "  --path PATH      search this PATH\n"
			    "  --as UID[:GID]   check as this user\n"
			    "  --errno NAME     explain a failure with this errno, e.g. ENOEXEC\n"
			    "  --json           print it as JSON\n"
			    "  --help           print this\n"
			    "\n"
			    "Exit status: 0 if it would start, 1 if not or unknown, 125 if errpipe failed.\n";

enum { ROOT, BUNDLE, CWD, PATH, AS, ERRNO, JSON, HELP };

static const struct option options[] = {
	{ "root", required_argument, NULL, ROOT },
	{ "bundle", required_argument, NULL, BUNDLE },
	{ "cwd", required_argument, NULL, CWD },
	{ "path", required_argument, NULL, PATH },
	{ "as", required_argument, NULL, AS },
	{ "errno", required_argument, NULL, ERRNO },
	{ "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP },
	{ 0 },
};

enum { EXIT_WORKS, EXIT_FAILS };

/* A user can wait, and can interrupt. A search inspects many places. */
enum { INSPECTION_MILLISECONDS = 5000, SEARCH_MILLISECONDS = 10000 };

/* errno.def's numbers end well below. */
enum { ERRNO_MAX = 4095 };

struct explain {
	const char *bundle_name, *cwd, *path, *as;
	const char *given_path; /* --path */
	char **env;		/* malloc'd, with that PATH; or NULL */
	bool as_json;
	struct inspection inspection;
	struct errpipe_report report;
	struct errpipe_who who;
	struct bundle bundle;
	struct errpipe_explanation *closed_cwd; /* why the user may not enter the bundle's process.cwd; or NULL */
	char **argv;
};

/* --- options ---------------------------------------------------------------------------------- */

static int set_error(struct explain *explain, const char *name)
{
	char *end;
	unsigned long error = strtoul(name, &end, 10);

	if (*name < '0' || *name > '9' || *end) {
		for (error = 1; error <= ERRNO_MAX; error++) {
			const char *known = errpipe_errname(error);

			if (known && strcmp(known, name) == 0)
				break;
		}
	}
	if (error > ERRNO_MAX) {
		name_failure(0, "unknown errno", name, ": use a name such as ENOEXEC, or a number");
		return -1;
	}
	explain->report = (struct errpipe_report){
		.verdict = ERRPIPE_EXEC_FAILED, .error = error, .raw_error = error, .status = -1
	};
	explain->inspection.question.report = &explain->report;
	return 0;
}

static int set_who(struct explain *explain, const char *ids)
{
	const char *rest = take_id(ids, &explain->who.uid);

	explain->as = ids;
	explain->who.gid = explain->who.uid;
	if (rest && *rest == ':')
		rest = take_id(rest + 1, &explain->who.gid);
	if (rest && !*rest)
		return 0;
	name_failure(0, "--as takes UID or UID:GID in numbers, not", ids, "");
	return -1;
}

static int set_option(struct explain *explain, int option, const char *value)
{
	switch (option) {
	case ROOT:
		explain->inspection.root = value;
		return 0;
	case BUNDLE:
		explain->bundle_name = value;
		return 0;
	case CWD:
		explain->cwd = value;
		return 0;
	case PATH:
		explain->path = explain->given_path = value;
		return 0;
	case AS:
		return set_who(explain, value);
	case ERRNO:
		return set_error(explain, value);
	case JSON:
		explain->as_json = true;
		return 0;
	default:
		return -1;
	}
}

/* --- the question ----------------------------------------------------------------------------- */

/*
 * The last one counts, because a runtime sets one after the other. NULL if PATH is missing or empty: neither runc nor crun
 * then searches anything.
 */
static const char *path_of(char *const *env)
{
	const char *path = "";

	for (; env && *env; env++) {
		if (strncmp(*env, "PATH=", 5) == 0)
			path = *env + 5;
	}
	return *path ? path : NULL;
}

/* The root that the user gives takes precedence: the config.json may be that of another machine. */
static int choose_root(struct inspection *inspection, const struct bundle *bundle)
{
	inspection->root_is_given = inspection->root;
	if (inspection->root)
		return 0;
	if (!bundle->root) {
		own_failure(0, "config.json: root.path is missing");
		return -1;
	}
	inspection->root = bundle->root;
	inspection->question.root_name = bundle->root_name;
	return 0;
}

static int ask_bundle(struct explain *explain)
{
	static char *no_env[] = { NULL };
	struct bundle *bundle = &explain->bundle;
	struct inspection *inspection = &explain->inspection;

	if (bundle_read(bundle, explain->bundle_name, INSPECTION_MILLISECONDS) < 0 ||
	    choose_root(inspection, bundle) < 0)
		return -1;
	inspection->base = explain->bundle_name;
	inspection->mounts = bundle->mounts;
	inspection->sources = bundle->sources;
	inspection->mounts_count = bundle->mounts_count;
	inspection->question.cwd = bundle->cwd;
	inspection->question.envp = bundle->env ? bundle->env : no_env;
	inspection->question.who = &bundle->who;
	inspection->question.limit_stack = bundle->limit_stack;
	inspection->question.limit_address_space = bundle->limit_address_space;
	inspection->question.limit_data = bundle->limit_data;
	inspection->question.limit_processes = bundle->limit_processes;
	if (!explain->path)
		explain->path = path_of(bundle->env);
	if (*explain->argv)
		return 0;
	if (!bundle->args || !*bundle->args) {
		own_failure(0, "config.json: process.args is empty");
		return -1;
	}
	explain->argv = bundle->args;
	return 0;
}

/* Root has all capabilities that a process of the bundle, or of ours, can have. */
static int ask_for(struct explain *explain)
{
	struct errpipe_identity identity;
	int ret = errpipe_identity(&identity);

	if (ret < 0) {
		own_failure(-ret, "cannot read the capabilities");
		return -1;
	}
	explain->who.bounding = explain->bundle_name ? explain->bundle.who.bounding : identity.bounding;
	explain->who.no_new_privs = explain->bundle_name ? explain->bundle.who.no_new_privs : identity.no_new_privs;
	explain->who.effective = explain->who.uid == 0 ? explain->who.bounding : 0;
	explain->inspection.question.who = &explain->who;
	return 0;
}

/* --path is also the PATH of the process, in which env(1) searches. */
static int set_path(struct explain *explain)
{
	char *const *env = explain->inspection.question.envp;
	size_t count = 0, n = 1;

	while (env[count])
		count++;
	explain->env = calloc(count + 2, sizeof(*explain->env));
	if (!explain->env || asprintf(explain->env, "PATH=%s", explain->given_path) < 0) {
		free(explain->env);
		explain->env = NULL;
		own_failure(ENOMEM, "cannot set PATH");
		return -1;
	}
	for (; *env; env++) {
		if (strncmp(*env, "PATH=", 5) != 0)
			explain->env[n++] = *env;
	}
	explain->inspection.question.envp = explain->env;
	return 0;
}

static int ask(struct explain *explain)
{
	explain->inspection.milliseconds = INSPECTION_MILLISECONDS;
	explain->inspection.question.envp = environ;
	explain->inspection.question.root_name = explain->inspection.root;
	if (explain->bundle_name && ask_bundle(explain) < 0)
		return -1;
	if (explain->as && ask_for(explain) < 0)
		return -1;
	if (explain->given_path && set_path(explain) < 0)
		return -1;
	if (explain->cwd)
		explain->inspection.question.cwd = explain->cwd;
	explain->inspection.question.argv = explain->argv;
	explain->inspection.question.compare_own_root = explain->inspection.root != NULL;
	return 0;
}

/* --- the inspection --------------------------------------------------------------------------- */

static int inspect(struct explain *explain, struct errpipe_explanation **ex)
{
	int ret = explain_safely(ex, &explain->inspection);
	const char *where =
		ret < 0 && *ex && (*ex)->looking_at ? (*ex)->looking_at : explain->inspection.question.path;

	if (ret == 0)
		return 0;
	if (ret == -ENOTRECOVERABLE)
		name_failure(0, "cannot inspect", where, ": the inspecting process died");
	else
		name_failure(-ret, "cannot inspect", where, "");
	return ret;
}

/* --- the answer ------------------------------------------------------------------------------- */

static bool is_utf8(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value = NULL;

	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables) && (!value || !*value); i++)
		value = getenv(variables[i]);
	return value && (strcasestr(value, "UTF-8") || strcasestr(value, "UTF8"));
}

/* The columns on a terminal, except for wide characters. */
static int columns_of(const char *text)
{
	int columns = 0;

	for (; *text; text++)
		columns += (*text & 0xc0) != 0x80;
	return columns;
}

/* The column of the words after a path, unless the path is longer. */
enum { PATH_COLUMNS = 22, INDENT = 3 };

/* How many links lead to this one. */
static int depth_of(const struct errpipe_explanation *ex, int index)
{
	int depth = 0;

	for (int parent; (parent = ex->link[index].parent) >= 0 && parent < index; index = parent)
		depth++;
	return depth;
}

/* "path    words"; each link hangs from the one before. */
static int print_link(const struct errpipe_explanation *ex, int index)
{
	size_t size = errpipe_link_words(NULL, 0, ex, index) + 1;
	char *words = malloc(size), *path = escaped(ex->link[index].path);
	int indent = INDENT * depth_of(ex, index), padding;

	if (words && path) {
		errpipe_link_words(words, size, ex, index);
		padding = PATH_COLUMNS - indent - columns_of(path);
		printf("%*s%s%s%*s%s\n", index ? indent - INDENT : 0, "",
		       !index	   ? ""
		       : is_utf8() ? "└─ "
				   : "`- ",
		       path, *words ? INDENT + (padding > 0 ? padding : 0) : 0, "", words);
	}
	free(words);
	free(path);
	return words && path ? 0 : -1;
}

/* If the exec fails, the line "why" says so instead. */
static void print_verdict(const struct errpipe_explanation *ex)
{
	if (ex->works && !ex->starts)
		puts(ex->certainty == ERRPIPE_CERTAIN
			     ? "the kernel would start it, but it would stop at once"
			     : "the kernel would start it, but it would probably stop at once");
	else if (ex->works && ex->cause == ERRPIPE_CAUSE_NONE)
		puts(ex->certainty == ERRPIPE_CERTAIN ? "it would start" : "it would probably start");
	else if (ex->works && ex->cause == ERRPIPE_CAUSE_CWD_UNSEARCHABLE)
		puts("it would start, but not with every runtime");
	else if (ex->works)
		puts(ex->cause == ERRPIPE_CAUSE_SET_ID_IGNORED
			     ? "it would start, but not with the rights of its owner"
			     : "it would start, but may crash");
	else if (ex->certainty == ERRPIPE_UNSURE && !ex->error)
		puts("cannot tell whether it would start");
}

static int print_text(const struct diagnosis *diagnosis)
{
	const struct errpipe_explanation *ex = diagnosis->explanation;
	int links = diagnosis->is_cwd ? 0 : ex->links, ret = 0;

	for (int i = 0; i < links && ret == 0; i++)
		ret = print_link(ex, i);
	if (ret == 0)
		print_verdict(ex);
	if (ret == 0 && ex->cause != ERRPIPE_CAUSE_NONE)
		ret = diagnosis_print(stdout, diagnosis, "");
	return ret < 0 ? own_failure(ENOMEM, "cannot print the explanation") : 0;
}

static int print_json(const struct diagnosis *diagnosis)
{
	int ret = json_write_diagnosis(stdout, diagnosis);

	return ret < 0 ? own_failure(-ret, "cannot write JSON") : 0;
}

static int print(const struct explain *explain, const struct diagnosis *diagnosis)
{
	return (explain->as_json ? print_json : print_text)(diagnosis);
}

static void set_program(struct explain *explain, const char *name)
{
	explain->inspection.question.path = name;
	if (!is_searched(name))
		return;
	explain->inspection.question.search_path = path_or_default(explain->path);
	explain->inspection.milliseconds = SEARCH_MILLISECONDS;
}

/* Without PATH nothing is looked up, whatever a search finds. */
static bool lacks_path(const struct explain *explain)
{
	return explain->bundle_name && !explain->path && is_searched(*explain->argv);
}

static void take_fault(struct diagnosis *diagnosis, const struct bundle_fault *fault)
{
	diagnosis_of_bundle(diagnosis, fault->cause, fault->error, diagnosis->path);
	diagnosis->explanation->object = fault->object;
	diagnosis->explanation->detail = fault->detail;
	diagnosis->explanation->number = fault->number;
	diagnosis->explanation->limit = fault->limit;
}

/* Runtimes look the program up before they load the filter. The kernel asks the filter before everything else. */
static bool is_filtered(const struct explain *explain, const struct errpipe_explanation *ex)
{
	const struct bundle_fault *seccomp = &explain->bundle.seccomp;

	if (!seccomp->cause)
		return false;
	return explain->inspection.question.report ? explain->report.error == seccomp->error : ex->works;
}

static bool is_relative(const struct explain *explain, const struct errpipe_explanation *ex)
{
	return explain->bundle_name && ex->works && is_searched(*explain->argv) && *ex->link[0].path != '/';
}

/* The limits and security modules of this machine matter only for a container that will start here. */
static struct bundle_fault machine_fault(const struct explain *explain, const struct errpipe_explanation *ex)
{
	if (!ex->starts || explain->inspection.question.report || explain->inspection.root_is_given)
		return (struct bundle_fault){ .cause = ERRPIPE_CAUSE_NONE };
	return bundle_machine_fault(&explain->bundle);
}

/* The first entry that is not NAME=VALUE. Only runc refuses it, so anything else that is wrong counts more. */
static struct bundle_fault variable_fault(const struct explain *explain, const struct errpipe_explanation *ex)
{
	char *const *env = explain->bundle.env, *const *entry = env;

	while (entry && *entry && **entry != '=' && strchr(*entry, '='))
		entry++;
	if (!entry || !*entry || !ex->starts || explain->inspection.question.report)
		return (struct bundle_fault){ .cause = ERRPIPE_CAUSE_NONE };
	return (struct bundle_fault){ .cause = ERRPIPE_CAUSE_BUNDLE_VARIABLE,
				      .detail = **entry == '=' ? ERRPIPE_DETAIL_VARIABLE_NAME
							       : ERRPIPE_DETAIL_VARIABLE_VALUE,
				      .number = entry - env };
}

/* What is wrong with the bundle comes before the exec. */
static void judge_bundle(struct explain *explain, struct diagnosis *diagnosis)
{
	struct errpipe_explanation *ex = diagnosis->explanation;
	const struct errpipe_explanation *cwd = explain->closed_cwd;
	struct bundle_fault machine = machine_fault(explain, ex), variable = variable_fault(explain, ex);

	if (explain->bundle.fault.cause) {
		take_fault(diagnosis, &explain->bundle.fault);
	} else if (explain->bundle.cwd_fault.cause && !explain->cwd) {
		take_fault(diagnosis, &explain->bundle.cwd_fault);
	} else if (lacks_path(explain)) {
		diagnosis_of_bundle(diagnosis, ERRPIPE_CAUSE_BUNDLE_WITHOUT_PATH, ENOENT, *explain->argv);
		ex->links = 1;
		ex->link[0] =
			(struct errpipe_link){ .kind = ERRPIPE_LINK_PROGRAM, .parent = -1, .path = *explain->argv };
	} else if (is_relative(explain, ex)) {
		diagnosis_of_bundle(diagnosis, ERRPIPE_CAUSE_BUNDLE_RELATIVE_PATH, 0, diagnosis->path);
		ex->certainty = ERRPIPE_LIKELY;
	} else if (is_filtered(explain, ex)) {
		take_fault(diagnosis, &explain->bundle.seccomp);
	} else if (machine.cause) {
		take_fault(diagnosis, &machine);
	} else if (cwd && ex->cause == ERRPIPE_CAUSE_NONE) {
		diagnosis_of_bundle(diagnosis, ERRPIPE_CAUSE_CWD_UNSEARCHABLE, 0, diagnosis->path);
		ex->works = ex->starts = 1;
		ex->subject = cwd->subject;
		ex->subject_here = cwd->subject_here;
		ex->detail = cwd->detail;
		ex->denied = cwd->denied;
	} else if (variable.cause) {
		take_fault(diagnosis, &variable);
		ex->certainty = ERRPIPE_LIKELY;
	}
}

static int answer(struct explain *explain)
{
	struct diagnosis diagnosis = { .error = explain->report.error };
	int ret = EXIT_OWN;

	set_program(explain, *explain->argv);
	if (inspect(explain, &diagnosis.explanation) == 0) {
		const struct errpipe_explanation *ex = diagnosis.explanation;

		diagnosis.path = ex->links ? ex->link[0].path : *explain->argv;
		judge_bundle(explain, &diagnosis);
		diagnosis_finish(&diagnosis);
		ret = print(explain, &diagnosis);
		if (ret == 0)
			ret = ex->starts ? EXIT_WORKS : EXIT_FAILS;
	}
	diagnosis_free(&diagnosis);
	return ret;
}

/* --- the working directory -------------------------------------------------------------------- */

/* The hints are about programs. For a directory only a similar name or an unexpanded variable makes sense. */
static void drop_hint(struct errpipe_explanation *ex)
{
	switch (ex->cause) {
	case ERRPIPE_CAUSE_WHOLE_COMMAND:
	case ERRPIPE_CAUSE_LITERAL_QUOTES:
	case ERRPIPE_CAUSE_SHELL_BUILTIN:
	case ERRPIPE_CAUSE_OPTION:
	case ERRPIPE_CAUSE_ASSIGNMENT:
		ex->cause = ERRPIPE_CAUSE_MISSING;
		ex->certainty = ERRPIPE_CERTAIN;
		ex->detail = ERRPIPE_DETAIL_NONE;
		ex->object = NULL;
		break;
	default:
		break;
	}
}

/*
 * If it cannot be entered, an exec never takes place. The path ends in "/.", which requires a directory that may be
 * searched; explain finds NOT_A_FILE for such a directory. Returns 0, or -1 after a message. *ex is the reason why the
 * directory cannot be entered, or NULL.
 */
static int inspect_cwd(const struct explain *explain, const char *path, struct errpipe_explanation **ex)
{
	struct explain other = { .inspection = explain->inspection };
	int ret;

	other.inspection.question = (struct errpipe_question){ .root_name = explain->inspection.question.root_name,
							       .path = path,
							       .who = explain->inspection.question.who };
	ret = inspect(&other, ex);
	if (ret < 0 || (*ex)->cause == ERRPIPE_CAUSE_NOT_A_FILE || (*ex)->cause == ERRPIPE_CAUSE_MOUNTED_DIRECTORY ||
	    (*ex)->certainty == ERRPIPE_UNSURE) {
		free_explanation(*ex);
		*ex = NULL;
	} else {
		drop_hint(*ex);
	}
	return ret < 0 ? -1 : 0;
}

/*
 * A runtime creates the working directory of a bundle. It first tries to enter it with its own rights (runc since 1.0,
 * crun), so the start need not fail if the user may not search the directory.
 */
static void allow_for_runtime(struct explain *explain, struct errpipe_explanation **ex)
{
	const struct errpipe_report *report = explain->inspection.question.report;

	if (explain->cwd || !*ex)
		return;
	if ((*ex)->error == ENOENT && (*ex)->cause != ERRPIPE_CAUSE_DANGLING_LINK &&
	    (*ex)->cause != ERRPIPE_CAUSE_MOUNT_SOURCE_MISSING) {
		free_explanation(*ex);
		*ex = NULL;
	} else if ((*ex)->cause == ERRPIPE_CAUSE_UNSEARCHABLE && (!report || report->error != EACCES)) {
		explain->closed_cwd = *ex;
		*ex = NULL;
	}
}

static int check_cwd(struct explain *explain)
{
	const char *cwd = explain->cwd ? explain->cwd : explain->bundle.cwd;
	struct diagnosis diagnosis = { .path = cwd, .is_cwd = true };
	char *path;
	int ret;

	if (!cwd || !*cwd)
		return 0;
	if (asprintf(&path, "%s/.", cwd) < 0)
		return own_failure(ENOMEM, "cannot inspect the working directory");
	ret = inspect_cwd(explain, path, &diagnosis.explanation) < 0 ? EXIT_OWN : 0;
	allow_for_runtime(explain, &diagnosis.explanation);
	if (diagnosis.explanation) {
		diagnosis.explanation->link[0].path = cwd;
		diagnosis.explanation->broken = -1;
		diagnosis_finish(&diagnosis);
		ret = print(explain, &diagnosis);
		if (ret == 0)
			ret = EXIT_FAILS;
	}
	diagnosis_free(&diagnosis);
	free(path);
	return ret;
}

int cmd_explain(int argc, char **argv)
{
	struct explain explain = { 0 };
	int option, ret;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == HELP)
			return help(usage);
		if (set_option(&explain, option, optarg) < 0)
			return bad_usage(argv[0]);
	}
	explain.argv = argv + optind;
	if (!*explain.argv && !explain.bundle_name) {
		own_failure(0, "no program given");
		return bad_usage(argv[0]);
	}
	if (explain.as_json && !json_is_there())
		return EXIT_OWN;

	ret = ask(&explain) < 0 ? EXIT_OWN : check_cwd(&explain);
	if (ret == 0)
		ret = answer(&explain);
	free_explanation(explain.closed_cwd);
	bundle_free(&explain.bundle);
	if (explain.env)
		free(*explain.env);
	free(explain.env);
	return ret;
}
