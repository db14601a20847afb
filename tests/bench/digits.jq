# SPDX-License-Identifier: MIT
# How a figure is written that has a median and the range low to high.

# With $digits behind the point; with fewer than none, to tens or hundreds.
def fixed($digits):
	if $digits <= 0 then (. * pow(10; $digits) | round) * pow(10; -$digits) | round | tostring
	else (. * pow(10; $digits) | round | tostring) as $all |
		("0" * ([$digits + 1 - ($all | length), 0] | max) // "") + $all | .[:-$digits] + "." + .[-$digits:]
	end;
def half: (.high - .low) / 2;
# How many digits there are to show, of at most $most: the last one may be wrong by 5. One there is in any case.
def digits($most): .median as $value | if half <= 0 then $most else [$most, (5 / half | log10 | floor)] | min end |
	. as $d | [$d, -($value | log10 | floor)] | max;
def shown($most): digits($most) as $d | .median | fixed($d);
def with_spread: digits(2) as $d | half as $half |
	"\(.median | fixed($d)) ± \([$half, pow(10; -$d)] | max | fixed($d))";
