/* SPDX-License-Identifier: MIT */
/*
 * errpipe_explain() with files that are neither scripts nor programs for Linux. Each kind is tested directly, through a link,
 * as the interpreter of a script, and in a root. Other files only look like one of them, and must not be taken for one.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "errpipe_explain.h"
#include "fixture.h"
#include "said.h"
#include "suite.h"

#define COUNT(array)   (sizeof(array) / sizeof(*(array)))
#define BYTES(literal) literal, sizeof(literal) - 1

static struct errpipe_explanation ex;

/* Its working directory is the fixture. A finding has at most 100 columns with so short a name. */
static void put(const char *name, const void *bytes, size_t size, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), size);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

/* The kernel's errno. */
static int try(const char *path)
{
	char *const argv[] = { "x", NULL }, *const envp[] = { NULL };
	pid_t pid = checked_fork();

	if (pid == 0) {
		execve(path, argv, envp);
		_exit(errno);
	}
	return WEXITSTATUS(wait_for(pid));
}

static void ask(const char *path, int root)
{
	const struct errpipe_question question = { .path = path, .root = root };

	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
}

static void assert_short(void)
{
	char line[4096];

	ck_assert_msg(errpipe_finding(line, sizeof(line), &ex) <= 100, "too long: %s", line);
	ck_assert_msg(errpipe_advice(line, sizeof(line), &ex) <= 100, "too long: %s", line);
}

/* --- each kind ------------------------------------------------------------------------------------ */

#define LONG_BASE64 "IyEvYmluL3NoCmVjaG8gaGVsbG8Kd2hpbGUgc2xlZXAgMTsgZG8gZGF0ZTsgZG9uZSAjIGFhYWFhYWFh"

