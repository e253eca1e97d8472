# One axis of tests/bench/run: what was measured from stdin, a table on stdout, a JSON object into
# the file `json`. Each line, with tabs between: contender, its title, tasks, seconds (of memory:
# bytes), seconds of CPU, those of the first process alone, and something if pinion is not to be
# compared with it.
# What is shown is, when `unit` is "X/s", how often a second there was `scale` times a task; when it
# is "us CPU", what a task cost of that; else what was measured over `scale`. The first contender
# is what the others are compared with.
BEGIN {
	FS = "\t"
	is_rate = unit ~ /\/s$/
	is_cost = unit == "us CPU"
	has_cpu = unit != "MiB" && !is_cost
	has_own = has_cpu && axis != "start-up" # there it is of who starts them
	base_name = is_cost ? "first" : "limit"
}
{
	if (!($1 in count)) {
		order[++contender_count] = $1
		title[$1] = $2
		tasks[$1] = $3
		is_weaker[$1] = $7 != ""
	}
	count[$1]++
	cpu_us[$1, count[$1]] = 1e6 * $5 / $3
	own_share[$1, count[$1]] = $5 > 0 ? $6 / $5 : 0
	figure[$1, count[$1]] = is_rate ? $3 * scale / $4 : is_cost ? cpu_us[$1, count[$1]] : $4 / scale
}

# Insertion sort of values[name, 1] to values[name, count[name]].
function sort(values, name,    i, j, x) {
	for (i = 2; i <= count[name]; i++) {
		x = values[name, i]
		for (j = i - 1; j >= 1 && values[name, j] > x; j--)
			values[name, j + 1] = values[name, j]
		values[name, j + 1] = x
	}
}
function median_of(values, name,    n) {
	sort(values, name)
	n = count[name]
	return n % 2 ? values[name, (n + 1) / 2] : (values[name, n / 2] + values[name, n / 2 + 1]) / 2
}
function is_better(value, than) {
	return is_rate ? value > than : value < than
}
# As many digits as say something.
function digits_of(value) {
	return value >= 1000 ? sprintf("%.0f", value) : value >= 20 ? sprintf("%.1f", value) : \
		sprintf("%.3f", value)
}
function over(value, base) {
	return base > 0 ? value / base : 0
}
function json_contender(name) {
	printf "{\"name\":\"%s\",\"tasks\":%d,\"rounds\":%d,\"median\":%.6g,", \
		name, tasks[name], count[name], median[name] >json
	printf "\"min\":%.6g,\"max\":%.6g,", figure[name, 1], figure[name, count[name]] >json
	if (has_cpu)
		printf "\"cpu_us_per_task\":%.3f,", cpu[name] >json
	if (has_own)
		printf "\"own_cpu_share\":%.5f,", own[name] >json
	printf "\"spread\":%.4f,\"of_%s\":%.4f}", spread[name], base_name, \
		over(median[name], median[order[1]]) >json
}
END {
	for (i = 1; i <= contender_count; i++) {
		name = order[i]
		median[name] = median_of(figure, name)
		cpu[name] = median_of(cpu_us, name)
		own[name] = median_of(own_share, name)
		spread[name] = over(figure[name, count[name]] - figure[name, 1], median[name])
		if (name != "limit" && name !~ /^pinion/ && !is_weaker[name] &&
		    (best_name == "" || is_better(median[name], median[best_name])))
			best_name = name
	}
	printf "\n%-31s %10s %10s %10s %8s %9s\n", \
		axis ", " count[order[1]] (count[order[1]] == 1 ? " round" : " rounds"), unit, is_rate ? "us each" : "", \
		has_cpu ? "us CPU" : "", "spread", "of " base_name
	printf "{\"axis\":\"%s\",\"unit\":\"%s\",\"contenders\":[", axis, unit >json
	for (i = 1; i <= contender_count; i++) {
		name = order[i]
		printf "  %-29s %10s %10s %10s %7.1f%% %9.2f\n", title[name], digits_of(median[name]), \
			is_rate ? digits_of(1e6 * scale / median[name]) : "", \
			has_cpu ? digits_of(cpu[name]) : "", \
			100 * spread[name], over(median[name], median[order[1]])
		if (i > 1)
			printf "," >json
		json_contender(name)
	}
	printf "]" >json
	if (has_own)
		printf "  pinion's coordinator took %.1f%% of the CPU time\n", 100 * own["pinion"]
	if (best_name != "") {
		printf "  pinion against the best peer, %s: %.2f\n", title[best_name], \
			median["pinion"] / median[best_name]
		printf ",\"best_peer\":\"%s\",\"of_best_peer\":%.4f", best_name, \
			median["pinion"] / median[best_name] >json
	}
	printf "}" >json
}
