# SPDX-License-Identifier: MIT
# growth.gp DATA OUT XLABEL SCALE: plot a line for each row whose file in the directory DATA is not empty.
set terminal svg size 720,360 noenhanced font 'sans-serif,13' background '#ffffff'
set output ARG2
set xlabel ARG3
set ylabel 'µs from start to end'
set key outside right top
set grid ytics lc rgb '#dddddd'
set border 3 lc rgb '#666666'
set tics nomirror
if (strstrt(ARG4, 'x')) set logscale x
if (strstrt(ARG4, '2')) set logscale x 2
if (strstrt(ARG4, 'y')) set logscale y; else set yrange [0:*]
names = 'c-posix_spawn c-direct c-stub go-exec c-fork'
titles = "'posix_spawn' 'errpipe, direct' 'errpipe, stub' 'Go os/exec' 'fork, exec'"
colours = '#777777 #1b7837 #762a83 #2166ac #b2182b'
filled = ''
do for [i = 1:5] {
	if (int(system(sprintf("wc -c <'%s/%s'", ARG1, word(names, i)))) > 0) { filled = filled.' '.i }
}
row(i) = int(word(filled, i))
plot for [i = 1:words(filled)] sprintf('%s/%s', ARG1, word(names, row(i))) \
	using 1:2:3:4 with yerrorlines pt 7 ps 0.4 lw 1.5 lc rgb word(colours, row(i)) title word(titles, row(i))