static const struct kind {
	const char *name, *bytes;
	size_t size;
	enum errpipe_cause cause;
	enum errpipe_content content;
	const char *words;
} kinds[] = {
#define NOT_A_PROGRAM(name, bytes, content, words)                                                                   \
	{                                                                                                            \
		name, BYTES(bytes), ERRPIPE_CAUSE_NOT_A_PROGRAM, ERRPIPE_CONTENT_##content, words                    \
	}
	NOT_A_PROGRAM("tool", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n", GIT_LFS_POINTER,
		      "is a Git LFS pointer, not a program"),
	NOT_A_PROGRAM("tool", "version https://git-lfs.github.com/spec/v1\n", GIT_LFS_POINTER, "git lfs pull"),
	NOT_A_PROGRAM("x", "<!DOCTYPE html>\n<html>", WEB_PAGE, "looks like a web page, not a program"),
	NOT_A_PROGRAM("x", "\n\n  <HTML lang=\"en\">\n", WEB_PAGE, "curl -fL"),
	NOT_A_PROGRAM("x", "<!-- x -->\n<!doctype HTML PUBLIC \"\">", WEB_PAGE, "curl -fL"),
	NOT_A_PROGRAM("x", "<?xml version=\"1.0\"?>\n<html xmlns=\"\">", WEB_PAGE, "curl -fL"),
	NOT_A_PROGRAM("x", "<html>\xe9\n", WEB_PAGE, "curl -fL"),
	NOT_A_PROGRAM("x", "404: Not Found", HTTP_ERROR, "looks like an error from a web server, not a program"),
	NOT_A_PROGRAM("x", "404 page not found\n", HTTP_ERROR, "curl -fL"),
	NOT_A_PROGRAM("x", "503 Service Temporarily Unavailable\r\n", HTTP_ERROR, "curl -fL"),
	NOT_A_PROGRAM("x", "Not Found\n", HTTP_ERROR, "curl -fL"),
	NOT_A_PROGRAM("x", "Forbidden", HTTP_ERROR, "curl -fL"),
	NOT_A_PROGRAM("x", "HTTP/1.1 403 Forbidden\r\nServer: nginx\r\n", HTTP_ERROR, "curl -fL"),
	NOT_A_PROGRAM("x", "{\"message\":\"Not Found\",\"status\":\"404\"}", JSON_ERROR, "the URL or the login"),
	NOT_A_PROGRAM("x", "{ \"errors\" : [ {\"code\":\"DENIED\"} ] }\n", JSON_ERROR,
		      "a JSON error from a web server"),
	NOT_A_PROGRAM("x", "{\"status\":404,\"x\":1}", JSON_ERROR, "a JSON error from a web server"),
	NOT_A_PROGRAM("x", "<?xml version='1.0'?><Error><Code>NoSuchKey</Code>", XML_ERROR,
		      "an XML error from a web server"),
	NOT_A_PROGRAM("x", "\xef\xbb\xbf<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code>", XML_ERROR, "URL"),
	NOT_A_PROGRAM("c.json", "{\"a\":1}\n", JSON, "looks like JSON"),
	NOT_A_PROGRAM("c.json", "{\n  \"name\": \"app\"\n}\n", JSON, "looks like JSON"),
	NOT_A_PROGRAM("c.json", "{\"status\": \"active\", \"id\": 4}\n", JSON, "looks like JSON"),
	NOT_A_PROGRAM("c.json", "[\n  {\"a\": 1}\n]\n", JSON, "looks like JSON"),
	NOT_A_PROGRAM("c.json", "[\"a\", \"b\"]\n", JSON, "looks like JSON"),
	NOT_A_PROGRAM("c.json", "{}\n", JSON, "looks like JSON"),
	NOT_A_PROGRAM("x", "\xef\xbb\xbf{\"a\": 1}", JSON, "looks like JSON"),
	NOT_A_PROGRAM("x", "name: x\nversion: 2\n", YAML, "looks like YAML"),
	NOT_A_PROGRAM("x", "---\nservices:\n  web:\n", YAML, "looks like YAML"),
	NOT_A_PROGRAM("c.yml", "# jobs\nbuild:\n  x\n", YAML, "looks like YAML"),
	NOT_A_PROGRAM("x", "<?xml version=\"1.0\"?>\n<project>", XML, "looks like XML"),
	NOT_A_PROGRAM("x", "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n", DIFF, "looks like a patch"),
	NOT_A_PROGRAM("x", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n", DIFF, "patch -p1"),
	NOT_A_PROGRAM("x", "From 1234 Mon Sep 17 00:00:00 2001\nFrom: A\n", DIFF, "patch -p1"),
	NOT_A_PROGRAM("x", "# HG changeset patch\n# User a\n\ndiff -r 1 x\n--- a/x\n", DIFF, "looks like a patch"),
	NOT_A_PROGRAM("x", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", PEM, "is a key"),
	NOT_A_PROGRAM("x", "REM build\r\n@echo off\r\n", BATCH_FILE, "a Windows batch file"),
	NOT_A_PROGRAM("x", "<!-- a -->\n<!-- b -->\n<html>", WEB_PAGE, "looks like a web page"),
	NOT_A_PROGRAM("x", "#cloud-config\npackages:\n", YAML, "looks like YAML"),
	NOT_A_PROGRAM("x", "-- MySQL dump 10.13\n", SQL, "looks like SQL"),
	NOT_A_PROGRAM("x", "BEGIN;\nINSERT INTO a VALUES (1);\n", SQL, "looks like SQL"),
	NOT_A_PROGRAM("x", "(defun x ()\n  1)\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x.cmd", "TITLE x\r\n", BATCH_FILE, "a Windows batch file"),
	NOT_A_PROGRAM("x", "@echo off\r\nsetlocal\r\n", BATCH_FILE, "a Windows batch file"),
	NOT_A_PROGRAM("x.bat", "REM build\r\ncl x.c\r\n", BATCH_FILE, "a Windows batch file"),
	NOT_A_PROGRAM("x", "f0VMRgIBAQAAAAAAAAAAAAIAPgABAAAA\n", BASE64, "base64 -d ./x >program"),
	NOT_A_PROGRAM("x", LONG_BASE64 "\n", BASE64, "looks like base64"),
	NOT_A_PROGRAM("x", "c2V0IC1ldW8gcGlwZWZhaWwKaWYgW1sgLWYgL3ggXV07IHRoZW4gOjsgZmkK", BASE64, "base64"),
	NOT_A_PROGRAM("x", "ZWNobyBhYWFhYWFhYWFhYWFhYWFhYWFhYQ==\n", BASE64, "looks like base64"),
	NOT_A_PROGRAM("x", "IyEvYmluL3NoCmVjaG8gaGkK", BASE64, "looks like base64"),
	NOT_A_PROGRAM("x", "00000000: 7f45 4c46 0201 0100\n00000010: 0300 3e00\n", HEX_DUMP, "xxd -r ./x program"),
	NOT_A_PROGRAM("x", "00000000  7f 45 4c 46  |.ELF|\n", HEX_DUMP, "looks like a hex dump"),
	NOT_A_PROGRAM("x", "begin 755 run.sh\n#22XO\n`\nend\n", UUENCODED, "uudecode -o program ./x"),
	NOT_A_PROGRAM("x", "begin-base64 755 x\nIyEv\n====\n", UUENCODED, "looks like uuencoded text"),
	NOT_A_PROGRAM("x", "Content-Type: multipart/mixed; boundary=\"x\"\nMIME-Version: 1.0\n\n--x\n", MIME,
		      "looks like a MIME message"),
	NOT_A_PROGRAM("x", "MIME-Version: 1.0\nContent-Type: text/x\n", MIME, "cloud-init takes"),
	NOT_A_PROGRAM("x", "Bag Attributes\n    x: y\n-----BEGIN CERTIFICATE-----\nMIIB\n", PEM, "is a key"),
	NOT_A_PROGRAM("x", "*** Begin Patch\n*** Update File: x\n", DIFF, "looks like a patch"),
	NOT_A_PROGRAM("x", "0000: 7f45 4c46\nb: c\n", YAML, "looks like YAML"),
	NOT_A_PROGRAM("x", "00000000: 1\nb: c\n", YAML, "looks like YAML"),
	NOT_A_PROGRAM("x", "d41d8cd98f00b204e9800998ecf8427e  kubectl\n", CHECKSUMS,
		      "looks like a checksum file, not a program"),
	NOT_A_PROGRAM("x", "d41d8cd98f00b204e9800998ecf8427e *a\nd41d8cd98f00b204e9800998ecf8427e *b\n", CHECKSUMS,
		      "download the program itself"),
	NOT_A_PROGRAM("x", "SHA256 (kubectl) = e3b0c44298fc1c14\n", CHECKSUMS, "only has its checksum"),
	NOT_A_PROGRAM("x", "Dear all,\nthe program is elsewhere.\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "# x\n\nFROM debian\n", PLAIN_TEXT, "begin it with #! and its interpreter"),
	NOT_A_PROGRAM("x", "db migration failed at step 3\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "backup job exited with status 1\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "upload completed after 3 retries\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "print \"x\"\n", SOURCE, "run it with the interpreter of its language"),
	NOT_A_PROGRAM("x", "# x\nprint 'x'\nprint 'y'\n", SOURCE, "looks like source code"),
	NOT_A_PROGRAM("x", "print \"x %d\" % 3\n", SOURCE, "looks like source code"),
	NOT_A_PROGRAM("x", "print \"x\", y\n", SOURCE, "looks like source code"),
	NOT_A_PROGRAM("x", "print \"$x\\n\";\n", SOURCE, "looks like source code"),
	NOT_A_PROGRAM("x", "127.0.0.1 localhost\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "requests==2.31.0\nflask>=2\nnumpy\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "numpy\nflask[async]>=2\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "version 1.2.3\n\nFixed a bug where the tool crashed on startup.\n", PLAIN_TEXT,
		      "looks like plain text"),
	NOT_A_PROGRAM("x", "notes\n\nFixed a bug where the tool crashed on startup.\n", PLAIN_TEXT,
		      "looks like plain text"),
	NOT_A_PROGRAM("x", "version https://example.org/spec\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "server {\n    listen 80;\n}\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "location /x {\n    deny all;\n}\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "if (x) {\n    run();\n}\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "2024-01-02 10:00:00 INFO started\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "hello world\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "this is the readme of the app\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "the program moved to another directory\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "please install the package first\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "it works on my machine\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "you have to build it first\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "thanks for all the fish\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "rebuild the image and run it again\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "connection to the database was lost\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "server started on the port that was given\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "started worker 3\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "listening on 0.0.0.0:8080\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "starting server on port 8080\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "error cannot open the database file\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "error TS2304: Cannot find name 'x'.\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "warning unused variable x\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "debug loaded 3 plugins\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "failed to connect to 10.0.0.1\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "waiting for lock\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "nothing to be done for the target\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "level=info msg=started\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "time=2024-01-02T10:00:00Z level=info msg=started\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "ts=1700000000 caller=main.go:3 level=debug msg=x\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "this file is empty, and that is on purpose\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "# notes\nthe build is broken\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "local a = 1\nprint(a)\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "x <- 1\nprint(x)\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "print(\"x\")\nlocal a = 1\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "print(\"x\");\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "import shot.png\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "import Foundation\nlet x = 1\nprint(x)\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "main();\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "let x = 1\nrun(x)\n", PLAIN_TEXT, "looks like plain text"),
	NOT_A_PROGRAM("x", "rem start\r\ncd C:\\x\r\nstart.exe\r\n", BATCH_FILE, "a Windows batch file"),
	NOT_A_PROGRAM("x", "interface A { x: number }\nconst a: A = { x: 1 };\nconsole.log(a.x);\n", TYPESCRIPT,
		      "looks like TypeScript"),
	NOT_A_PROGRAM("x", "FROM debian\nRUN true\n", DOCKERFILE, "docker build -f ./x ."),
	NOT_A_PROGRAM("Dockerfile.dev", "ARG X\nFROM debian\n", DOCKERFILE, "looks like a Dockerfile"),
	NOT_A_PROGRAM("x", "package main\n\nfunc main() {\n", GO, "go build -o program ./x"),
	NOT_A_PROGRAM("m.go", "// Package x has it.\npackage x\n", GO, "looks like Go source code"),
	NOT_A_PROGRAM("x", "int main(void)\n{\n", C, "cc -o program ./x"),
	NOT_A_PROGRAM("x", "#include <stdio.h>\n\nint main(void)\n{\n", C, "looks like C source code"),
	NOT_A_PROGRAM("m.c", "#include <stdio.h>\n", C, "looks like C source code"),
	NOT_A_PROGRAM("m.cpp", "#include <iostream>\n", CXX, "c++ -o program ./m.cpp"),
	NOT_A_PROGRAM("m.rs", "use std::io;\n\nfn main() {\n", RUST, "rustc -o program ./m.rs"),
	NOT_A_PROGRAM("M.java", "import java.util.*;\npublic class M {\n", JAVA, "java ./M.java"),
	NOT_A_PROGRAM("m.ts", "import { x } from \"y\";\n", TYPESCRIPT, "npx tsx ./m.ts"),
	NOT_A_PROGRAM("m.ts", "export default {};\n", TYPESCRIPT, "looks like TypeScript"),
	NOT_A_PROGRAM("m.swift", "import Foundation\nprint(\"x\")\n", SOURCE, "looks like source code"),
	NOT_A_PROGRAM("m.hs", "module Main where\n", SOURCE, "looks like source code"),
	NOT_A_PROGRAM("Makefile.am", "x: y\n\tz\n", MAKEFILE, "make -f ./Makefile.am"),
	NOT_A_PROGRAM("x.mk", "CC = gcc\n", MAKEFILE, "looks like a makefile"),
	NOT_A_PROGRAM("x", ".PHONY: all\nall:\n\tz\n", MAKEFILE, "looks like a makefile"),
	NOT_A_PROGRAM("x.sql", "SELECT 1;\n", SQL, "looks like SQL"),
	NOT_A_PROGRAM("x.sql", "-- x\nselect 1;\n", SQL, "psql"),
	NOT_A_PROGRAM("x.csv", "name,age\nbob,3\n", CSV, "looks like a table (CSV)"),
	NOT_A_PROGRAM("x.csv", "name;age\nbob;3\n", CSV, "looks like a table (CSV)"),
	NOT_A_PROGRAM("x.ini", "; x\n[a b]\nc = d\n", SETTINGS, "looks like a configuration file"),
	NOT_A_PROGRAM("x.conf", "[a]\nc=d\n", SETTINGS, "looks like a configuration file"),
	NOT_A_PROGRAM("x.env", "# x\nA=1\nB=\"x y\"\n", SETTINGS, "may be its configuration"),
	NOT_A_PROGRAM("x.toml", "[package]\nname = \"x\"\n", SETTINGS, "looks like a configuration file"),
	NOT_A_PROGRAM("x.service", "[Service]\nExecStart=/x\n", UNIT, "looks like a systemd unit"),
	NOT_A_PROGRAM("x", "[Unit]\nDescription=x\n", UNIT, "/etc/systemd/system"),
	NOT_A_PROGRAM("x.md", "# x\n\nText.\n", MARKDOWN, "looks like Markdown text"),
	NOT_A_PROGRAM("x", "HTTP/1.1 200 OK\r\nServer: nginx\r\n", HTTP_RESPONSE, "without -i"),
	NOT_A_PROGRAM("x", "HTTP/2 302 \nlocation: y\n", HTTP_RESPONSE, "an HTTP response with its headers"),
	NOT_A_PROGRAM("x", "<a href=\"y\">Found</a>.\n\n", WEB_PAGE, "looks like a web page"),
	NOT_A_PROGRAM("x", "<title>x</title>\n", WEB_PAGE, "looks like a web page"),
	NOT_A_PROGRAM("x", "404\n", HTTP_ERROR, "an error from a web server"),
	NOT_A_PROGRAM("x", "default backend - 404", HTTP_ERROR, "an error from a web server"),
	NOT_A_PROGRAM("x", "error code: 1015", HTTP_ERROR, "an error from a web server"),
	NOT_A_PROGRAM("x", "The specified key does not exist.", HTTP_ERROR, "an error from a web server"),
	NOT_A_PROGRAM("x", "Moved Permanently. Redirecting to https://y", HTTP_ERROR, "an error from a web server"),
	NOT_A_PROGRAM("x", "\"Not Found\"", HTTP_ERROR, "an error from a web server"),
	NOT_A_PROGRAM("x", "{\"a\":\"b\",\"status\":404,\"error\":\"x\"}", JSON_ERROR, "the login"),
	NOT_A_PROGRAM("x", "{\"success\":false,\"msg\":\"x\"}", JSON_ERROR, "the login"),
	NOT_A_PROGRAM("x", "{\"title\": \"x\", \"detail\": \"y\"}", JSON, "looks like JSON"),
	NOT_A_PROGRAM("x", "{\"code\": 200, \"message\": \"y\"}", JSON, "looks like JSON"),
	NOT_A_PROGRAM("x", "<Error><Code>AccessDenied</Code></Error>", XML_ERROR, "the login"),
	NOT_A_PROGRAM("x", "<project>\n<a/>\n</project>\n", XML, "looks like XML"),
	NOT_A_PROGRAM("x", "/annex/objects/SHA256E-s1--aa\n", GIT_ANNEX_POINTER, "git annex get ./x"),
	NOT_A_PROGRAM("x.la", "# libx.la - a libtool library file\n# Generated by libtool\ndlname='x'\n",
		      LIBTOOL_LIBRARY, "is the description of a library for libtool"),
	NOT_A_PROGRAM("x", "../.git/annex/objects/a/b", GIT_ANNEX_POINTER, "is a git-annex pointer"),
	NOT_A_PROGRAM("x", "<<<<<<< HEAD\n#!/bin/sh\n", MERGE_CONFLICT, "a file with merge conflicts"),
	NOT_A_PROGRAM("x", "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> d\n", MERGE_CONFLICT, "keep one version"),
	NOT_A_PROGRAM("x", "$ANSIBLE_VAULT;1.1;AES256\n3338\n", ANSIBLE_VAULT, "ansible-vault decrypt ./x"),
	NOT_A_PROGRAM("x", "age-encryption.org/v1\n-> X25519 a\n", AGE, "age -d"),
	NOT_A_PROGRAM("x", "age-encryption.org/v1\n\xff\xfe\0", AGE, "is encrypted with age"),
	NOT_A_PROGRAM("x", "-----BEGIN PGP MESSAGE-----\n\nhQE\n", PGP_MESSAGE, "gpg -o program -d ./x"),
	NOT_A_PROGRAM("x", "ssh-ed25519 AAAAC3Nza a@b\n", SSH_KEY, "is a public SSH key"),
	NOT_A_PROGRAM("x", "%PDF-1.7\n%\xe2\xe3\n", DOCUMENT, "is a document"),
	NOT_A_PROGRAM("x", "\0GITCRYPT\0\x12\x34", GIT_CRYPT, "git-crypt unlock"),
	NOT_A_PROGRAM("x", "\x1bLuaS\0\x19", LUA_BYTECODE, "is compiled Lua"),
	NOT_A_PROGRAM("x", "BC\xc0\xde\x35\x14", LLVM_BITCODE, "clang -x ir -o program ./x"),
	NOT_A_PROGRAM("x", "\xcb\r\r\n\0\0\0\0\1\1\1\1\1\1\1\1", PYTHON_BYTECODE, "python3 ./x"),
	NOT_A_PROGRAM("x", "QFI\xfb\0\0\0\3", DISK_IMAGE, "a disk or file system image"),
	NOT_A_PROGRAM("x", "SQLite format 3\0\x10", DATABASE, "is an SQLite database"),
	NOT_A_PROGRAM("x", "\x89PNG\r\n\x1a\n", PICTURE, "is a picture"),
	NOT_A_PROGRAM("x", "\x4c\0\0\0\1\x14\2\0", WINDOWS_SHORTCUT, "is a Windows shortcut"),
	NOT_A_PROGRAM("x", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", WINDOWS_INSTALLER, "is a Windows installer"),
	NOT_A_PROGRAM("x.apk", "\x1f\x8b\x8", ALPINE_PACKAGE, "apk add --allow-untrusted ./x.apk"),
	NOT_A_PROGRAM("x",
		      "PK\3\4\12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0"
		      "AndroidManifest.xml",
		      ANDROID_PACKAGE, "is an Android app (apk)"),
	NOT_A_PROGRAM("x", "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n", PEM, "is a key or a certificate (PEM)"),
	NOT_A_PROGRAM("libx.a", "!<arch>\nx.o/            0\n", STATIC_LIBRARY, "is a static library (ar)"),
	NOT_A_PROGRAM("libx.a", "!<thin>\n/               0\n", STATIC_LIBRARY, "is a static library (ar)"),
	NOT_A_PROGRAM("app", "!<arch>\n__.PKGDEF       0\n", GO_PACKAGE, "is a Go package other than main"),
	NOT_A_PROGRAM("x.deb", "!<arch>\ndebian-binary   0\n", DEBIAN_PACKAGE, "apt install ./x.deb"),
	NOT_A_PROGRAM("x.rpm", "\xed\xab\xee\xdb\3\0\0\0", RPM_PACKAGE, "dnf install ./x.rpm"),
	NOT_A_PROGRAM("x", "PK\3\4\12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x9\0\0\0META-INF/", JAR,
		      "java -jar ./x"),
	NOT_A_PROGRAM("x", "PK\3\4\12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xb\0\0\0__main__.py", ZIPAPP,
		      "python3 ./x"),
	NOT_A_PROGRAM("x.jar", "PK\3\4\12\0\0\0\0\0\0\0", JAR, "is a Java archive (jar)"),
	NOT_A_PROGRAM("x.whl", "PK\3\4\12\0\0\0\0\0\0\0", WHEEL, "pip install ./x.whl"),
	NOT_A_PROGRAM("x",
		      "PK\3\4\12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0a"
		      "PK\1\2\12\0\12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xe\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		      "a.dist-info/RE",
		      WHEEL, "is a Python wheel"),
#define SCRIPT(name, bytes, content, words)                                                                          \
	{                                                                                                            \
		name, BYTES(bytes), ERRPIPE_CAUSE_UNMARKED_SCRIPT, ERRPIPE_CONTENT_##content, words                  \
	}
	SCRIPT("m.py", "import sys\nprint(1)\n", PYTHON, "looks like a Python script without a #! line"),
	SCRIPT("m", "# x\n\nfrom os import path\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "\"\"\"Doc.\"\"\"\nimport os, sys\n", PYTHON, "#!/usr/bin/env python3"),
	SCRIPT("m", "def main():\n    pass\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m.py", "x = 1\nprint(x)\n", PYTHON, "run: python3 ./m.py"),
	SCRIPT("m", "try:\n    import x\nexcept ImportError:\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "import os\nos.system(\"x\")\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "def f(): return 1\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "print(\"x\")\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "print('hello, world')\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "print(f\"{1 + 1}\")\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "print(1)", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "import sys; print(sys.version)\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "import os; os.system(\"x\")\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "import sys\nsys.exit(3)\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "import json\n\ndata = json.load(open(\"x\"))\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "import re, os\nx = re.compile(\"a\")\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "import subprocess as sp\nsp.run([\"ls\"])\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "import requests\nr = requests.get(\"x\")\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "import numpy as np\nx = np.zeros(3)\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "import app\nprint(app.x)\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "with open(\"x\") as f: print(f.read())\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "for i in range(3): print(i)\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "while True: pass\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "# a comment\nimport math\nmath.pi\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "from time import sleep; sleep(1)\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "import asyncio; asyncio.run(f())\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "print(\"a\")\nprint(\"b\")\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "import argparse\nparser = argparse.ArgumentParser()\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "<?php echo 1;\n", PHP, "run: php ./m"),
	SCRIPT("m", "\n <?php\necho 1;\n", PHP, "run: php ./m"),
	SCRIPT("m", "'use strict';\nrun();\n", JAVASCRIPT, "looks like JavaScript without"),
	SCRIPT("m", "const fs = require('fs');\n", JAVASCRIPT, "run: node ./m"),
	SCRIPT("m.js", "// x\nrun()\n", JAVASCRIPT, "run: node ./m.js"),
	SCRIPT("m", "import fs from 'fs';\n", JAVASCRIPT, "run: node ./m"),
	SCRIPT("m", "function f(a, b) {\n", JAVASCRIPT, "run: node ./m"),
	SCRIPT("m", "(()=>{var e={1:(e,t,r)=>{\"use strict\";module.exports=r(1)}};e(1)})();\n", JAVASCRIPT,
	       "looks like JavaScript"),
	SCRIPT("m", "(async () => {\n\tawait x();\n})();\n", JAVASCRIPT, "run: node ./m"),
	SCRIPT("m", "((e,t)=>{e(t)})(1,2);\n", JAVASCRIPT, "run: node ./m"),
	SCRIPT("m", "(e=>{e()})(1);\n", JAVASCRIPT, "run: node ./m"),
	SCRIPT("m", "!function(e){\"use strict\";e()}();\n", JAVASCRIPT, "run: node ./m"),
	SCRIPT("m", ";(function () {\n})();\n", JAVASCRIPT, "run: node ./m"),
	SCRIPT("m", "@click.command()\ndef main():\n    pass\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m", "use strict;\nuse warnings;\n", PERL, "looks like a Perl script"),
	SCRIPT("m", "my $x = 1;\n", PERL, "run: perl ./m"),
	SCRIPT("m", "# frozen_string_literal: true\nrequire 'json'\n", RUBY, "looks like a Ruby script"),
	SCRIPT("m.rb", "puts 1\n", RUBY, "run: ruby ./m.rb"),
	SCRIPT("m.py", "x = 1\n", PYTHON, "python3 ./m.py, or add #!/usr/bin/env python3"),
	SCRIPT("m", "import asyncio\nasync def main():\n", PYTHON, "run: python3 ./m"),
	SCRIPT("m.js", "(function() {\n})();\n", JAVASCRIPT, "run: node ./m.js"),
	SCRIPT("m", "console.log(1)\n", JAVASCRIPT, "run: node ./m"),
	SCRIPT("m.php", "<html>\n<?php echo 1; ?>\n", PHP, "run: php ./m.php"),
	SCRIPT("m.pl", "$x = 1;\n", PERL, "run: perl ./m.pl"),
	SCRIPT("m.lua", "local x = 1\n", LUA, "run: lua ./m.lua"),
	SCRIPT("m", "local x = require(\"x\")\nprint(x)\n", LUA, "run: lua ./m"),
	SCRIPT("m.tcl", "puts 1\n", TCL, "run: tclsh ./m.tcl"),
	SCRIPT("m.R", "x <- 1\n", R, "run: Rscript ./m.R"),
	SCRIPT("m.awk", "BEGIN { FS=\":\" }\n", AWK, "run: awk -f ./m.awk, or add #!/usr/bin/awk -f"),
	SCRIPT("m.sed", "s/a/b/\n", SED, "run: sed -f ./m.sed, or add #!/bin/sed -f"),
	SCRIPT("m", "Write-Host \"x\"\n", POWERSHELL, "run: pwsh ./m"),
	SCRIPT("m.bash", "echo\n", BASH, "#!/usr/bin/env bash"),
	SCRIPT("m.zsh", "echo\n", ZSH, "#!/usr/bin/env zsh"),
	SCRIPT("m.fish", "echo\n", FISH, "#!/usr/bin/env fish"),
	SCRIPT("m", "set -x A 1\nfunction foo\n echo 1\nend\nfoo\n", FISH, "#!/usr/bin/env fish"),
	SCRIPT("m", "set -gx PATH ~/bin $PATH\n", FISH, "#!/usr/bin/env fish"),
#define DAMAGED(bytes, words)                                                                                        \
	{                                                                                                            \
		"x", BYTES(bytes), ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE, ERRPIPE_CONTENT_UNKNOWN, words            \
	}
	DAMAGED("/bin/bash\necho hi\n", "its first two characters are not \"#!\""),
	DAMAGED("/usr/bin/env python3\nimport os\n", "begin the file with \"#!/usr/bin/env python3\""),
	DAMAGED("!/usr/bin/env bash\necho up\n", "is damaged: the \"#\" is missing"),
	DAMAGED("!/usr/bin/env bash\r\n", "begin the file with \"#!/usr/bin/env bash\""),
	DAMAGED("#/bin/sh\necho\n", "the \"!\" is missing"),
	DAMAGED("#/usr/bin/env python3\n", "begin the file with \"#!/usr/bin/env python3\""),
	DAMAGED("#/bin/bash -eu\n", "begin the file with \"#!/bin/bash -eu\""),
	DAMAGED("!#/bin/sh\n", "\"!#\" instead of \"#!\""),
	DAMAGED("# !/bin/sh\n", "a blank between \"#\" and \"!\""),
	DAMAGED(" #!/bin/sh\n", "it begins at byte 2,"),
	DAMAGED("\t \t#! /bin/sh\n", "begin the file with \"#!/bin/sh\""),
	DAMAGED("-e #!/bin/sh\n", "it begins at byte 4,"),
	DAMAGED("\\#!/bin/sh\n", "it begins at byte 2,"),
	DAMAGED("\xc2\xa0#!/bin/sh\n", "it begins at byte 3,"),
	DAMAGED("\xe2\x80\x8b#!/bin/sh\n", "it begins at byte 4,"),
	DAMAGED("\n#!/bin/sh\n", "it is line 2, and only the first line counts"),
	DAMAGED("\r\n#!/bin/sh\r\n", "begin the file with \"#!/bin/sh\""),
	DAMAGED("# Copyright\n#\n\n#!/opt/app/run -x\n", "it is line 4"),
	DAMAGED("\xef\xbb\xbf\n#!/bin/sh\n", "it is line 2"),
	DAMAGED("```sh\n#!/bin/sh\n```\n", "it is line 2"),
	DAMAGED("Here is the script:\n\n```sh\n#!/bin/sh\necho\n```\n", "it is line 4"),
	DAMAGED("#\\!/bin/bash\n", "a backslash between \"#\" and \"!\""),
	DAMAGED("##!/bin/sh\n", "a second \"#\""),
	DAMAGED("#1/bin/sh\n", "its first two characters are not \"#!\""),
	DAMAGED("\xc2\xa3!/usr/bin/env bash\n", "begin the file with \"#!/usr/bin/env bash\""),
	DAMAGED("#\xef\xbc\x81/bin/sh\n", "its first two characters are not \"#!\""),
	DAMAGED("\"#!/bin/sh\"\necho\n", "begin the file with \"#!/bin/sh\""),
	DAMAGED("+#!/bin/sh\n+echo\n", "it begins at byte 2,"),
	DAMAGED("1 #!/bin/sh\n2 echo\n", "it begins at byte 3,"),
	{ "x", BYTES("\0\0\0\0"), ERRPIPE_CAUSE_NUL_BYTES, ERRPIPE_CONTENT_NUL_BYTES,
	  "has only NUL bytes: its content was probably never" },
};

static char *path_of(const char *prefix, const char *name)
{
	char *path;

	return keep(asprintf(&path, "%s%s", prefix, name) < 0 ? NULL : path);
}

static void check_kind(const struct kind *kind, const char *path, int root)
{
	const struct errpipe_link *link;

	ask(path, root);
	ck_assert_msg(ex.cause == kind->cause, "%s with \"%.30s\" is %s", path, kind->bytes,
		      errpipe_cause_name(ex.cause));
	ck_assert_int_eq(ex.error, ENOEXEC);
	ck_assert_int_ge(ex.broken, 0);
	link = &ex.link[ex.broken];
	ck_assert_int_eq(link->content, kind->content);
	ck_assert_int_eq(ex.works || ex.starts, 0);
	assert_short();
}

/* The words show the path, which differs. */
START_TEST(a_kind)
{
	const struct kind *kind = &kinds[_i];
	const char *path = path_of("./", kind->name);
	char script[64];
	int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	put(path, kind->bytes, kind->size, 0755);
	ck_assert_int_eq(try(path), ENOEXEC);
	check_kind(kind, path, ERRPIPE_OWN_ROOT);
	assert_said(&ex, kind->words);

	unlink("link");
	ck_assert_int_eq(symlink(kind->name, "link"), 0);
	ck_assert_int_eq(try("./link"), ENOEXEC);
	/* The name can be one of the signs. */
	if (!strchr(kind->name, '.'))
		check_kind(kind, "./link", ERRPIPE_OWN_ROOT);

	put("script", script, snprintf(script, sizeof(script), "#!%s\n", path), 0755);
	ck_assert_int_eq(try("./script"), ENOEXEC);
	check_kind(kind, "./script", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.broken, 1);

	check_kind(kind, path_of("/", kind->name), root);
	close(root);
	unlink(path);
}
END_TEST

/* --- files that only look like one ---------------------------------------------------------------- */

static const struct {
	const char *name, *bytes;
} scripts[] = {
	{ "x", "version 2\nfetch https://git-lfs.github.com/spec/v1\n" },
	{ "x", "version\n" },
	{ "x", "echo the build is in the directory of the app\n" },
	{ "x", "echo hello world\n" },
	{ "x", "printf hello\n" },
	{ "x", "say this is the end of it\n" },
	{ "x", "git commit\n" },
	{ "x", "make all\n" },
	{ "x", "docker compose up\n" },
	{ "x", "node server.js\n" },
	{ "x", "test -f x\n" },
	{ "x", "for i in a b the of\ndo echo $i\ndone\n" },
	{ "x", "if true\nthen echo this is it\nfi\n" },
	{ "x", "systemctl restart nginx\n" },
	{ "x", "ls the a\n" },
	{ "x", "cp a to\n" },
	{ "x", "grep -r the of and to is\n" },
	{ "x", "npm run build\n" },
	{ "x", "mount -t tmpfs none /mnt\n" },
	{ "x", "python3 -c 'print(1)'\n" },
	{ "x", "sleep 5\n" },
	{ "x", "level=info\necho $level\n" },
	{ "x", "time=1 level=2 ./run\n" },
	{ "x", "logger the app is up and it runs\n" },
	{ "x", "apt-get install foo bar baz\n" },
	{ "x", "error() { echo x; }\nerror this is the end of it\n" },
	{ "x", "wait for it\n" },
	{ "x", "trap this is the end of it\n" },
	{ "x", "info the app of the day\n" },
	{ "x", "echo '<html>'\n" },
	{ "x", "(cd /; echo \"=> {\")\n" },
	{ "x", "(printf x => {a}; ls)\n" },
	{ "x", "((a=1)); echo\n" },
	{ "x", "! function_of_mine x\n" },
	{ "x", "begin 755 run.sh\n" },
	{ "x", "begin 755 run.sh\nend it\n" },
	{ "x", "xxd -r x y\n" },
	{ "x", "cat <<E\nx\n```sh\n#!/bin/sh\n```\nE\n" },
	{ "x", "//bin/app \"$1\"\n" },
	{ "x", "cat <<E\n<!DOCTYPE html>\nE\n" },
	{ "x", "html\n" },
	{ "x", "echo 404: Not Found\n" },
	{ "x", "curl 404\n" },
	{ "x", "cat >x <<E\n#!/bin/sh\nE\n" },
	{ "x", "echo\n#!/bin/sh\n" },
	{ "x", "# /bin/sh is what we want\necho\n" },
	{ "x", "#/bin/sh runs this, or bash\necho\n" },
	{ "x", "#/etc/init.d/foo\necho\n" },
	{ "x", "#/usr/bin/foo: starts foo\necho\n" },
	{ "x", "# !important\necho\n" },
	{ "x", "! /bin/true\n" },
	{ "x", "import -window root x.png\n" },
	{ "x", "python3 - <<E\nimport os\nprint(1)\ndef f():\nE\n" },
	{ "x", "node -e '\nconst x = 1\nconsole.log(x)\n'\n" },
	{ "x", "f() {\n\techo\n}\n" },
	{ "x", "let x=1\n" },
	{ "x", "require 'x'\n" },
	{ "x", "[ \"$a\" = b ] && echo\n" },
	{ "x", "[ \"a\" ]\n" },
	{ "x", "{ echo hi; }\n" },
	{ "x", "{ \"echo\" hi; }\n" },
	{ "x", "( cd /; ls )\n" },
	{ "x", "diff -u a b\n" },
	{ "x", "diff --git a b\necho\n" },
	{ "x", "echo off\n" },
	{ "x", "set -e\n{\"a\":1}\n" },
	{ "x", "A=1\n" },
	{ "x", "PATH=/bin\n" },
	{ "x", "A+=1 echo\n" },
	{ "x", "$HOME/bin/x\n" },
	{ "x", "\"$0\"\n" },
	{ "x", ": ${A:=1}\n" },
	{ "x", "./configure\n" },
	{ "x", ". ./lib.sh\n" },
	{ "x", "/opt/App/Run --x\n" },
	{ "x", "npm start\n" },
	{ "x", "abcdefghijklmnop\n" },
	{ "x", "echo -----BEGIN PRIVATE KEY-----\n" },
	{ "x", "#\n" },
	{ "x", "##\n# x\n" },
	{ "x", "#1/etc/x\necho\n" },
	{ "x", "psql -c 'x\nCREATE TABLE a (b int);\n'\n" },
	{ "x", "cat <<E\nINSERT INTO a VALUES (1);\nE\n" },
	{ "x", "rem x\necho @echo off\n" },
	{ "x", "except x:\n" },
	{ "x", "#1/bin/sh runs this, or bash\necho\n" },
	{ "x", "# Title\n\n## Usage\necho\n" },
	{ "x", "#include <stdio.h>\necho\n" },
	{ "x", "cat >x.c <<E\nint main(void)\n{\nE\n" },
	{ "x", "cat >Dockerfile <<E\nFROM x\nRUN y\nE\n" },
	{ "x", "tee x.service <<E\n[Unit]\nDescription=x\nE\n" },
	{ "x", "cat <<E\n<<<<<<< a\n=======\nE\n" },
	{ "x", "echo '<<<<<<< HEAD'\n" },
	{ "x", "<<E cat\nx\nE\n" },
	{ "x", "<input sort\n" },
	{ "x", ">log echo\n" },
	{ "x", "2>/dev/null ls\n" },
	{ "x", "(cd /; ls)\n" },
	{ "x", "(perf record $@)\n" },
	{ "x", "'''exec' /venv/bin/python \"$0\" \"$@\"\n' '''\nimport sys\n" },
	{ "x", "'''exec' \"$(dirname \"$0\")/python\" \"$0\" \"$@\"\n' '''\nimport sys\nsys.exit(main(1))\n" },
	{ "x", "! ls\n" },
	{ "x", ":\n" },
	{ "x", "true\n" },
	{ "x", "exec java -jar app.jar\n" },
	{ "x", "f()\n{\n\techo\n}\nf\n" },
	{ "x", "if true; then\n\t:\nfi\n" },
	{ "x", "for i in 1 2; do echo $i; done\n" },
	{ "x", "while read x; do :; done\n" },
	{ "x", "case $1 in\nstart) ;;\nesac\n" },
	{ "x", "#\n#!/bin/sh is not needed here\necho\n" },
	{ "x", "# x\n#!/bin/sh: see there\necho\n" },
	{ "x", "supercalifragilisticexpialidocious\n" },
	{ "x", "e3b0c44298fc1c149afbf4c8996fb924 -x\n" },
	{ "x", "sha256sum x\n" },
	{ "x", "select x in a b; do break; done\n" },
	{ "x", "trap 'rm x' EXIT\n" },
	{ "x", "export A=1\nB=2\n" },
	{ "x", "$ANSIBLE_VAULT\n" },
	{ "x", "ssh-keygen -t rsa\n" },
	{ "x", "age -d x\n" },
	{ "x", "7z x a.7z\n" },
	{ "x", "a;b\n" },
	{ "x", "echo HTTP/1.1 200 OK\n" },
	{ "x", "curl -i https://x\n" },
	{ "x", "error() { echo; }\nerror x\n" },
	{ "x", "local_var=1\n" },
	{ "x", "print hi\n" },
	{ "x", "print \"$x\"\n" },
	{ "x", "print \"x\" >y\n" },
	{ "x", "print \"x\n$y\"\n" },
	{ "x.sh", "print \"x\"\n" },
	{ "x", "deploy failed\n" },
	{ "x", "notify error step 3\n" },
	{ "x", "mailx backup failed \"$host\"\n" },
	{ "x", "run-after db start now\n" },
	{ "x", "psql <<E\nSELECT 1;\nE\n" },
	{ "x", "echo \x1b[1mhi\n" },
	{ "x", "/bin/bash -c 'echo hi'\necho\n" },
	{ "x", "/bin/bash\n" },
	{ "x", "/usr/bin/python3 -m x\necho\n" },
	{ "x", "pip install 'requests==2.31.0'\npip install flask\n" },
	{ "x", "[ $a == b ] && echo\n" },
	{ "x", "version=1.2.3\n" },
	{ "x", "version 2\necho Fixed a bug where the tool crashed on startup.\n" },
	{ "x", "curl https://example.org/spec\n" },
	{ "x", "server() {\n\techo\n}\n" },
	{ "x", "server () {\n\techo\n}\n" },
	{ "x", "true || {\n\techo\n}\n" },
	{ "x", "awk '/x/ {\nprint(\"x\")\n}'\n" },
	{ "x", "python3 -c '\nprint(\"x\")\n'\n" },
	{ "x", "cat <<E\nThe tool does not start here.\nE\n" },
	{ "x", "rem start\necho\n" },
	{ "x", "7z\n" },
	{ "x", "date\r\nls\r\n" },
	{ "x", "echo a = b\n" },
	{ "x", "test a = b\n" },
	{ "x.env", "exec x\n" },
	{ "x.conf", ". /etc/x\necho\n" },
	{ "x.csv", "echo x\n" },
	{ "x.md", "echo x\n" },
	{ "x.c", "cc x.c\n" },
	{ "x.go", "go run .\n" },
	{ "x.ts", "npx x\n" },
	{ "x.ts", "export A=1\n" },
	{ "x.rs", "cargo run\n" },
	{ "x.lua", "lua -e x\n" },
	{ "x.sql", "psql x\n" },
	{ "x.service", "systemctl start x\n" },
	{ "x.mk", "make\n" },
	{ "x.txt", "ls\n" },
	{ "x.sh", "Run it\n" },
	{ "x.py", "echo no python\n" },
	{ "x.json", "echo {}\n" },
	{ "x.yml", "echo a: b\n" },
	{ "x.bat", "ls\n" },
};

/* --- bash, and other shells --------------------------------------------------------------------------- */

static const struct {
	const char *bytes;
	bool is_bash;
} shells[] = {
	{ "set -euo pipefail\nif [[ -f /x ]]; then :; fi\n", true },
	{ "set -o pipefail\n", true },
	{ "[[ \"$a\" == b ]] && echo\n", true },
	{ "\tif ! [[ -f x ]]; then\n\t:\nfi\n", true },
	{ "function f {\n\techo\n}\nf\n", true },
	{ "function f\n{\n\tcat <<E\nend\nE\n}\nf\n", false },
	{ "set -x f\nf() {\n\tcat <<E\nfunction x\nE\n}\n{\nf\n}\n", false },
	{ "set -x\nend\n", false },
	{ "function f() {\n\techo\n}\nf\n", true },
	{ "# don't\nnames=(a b)\n", true },
	{ "names+=(c)\n", true },
	{ "source ./x\n", true },
	{ "shopt -s nullglob\n", true },
	{ "for ((i = 0; i < 3; i++)); do :; done\n", true },
	/* Not of bash, or of several shells, or in another text. */
	{ "echo\n", false },
	{ "[ -f x ] && . ./x\n", false },
	{ "f() (echo)\n", false },
	{ "names=\"(a b)\"\n", false },
	{ "names= (echo)\n", false },
	{ "# [[ -f x ]]\necho\n", false },
	{ "echo [[ -f x ]]\n", false },
	{ "cat <<E\n[[ x ]]\nE\n", false },
	{ "bash -c '\n[[ -f x ]]\n'\n", false },
	{ "awk '\nfunction f() {\n}'\n", false },
	{ "ssh x \"\nsource y\n\"\n", false },
	{ "if [ -n \"$BASH_VERSION\" ]; then\n\tsource x\nfi\n", false },
	{ "setopt nullglob\n[[ -f x ]]\n", false },
	{ "source x\nsetenv A b\n", false },
	{ "source x\nif true\n\techo\nend\n", false },
	{ "set -eu\nset -x\n", false },
	{ "source_it x\n", false },
};

/* Only in a root that has bash. */
START_TEST(a_script_of_bash)
{
	bool is_bash = shells[_i].is_bash;
	int root;

	mkdir("with", 0755);
	mkdir("with/bin", 0755);
	put("with/bin/bash", "", 0, 0755);
	put("with/x", shells[_i].bytes, strlen(shells[_i].bytes), 0755);
	root = open("with", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ask("/x", root);
	ck_assert_int_eq(ex.cause, is_bash ? ERRPIPE_CAUSE_UNMARKED_SCRIPT : ERRPIPE_CAUSE_NO_INTERPRETER_LINE);
	ck_assert_int_eq(ex.link[0].content, is_bash ? ERRPIPE_CONTENT_BASH : 0);
	ck_assert_int_eq(ex.certainty, is_bash ? ERRPIPE_LIKELY : ERRPIPE_CERTAIN);
	assert_said(&ex, is_bash ? "run: bash /x, or add #!/usr/bin/env bash" : "run: sh /x");
	assert_short();
	ck_assert_int_eq(rename("with/x", "with/x.ksh"), 0);
	ask("/x.ksh", root);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NO_INTERPRETER_LINE);
	ck_assert_int_eq(rename("with/x.ksh", "with/x"), 0);
	unlink("with/bin/bash");
	ask("/x", root);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NO_INTERPRETER_LINE);
	close(root);
}
END_TEST

START_TEST(a_script_of_the_shell)
{
	const char *path = path_of("./", scripts[_i].name);

	put(path, scripts[_i].bytes, strlen(scripts[_i].bytes), 0755);
	ask(path, ERRPIPE_OWN_ROOT);
	ck_assert_msg(ex.cause == ERRPIPE_CAUSE_NO_INTERPRETER_LINE && ex.certainty == ERRPIPE_CERTAIN,
		      "\"%s\" is %s, %d", scripts[_i].bytes, errpipe_cause_name(ex.cause), ex.link[0].content);
	ck_assert_int_eq(ex.link[0].content, ERRPIPE_CONTENT_UNKNOWN);
	assert_said(&ex, "add #!/bin/sh as the first line");
	unlink(path);
}
END_TEST

/* An archive without a name of its own, data, and marked text: as before. */
static const struct {
	const char *name, *bytes;
	size_t size;
	enum errpipe_cause cause;
} others[] = {
	{ "x", BYTES("PK\3\4\12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0app/__main__.py.orig"),
	  ERRPIPE_CAUSE_ARCHIVE },
	{ "x.zip", BYTES("PK\5\6\0\0"), ERRPIPE_CAUSE_ARCHIVE },
	{ "x", BYTES("\1\2\3\4"), ERRPIPE_CAUSE_UNKNOWN_FORMAT },
	{ "x", BYTES("\0\1\0\0"), ERRPIPE_CAUSE_UNKNOWN_FORMAT },
	{ "x", BYTES("\xff\xf0 key: value\n"), ERRPIPE_CAUSE_UNKNOWN_FORMAT },
	{ "x", BYTES("\xef\xbb\xbf#!/bin/sh\n"), ERRPIPE_CAUSE_BYTE_ORDER_MARK },
	{ "x",
	  BYTES("\xef\xbb\xbf"
		"echo x\n"),
	  ERRPIPE_CAUSE_NO_INTERPRETER_LINE },
	{ "x.jar", BYTES("\x1f\x8b\x8"), ERRPIPE_CAUSE_ARCHIVE },
	{ "x", BYTES("\x04\x22\x4d\x18"), ERRPIPE_CAUSE_ARCHIVE },
	{ "x", BYTES("7z\xbc\xaf\x27\x1c"), ERRPIPE_CAUSE_ARCHIVE },
	{ "x", BYTES("Rar!\x1a\x07\1\0"), ERRPIPE_CAUSE_ARCHIVE },
	{ "x", BYTES("070701000000"), ERRPIPE_CAUSE_ARCHIVE },
	{ "x", BYTES("#\0!\0/\0b\0i\0n\0/\0s\0h\0\n\0"), ERRPIPE_CAUSE_UTF_16 },
	{ "x", BYTES("\xff\xfe\x7f\0E\0L\0F\0\2\0\1\0"), ERRPIPE_CAUSE_BAD_PROGRAM_HEADERS },
	{ "x", BYTES("#\0!\0/\0b\0i\0\1\0/\0s\0h\0\n\0"), ERRPIPE_CAUSE_UNKNOWN_FORMAT },
	{ "x", BYTES("# caf\xe9\necho x\n"), ERRPIPE_CAUSE_NO_INTERPRETER_LINE },
	{ "x", BYTES("echo caf\xe9\n"), ERRPIPE_CAUSE_NO_INTERPRETER_LINE },
	{ "x", BYTES("echo caf\xe9\n\1"), ERRPIPE_CAUSE_UNKNOWN_FORMAT },
	{ "x", BYTES("echo x\nexit 1\n\177ELF\0"), ERRPIPE_CAUSE_UNKNOWN_FORMAT },
	{ "x", BYTES("MAGIC\nexit 0\n\1\0"), ERRPIPE_CAUSE_UNKNOWN_FORMAT },
	{ "x", BYTES("echo x\n\1\nexit 0\n\0"), ERRPIPE_CAUSE_UNKNOWN_FORMAT },
	{ "x", BYTES("echo caf\xe9\n\0"), ERRPIPE_CAUSE_UNKNOWN_FORMAT },
};

START_TEST(another_file)
{
	const char *path = path_of("./", others[_i].name);

	put(path, others[_i].bytes, others[_i].size, 0755);
	ask(path, ERRPIPE_OWN_ROOT);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(others[_i].cause));
	ck_assert_int_eq(ex.link[0].content, ERRPIPE_CONTENT_UNKNOWN);
	unlink(path);
}
END_TEST

/* A text without a #! line that no line alone makes a script. */
START_TEST(text_with_more)
{
	static const struct {
		const char *bytes;
		size_t size;
		enum errpipe_detail detail;
		const char *finding, *advice;
	} more[] = {
		{ BYTES("echo self; exit 0\n\177ELF\2\1\1\0\0"), ERRPIPE_DETAIL_PAYLOAD,
		  "with binary data after the text", "run: sh ./x (" },
		{ BYTES("tail -n +3 \"$0\" | tar xz\nexit $?\n\x1f\x8b\x8\0"), ERRPIPE_DETAIL_PAYLOAD, "binary",
		  "run: sh ./x (" },
		{ BYTES("\xef\xbb\xbf"
			"echo x\n"),
		  ERRPIPE_DETAIL_MARKED, "starts with a byte order mark",
		  "sed -i '1s|^\\xef\\xbb\\xbf|#!/bin/sh\\n|' ./x" },
		{ BYTES("//usr/bin/env go run \"$0\" \"$@\"; exit \"$?\"\npackage main\n"),
		  ERRPIPE_DETAIL_COMMENT_FOR_SHELLS, "and only a shell runs its first line",
		  "run: sh ./x (a #! line" },
		{ BYTES("\xef\xbb\xbf[[ -f x ]]\n"), ERRPIPE_DETAIL_MARKED, "byte order mark",
		  "|#!/usr/bin/env bash\\n|" },
	};

	for (size_t i = 0; i < COUNT(more); i++) {
		put("x", more[i].bytes, more[i].size, 0755);
		ck_assert_int_eq(try("./x"), ENOEXEC);
		ask("./x", ERRPIPE_OWN_ROOT);
		ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NO_INTERPRETER_LINE);
		ck_assert_int_eq(ex.detail, more[i].detail);
		assert_said(&ex, more[i].finding);
		assert_said(&ex, more[i].advice);
		assert_short();
	}
}
END_TEST

/* A base64 file of lines, and one whose lines differ. */
START_TEST(lines_of_base64)
{
	char text[76 * 2 + 10];

	memset(text, 'Q', sizeof(text));
	text[76] = text[153] = '\n';
	text[sizeof(text) - 1] = '\n';
	put("x", text, sizeof(text), 0755);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.link[0].content, ERRPIPE_CONTENT_BASE64);
	text[70] = '\n';
	put("x", text, sizeof(text), 0755);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_int_ne(ex.link[0].content, ERRPIPE_CONTENT_BASE64);
}
END_TEST

START_TEST(nuls_before_the_rest)
{
	static char bytes[100000];

	for (size_t count = 200; count < 70000; count += 4096 + 56) {
		memset(bytes, 0, sizeof(bytes));
		memset(bytes + count, 1, sizeof(bytes) - count);
		put("x", bytes, sizeof(bytes), 0755);
		ask("./x", ERRPIPE_OWN_ROOT);
		if (count < 256) {
			ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_UNKNOWN_FORMAT);
			continue;
		}
		ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NUL_BYTES);
		ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
		ck_assert_uint_eq(ex.number, count < 65536 ? count : 65536);
		assert_said(&ex, "begins with ");
		assert_short();
	}
}
END_TEST

START_TEST(a_disk_image)
{
	static char bytes[0x9000];

	memcpy(bytes + 0x8001, "CD001", 5);
	put("x", bytes, sizeof(bytes), 0755);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.link[0].content, ERRPIPE_CONTENT_DISK_IMAGE);
	bytes[0x8001] = 0;
	memcpy(bytes + 0x400 + 56, "\x53\xef", 2);
	put("x", bytes, sizeof(bytes), 0755);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.link[0].content, ERRPIPE_CONTENT_DISK_IMAGE);
	bytes[0x400 + 56] = 0;
	put("x", bytes, sizeof(bytes), 0755);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NUL_BYTES);
}
END_TEST

START_TEST(a_container_image)
{
	char header[512] = "manifest.json";

	memset(header + 100, '0', 56);
	put("x.tar", header, sizeof(header), 0755);
	ask("./x.tar", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.link[0].format, ERRPIPE_FORMAT_TAR);
	assert_said(&ex, "docker load -i ./x.tar");
	memcpy(header, "MANIFEST", 8);
	put("x.tar", header, sizeof(header), 0755);
	ask("./x.tar", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_ARCHIVE);
}
END_TEST

/* --- a symbolic link that was stored as text ---------------------------------------------------------- */

static const struct {
	const char *bytes;
	bool is_link;
} targets[] = {
	{ "target", true },	{ "../d/target", true }, { "sub/../target", true },
	{ "target\n", false },	{ "./target", false },	 { "missing", false },
	{ "link", false },	{ "target x", false },	 { "/bin/sh", true },
	{ "/bin/sh\n", false }, { "/bin/sh;", false },	 { "/usr/lib/x/missing", true },
	{ "/missing", false },	{ "sub/none", false },	 { "../../lib/node_modules/x/bin/x.js", true },
	{ "../none\n", false },
};

START_TEST(a_link_as_text)
{
	const bool is_link = targets[_i].is_link;
	char fix[64];

	mkdir("d", 0755);
	mkdir("d/sub", 0755);
	put("d/target", BYTES("#!/bin/sh\n"), 0755);
	put("d/link", targets[_i].bytes, strlen(targets[_i].bytes), 0755);
	ask("d/link", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.cause, is_link ? ERRPIPE_CAUSE_NOT_A_PROGRAM : ERRPIPE_CAUSE_NO_INTERPRETER_LINE);
	ck_assert_int_eq(ex.link[0].content, is_link ? ERRPIPE_CONTENT_LINK_AS_TEXT : 0);
	if (is_link) {
		snprintf(fix, sizeof(fix), "ln -sf %s d/link", targets[_i].bytes);
		assert_said(&ex, fix);
		assert_short();
	}
}
END_TEST

/* --- a batch file ----------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *beside, *advice;
} batch_files[] = {
	{ "b/gradlew.bat", "b/gradlew", "use its Linux counterpart: \"b/gradlew\"" },
	{ "b/build.cmd", "b/build.sh", "use its Linux counterpart: \"b/build.sh\"" },
	{ "b/gradlew.bat", "b/gradlew.py", "without a suffix" },
	{ "b/gradlew", "b/gradlew.sh", "without a suffix" },
	{ "b/gradlew.bat", "b/gradlew/", "without a suffix" },
};

/* With and without an x bit. */
START_TEST(a_batch_file)
{
	const char *name = batch_files[_i].name, *beside = batch_files[_i].beside;
	bool is_directory = beside[strlen(beside) - 1] == '/';

	mkdir("b", 0755);
	if (is_directory)
		mkdir(beside, 0755);
	else
		put(beside, BYTES("#!/bin/sh\n"), 0755);
	for (mode_t mode = 0644; mode <= 0755; mode += 0111) {
		put(name, BYTES("@echo off\r\n"), mode);
		ask(name, ERRPIPE_OWN_ROOT);
		ck_assert_int_eq(ex.link[0].content, ERRPIPE_CONTENT_BATCH_FILE);
		assert_said(&ex, batch_files[_i].advice);
	}
	assert_short();
	unlink(name);
	if (is_directory)
		rmdir(beside);
	else
		unlink(beside);
}
END_TEST

/* --- no x bit, and more -------------------------------------------------------------------------------- */

static const struct {
	const char *name, *bytes;
	enum errpipe_cause fault;
	const char *finding, *advice;
} refused[] = {
	{ "x", "#!/bin/sh\n", ERRPIPE_CAUSE_NONE, "no x permission", "chmod a+x ./x" },
	{ "x", "\177ELF", ERRPIPE_CAUSE_TRUNCATED_ELF, "and it is truncated", "build, copy or download it again" },
	{ "x.csv", "a,b\n", ERRPIPE_CAUSE_NOT_A_PROGRAM, "and it looks like a table (CSV)",
	  "this file is only data" },
	{ "x", "root:x:0:0:root:/root:/bin/sh\n", ERRPIPE_CAUSE_NOT_A_PROGRAM, "and it looks like plain text", "#!" },
	{ "x.png", "\x89PNG\r\n\x1a\n", ERRPIPE_CAUSE_NOT_A_PROGRAM, "and it is a picture", "use the path" },
	{ "x", "\x1f\x8b\x8", ERRPIPE_CAUSE_ARCHIVE, "and it is a gzip archive", "unpack it" },
	{ "x", "", ERRPIPE_CAUSE_EMPTY_FILE, "and it is an empty file", "build, copy or download it again" },
	{ "x", "\1\2\3", ERRPIPE_CAUSE_UNKNOWN_FORMAT, "and it is data of an unknown format", "file ./x" },
	{ "x", "echo\n", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, "and it is text without a #! line",
	  "if it is a script: chmod a+x ./x, and add #!/bin/sh as the first line" },
	{ "x.py", "import sys\n", ERRPIPE_CAUSE_UNMARKED_SCRIPT, "and it looks like a Python script",
	  "as the first line, and chmod a+x ./x.py" },
	{ "x", "\xef\xbb\xbf#!/bin/sh\n", ERRPIPE_CAUSE_BYTE_ORDER_MARK,
	  "and it is text that starts with a byte order mark",
	  "chmod a+x ./x, and remove it: sed -i '1s/^\\xef\\xbb\\xbf//' ./x" },
	{ "x", "!/bin/sh\n", ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE, "and it is text with a damaged #! line",
	  "chmod a+x ./x, and begin the file with \"#!/bin/sh\"" },
};

/* Directly, and as an interpreter. */
START_TEST(a_file_without_x_bit)
{
	const char *path = path_of("./", refused[_i].name);
	char script[64];

	put(path, refused[_i].bytes, strlen(refused[_i].bytes), 0644);
	ask(path, ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NOT_EXECUTABLE);
	ck_assert_int_eq(ex.error, EACCES);
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
	ck_assert_str_eq(errpipe_cause_name(ex.link[0].fault), errpipe_cause_name(refused[_i].fault));
	ck_assert_int_eq(!ex.link[0].wrong, !refused[_i].fault);
	assert_said(&ex, refused[_i].finding);
	assert_said(&ex, refused[_i].advice);

	put("script", script, snprintf(script, sizeof(script), "#!%s\n", path), 0755);
	ask("./script", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.broken, 1);
	assert_said(&ex, refused[_i].finding);
	unlink(path);
}
END_TEST

/* The user of the question may not read it. */
START_TEST(a_file_that_may_not_be_read)
{
	const struct errpipe_who other = { .uid = 4711, .gid = 4711 };
	const struct errpipe_question question = { .path = "./x", .who = &other };

	put("x", BYTES("a,b\n"), 0640);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NOT_EXECUTABLE);
	ck_assert_int_eq(ex.link[0].fault, ERRPIPE_CAUSE_NONE);
	ck_assert_int_eq(ex.link[0].content, ERRPIPE_CONTENT_UNKNOWN);
	assert_said(&ex, "chmod a+x ./x");
}
END_TEST

/* The interpreter runs inside, and chmod outside. */
START_TEST(a_script_in_an_image)
{
	int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct errpipe_question question = { .path = "/m.py", .root = root, .root_name = "image" };

	put("m.py", BYTES("import sys\n"), 0644);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	assert_said(&ex, "run: python3 /m.py, or add #!/usr/bin/env python3");
	assert_said(&ex, "and chmod a+x image/m.py");
	close(root);
	unlink("m.py");
}
END_TEST

/* --- a line that the kernel takes ---------------------------------------------------------------------- */

static const struct {
	const char *bytes;
	enum errpipe_detail detail;
	const char *words;
} lines[] = {
	{ "#!/bin/sh\\necho hi\n", ERRPIPE_DETAIL_LITERAL_NEWLINE, "begin the file with \"#!/bin/sh\"" },
	{ "#! /bin/sh\\n", ERRPIPE_DETAIL_LITERAL_NEWLINE, "write it with printf" },
	{ "#!/bin/sh\recho hi\r", ERRPIPE_DETAIL_ONLY_RETURNS, "tr '\\r' '\\n'" },
	{ "#!#!/bin/sh\n", ERRPIPE_DETAIL_MARK_TWICE, "\"#!\" appears twice" },
	{ "#!/bin/sh\xc2\xa0-e\n", ERRPIPE_DETAIL_NO_BREAK_SPACE, "begin the file with \"#!/bin/sh -e\"" },
	{ "#!/bin/sh\xe3\x80\x80-e -u\n", ERRPIPE_DETAIL_NO_BREAK_SPACE, "\"#!/bin/sh -e -u\"" },
	{ "#!/usr/bin/envsh\n", ERRPIPE_DETAIL_BLANK_LOST, "begin the file with \"#!/usr/bin/env sh\"" },
	{ "#!/usr/bin/envsh -e\n", ERRPIPE_DETAIL_BLANK_LOST, "\"#!/usr/bin/env -S sh -e\"" },
	{ "#!/bin/sh-e\n", ERRPIPE_DETAIL_BLANK_LOST, "begin the file with \"#!/bin/sh -e\"" },
	{ "#!/bin/sh-static\n", ERRPIPE_DETAIL_NONE, "install it" },
	{ "#!/usr/bin/env-dir\n", ERRPIPE_DETAIL_NONE, "install it" },
	{ "#!/usr/bin/envoyx\n", ERRPIPE_DETAIL_NONE, "install it" },
	{ "#!/bin/no-such\xc2\xa0-e\n", ERRPIPE_DETAIL_NONE, "install it" },
	{ "#!/bin/no-such\n", ERRPIPE_DETAIL_NONE, "install it" },
	{ "#!/bin/sh\r\n", ERRPIPE_DETAIL_KERNEL_LOOKS, "contains a carriage return" },
};

START_TEST(a_line_with_a_wrong_end)
{
	const enum errpipe_detail detail = lines[_i].detail;

	put("x", lines[_i].bytes, strlen(lines[_i].bytes), 0755);
	ck_assert_int_eq(try("./x"), ENOENT);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.detail, detail);
	ck_assert_int_eq(ex.error, ENOENT);
	assert_said(&ex, lines[_i].words);
	assert_short();
	if (detail == ERRPIPE_DETAIL_NONE || detail == ERRPIPE_DETAIL_KERNEL_LOOKS)
		return;
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE);
	ck_assert_int_eq(ex.broken, 0);
}
END_TEST

