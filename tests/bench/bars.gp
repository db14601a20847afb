# SPDX-License-Identifier: MIT
# bars.gp DATA OUT: plot two bars for each row, for a program that starts and for one that cannot.
set terminal svg size 720,400 noenhanced font 'sans-serif,13' background '#ffffff'
set output ARG2
set datafile separator "\t"
set xlabel 'µs from start to end, median and quartiles'
set xrange [0:*]
set yrange [-0.6:*]
set key right top
set grid xtics lc rgb '#dddddd'
set border 1 lc rgb '#666666'
set tics nomirror
set ytics scale 0
set style fill solid 0.9 noborder
plot ARG1 using (0):0:(0):2:($0 + 0.02):($0 + 0.36):ytic(1) with boxxyerror lc rgb '#1b7837' title 'started', \
	'' using (0):0:(0):5:($0 - 0.36):($0 - 0.02) with boxxyerror lc rgb '#d6604d' title 'failed exec reported', \
	'' using 2:($0 + 0.19):3:4 with xerrorbars pt -1 lc rgb '#333333' notitle, \
	'' using 5:($0 - 0.19):6:7 with xerrorbars pt -1 lc rgb '#333333' notitle
