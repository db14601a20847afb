# SPDX-License-Identifier: MIT
# Print the tables of bench.json as Markdown.
include "digits";

def quartiles: digits(0) as $d | "\(.q1 | fixed($d))–\(.q3 | fixed($d))";
def errno_name: if . == 8 then "ENOEXEC" else "errno \(.)" end;
def learns: if .errno != 0 then .errno | errno_name else "exit code \(.status)" end;
def overlaps($other): .ratio.low <= $other.ratio.high and $other.ratio.low <= .ratio.high;

. as $all |
def failed($row): $all.failed | map(select(.row == $row)) | first;
def name: $all.names[.row];

"\(.machine.cpu), \(.machine.cores) cores\(if .machine.virtual != "" then " of a virtual machine" else "" end), \(.machine.kernel), mitigations: \(.machine.mitigations | if . == "" then "none" else . end), governor: \(.machine.governor), \(.machine.libc), \(.machine.versions); \(.machine.date), commit \(.machine.commit), load \(.machine.load) at the beginning.",
"",
(.warnings[] | "**Warning**: \(.).", ""),
"| started by | µs | quartiles | to posix_spawn | failed: µs | to posix_spawn | the caller learns |",
"| --- | --- | --- | --- | --- | --- | --- |",
(.started[] | failed(.row) as $f |
	"| \(name) | \(.us | shown(0)) | \(.us | quartiles) | \(.ratio | with_spread) | " +
	(if $f then "\($f.us | shown(0)) | \($f.ratio | with_spread) | \($f | learns) |" else "– | – | – |" end)),
(.absent[] | "| \(.) | not installed | | | | | |"),
"",
([.started | sort_by(.ratio.median) | range(1; length) as $i | [.[$i - 1], .[$i]] |
	select(.[0].ratio.high >= .[1].ratio.low) | "\(.[0] | name) = \(.[1] | name)"] |
	if length > 0 then "Neighbours that this run cannot tell apart: \(join("; "))." else empty end),
"",
"| a stub in between | to one that only execs | µs |",
"| --- | --- | --- |",
(.between[] | select(.row != .ratio_to) | "| \(name) | \(.ratio | with_spread) | \(.us | shown(0)) |"),
"",
(select(.containers != []) |
	"| a container | µs | to the first |",
	"| --- | --- | --- |",
	(.containers[] | "| \(name) | \(.us | shown(0)) | \(.ratio | with_spread) |"),
	""),
"| budget | at most | measured | |",
"| --- | --- | --- | --- |",
(.budgets[] | "| \(.what) | \(.limit) | \(.value | with_spread) | \(if .met then "met" else "**not met**" end)\(if .certain then "" else ", within the spread" end) |"),
"",
"| in between | bytes | sealed copy, kB | system calls | instructions | page faults | memory, kB | of that its own |",
"| --- | --- | --- | --- | --- | --- | --- | --- |",
(.programs[] | "| \(.what) | \(.bytes) | \(.bytes / 4096 | ceil * 4) | " +
	([.calls, .instructions, .faults, .rss, .own | . // "–" | tostring] | join(" | ")) + " |"),
"",
"| started by | system calls: caller | child | page faults: caller | child |",
"| --- | --- | --- | --- | --- |",
(.calls[] | . as $c | ($all.started | map(select(.row == $c.row)) | first) as $s |
	"| \(name) | \($c.parent | fixed(0)) | \($c.child | fixed(0)) | \($s.faults.parent | fixed(1)) | \($s.faults.child | fixed(1)) |")