static const struct {
	const char *bytes;
	enum errpipe_cause cause;
	const char *words;
} slashes[] = {
	{ "#!/usr/bin/env/sh\n", ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE,
	  "begin the file with \"#!/usr/bin/env sh\"" },
	{ "#!/usr/bin/env/sh -e\n", ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE, "\"#!/usr/bin/env -S sh -e\"" },
	{ "#!/usr/bin/env//sh\n", ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE, "a slash in place of a blank" },
	{ "#!/bin/sh/-e\n", ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE, "begin the file with \"#!/bin/sh -e\"" },
	{ "#!/bin/sh/e\n", ERRPIPE_CAUSE_FILE_AS_DIRECTORY, "which is a file" },
	{ "#!/bin/sh/\n", ERRPIPE_CAUSE_FILE_AS_DIRECTORY, "not even a slash" },
	{ "#!/etc/passwd/-e\n", ERRPIPE_CAUSE_FILE_AS_DIRECTORY, "\"/etc/passwd\", which is a file" },
};

START_TEST(a_slash_for_a_blank)
{
	put("x", slashes[_i].bytes, strlen(slashes[_i].bytes), 0755);
	ck_assert_int_eq(try("./x"), ENOTDIR);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.cause, slashes[_i].cause);
	ck_assert_int_eq(ex.error, ENOTDIR);
	assert_said(&ex, slashes[_i].words);
	assert_short();
}
END_TEST

