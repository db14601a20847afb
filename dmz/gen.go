// SPDX-License-Identifier: MIT

//go:build ignore

// Gen writes tables_linux.go from the tables that the C library is made from.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"log"
	"os"
	"regexp"
	"strings"
)

const output = "tables_linux.go"

var column = regexp.MustCompile(`"[^"]*"|[^\s",]+`)

// Rows reads the rows of a table, MACRO(column, ...), each on one line or two.
func rows(file, macro string, columns int) (rows [][]string) {
	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	begin := regexp.MustCompile(`(?m)^` + macro + `\(`)
	row := regexp.MustCompile(`(?m)^` + macro + `\(((?:"[^"]*"|[^")])*)\)`)
	for _, match := range row.FindAllSubmatch(text, -1) {
		row := column.FindAllString(string(match[1]), -1)
		if len(row) != columns {
			log.Fatalf("%s: %s has %d columns instead of %d", file, match[0], len(row), columns)
		}
		rows = append(rows, row)
	}
	if want := len(begin.FindAll(text, -1)); len(rows) != want || want == 0 {
		log.Fatalf("%s: %d rows, of which %d can be read", file, want, len(rows))
	}
	return rows
}

func unquoted(text string) string {
	return strings.Trim(text, `"`)
}

// Camel makes DirectOnExec of DIRECT_ON_EXEC.
func camel(id string) (name string) {
	for _, word := range strings.Split(id, "_") {
		name += word[:1] + strings.ToLower(word[1:])
	}
	return name
}

var out bytes.Buffer

func printf(text string, args ...any) {
	fmt.Fprintf(&out, text, args...)
}

func errnos() {
	printf("// The numbers are in the order of the families.\nvar errnos = [...]errno{\n")
	for _, r := range rows("errno.def", "E", 7) {
		printf("{%q, %s, [families]uint16{%s}},\n", r[0], r[1], strings.Join(r[2:], ", "))
	}
	printf("}\n\n")
}

func policies() {
	policies := rows("policy.def", "POLICY", 10)
	printf("// Policy selects an exit code convention. The codes for a failed exec depend on its errno:\n//\n")
	printf("//\t%-8s %6s %6s %7s %6s %9s %13s\n", "", "ENOENT", "EACCES", "ENOTDIR", "EISDIR", "any other", "set-up failed")
	for _, r := range policies {
		printf("//\t%-8s %6s %6s %7s %6s %9s %13s\n", r[1], r[3], r[4], r[5], r[6], r[7], r[8])
	}
	printf("type Policy int\n\nconst (\n")
	for i, r := range policies {
		kind := ""
		if i == 0 {
			kind = " Policy = iota"
		}
		printf("%s%s // as in %s\n", r[1], kind, unquoted(r[9]))
	}
	printf(")\n\nvar rules = [...]rule{\n")
	for _, r := range policies {
		printf("%s: {%s},\n", r[1], strings.Join(r[3:9], ", "))
	}
	printf("}\n\n")
}

func steps() {
	steps, ranges := rows("steps.def", "STEP", 5), rows("steps.def", "STEPS", 4)
	printf("// The steps that can fail. If StepExec fails, the verdict is ExecFailed, otherwise SetupFailed. The caller's own steps are\n" +
		"// StepCaller plus a number up to 32766.\nconst (\n")
	for _, r := range steps {
		printf("Step%s uint16 = %s // %s\n", camel(r[0]), r[1], unquoted(r[4]))
	}
	for _, r := range ranges {
		printf("Step%s uint16 = %s // the first of %s\n", camel(r[0]), r[1], unquoted(r[3]))
	}
	printf(")\n\n")
	for _, r := range ranges {
		printf("const step%sLast = %s\n\n", camel(r[0]), r[2])
	}
	printf("// The steps of a record that are not the caller's.\nvar stepWords = map[uint16]string{\n")
	for _, r := range steps {
		words := r[3]
		if words == "NULL" {
			words = `""`
		}
		printf("Step%s: %s,\n", camel(r[0]), words)
	}
	printf("}\n\n// The exit codes of systemd for a failed step, where it has one.\nvar stepExitCodes = map[uint16]int{\n")
	for _, r := range steps {
		if r[2] != "0" {
			printf("Step%s: %s,\n", camel(r[0]), r[2])
		}
	}
	printf("}\n\n")
}

