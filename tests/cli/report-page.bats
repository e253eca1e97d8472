# pinion report --html: the page in a browser: it draws, without an error, what is in the record.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the page's script expands, not ours

load helper

# Pages are the same whatever the program was built with, and slow to make under valgrind.
setup() {
	skip_if_instrumented
	common_setup
}

browse() {
	"$BATS_TEST_DIRNAME/browser" "$@"
}

# A hundred thousand tasks: what was called has no cost of its own, so that is made up.
record_many() {
	seq 100000 | pinion call --quiet --run-file run.db "$PINION_BUILD/plugins/crc32.so" >/dev/null
	sqlite3 run.db "
		UPDATE task SET inputs = printf('[\"photos/2026/%03d/IMG_%06d.jpg\"]', seq / 500, seq),
			wall_ns = wall_ns + abs(random()) % 3000000, user_ns = abs(random()) % 2000000,
			sys_ns = abs(random()) % 900000, maxrss_bytes = (1 + abs(random()) % 4000) * 1024,
			started_ns = (SELECT started_ns FROM run) + seq / 4 * 3100000, slot = 1 + seq % 4;
		UPDATE task SET exit = 1, stderr = CAST('cannot open ' || inputs AS BLOB) WHERE seq % 1000 = 777;
		UPDATE run SET ended_ns = (SELECT max(started_ns + wall_ns) FROM task), exit = 1"
}

record_few() {
	pinion map -j2 --quiet --run-file run.db 'case {} in *7) echo "no {}" >&2; exit 3 ;; esac' \
		::: tree/1 tree/2 tree/3 tree/4 tree/5 house/6 house/7 house/8 2>/dev/null || true
	pinion report --html page.html run.db
}

@test "the page fits its window at 400, 1000 and 1600 pixels, light and dark, few tasks and many" {
	local width
	record_few
	mv page.html few.html
	record_many
	pinion report --html many.html run.db
	for width in 400 1000 1600; do
		assert_equal "$(browse few.html --width $width 'document.documentElement.scrollWidth')" $width
		assert_equal "$(browse many.html --dark --width $width 'document.documentElement.scrollWidth' \
			'[...document.querySelectorAll("main > *:not([hidden])")].every((node) => node.getBoundingClientRect().right <= innerWidth)')" \
			"$width"$'\ntrue'
	done
	run browse few.html 'getComputedStyle(document.body).backgroundColor'
	local light=$output
	run browse few.html --dark 'getComputedStyle(document.body).backgroundColor'
	[[ $output != "$light" ]]
}

@test "a page of 100,000 tasks is small and opens soon" {
	local opened_ms
	record_many
	pinion report --html page.html run.db
	[[ $(stat -c %s page.html) -lt 10000000 ]]
	run --separate-stderr browse page.html 'Number(document.documentElement.dataset.ready)' \
		'$("table-count").textContent' '$("rows").childElementCount < 100' \
		'$("failures").querySelectorAll(".failure").length' '$("failure-more").textContent'
	assert_equal "$status" 0
	opened_ms=${lines[0]}
	echo "# $(($(stat -c %s page.html) / 1024)) KiB, drawn after $opened_ms ms" >&3
	((opened_ms > 0 && opened_ms < 15000))
	assert_equal "${lines[*]:1}" '"100,000 tasks" true 5 "All 100 are in the table."'
}

@test "the table is searched, sorted and filtered, and the address keeps it" {
	record_few
	run --separate-stderr browse page.html \
		'[...document.querySelectorAll("tr.task td:first-child")].map((cell) => cell.textContent).join(" ")' \
		'$("search").value = "TREE 5"; $("search").dispatchEvent(new Event("input")); $("rows").textContent.includes("tree/5") && $("table-count").textContent' \
		'location.hash' \
		'location.hash = "#show=failed"; new Promise((done) => addEventListener("hashchange", () => done($("table-count").textContent)))' \
		'[...document.querySelectorAll("tr.task td")].map((cell) => cell.textContent)[1]' \
		'location.hash = "#sort=label&order=desc"; new Promise((done) => addEventListener("hashchange", () => done(document.querySelector("tr.task td.label").textContent)))' \
		'document.querySelector("#table-head button").click(); location.hash' \
		'document.querySelector("tr.task td").textContent'
	assert_equal "$status" 0
	assert_equal "${lines[0]}" '"7 1 2 3 4 5 6 8"'
	assert_equal "${lines[1]}" '"1 of 8 tasks"'
	assert_equal "${lines[2]}" '"#q=TREE+5"'
	assert_equal "${lines[3]}" '"1 of 8 tasks"'
	assert_equal "${lines[4]}" '"exit 3"'
	assert_equal "${lines[5]}" '"tree/5"'
	assert_equal "${lines[6]}" '"#sort=seq"'
	assert_equal "${lines[7]}" '"1"'
}

@test "search finds what it is told, among all tasks" {
	record_many
	pinion report --html page.html run.db
	run --separate-stderr browse 'page.html#q=%2331,778' '$("table-count").textContent' '$("search").value'
	assert_equal "$output" $'"1 of 100,000 tasks"\n"#31,778"'
	run --separate-stderr browse 'page.html#q=IMG_0123&sort=wall&order=desc' '$("table-count").textContent' \
		'$("table-scroll").scrollTop = 1e9; rows.every((i, k) => k === 0 || wall[rows[k - 1]] >= wall[i])' \
		'$("rows").lastElementChild.lastElementChild.title.includes("IMG_0123")'
	assert_equal "$output" $'"100 of 100,000 tasks"\ntrue\ntrue'
}