/* One command removes both. */
START_TEST(a_mark_and_returns)
{
	put("x", BYTES("\xef\xbb\xbf#!/bin/sh\r\necho\r\n"), 0755);
	ck_assert_int_eq(try("./x"), ENOEXEC);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_BYTE_ORDER_MARK);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_MARK_AND_RETURNS);
	assert_said(&ex, "and has Windows line endings");
	assert_said(&ex, "remove both: sed -i '1s/^\\xef\\xbb\\xbf//; s/\\r$//' ./x");
	put("x", BYTES("\xef\xbb\xbf#!/bin/sh\necho \r\n"), 0755);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NONE);
	assert_said(&ex, "remove it: sed -i '1s/^\\xef\\xbb\\xbf//' ./x");
}
END_TEST

START_TEST(an_interpreter_in_quotes)
{
	put("x", BYTES("#! \"/bin/sh\" -e\n"), 0755);
	ck_assert_int_eq(try("./x"), ENOENT);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_INTERPRETER_CUT);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_QUOTED_NAME);
	assert_said(&ex, "remove the quotes in the first line of \"./x\"");
	put("x", BYTES("#!\"/opt/a b/sh\"\n"), 0755);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_QUOTED);
	assert_said(&ex, "give it a path without blanks or quotes, such as a symlink, in the first line of \"./x\"");
}
END_TEST