func routes() {
	all := rows("routes.def", "ROUTE", 3)
	routes := all[:len(all)-1] // the package has no route like the last, a fallback
	printf("// Reason is the route of an exec, and the reason for it.\ntype Reason int\n\nconst (\n")
	for i, r := range routes {
		kind := ""
		if i == 0 {
			kind = " Reason = iota"
		}
		printf("Route%s%s // %s\n", camel(r[0]), kind, unquoted(r[2]))
	}
	printf(")\n\nvar reasons = [...]string{\n")
	for _, r := range routes {
		printf("Route%s: %s,\n", camel(r[0]), r[1])
	}
	printf("}\n\n")
}

func signals() {
	printf("var signalNames = map[syscall.Signal]string{\n")
	for _, r := range rows("signals.def", "SIGNAL", 1) {
		printf("syscall.%s: %q,\n", r[0], r[0])
	}
	printf("}\n\n")
}

// The column of syscalls.def for the architectures of a directory in the kernel's arch/, by their class. All others are generic.
var columns = map[string]int{"x86 64": 0, "x86 32": 1, "arm 32": 2, "mips 32": 4, "mips 64": 5, "powerpc 64": 6, "s390 64": 7}

const genericColumn, columnCount = 3, 8

func syscalls() {
	calls := rows("syscalls.def", "SYSCALL", 1+columnCount)
	printf("// The system calls of syscalls.def.\ntype call int\n\nconst (\n")
	for i, r := range calls {
		kind := ""
		if i == 0 {
			kind = " call = iota"
		}
		printf("sys%s%s\n", camel(strings.ToUpper(r[0])), kind)
	}
	printf(")\n\n// Their numbers, or 0.\nvar callNumbers = [...][%d]uint16{\n", columnCount)
	for _, r := range calls {
		printf("sys%s: {%s},\n", camel(strings.ToUpper(r[0])), strings.Join(r[1:], ", "))
	}
	printf("}\n\n// The column of each GOARCH.\nvar callColumns = map[string]int{\n")
	for _, a := range architectures() {
		column, ok := columns[a.headers+" "+a.class]
		if !ok {
			column = genericColumn
		}
		printf("%q: %d,\n", a.goarch, column)
	}
	printf("}\n\n")
}

func capabilities() {
	printf("// In the order of their numbers.\nvar capabilityNames = [...]string{\n")
	for _, r := range rows("capability.def", "C", 1) {
		printf("%q,\n", "CAP_"+strings.ToUpper(r[0]))
	}
	printf("}\n\n")
}

type architecture struct{ goarch, headers, class, machine string }

// Architectures reads those of Go.
func architectures() (all []architecture) {
	text, err := os.ReadFile("architectures")
	if err != nil {
		log.Fatal(err)
	}
	// name, GOARCH, headers, class, order, machine
	for _, r := range regexp.MustCompile(`(?m)^[a-z]\S+ +(\w+) +(\w+) +(\d+) +\w+ +(\d+) `).FindAllSubmatch(text, -1) {
		all = append(all, architecture{string(r[1]), string(r[2]), string(r[3]), string(r[4])})
	}
	return all
}

func machines() {
	numbers := map[string]string{}
	printf("// The errno numbering of each machine (ELF e_machine) that does not have the generic one.\n")
	printf("var familyByMachine = map[uint16]int{\n")
	for _, r := range rows("machines.def", "MACHINE", 3) {
		numbers[r[0]] = r[1]
		if r[2] != "GENERIC" {
			printf("%s: %s, // EM_%s\n", r[1], strings.ToLower(r[2]), r[0])
		}
	}
	printf("}\n\n// The machine of each GOARCH.\nvar machines = map[string]uint16{\n")
	for _, a := range architectures() {
		printf("%q: %s,\n", a.goarch, a.machine)
	}
	printf("%q: %s, // without a stub\n", "sparc64", numbers["SPARCV9"])
	printf("}\n")
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("gen: ")
	printf("// SPDX-License-Identifier: MIT\n\n// Code generated by gen.go from dmz/*.def and dmz/architectures; DO NOT EDIT.\n\n")
	printf("package dmz\n\nimport \"syscall\"\n\n")
	policies()
	steps()
	routes()
	signals()
	capabilities()
	syscalls()
	machines()
	printf("\n")
	errnos()
	source, err := format.Source(out.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(output, source, 0o644); err != nil {
		log.Fatal(err)
	}
}
