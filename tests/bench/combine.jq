# SPDX-License-Identifier: MIT
# Combine all results into one object, and judge them.
def row($name): map(select(.row == $name)) | first;
# met: the median is within the limit. certain: so is the whole range, or none of it.
def judged: . + { met: (.value.median <= .limit), certain: (.value.low > .limit or .value.high <= .limit) };
def budget($what; $value; $limit): select($value != null) | { what: $what, value: $value, limit: $limit } | judged;
def faster($peer; $words): ($failed | row($peer)) as $theirs | select($theirs != null) |
	{ what: "failed exec, direct, to that of \($words)", limit: 1,
		value: ($theirs.also | { median: (1 / .median), low: (1 / .high), high: (1 / .low) }) } | judged;

($words | split("\n") | map(select(. != "") | split(";") | { key: .[0], value: .[4] }) | from_entries) as $names |
($started | row("c/posix_spawn")) as $base |
(($base.us.q3 - $base.us.q1) / $base.us.median) as $spread |
($growth | map(select(.of == "memory" and .row == "c/direct" and .ratio)) | last) as $large |
($growth | map(select(.of == "memory" and .row == "c/stub" and .ratio)) | last) as $large_stub |
{
	machine: $machine[0],
	names: $names,
	absent: ($absent | split("\n") | map(select(. != ""))),
	warnings: [
		(select($spread > 0.3) | "the quartiles of posix_spawn are \($spread * 100 | round) % apart: other programs are running here"),
		(select($machine[0].load > $machine[0].cores / 2) | "the load was \($machine[0].load) before the start"),
		(select($machine[0].steal > 100) | "the host gave \($machine[0].steal / 100) s to other machines"),
		($started[] | select(.agrees == false) | "the target of \($names[.row]) inherits something else: \(.inherited)")
	],
	budgets: [
		budget("dmz to a stub that only execs"; $between | row("c/dmz") | .ratio; 1.02),
		budget("errpipe_spawn, direct, to posix_spawn"; $started | row("c/direct").ratio; 0.85),
		budget("errpipe_spawn, through the stub, to posix_spawn"; $started | row("c/stub").ratio; 1.25),
		budget("errpipe_spawn, direct, from a parent of \($large.x) MiB to 10 MiB"; $large.ratio; 1.2),
		budget("errpipe_spawn, through the stub, the same"; $large_stub.ratio; 1.2),
		budget("Go dmz.Start, direct, to os/exec"; $started | row("go/dmz-direct").also; 1.1),
		budget("the same, failed"; $failed | row("go/dmz-direct").also; 1.1),
		budget("Go dmz.Start, through the stub, to os/exec"; $started | row("go/dmz").also; 1.5),
		budget("the same, failed"; $failed | row("go/dmz").also; 1.5),
		faster("go/exec"; "Go os/exec"), faster("python/subprocess"; "Python subprocess"), faster("rust/command"; "Rust Command")
	],
	started: $started, failed: $failed, between: $between, containers: $containers, growth: $growth, series: $series, calls: $calls, programs: $programs
}
