# One axis of tests/bench/run: its times from stdin, a table on stdout, a JSON object into the
# file `json`. Each line, with tabs between: contender, its title, tasks, seconds, seconds of CPU.
BEGIN {
	FS = "\t"
}
{
	if (!($1 in count)) {
		order[++contender_count] = $1
		title[$1] = $2
		tasks[$1] = $3
	}
	count[$1]++
	rate[$1, count[$1]] = $3 / $4
	cpu_us[$1, count[$1]] = 1e6 * $5 / $3
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
function json_contender(name) {
	printf "{\"name\":\"%s\",\"tasks\":%d,\"rounds\":%d,\"median_per_s\":%.1f,", \
		name, tasks[name], count[name], median[name] >json
	printf "\"min_per_s\":%.1f,\"max_per_s\":%.1f,\"cpu_us_per_task\":%.3f,", \
		rate[name, 1], rate[name, count[name]], cpu[name] >json
	printf "\"of_limit\":%.4f}", median[name] / median["limit"] >json
}
END {
	for (i = 1; i <= contender_count; i++) {
		name = order[i]
		median[name] = median_of(rate, name)
		cpu[name] = median_of(cpu_us, name)
		if (name != "limit" && name != "pinion" && median[name] > best) {
			best = median[name]
			best_name = name
		}
	}
	printf "\n%-31s %10s %10s %10s %8s %9s\n", axis, unit "/s", "us each", "us CPU", \
		"spread", "of limit"
	printf "{\"axis\":\"%s\",\"unit\":\"%s\",\"contenders\":[", axis, unit >json
	for (i = 1; i <= contender_count; i++) {
		name = order[i]
		printf "  %-29s %10.0f %10.2f %10.2f %7.1f%% %9.2f\n", title[name], median[name], \
			1e6 / median[name], cpu[name], \
			100 * (rate[name, count[name]] - rate[name, 1]) / median[name], \
			median[name] / median["limit"]
		if (i > 1)
			printf "," >json
		json_contender(name)
	}
	printf "]" >json
	if (best_name != "") {
		printf "  pinion against the best peer, %s: %.2f\n", title[best_name], \
			median["pinion"] / best
		printf ",\"best_peer\":\"%s\",\"of_best_peer\":%.4f", best_name, \
			median["pinion"] / best >json
	}
	printf "}" >json
}