@test "a task is shown with its command, what it said and how to replay it" {
	record_few
	run --separate-stderr browse 'page.html#task=7' '$("detail").textContent' \
		'document.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true})); $("detail").hidden'
	assert_equal "$status" 0
	[[ ${lines[0]} == *'no house/7'*'pinion replay run.db 7'* ]]
	assert_equal "${lines[1]}" true
}

@test "pointing at the timeline tells the task, a click shows it, dragging zooms" {
	pinion map -j1 --quiet --run-file run.db 'sleep 0.{}; exit {}' ::: 2 5 2>/dev/null || true
	pinion report --html page.html run.db
	# Where the middle of task 2 is, in the first lane.
	local prepare='var box = $("lanes").getBoundingClientRect(),
		at = (part, x) => ({bubbles: true, button: 0, pointerType: "mouse", clientY: box.top + 8,
			clientX: box.left + GUTTER + part * chartWidth()});'
	run --separate-stderr browse page.html "$prepare"'
		$("lanes").dispatchEvent(new MouseEvent("mousemove", at((start[1] + wall[1] / 2) / data.length_us)));
		$("tip").hidden ? "hidden" : $("tip").textContent' \
		'$("lanes").dispatchEvent(new MouseEvent("click", at((start[1] + wall[1] / 2) / data.length_us))); location.hash' \
		'$("lanes").dispatchEvent(new PointerEvent("pointerdown", at(0.25)));
		dispatchEvent(new PointerEvent("pointermove", at(0.4)));
		dispatchEvent(new PointerEvent("pointerup", at(0.5)));
		Math.round(view.from / data.length_us * 100) + " " + Math.round(view.to / data.length_us * 100)' \
		'$("zoom-all").click(); view.from' \
		'$("lanes").dispatchEvent(new KeyboardEvent("keydown", {key: "+"})); Math.round((view.to - view.from) / data.length_us * 100)' \
		'$("busy").dispatchEvent(new MouseEvent("mousemove", at(0.5))); $("tip").textContent.includes("workers busy")'
	assert_equal "$status" 0
	[[ ${lines[0]} == *'Task 2: exit 5'*'worker 1'* ]]
	assert_equal "${lines[*]:1}" '"#task=2" "25 50" 0 50 true'
}

@test "light and dark can be chosen" {
	record_few
	run --separate-stderr browse page.html --dark '$("theme").click(); getComputedStyle(document.documentElement).colorScheme' \
		'$("theme").click(); getComputedStyle(document.documentElement).colorScheme' \
		'$("theme").click(); getComputedStyle(document.documentElement).colorScheme'
	assert_equal "$output" $'"light"\n"dark"\n"light dark"'
}

@test "what tasks are called and say is never markup" {
	local evil='</script><script>document.title="owned"</script><img src=x onerror="document.title=1"><!-- <b>'
	pinion map --quiet --run-file run.db 'printf "%s\n" {} >&2; exit 1' \
		::: "$evil" "$(printf '\\u003cb>')" $'\342\200\250<svg onload=alert(1)>' $'odd \377\001' 2>/dev/null || true
	pinion report --html page.html run.db
	run --separate-stderr browse 'page.html#task=1' \
		'document.querySelectorAll("img, svg, b, script").length' \
		'document.title.startsWith("pinion map")' \
		'JSON.stringify(labels)' \
		'$("detail").querySelectorAll("pre")[1].textContent'
	assert_equal "$status" 0
	assert_equal "${lines[0]}" 2
	assert_equal "${lines[1]}" true
	assert_equal "$(jq -r '. | fromjson | .[0]' <<<"${lines[2]}")" "$evil"
	assert_equal "$(jq -r '. | fromjson | .[1]' <<<"${lines[2]}")" '\u003cb>'
	assert_equal "$(jq -r '. | fromjson | .[2]' <<<"${lines[2]}")" '\u{2028}<svg onload=alert(1)>'
	assert_equal "$(jq -r '. | fromjson | .[3]' <<<"${lines[2]}")" 'odd \xff\x01'
	assert_equal "$(jq -r . <<<"${lines[3]}")" "$evil"
}

@test "of very many tasks those that failed and the slowest are in the page, and pictures of all" {
	seq 250000 | pinion call --quiet --run-file run.db "$PINION_BUILD/plugins/crc32.so" >/dev/null
	sqlite3 run.db "UPDATE task SET wall_ns = 5; UPDATE task SET wall_ns = 900000000 WHERE seq = 240000;
		UPDATE task SET exit = 1 WHERE seq = 123456"
	pinion report --html page.html run.db
	[[ $(stat -c %s page.html) -lt 10000000 ]]
	run --separate-stderr browse page.html 'total' 'seq.includes(123456) && seq.includes(240000)' \
		'drawn.busy.some((workers) => workers > 0)' '$("table-note").textContent' \
		'document.querySelector("tr.task td").textContent'
	assert_equal "$status" 0
	assert_equal "${lines[*]:0:3}" '100001 true true'
	[[ ${lines[3]} == *'Of 250,000 tasks'* ]]
	assert_equal "${lines[4]}" '"123,457"'
}

@test "a run without tasks, and one that goes on, have a page" {
	pinion map --run-file run.db true </dev/null
	pinion report --html page.html run.db
	run --separate-stderr browse page.html '$("outcome").textContent' '$("timeline").hidden' '$("nothing").hidden'
	assert_equal "$status" 0
	assert_equal "$output" $'"no task has ended (exit status 0)"\ntrue\nfalse'
}
