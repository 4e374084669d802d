// SPDX-License-Identifier: BSD-2-Clause
/* Hostile names, for each place they may be written to; and random bytes for all of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "escape.h"
#include "skip.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FFFD   "\xef\xbf\xbd"

static const enum escape_for all[] = {ESCAPE_TERMINAL, ESCAPE_ASCII, ESCAPE_JSON,
				      ESCAPE_HTML,     ESCAPE_CSV,   ESCAPE_LABEL};

static void check(enum escape_for to, const char *in, const char *want)
{
	char got[2048], *streamed;
	size_t len;
	FILE *f = open_memstream(&streamed, &len);

	assert_int_equal(escape__str(to, in, got, sizeof(got)), strlen(want));
	assert_string_equal(got, want);
	assert_int_equal(escape__put(to, in, f), 0);
	fclose(f);
	assert_string_equal(streamed, want);
	free(streamed);
}

static void plain_names_stay(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(all); i++) {
		check(all[i], "", "");
		check(all[i], "web-1_db.prod:80", "web-1_db.prod:80");
	}
}

static void terminal(void **state)
{
	(void)state;
	check(ESCAPE_TERMINAL, "a\033[31mb", "a\\x1b[31mb");
	check(ESCAPE_TERMINAL, "a\nb\tc\r\x7f", "a\\x0ab\\x09c\\x0d\\x7f");
	check(ESCAPE_TERMINAL, "\\x1b", "\\\\x1b");
	check(ESCAPE_TERMINAL, "gr\xc3\xbc\xc3\x9f \xe4\xb8\xad",
	      "gr\xc3\xbc\xc3\x9f \xe4\xb8\xad");
	check(ESCAPE_TERMINAL, "\xc2\x9b", "\\xc2\\x9b");	   /* CSI as a C1 control */
	check(ESCAPE_TERMINAL, "\xe2\x80\xae", "\\xe2\\x80\\xae"); /* right-to-left override */
	check(ESCAPE_TERMINAL, "\xff\xc3", "\\xff\\xc3");
	check(ESCAPE_TERMINAL, "\xc0\xaf", "\\xc0\\xaf");		    /* overlong '/' */
	check(ESCAPE_TERMINAL, "\xed\xa0\x80", "\\xed\\xa0\\x80");	    /* a surrogate */
	check(ESCAPE_TERMINAL, "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
	check(ESCAPE_TERMINAL, "\xf0\x9f\x92\xa9", "\xf0\x9f\x92\xa9");
	check(ESCAPE_TERMINAL, "<b>\"'&", "<b>\"'&");
	check(ESCAPE_ASCII, "gr\xc3\xbc", "gr\\xc3\\xbc");
	check(ESCAPE_ASCII, "\xf0\x9f\x92\xa9\033", "\\xf0\\x9f\\x92\\xa9\\x1b");
}

static void json(void **state)
{
	(void)state;
	check(ESCAPE_JSON, "a\"\\\n\033", "a\"\\\n\033"); /* the writer's own job */
	check(ESCAPE_JSON, "\xc3\xbc\xff\xc3", "\xc3\xbc" FFFD FFFD);
	check(ESCAPE_JSON,
	      "\xc2\x9b"
	      "31m\xc2\xa0",
	      FFFD "31m\xc2\xa0"); /* CSI; a space */
}

