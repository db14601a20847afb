/* SPDX-License-Identifier: MIT */
/* The environment of the program. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "explain/facts/facts.h"

const char *ep_variable(const struct ep_check *c, const char *name)
{
	char *const *env = c->question->envp;
	size_t length = strlen(name);

	for (; env && *env; env++) {
		if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
			return *env + length + 1;
	}
	return NULL;
}

/* --- the largest part of it ---------------------------------------------------------------------- */

struct errpipe_strings ep_strings(char *const *strings)
{
	struct errpipe_strings sum = { 0, 0 };
	uint64_t word = ep_word_size();

	for (; strings && *strings; strings++) {
		sum.count++;
		sum.bytes += strlen(*strings) + 1 + word;
	}
	return sum;
}

static bool ends_in(const char *name, size_t length, const char *end)
{
	size_t n = strlen(end);

	return length > n && memcmp(name + length - n, end, n) == 0;
}

static size_t without(const char *name, size_t length, const char *end)
{
	return ends_in(name, length, end) ? length - strlen(end) : length;
}

/* NAME_PORT_80_TCP, and the same with _PROTO, _PORT or _ADDR. */
static bool is_port(const char *name, size_t length)
{
	static const char *const parts[] = { "_PROTO", "_PORT", "_ADDR" };
	static const char *const protocols[] = { "_TCP", "_UDP", "_SCTP" };
	size_t before = length, rest;

	for (size_t i = 0; i < 3 && before == length; i++)
		before = without(name, length, parts[i]);
	for (size_t i = 0; i < 3; i++) {
		if (!ends_in(name, before, protocols[i]))
			continue;
		rest = before - strlen(protocols[i]);
		while (rest && name[rest - 1] >= '0' && name[rest - 1] <= '9')
			rest--;
		return ends_in(name, rest, "_PORT_");
	}
	return false;
}

/* The seven variables of each service: pkg/kubelet/envvars/envvars.go in Kubernetes. */
static bool is_service_link(const char *name, size_t length)
{
	return ends_in(name, length, "_SERVICE_HOST") || ends_in(name, length, "_PORT") || is_port(name, length) ||
	       memmem(name, length, "_SERVICE_PORT_", strlen("_SERVICE_PORT_"));
}

static size_t name_length(const char *variable)
{
	return strcspn(variable, "=");
}

/* Variables of other kinds have such names as well. Only Kubernetes makes both of these. */
bool ep_has_service_links(char *const *env)
{
	uint64_t all = 0, links = 0, hosts = 0, ports = 0;

	for (; env && *env; env++) {
		size_t length = name_length(*env), size = strlen(*env);

		all += size;
		links += is_service_link(*env, length) ? size : 0;
		hosts += ends_in(*env, length, "_SERVICE_HOST");
		ports += is_port(*env, length);
	}
	return hosts && ports && links > all / 2;
}

/* Set by CI services; https://docs.gitlab.com/ci/variables/predefined_variables/ and others. */
static bool is_of_ci(const char *name)
{
	static const char *const prefixes[] = { "CI_",	     "GITLAB_",	   "GITHUB_",	"RUNNER_", "ACTIONS_",
						"INPUT_",    "JENKINS_",   "BUILD_",	"CIRCLE_", "BUILDKITE_",
						"TRAVIS_",   "BITBUCKET_", "DRONE_",	"SYSTEM_", "AGENT_",
						"TEAMCITY_", "APPVEYOR_",  "CODEBUILD_" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

/* Names such as BUILD_X are common. Variables that only a CI service sets are the second sign. */
bool ep_has_ci_variables(char *const *env)
{
	static const char *const signs[] = { "CI", "TF_BUILD", "JENKINS_URL", "TEAMCITY_VERSION",
					     "CODEBUILD_BUILD_ID" };
	uint64_t all = 0, its = 0;
	bool is_ci = false;

	for (; env && *env; env++) {
		size_t length = name_length(*env);

		all += strlen(*env);
		its += is_of_ci(*env) ? strlen(*env) : 0;
		for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
			is_ci |= strlen(signs[i]) == length && memcmp(signs[i], *env, length) == 0;
	}
	return is_ci && its > all / 2;
}

/* The name up to its first underscore: "CI_". */
static size_t prefix_length(const char *variable)
{
	size_t begin = strspn(variable, "_"), end = begin + strcspn(variable + begin, "_=");

	return variable[end] == '_' ? end + 1 : end;
}

static bool has_prefix_of(const char *variable, const char *other)
{
	size_t length = prefix_length(other);

	return prefix_length(variable) == length && memcmp(variable, other, length) == 0;
}

/* If a prefix has more than half of all bytes, it is this one: Boyer and Moore's vote, in which each byte has one. */
static const char *elected(char *const *env)
{
	const char *candidate = NULL;
	size_t lead = 0;

	for (; env && *env; env++) {
		size_t votes = strlen(*env);

		if (candidate && has_prefix_of(*env, candidate)) {
			lead += votes;
		} else if (votes > lead) {
			candidate = *env;
			lead = votes - lead;
		} else {
			lead -= votes;
		}
	}
	return candidate;
}

enum { PREFIX_MAX_SHOWN = 16 };

const char *ep_main_prefix(struct ep_check *c, char *const *env)
{
	const char *candidate = elected(env);
	uint64_t all = 0, its = 0;
	size_t length;
	bool is_part;

	for (; env && *env; env++) {
		all += strlen(*env);
		its += candidate && has_prefix_of(*env, candidate) ? strlen(*env) : 0;
	}
	length = candidate ? prefix_length(candidate) : 0;
	if (!length || its <= all / 2)
		return NULL;
	is_part = length > PREFIX_MAX_SHOWN || candidate[length - 1] == '_';
	return ep_keep(c, "%.*s%s", length > PREFIX_MAX_SHOWN ? PREFIX_MAX_SHOWN : (int)length, candidate,
		       is_part ? "*" : "");
}