START_TEST(a_script_that_names_itself)
{
	put("x", BYTES("#!./x\n"), 0755);
	ck_assert_int_eq(try("./x"), ELOOP);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_CHAIN_TOO_DEEP);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NAMES_ITSELF);
	assert_said(&ex, "name another interpreter in its first line");
	put("y", BYTES("#!./z\n"), 0755);
	put("z", BYTES("#!./y\n"), 0755);
	ask("./y", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NONE);
	assert_said(&ex, "a program instead of a script");
}
END_TEST

START_TEST(an_attribute_of_rust)
{
	put("x.rs", BYTES("#![allow(dead_code)]\nfn main() {}\n"), 0755);
	ask("./x.rs", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.link[0].content, ERRPIPE_CONTENT_RUST);
	ck_assert_int_eq(ex.broken, 0);
	put("x", BYTES("#![allow(dead_code)]\nfn main() {}\n"), 0755);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.broken, 1);
}
END_TEST

/* --- quotations ------------------------------------------------------------------------------------ */

static const char *mended(const char *line, mode_t mode, const struct errpipe_who *who)
{
	const struct errpipe_question question = { .path = "./x", .who = who };

	put("x", line, strlen(line), mode);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE);
	if (!ex.object)
		assert_said(&ex, "begin the file with #! and the path of its interpreter, as in #!/bin/sh");
	return ex.object;
}

