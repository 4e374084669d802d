// SPDX-License-Identifier: BSD-2-Clause
/* See top_screen.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ncurses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>
#include "terminal.h"
#include "top.h"
#include "top_screen.h"

static SCREEN *screen;
static bool colored;
static struct termios before;
static int real_stderr = -1;
static volatile sig_atomic_t stop;

static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

const char *screen__why_not(void)
{
	const char *type = getenv("TERM");

	if (!isatty(STDOUT_FILENO))
		return "standard output is no terminal";
	if (!isatty(STDIN_FILENO))
		return "standard input is no terminal";
	if (!type || !*type || !strcmp(type, "dumb"))
		return "the terminal is dumb (TERM)";
	return NULL;
}

/* What a crash leaves must be readable: plain system calls, as nothing else can be relied upon. */
static void on_crash(int sig)
{
	static const char leave[] = "\033[?1049l\033[0m\033[?25h\r\n";

	if (write(STDOUT_FILENO, leave, sizeof(leave) - 1) < 0)
		_exit(128 + sig);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	if (real_stderr >= 0)
		dup2(real_stderr, STDERR_FILENO);
	raise(sig); /* SA_RESETHAND: the default now */
}

static void on_end(int sig)
{
	(void)sig;
	stop = 1;
}

/* A live trace has blocked some of them and reads them itself; what is ignored stays so. */
static void catch_signals(void)
{
	struct sigaction crash = {.sa_handler = on_crash, .sa_flags = SA_RESETHAND | SA_NODEFER};
	struct sigaction end = {.sa_handler = on_end}, was;

	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++)
		sigaction(deadly[i], &crash, NULL);
	for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++)
		if (!sigaction(ending[i], NULL, &was) && was.sa_handler == SIG_DFL)
			sigaction(ending[i], &end, NULL);
}

static void hold_stderr(void)
{
	int fd = memfd_create("stderr", MFD_CLOEXEC);

	real_stderr = fd < 0 ? -1 : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (real_stderr >= 0)
		dup2(fd, STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void release_stderr(void)
{
	char text[4096];
	ssize_t n;

	if (real_stderr < 0)
		return;
	fflush(stderr);
	lseek(STDERR_FILENO, 0, SEEK_SET);
	while ((n = read(STDERR_FILENO, text, sizeof(text))) > 0)
		if (write(real_stderr, text, n) < 0)
			break;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	real_stderr = -1;
}

/* The pairs are numbered as the styles. The colours are those of term.c. */
static void make_colors(void)
{
	short color[STYLE_CNT] = {
		[STYLE_PREEMPTED] = COLOR_RED, [STYLE_SLEEPING] = COLOR_GREEN,
		[STYLE_USER] = COLOR_CYAN,     [STYLE_UNKNOWN] = COLOR_MAGENTA,
		[STYLE_GOOD] = COLOR_GREEN,    [STYLE_WARN] = COLOR_YELLOW,
		[STYLE_BAD] = COLOR_RED,
	};

	start_color();
	use_default_colors();
	color[STYLE_RUNNING] = COLORS >= 16 ? COLOR_BLUE + 8 : COLOR_BLUE;
	color[STYLE_ON_OR_USER] = color[STYLE_RUNNING];
	for (int i = 1; i < STYLE_CNT; i++)
		init_pair(i, color[i] ? color[i] : -1, -1);
}

int screen__open(bool color)
{
	if (tcgetattr(STDIN_FILENO, &before))
		return -errno;
	fflush(stdout);
	stop = 0;
	catch_signals(); /* before ncurses, which takes those that nobody wants */
	screen = newterm(NULL, stdout, stdin);
	if (!screen && terminal__use_builtin())
		screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return -ENOTTY;
	hold_stderr();
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	colored = color && has_colors();
	if (colored)
		make_colors();
	return 0;
}

void screen__close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
	release_stderr();
}

static int meaning(int key)
{
	switch (key) {
	case KEY_UP:
		return TOP_KEY_UP;
	case KEY_DOWN:
		return TOP_KEY_DOWN;
	case KEY_LEFT:
		return TOP_KEY_LEFT;
	case KEY_RIGHT:
		return TOP_KEY_RIGHT;
	case KEY_PPAGE:
		return TOP_KEY_PAGE_UP;
	case KEY_NPAGE:
		return TOP_KEY_PAGE_DOWN;
	case KEY_HOME:
		return TOP_KEY_HOME;
	case KEY_END:
		return TOP_KEY_END;
	case KEY_ENTER:
	case '\n':
	case '\r':
		return TOP_KEY_ENTER;
	case 27:
		return TOP_KEY_ESCAPE;
	case KEY_BACKSPACE:
	case 127:
	case 8:
		return TOP_KEY_BACKSPACE;
	}
	return key > 0 && key < 256 ? key : 0;
}

/* After an ESC: a key that the terminal's description lacks, up to its last byte, is none at all,
 * and not the letters that it is made of. */
static bool other_key(void)
{
	int c;

	timeout(0);
	c = getch();
	if (c != '[' && c != 'O') {
		if (c != ERR)
			ungetch(c);
		return false;
	}
	do
		c = getch();
	while (c != ERR && (c < '@' || c > '~'));
	return true;
}

int screen__key(int timeout_ms)
{
	int c;

	timeout(timeout_ms);
	c = getch();
	while (c == 0x1b && other_key())
		c = getch();
	return meaning(c);
}

bool screen__stopped(void)
{
	return stop;
}

void screen__size(unsigned *rows, unsigned *columns)
{
	*rows = LINES > 0 ? LINES : 24;
	*columns = COLS > 0 ? COLS : 80;
}

static attr_t look(enum term_style style)
{
	switch (style) {
	case STYLE_HEADER:
	case STYLE_BAD:
		return A_BOLD;
	case STYLE_DIM:
	case STYLE_HALTED:
	case STYLE_ABSENT:
		return A_DIM;
	default:
		return A_NORMAL;
	}
}

void screen__paint(const struct canvas *c)
{
	erase();
	for (unsigned i = 0; i < c->runs; i++) {
		const struct canvas_run *r = &c->run[i];

		attr_set(look(r->style) | (r->reverse ? A_REVERSE : 0), colored ? r->style : 0,
			 NULL);
		mvaddstr(r->line, r->column, c->text + r->at);
	}
	refresh();
}
