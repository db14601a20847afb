# SPDX-License-Identifier: MIT
# Format a figure with a median and a range from low to high.

# With $digits after the decimal point. A negative number rounds to tens or hundreds.
def fixed($digits):
	if $digits <= 0 then (. * pow(10; $digits) | round) * pow(10; -$digits) | round | tostring
	else (. * pow(10; $digits) | round | tostring) as $all |
		("0" * ([$digits + 1 - ($all | length), 0] | max) // "") + $all | .[:-$digits] + "." + .[-$digits:]
	end;
def half: (.high - .low) / 2;
# The number of digits to show, at most $most: the last digit may be off by 5. At least one significant digit is shown.
def digits($most): .median as $value | if half <= 0 then $most else [$most, (5 / half | log10 | floor)] | min end |
	. as $d | [$d, -($value | log10 | floor)] | max;
def shown($most): digits($most) as $d | .median | fixed($d);
def with_spread: digits(2) as $d | half as $half |
	"\(.median | fixed($d)) ± \([$half, pow(10; -$d)] | max | fixed($d))";
