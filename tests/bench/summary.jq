# SPDX-License-Identifier: MIT
# What README.md says of bench.json.
include "digits";

def started($row): .started | map(select(.row == $row)) | first | .ratio | with_spread;
def failed($row): .failed | map(select(.row == $row)) | first | .ratio | with_spread;

"| to glibc's posix_spawn | a program that starts | one that cannot |",
"| --- | --- | --- |",
(("c/vfork", "c/direct", "c/stub", "rust/command", "go/exec", "go/dmz", "python/subprocess", "c/fork") as $row |
	select(.started | any(.row == $row)) | "| \(.names[$row]) | \(started($row)) | \(failed($row)) |")