START_TEST(only_what_may_be_read)
{
	const struct errpipe_who other = { .uid = 4711, .gid = 4711 };
	const struct errpipe_who group = { .uid = 4711, .gid = getegid() };
	const struct errpipe_who owner = { .uid = geteuid(), .gid = 4711 };

	ck_assert_str_eq(mended("!/bin/sh\n", 0755, &other), "#!/bin/sh");
	ck_assert_ptr_null(mended("!/bin/sh\n", 0711, &other));
	ck_assert_ptr_null(mended("!/bin/sh\n", 0711, &group));
	ck_assert_str_eq(mended("!/bin/sh\n", 0751, &group), "#!/bin/sh");
	ck_assert_str_eq(mended("!/bin/sh\n", 0711, &owner), "#!/bin/sh");
}
END_TEST

START_TEST(only_what_is_short_and_harmless)
{
	char line[256] = "\n#!/bin/";

	ck_assert_ptr_null(mended("\n#!/bin/no Such File\n", 0755, NULL));
	ck_assert_ptr_null(mended("\n#!/bin/x is a directory\n", 0755, NULL));
	ck_assert_str_eq(mended("\n#!/bin/x is a file\n", 0755, NULL), "#!/bin/x is a file");
	memset(line + 8, 'x', 35);
	ck_assert_int_eq(strlen(mended(line, 0755, NULL)), 42);
	line[8 + 35] = 'x';
	ck_assert_ptr_null(mended(line, 0755, NULL));
}
END_TEST

