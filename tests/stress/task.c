/*
 * task.c: a task that does what its argument says, for tests/stress, whose model.py knows the same
 * words. With "feed line" or "feed nul" as arguments it is a program for pinion feed, and its
 * requests say it.
 *
 * An argument is iID and words behind it, with commas between; ID is a number. They are done in turn:
 *
 *   fN          fail (exit 9) if this is not an attempt after the Nth
 *   oN:WIDTH:S  N lines on stdout, of up to WIDTH letters each, made of the seed S
 *   eN:WIDTH:S  the same on stderr
 *   lN          N letters on stdout behind ID:, without an end of line
 *   pHEX        these bytes on stdout
 *   sMS         sleep
 *   cMS         leave a child behind that sleeps so long, in a session of its own, holding the pipes
 *   d           have a child that nothing but KILL ends, forked twice, in a session of its own, holding
 *               the pipes; a task that comes to a good end has killed it
 *   v           the variable STRESS_SAYS behind ID:, as a line
 *   w           the same with the name of the folder that it runs in
 *   r           all of stdin
 *   xN          exit with status N; kN: die of signal N; h: hang
 *   aBYTES      the rest of the argument, commas or not, on stdout behind ID:
 *
 * Each begins with adding a line to the file $STRESS_EFFECTS, if that is set: ID and attempt.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void
sleep_ms(long ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	while (nanosleep(&left, &left) == -1)
		continue;
}

static void
note_start(long id)
{
	const char *name = getenv("STRESS_EFFECTS");
	const char *attempt = getenv("PINION_ATTEMPT");
	char text[64];
	if (name == NULL)
		return;
	int fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	int length =
	    snprintf(text, sizeof(text), "%ld %s\n", id, attempt != NULL ? attempt : "1");
	if (fd == -1 || write(fd, text, (size_t)length) != length)
		_exit(100);
	close(fd);
}

static void
print_lines(FILE *to, const char *prefix, long id, const char *words)
{
	long count, width, seed;
	if (sscanf(words, "%ld:%ld:%ld", &count, &width, &seed) != 3)
		_exit(101);
	for (long i = 0; i < count; i++) {
		long letters = (seed * 31 + i * 7) % width;
		fprintf(to, "%s%ld:%ld:", prefix, id, i);
		for (long k = 0; k < letters; k++)
			putc('a' + (int)((seed + i) % 26), to);
		putc('\n', to);
	}
	fflush(to);
}

static void
print_hex(FILE *to, const char *hex)
{
	unsigned int byte;
	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		putc((int)byte, to);
	fflush(to);
}

static void
leave_child(long ms)
{
	if (fork() != 0)
		return;
	setsid();
	sleep_ms(ms);
	_exit(0);
}

/* Its id, which it tells itself, for whoever forks twice does not know it. */
static pid_t
start_stubborn(void)
{
	int ends[2];
	pid_t pid = -1;
	if (pipe2(ends, O_CLOEXEC) == -1)
		_exit(107);
	pid_t child = fork();
	if (child == 0) {
		signal(SIGTERM, SIG_IGN);
		signal(SIGINT, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		setsid();
		if (fork() != 0)
			_exit(0);
		pid = getpid();
		if (write(ends[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		close(ends[0]);
		close(ends[1]);
		sleep_ms(600 * 1000);
		_exit(0);
	}
	close(ends[1]);
	if (child == -1 || read(ends[0], &pid, sizeof(pid)) != sizeof(pid))
		_exit(108);
	close(ends[0]);
	waitpid(child, NULL, 0);
	return pid;
}

static void
print_folder(FILE *to, long id)
{
	char *path = getcwd(NULL, 0);
	if (path == NULL)
		_exit(109);
	fprintf(to, "%ld:%s\n", id, strrchr(path, '/') + 1);
	fflush(to);
	free(path);
}

static void
copy_stdin(FILE *to)
{
	char bytes[4096];
	ssize_t length;
	while ((length = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0)
		fwrite(bytes, 1, (size_t)length, to);
	fflush(to);
}

static void
print_variable(FILE *to, long id)
{
	const char *text = getenv("STRESS_SAYS");
	fprintf(to, "%ld:%s\n", id, text != NULL ? text : "nothing");
	fflush(to);
}

static void
die(int signal_number)
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
	_exit(102);
}

static void
fail_at_first(long count)
{
	const char *attempt = getenv("PINION_ATTEMPT");
	if (attempt == NULL || atol(attempt) <= count)
		_exit(9);
}

static void
do_word(FILE *to, long id, const char *word)
{
	long number = atol(word + 1);
	switch (word[0]) {
	case 'f':
		fail_at_first(number);
		break;
	case 'o':
		print_lines(to, "", id, word + 1);
		break;
	case 'e':
		print_lines(stderr, "E", id, word + 1);
		break;
	case 'l':
		fprintf(to, "%ld:", id);
		while (number-- > 0)
			putc('l', to);
		fflush(to);
		break;
	case 'p':
		print_hex(to, word + 1);
		break;
	case 's':
		sleep_ms(number);
		break;
	case 'c':
		leave_child(number);
		break;
	case 'v':
		print_variable(to, id);
		break;
	case 'w':
		print_folder(to, id);
		break;
	case 'r':
		copy_stdin(to);
		break;
	case 'x':
		_exit((int)number);
	case 'k':
		die((int)number);
		break;
	case 'h':
		sleep_ms(600 * 1000);
		break;
	default:
		_exit(103);
	}
}

/* Takes the words behind the id apart; `a`, which has the rest, is the last. */
static void
do_words(FILE *to, long id, char *words, const char *end, pid_t *stubborn)
{
	char *comma = words;
	while (comma != NULL) {
		char *word = comma + 1;
		if (*word == 'a') {
			fprintf(to, "%ld:", id);
			fwrite(word + 1, 1, (size_t)(end - word - 1), to);
			fflush(to);
			return;
		}
		comma = strchr(word, ',');
		if (comma != NULL)
			*comma = '\0';
		if (*word == 'd')
			*stubborn = start_stubborn();
		else
			do_word(to, id, word);
	}
}

static void
do_task(FILE *to, char *words, size_t length)
{
	pid_t stubborn = -1;
	long id = atol(words + 1);
	note_start(id);
	do_words(to, id, strchr(words, ','), words + length, &stubborn);
	if (stubborn > 0)
		kill(stubborn, SIGKILL);
}

/* An answer is written as a whole. */
static int
feed(char delimiter)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	while ((length = getdelim(&line, &room, delimiter, stdin)) > 0) {
		char *answer = NULL;
		size_t size = 0;
		FILE *to = open_memstream(&answer, &size);
		if (to == NULL)
			return 104;
		line[--length] = '\0';
		do_task(to, line, (size_t)length);
		putc(delimiter, to);
		fclose(to);
		fwrite(answer, 1, size, stdout);
		free(answer);
		if (fflush(stdout) != 0)
			return 105;
	}
	free(line);
	return 0;
}

int
main(int argc, char **argv)
{
	/* Half a million letters one by one take longer than a task has on a busy machine. */
	setvbuf(stderr, NULL, _IOFBF, BUFSIZ);
	if (argc == 3 && strcmp(argv[1], "feed") == 0)
		return feed(strcmp(argv[2], "nul") == 0 ? '\0' : '\n');
	if (argc != 2)
		return 106;
	do_task(stdout, argv[1], strlen(argv[1]));
	return 0;
}
