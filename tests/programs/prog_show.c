/* SPDX-License-Identifier: MIT */
/*
 * Print everything that a program inherits through an exec, so that tests can compare two ways to exec.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static void show(const char *what, const char *value)
{
	printf("%s ", what);
	for (; *value; value++) {
		if (isprint((unsigned char)*value) && *value != '\\')
			putchar(*value);
		else
			printf("\\%03o", (unsigned char)*value);
	}
	putchar('\n');
}

static void show_strings(const char *what, char **strings)
{
	for (; *strings; strings++)
		show(what, *strings);
}

/* The kernel's copy, which libc has not touched. */
static void show_command_line(void)
{
	FILE *file = fopen("/proc/self/cmdline", "re");
	char *string = NULL;
	size_t size = 0;

	if (!file)
		exit(EXIT_FAILURE);
	while (getdelim(&string, &size, '\0', file) >= 0)
		show("cmdline", string);
	free(string);
	fclose(file);
}

static void show_status(void)
{
	static const char *const shown[] = { "Name:",	"Umask:",  "Uid:",    "Gid:",	 "SigPnd:",
					     "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:", "CapInh:",
					     "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:" };
	FILE *file = fopen("/proc/self/status", "re");
	char *line = NULL;
	size_t size = 0;

	if (!file)
		exit(EXIT_FAILURE);
	while (getline(&line, &size, file) >= 0) {
		for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
			if (strncmp(line, shown[i], strlen(shown[i])) == 0)
				fputs(line, stdout);
		}
	}
	free(line);
	fclose(file);
}

static void show_descriptor(const char *number)
{
	char path[300], target[4096];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%s", number);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		exit(EXIT_FAILURE);
	target[length] = '\0';
	printf("fd %s flags %o ", number, fcntl(atoi(number), F_GETFL));
	show("is", target);
}

static int compare_numbers(const struct dirent **a, const struct dirent **b)
{
	return atoi((*a)->d_name) - atoi((*b)->d_name);
}

static int is_number(const struct dirent *entry)
{
	return isdigit((unsigned char)*entry->d_name);
}

/* scandir() also lists its own descriptor, which is closed by now. */
static void show_descriptors(void)
{
	struct dirent **entries;
	int count = scandir("/proc/self/fd", &entries, is_number, compare_numbers);

	if (count < 0)
		exit(EXIT_FAILURE);
	for (int i = 0; i < count; i++) {
		if (fcntl(atoi(entries[i]->d_name), F_GETFD) >= 0)
			show_descriptor(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	char *directory;

	show_descriptors();
	printf("argc %d\n", argc);
	show_strings("argv", argv);
	show_command_line();
	show_strings("env", environ);
	show_status();
	directory = getcwd(NULL, 0);
	show("cwd", directory ? directory : "none");
	free(directory);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