START_TEST(nothing_of_a_key)
{
	char line[4096];

	put("x", BYTES("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n"), 0755);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_ptr_null(ex.object);
	errpipe_finding(line, sizeof(line), &ex);
	ck_assert_ptr_null(strstr(line, "OPENSSH"));
	ck_assert_ptr_null(strstr(line, "b3Bl"));
}
END_TEST

/* --- relative interpreters -------------------------------------------------------------------------- */

static void ask_relative(const char *line, enum errpipe_cause cause, const char *object)
{
	put("x", line, strlen(line), 0755);
	ck_assert_int_eq(try("./x"), ENOENT);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(cause));
	ck_assert_str_eq(ex.object ? ex.object : "", object);
	ck_assert_int_eq(ex.error, ENOENT);
	assert_short();
}

START_TEST(a_relative_interpreter)
{
	int root = open("tree", O_PATH | O_DIRECTORY | O_CLOEXEC);

	ask_relative("#!bin/sh\n", ERRPIPE_CAUSE_RELATIVE_INTERPRETER, "/bin/sh");
	assert_said(&ex, "as in #!/bin/sh");
	put("y", BYTES("#!./x\n"), 0755);
	ask("./y", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_RELATIVE_INTERPRETER);
	ck_assert_int_eq(ex.broken, 2);
	ask_relative("#!not/here\n", ERRPIPE_CAUSE_RELATIVE_INTERPRETER, "");
	ask_relative("#!no-such-name\n", ERRPIPE_CAUSE_RELATIVE_INTERPRETER, "");
	ask_relative("#!/no/sh\n", ERRPIPE_CAUSE_INTERPRETER_MISSING, "");

	if (root < 0) {
		ck_assert_int_eq(mkdir("tree", 0755), 0);
		ck_assert_int_eq(mkdir("tree/usr", 0755), 0);
		ck_assert_int_eq(mkdir("tree/usr/bin", 0755), 0);
		put("tree/usr/bin/lua", "", 0, 0755);
		put("tree/x", BYTES("#!lua\n"), 0755);
		put("tree/z", BYTES("#!sh\n"), 0755);
		root = open("tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	ask("/z", root);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_RELATIVE_INTERPRETER);
	ck_assert_ptr_null(ex.object);
	close(root);
}
END_TEST

/* --- ELF and Mach-O --------------------------------------------------------------------------------- */

struct elf {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	Elf64_Shdr sections[2];
	char names[32], loader[32];
};

enum { FREEBSD = 9, BPF = 247 };

static struct elf make_elf(unsigned type, unsigned machine)
{
	struct elf elf = {
		.header = { .e_ident = ELFMAG,
			    .e_type = type,
			    .e_machine = machine,
			    .e_version = EV_CURRENT,
			    .e_phoff = offsetof(struct elf, segment),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_shoff = offsetof(struct elf, sections),
			    .e_shentsize = sizeof(Elf64_Shdr),
			    .e_shnum = 2,
			    .e_shstrndx = 1 },
		.segment = { .p_type = PT_INTERP, .p_offset = offsetof(struct elf, loader), .p_filesz = 15 },
		.sections = { [1] = { .sh_type = SHT_STRTAB,
				      .sh_offset = offsetof(struct elf, names),
				      .sh_size = 32 } },
		.loader = "/libexec/ld.so",
	};

	elf.header.e_ident[EI_CLASS] = ELFCLASS64;
	elf.header.e_ident[EI_DATA] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	elf.header.e_ident[EI_VERSION] = EV_CURRENT;
	return elf;
}

static void ask_elf(const struct elf *elf, const char *name, enum errpipe_cause cause, int error)
{
	put(name, elf, sizeof(*elf), 0755);
	ck_assert_int_eq(try(path_of("./", name)), error);
	ask(path_of("./", name), ERRPIPE_OWN_ROOT);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(cause));
	ck_assert_int_eq(ex.error, error);
	assert_short();
}

START_TEST(an_object_file)
{
	struct elf elf = make_elf(ET_REL, own_machine());

	ask_elf(&elf, "x.o", ERRPIPE_CAUSE_OBJECT_FILE, ENOEXEC);
	memcpy(elf.names, "\0.text\0.modinfo", 16);
	ask_elf(&elf, "x", ERRPIPE_CAUSE_NOT_A_PROGRAM, ENOEXEC);
	ck_assert_int_eq(ex.link[0].content, ERRPIPE_CONTENT_KERNEL_MODULE);
	assert_said(&ex, "insmod ./x");
	memcpy(elf.names, "\0.text\0.modinfoo", 16);
	ask_elf(&elf, "x", ERRPIPE_CAUSE_OBJECT_FILE, ENOEXEC);
	ask_elf(&elf, "x.ko", ERRPIPE_CAUSE_NOT_A_PROGRAM, ENOEXEC);
	elf.header.e_shoff = UINT64_MAX;
	ask_elf(&elf, "x", ERRPIPE_CAUSE_OBJECT_FILE, ENOEXEC);
	elf = make_elf(ET_REL, BPF);
	ask_elf(&elf, "x", ERRPIPE_CAUSE_NOT_A_PROGRAM, ENOEXEC);
	ck_assert_int_eq(ex.link[0].content, ERRPIPE_CONTENT_BPF_OBJECT);
	assert_said(&ex, "is an eBPF object file, not a program");
}
END_TEST

/* No emulator of qemu-user runs programs for IA-64. */
START_TEST(a_program_for_another_system)
{
	struct elf elf = make_elf(ET_EXEC, EM_IA_64);

	ask_elf(&elf, "x", ERRPIPE_CAUSE_OTHER_ARCHITECTURE, ENOEXEC);
	elf.header.e_ident[EI_OSABI] = ELFOSABI_LINUX;
	ask_elf(&elf, "x", ERRPIPE_CAUSE_OTHER_ARCHITECTURE, ENOEXEC);
	elf.header.e_ident[EI_OSABI] = FREEBSD;
	elf.header.e_phnum = 1;
	ask_elf(&elf, "x", ERRPIPE_CAUSE_OTHER_SYSTEM, ENOEXEC);
	ck_assert_int_eq(ex.broken, 0);
	assert_said(&ex, "is built for FreeBSD, not for Linux");
	if (sizeof(long) < 8)
		return;
	elf.header.e_machine = own_machine();
	ask_elf(&elf, "x", ERRPIPE_CAUSE_OTHER_SYSTEM, ENOENT);
	ck_assert_int_eq(ex.broken, 0);
	elf.header.e_ident[EI_OSABI] = 0;
	ask_elf(&elf, "x", ERRPIPE_CAUSE_LOADER_MISSING, ENOENT);
	ck_assert_int_eq(ex.broken, 1);
}
END_TEST

/* A program of type 0, after a number of line feeds or of other bytes became something else. */
START_TEST(a_converted_program)
{
	static const struct {
		const char *bytes;
		int count;
		enum errpipe_detail detail;
	} conversions[] = {
		{ "\1\r\n\2", 16, ERRPIPE_DETAIL_RETURNS_ADDED },
		{ "\1\r\n\2", 15, ERRPIPE_DETAIL_NONE },
		{ "\1\r\n\n\2", 16, ERRPIPE_DETAIL_NONE },
		{ "\1\xef\xbf\xbd\xc3\xa9\2", 16, ERRPIPE_DETAIL_NO_UTF_8 },
		{ "\1\xef\xbf\xbd\2", 15, ERRPIPE_DETAIL_NONE },
		{ "\1\xef\xbf\xbd\x80\2", 16, ERRPIPE_DETAIL_NONE },
		{ "\1\xef\xbf\xbd\xff\2", 16, ERRPIPE_DETAIL_NONE },
	};

	for (size_t i = 0; i < COUNT(conversions); i++) {
		char bytes[512] = "\177ELF\2\1\1", *to = bytes + 64;

		for (int n = 0; n < conversions[i].count; n++)
			to = stpcpy(to, conversions[i].bytes);
		put("x", bytes, to - bytes, 0755);
		ck_assert_int_eq(try("./x"), ENOEXEC);
		ask("./x", ERRPIPE_OWN_ROOT);
		ck_assert_int_eq(ex.detail, conversions[i].detail);
		assert_short();
		if (!ex.detail)
			continue;
		ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_BAD_PROGRAM_HEADERS);
		ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
		assert_said(&ex, "as text");
	}
}
END_TEST