static void html(void **state)
{
	(void)state;
	check(ESCAPE_HTML, "<a href=\"x\" b='y'>&",
	      "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
	check(ESCAPE_HTML, "\033\n\x7f", "\\x1b\\x0a\\x7f");
	check(ESCAPE_HTML, "\xff\xef\xbf\xbf", "\\xff\\xef\\xbf\\xbf");
	check(ESCAPE_HTML, "a\\b", "a\\\\b");
	check(ESCAPE_MARKUP, "a\\x09<b", "a\\x09&lt;b"); /* was made harmless before */
}

static void csv(void **state)
{
	(void)state;
	check(ESCAPE_CSV, "a,b", "\"a,b\"");
	check(ESCAPE_CSV, "a\"b", "\"a\"\"b\"");
	check(ESCAPE_CSV, " a", "\" a\"");
	check(ESCAPE_CSV, "a\r\nb", "a\\x0d\\x0ab");
	check(ESCAPE_CSV, "=1+1", "'=1+1");
	check(ESCAPE_CSV, "-x,y", "\"'-x,y\"");
	check(ESCAPE_CSV, "@", "'@");
	check(ESCAPE_CSV, "a=b", "a=b");
	check(ESCAPE_CSV, "\xff", "\\xff");
}

static void label(void **state)
{
	(void)state;
	check(ESCAPE_LABEL, "a\"b", "a\\\"b");
	check(ESCAPE_LABEL, "a\\b", "a\\\\\\\\b"); /* which is read as two */
	check(ESCAPE_LABEL, "\r\xff", "\\\\x0d\\\\xff");
}

/* What people read is the same in all formats, but for what the format itself wants. */
static void one_policy(void **state)
{
	static const enum escape_for for_people[] = {ESCAPE_TERMINAL, ESCAPE_ASCII, ESCAPE_HTML,
						     ESCAPE_CSV};
	static const char *const name[][2] = {
		{"a\tb", "a\\x09b"},
		{"a\\tb", "a\\\\tb"},
		{"a\033[31mb", "a\\x1b[31mb"},
		{"a\xc2\x9b", "a\\xc2\\x9b"}, /* CSI as a C1 control */
		{"a\xc2\xad"
		 "b",
		 "a\\xc2\\xad"
		 "b"},						/* soft hyphen */
		{"a\xcd\x8f", "a\\xcd\\x8f"},			/* grapheme joiner */
		{"a\xd8\x9c", "a\\xd8\\x9c"},			/* Arabic letter mark */
		{"a\xe2\x80\x8b", "a\\xe2\\x80\\x8b"},		/* zero width space */
		{"a\xe2\x80\x8d", "a\\xe2\\x80\\x8d"},		/* zero width joiner */
		{"a\xe2\x80\x8e", "a\\xe2\\x80\\x8e"},		/* left-to-right mark */
		{"a\xe2\x80\xa8", "a\\xe2\\x80\\xa8"},		/* line separator */
		{"a\xe2\x80\xaa", "a\\xe2\\x80\\xaa"},		/* U+202A */
		{"a\xe2\x80\xae", "a\\xe2\\x80\\xae"},		/* U+202E */
		{"a\xe2\x81\xa0", "a\\xe2\\x81\\xa0"},		/* word joiner */
		{"a\xe2\x81\xa6", "a\\xe2\\x81\\xa6"},		/* U+2066 */
		{"a\xe2\x81\xa9", "a\\xe2\\x81\\xa9"},		/* U+2069 */
		{"a\xe3\x85\xa4", "a\\xe3\\x85\\xa4"},		/* Hangul filler */
		{"a\xef\xb8\x8f", "a\\xef\\xb8\\x8f"},		/* variation selector */
		{"a\xef\xbb\xbf", "a\\xef\\xbb\\xbf"},		/* U+FEFF */
		{"a\xef\xbf\xbf", "a\\xef\\xbf\\xbf"},		/* U+FFFF */
		{"a\xf3\xa0\x81\x81", "a\\xf3\\xa0\\x81\\x81"}, /* a tag */
		{"a\xf4\x8f\xbf\xbf", "a\\xf4\\x8f\\xbf\\xbf"}, /* U+10FFFF */
		{"a\xff", "a\\xff"},
	};
	char out[64], label[64], twice[64];

	(void)state;
	for (size_t i = 0; i < LEN(name); i++) {
		for (size_t k = 0; k < LEN(for_people); k++)
			check(for_people[k], name[i][0], name[i][1]);
		/* as a label's reader takes it apart: the same */
		escape__str(ESCAPE_LABEL, name[i][0], label, sizeof(label));
		escape__str(ESCAPE_TERMINAL, name[i][0], out, sizeof(out));
		for (char *to = twice, *from = out;; from++) {
			if (*from == '\\')
				*to++ = '\\';
			*to++ = *from;
			if (!*from)
				break;
		}
		assert_string_equal(label, twice);
	}
}

/* The list is sorted, as the search in it needs, and what it has is not let through. */
static void hidden_ones(void **state)
{
	unsigned count;
	const struct escape_range *r = escape__hidden(&count);

	(void)state;
	assert_true(count > 20);
	for (unsigned i = 0; i < count; i++) {
		assert_true(r[i].from <= r[i].to);
		assert_true(!i || r[i].from > r[i - 1].to);
	}
	check(ESCAPE_CSV, "gr\xc3\xbc\xc3\x9f \xe4\xb8\xad\xf0\x9f\x92\xa9",
	      "gr\xc3\xbc\xc3\x9f \xe4\xb8\xad\xf0\x9f\x92\xa9");
}

static void bytes_with_nul(void **state)
{
	char got[32];

	(void)state;
	assert_int_equal(escape__mem(ESCAPE_TERMINAL, "a\0b", 3, got, sizeof(got)), 6);
	assert_string_equal(got, "a\\x00b");
	assert_int_equal(escape__mem(ESCAPE_HTML, "a\0b", 3, got, sizeof(got)), 6);
	assert_string_equal(got, "a\\x00b");
	/* a task's name that fills its field */
	assert_int_equal(escape__mem(ESCAPE_LABEL, "0123456789abcdefX", 16, got, sizeof(got)), 16);
}

static void cuts_between_pieces(void **state)
{
	char got[16];

	(void)state;
	memset(got, 'Z', sizeof(got));
	assert_int_equal(escape__str(ESCAPE_TERMINAL, "ab\033cd", got, 7), 8);
	assert_string_equal(got, "ab\\x1b");
	assert_int_equal(got[7], 'Z');
	assert_int_equal(escape__str(ESCAPE_TERMINAL, "ab\033cd", got, 6), 8);
	assert_string_equal(got, "ab"); /* nor the c, although it would fit */
	assert_int_equal(escape__str(ESCAPE_HTML, "\xc3\xbc\xc3\xbc", got, 4), 4);
	assert_string_equal(got, "\xc3\xbc");
	assert_int_equal(escape__str(ESCAPE_CSV, "a,bcdef", got, 6), 9);
	assert_string_equal(got, "\"a,b\"");
	assert_int_equal(escape__str(ESCAPE_CSV, "a,b", got, 2), 5);
	assert_string_equal(got, "");
	assert_int_equal(escape__str(ESCAPE_CSV, "a,b", got, 3), 5);
	assert_string_equal(got, "\"\"");
	assert_int_equal(escape__str(ESCAPE_LABEL, "abc", got, 1), 3);
	assert_string_equal(got, "");
	assert_int_equal(escape__str(ESCAPE_LABEL, "abc", NULL, 0), 3);
}

/* Nothing in the output may act: no control character, and all of it UTF-8. */
static void check_harmless(enum escape_for to, const char *out)
{
	char again[8192];

	for (const char *s = out; *s; s++)
		if (to != ESCAPE_JSON && ((unsigned char)*s < 0x20 || *s == 0x7f))
			fail_msg("control character %d", *s);
	escape__str(ESCAPE_JSON, out, again, sizeof(again)); /* changes what is not UTF-8 */
	assert_string_equal(again, out);
	if (to == ESCAPE_HTML)
		assert_null(strpbrk(out, "<>\"'"));
	if (to == ESCAPE_ASCII)
		for (const char *s = out; *s; s++)
			assert_true((unsigned char)*s < 0x80);
}

static void random_bytes(void **state)
{
	char in[301], out[ESCAPE_SIZE(300)], small[40];

	(void)state;
	srandom(1);
	for (int round = 0; round < 20000; round++) {
		enum escape_for to = all[round % LEN(all)];
		size_t len = random() % 301, need;

		for (size_t i = 0; i < len; i++)
			in[i] = random() % 3 ? 0x80 + random() % 128 : random() % 128;
		need = escape__mem(to, in, len, out, sizeof(out));
		assert_true(need < sizeof(out));
		assert_int_equal(memchr(out, 0, sizeof(out)) == out + need,
				 to != ESCAPE_JSON || !memchr(in, 0, len));
		check_harmless(to, out);
		assert_int_equal(escape__mem(to, in, len, small, sizeof(small)), need);
		check_harmless(to, small);
	}
}

static void always_fits(void **state)
{
	char in[301] = {0}, out[ESCAPE_SIZE(300)];

	(void)state;
	for (int c = 1; c < 256; c++) {
		memset(in, c, 300);
		for (size_t i = 0; i < LEN(all); i++)
			assert_true(escape__str(all[i], in, out, sizeof(out)) < sizeof(out));
	}
}

static void a_full_disk(void **state)
{
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	if (!f)
		skip_test("no /dev/full");
	setvbuf(f, NULL, _IONBF, 0);
	assert_int_equal(escape__put(ESCAPE_CSV, "a,b", f), -ENOSPC);
	fclose(f);
}

static void widths(void **state)
{
	(void)state;
	assert_int_equal(escape__width(""), 0);
	assert_int_equal(escape__width("abc"), 3);
	assert_int_equal(escape__width("gr\xc3\xbc\xc3\x9f"), 4);
	assert_int_equal(escape__width("\xe4\xb8\xad\xe6\x96\x87"), 4);
	assert_int_equal(escape__width("e\xcc\x81"), 1); /* e and a combining acute */
	assert_int_equal(escape__width("\xf0\x9f\x92\xa9"), 2);
	assert_int_equal(escape__width("\xff\n"), 2);
}

static void check_short(const char *in, unsigned columns, bool utf8, const char *want)
{
	char out[512];

	assert_int_equal(escape__shorten(in, columns, utf8, out), escape__width(want));
	assert_string_equal(out, want);
}

static void shortening(void **state)
{
	char long_name[301] = {0}, out[304];

	(void)state;
	check_short("webserver", 9, true, "webserver");
	check_short("webserver", 8, true, "webserv\xe2\x80\xa6");
	check_short("webserver", 8, false, "webse...");
	check_short("webserver", 1, true, "\xe2\x80\xa6");
	check_short("webserver", 3, false, "...");
	check_short("webserver", 2, false, "..");
	check_short("webserver", 0, true, "");
	check_short("webserver", 0, false, "");
	check_short("ab", 1, true, "\xe2\x80\xa6");
	check_short("\xe4\xb8\xad\xe6\x96\x87\xe5\xad\x97", 4, true, "\xe4\xb8\xad\xe2\x80\xa6");
	check_short("e\xcc\x81xyz", 2, true, "e\xcc\x81\xe2\x80\xa6");
	memset(long_name, 'n', 300);
	assert_int_equal(escape__shorten(long_name, 299, true, out), 299);
	assert_int_equal(strlen(out), 298 + 3);
	assert_int_equal(escape__shorten(long_name, 20, false, out), 20);
}

static void check_squeezed(const char *in, unsigned columns, bool utf8, const char *want)
{
	char out[512];

	assert_int_equal(escape__squeeze(in, columns, utf8, out), escape__width(want));
	assert_string_equal(out, want);
}

/* The end stays. */
static void squeezing(void **state)
{
	char in[128], out[132];

	(void)state;
	check_squeezed("web-frontend-07 vCPU 3", 22, true, "web-frontend-07 vCPU 3");
	check_squeezed("web-frontend-07 vCPU 3", 21, true,
		       "web-fronte\xe2\x80\xa6"
		       "-07 vCPU 3");
	check_squeezed("web-frontend-07 vCPU 3", 15, true, "web-fro\xe2\x80\xa6 vCPU 3");
	check_squeezed("web-frontend-07 vCPU 3", 15, false, "web-fr...vCPU 3");
	check_squeezed("web-frontend-07 vCPU 3", 5, true, "web-\xe2\x80\xa6");
	check_squeezed("web-frontend-07 vCPU 3", 0, true, "");
	check_squeezed("\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad",
		       10, true, "\xe4\xb8\xad\xe4\xb8\xad\xe2\x80\xa6\xe4\xb8\xad\xe4\xb8\xad");
	/* a mark that combines with what is gone goes, too */
	check_squeezed("abcdefghij\xcc\x81klmno", 11, true, "abcde\xe2\x80\xa6klmno");
	for (unsigned columns = 0; columns < 70; columns++)
		for (unsigned n = 0; n < 100; n++) {
			for (unsigned i = 0; i < n; i++)
				in[i] = (i * 37 + n * 11 + columns) % 255 + 1;
			in[n] = '\0';
			assert_in_range(escape__squeeze(in, columns, n % 2, out), 0, columns);
			assert_true(strlen(out) < n + 4);
		}
}

static void fitting(void **state)
{
	(void)state;
	assert_int_equal(escape__fit("abc", 5), 3);
	assert_int_equal(escape__fit("abc", 3), 3);
	assert_int_equal(escape__fit("abc", 2), 2);
	assert_int_equal(escape__fit("abc", 0), 0);
	assert_int_equal(escape__fit("a\xc3\xbc", 2), 1);
	assert_int_equal(escape__fit("a\xc3\xbc", 3), 3);
	assert_int_equal(escape__fit("a\xc3\xbc!", 3), 3);
	assert_int_equal(escape__fit("\xe4\xb8\xad\xe4\xb8\xad", 5), 3);
	assert_int_equal(escape__fit("\xe4\xb8\xad\xe4\xb8\xad", 4), 3);
	assert_int_equal(escape__fit("\xf0\x9f\x92\xa9x", 3), 0);
	assert_int_equal(escape__fit("\xf0\x9f\x92\xa9x", 4), 4);
	assert_int_equal(escape__fit("\x80\x80\x80\x80\x80\x80", 5), 5); /* no UTF-8: anywhere */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_names_stay),
		cmocka_unit_test(terminal),
		cmocka_unit_test(json),
		cmocka_unit_test(html),
		cmocka_unit_test(csv),
		cmocka_unit_test(label),
		cmocka_unit_test(one_policy),
		cmocka_unit_test(hidden_ones),
		cmocka_unit_test(bytes_with_nul),
		cmocka_unit_test(cuts_between_pieces),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(always_fits),
		cmocka_unit_test(a_full_disk),
		cmocka_unit_test(widths),
		cmocka_unit_test(shortening),
		cmocka_unit_test(squeezing),
		cmocka_unit_test(fitting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