static const struct {
	const char *bytes;
	int error;
	enum errpipe_cause cause;
	const char *words;
} loaders[] = {
	{ "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 7340032\n", ELIBBAD,
	  ERRPIPE_CAUSE_NOT_A_PROGRAM, "is a Git LFS pointer" },
	{ "404: Not Found", EIO, ERRPIPE_CAUSE_NOT_A_PROGRAM, "looks like an error from a web server" },
	{ "p", EIO, ERRPIPE_CAUSE_NOT_A_PROGRAM, "ln -sf p ./ld.so" },
	{ "INPUT(x)\n", EIO, ERRPIPE_CAUSE_LOADER_TOO_SHORT, "reinstall it" },
	{ "# This is a text, which is longer than the header of an ELF file is.\n", ELIBBAD,
	  ERRPIPE_CAUSE_LOADER_INVALID, "is text, not a loader" },
};

START_TEST(a_loader_that_is_none)
{
	struct elf elf = make_elf(ET_EXEC, own_machine());

	if (sizeof(long) < 8)
		return;
	elf.header.e_phnum = 1;
	elf.segment.p_filesz = 8;
	memcpy(elf.loader, "./ld.so", 8);
	put("ld.so", loaders[_i].bytes, strlen(loaders[_i].bytes), 0755);
	ask_elf(&elf, "p", loaders[_i].cause, loaders[_i].error);
	ck_assert_int_eq(ex.broken, 1);
	assert_said(&ex, loaders[_i].words);
}
END_TEST

START_TEST(a_blank_after_the_loader)
{
	struct elf elf = make_elf(ET_EXEC, own_machine());

	if (sizeof(long) < 8)
		return;
	elf.header.e_phnum = 1;
	elf.segment.p_filesz = 9;
	memcpy(elf.loader, "./ld.so ", 9);
	put("ld.so", BYTES(""), 0755);
	ask_elf(&elf, "p", ERRPIPE_CAUSE_LOADER_MISSING, ENOENT);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_LOADER_BLANK);
	assert_said(&ex, "patchelf --set-interpreter ./ld.so ./p");
	unlink("ld.so");
	ask_elf(&elf, "p", ERRPIPE_CAUSE_LOADER_MISSING, ENOENT);
	ck_assert_int_ne(ex.detail, ERRPIPE_DETAIL_LOADER_BLANK);
}
END_TEST

static const struct {
	unsigned subsystem, runtime; /* of the optional header */
	bool is_64;
	enum errpipe_cause cause;
	enum errpipe_content content;
} windows[] = {
	{ 3, 0, true, ERRPIPE_CAUSE_WINDOWS_PROGRAM, ERRPIPE_CONTENT_UNKNOWN },
	{ 2, 0, false, ERRPIPE_CAUSE_WINDOWS_PROGRAM, ERRPIPE_CONTENT_UNKNOWN },
	{ 3, 0x2008, true, ERRPIPE_CAUSE_NOT_A_PROGRAM, ERRPIPE_CONTENT_DOTNET },
	{ 3, 0x2008, false, ERRPIPE_CAUSE_NOT_A_PROGRAM, ERRPIPE_CONTENT_DOTNET },
	{ 10, 0, true, ERRPIPE_CAUSE_NOT_A_PROGRAM, ERRPIPE_CONTENT_EFI_PROGRAM },
	{ 13, 0, true, ERRPIPE_CAUSE_NOT_A_PROGRAM, ERRPIPE_CONTENT_EFI_PROGRAM },
	{ 14, 0, true, ERRPIPE_CAUSE_WINDOWS_PROGRAM, ERRPIPE_CONTENT_UNKNOWN },
};

static void ask_windows(const unsigned char *bytes, size_t size, enum errpipe_cause cause,
			enum errpipe_content content)
{
	put("x.dll", bytes, size, 0755);
	ask("./x.dll", ERRPIPE_OWN_ROOT);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(cause));
	ck_assert_int_eq(ex.link[0].content, content);
}

START_TEST(a_file_that_begins_like_windows)
{
	enum { PE = 0x80, OPTIONAL = PE + 24, SIZE = 1024 };
	unsigned char bytes[SIZE] = "MZ";

	bytes[0x3c] = PE;
	memcpy(bytes + PE, "PE\0\0", 4);
	bytes[OPTIONAL + 1] = windows[_i].is_64 ? 2 : 1;
	bytes[OPTIONAL] = 0x0b;
	bytes[OPTIONAL + 68] = windows[_i].subsystem;
	memcpy(bytes + OPTIONAL + (windows[_i].is_64 ? 112 : 96) + 14 * 8, &windows[_i].runtime, 4);
	ask_windows(bytes, SIZE, windows[_i].cause, windows[_i].content);
	ask_windows(bytes, OPTIONAL, ERRPIPE_CAUSE_WINDOWS_PROGRAM, ERRPIPE_CONTENT_UNKNOWN);
	memset(bytes + 0x3c, 0xff, 4);
	ask_windows(bytes, SIZE, ERRPIPE_CAUSE_WINDOWS_PROGRAM, ERRPIPE_CONTENT_UNKNOWN);
	memcpy(bytes + (_i % 2 ? 0x38 : 0x202), _i % 2 ? "ARM\x64" : "HdrS", 4);
	ask_windows(bytes, SIZE, ERRPIPE_CAUSE_NOT_A_PROGRAM, ERRPIPE_CONTENT_LINUX_KERNEL);
}
END_TEST

START_TEST(an_appimage)
{
	struct elf elf = make_elf(ET_EXEC, EM_IA_64);

	memcpy(elf.header.e_ident + 8, "AI\2", 3);
	ask_elf(&elf, "x", ERRPIPE_CAUSE_APPIMAGE, ENOEXEC);
	ck_assert_int_eq(ex.link[0].content, ERRPIPE_CONTENT_APPIMAGE);
	assert_said(&ex, "is an AppImage for ");
	elf.header.e_ident[10] = 3;
	ask_elf(&elf, "x", ERRPIPE_CAUSE_OTHER_ARCHITECTURE, ENOEXEC);
}
END_TEST

static const struct {
	const char *bytes;
	size_t size;
	const char *object;
} macs[] = {
	{ BYTES("\xcf\xfa\xed\xfe\x0c\0\0\1"), "arm64" },
	{ BYTES("\xfe\xed\xfa\xcf\1\0\0\7"), "x86_64" },
	{ BYTES("\xce\xfa\xed\xfe\7\0\0\0"), "i386" },
	{ BYTES("\xcf\xfa\xed\xfe\x42\0\0\1"), "" },
	{ BYTES("\xcf\xfa\xed\xfe"), "" },
	{ BYTES("\xca\xfe\xba\xbe\0\0\0\1\1\0\0\7"), "x86_64" },
	{ BYTES("\xca\xfe\xba\xbe\0\0\0\2\1\0\0\7\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\x0c"), "x86_64 and arm64" },
	{ BYTES("\xca\xfe\xba\xbe\0\0\0\0"), "" },
	{ BYTES("\xca\xfe\xba\xbe\0\0\0\x9"), "" },
};

START_TEST(a_program_of_a_mac)
{
	put("x", macs[_i].bytes, macs[_i].size, 0755);
	ask("./x", ERRPIPE_OWN_ROOT);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_MACOS_PROGRAM);
	ck_assert_str_eq(ex.object ? ex.object : "", macs[_i].object);
	assert_short();
}
END_TEST

static Suite *explain_content_suite(void)
{
	Suite *suite = suite_create("explain_content");
	TCase *tcase = tcase_create("explain_content");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, a_kind, 0, COUNT(kinds));
	tcase_add_loop_test(tcase, a_script_of_the_shell, 0, COUNT(scripts));
	tcase_add_loop_test(tcase, a_script_of_bash, 0, COUNT(shells));
	tcase_add_loop_test(tcase, another_file, 0, COUNT(others));
	tcase_add_test(tcase, text_with_more);
	tcase_add_test(tcase, lines_of_base64);
	tcase_add_test(tcase, nuls_before_the_rest);
	tcase_add_test(tcase, a_disk_image);
	tcase_add_test(tcase, a_container_image);
	tcase_add_loop_test(tcase, a_link_as_text, 0, COUNT(targets));
	tcase_add_loop_test(tcase, a_batch_file, 0, COUNT(batch_files));
	tcase_add_loop_test(tcase, a_file_without_x_bit, 0, COUNT(refused));
	tcase_add_test(tcase, a_file_that_may_not_be_read);
	tcase_add_test(tcase, a_script_in_an_image);
	tcase_add_loop_test(tcase, a_line_with_a_wrong_end, 0, COUNT(lines));
	tcase_add_test(tcase, a_mark_and_returns);
	tcase_add_test(tcase, an_interpreter_in_quotes);
	tcase_add_test(tcase, a_script_that_names_itself);
	tcase_add_test(tcase, a_blank_after_the_loader);
	tcase_add_test(tcase, an_attribute_of_rust);
	tcase_add_loop_test(tcase, a_slash_for_a_blank, 0, COUNT(slashes));
	tcase_add_test(tcase, only_what_may_be_read);
	tcase_add_test(tcase, only_what_is_short_and_harmless);
	tcase_add_test(tcase, nothing_of_a_key);
	tcase_add_test(tcase, a_relative_interpreter);
	tcase_add_test(tcase, an_object_file);
	tcase_add_test(tcase, a_program_for_another_system);
	tcase_add_loop_test(tcase, a_loader_that_is_none, 0, COUNT(loaders));
	tcase_add_test(tcase, a_converted_program);
	tcase_add_loop_test(tcase, a_file_that_begins_like_windows, 0, COUNT(windows));
	tcase_add_test(tcase, an_appimage);
	tcase_add_loop_test(tcase, a_program_of_a_mac, 0, COUNT(macs));
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	if (chdir(fixture_make()) < 0)
		return 1;
	return run_suite(explain_content_suite());
}
