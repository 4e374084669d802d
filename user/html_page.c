// SPDX-License-Identifier: BSD-2-Clause
/* The assembler reads the files, so that nothing has to be made of them first. */
#define _GNU_SOURCE
#include <string.h>
#include "html_page.h"

#define FILE_OF(name) ".incbin \"user/html/" name "\"\n"
#define EMBED(symbol, files)                                                                   \
	__asm__(".pushsection .rodata\n.global " #symbol "\n.global " #symbol "_end\n" #symbol \
		":\n" files #symbol "_end:\n.byte 0\n.popsection\n");                          \
	extern const char symbol[], symbol##_end[]

EMBED(html_page_html, FILE_OF("page.html"));
EMBED(html_page_css, FILE_OF("page.css"));
/* One script: each file knows those before it. */
EMBED(html_page_js,
      FILE_OF("data.js") FILE_OF("text.js") FILE_OF("strips.js") FILE_OF("timeline.js")
	      FILE_OF("move.js") FILE_OF("hands.js") FILE_OF("search.js") FILE_OF("details.js")
		      FILE_OF("tables.js") FILE_OF("start.js"));

static const char *const mark[] = {
	[HTML_STYLE] = "/*STYLE*/",    [HTML_SPANS] = "/*SPANS*/",   [HTML_DATA] = "/*DATA*/",
	[HTML_PLAIN] = "<!--PLAIN-->", [HTML_SCRIPT] = "/*SCRIPT*/",
};

static const char *find(enum html_place p)
{
	const char *at = p < HTML_END ? strstr(html_page_html, mark[p]) : NULL;

	return at ?: html_page_html_end;
}

/* The page between two places. */
static void write_between(FILE *f, enum html_place from, enum html_place to)
{
	const char *start = from == HTML_END ? html_page_html : find(from) + strlen(mark[from]);

	fwrite(start, 1, find(to) - start, f);
}

void html_page__write(FILE *f, enum html_place from)
{
	if (from == HTML_STYLE) {
		write_between(f, HTML_END, HTML_STYLE);
		fwrite(html_page_css, 1, html_page_css_end - html_page_css, f);
		write_between(f, HTML_STYLE, HTML_SPANS);
	} else if (from == HTML_PLAIN) {
		write_between(f, HTML_PLAIN, HTML_SCRIPT);
		fwrite(html_page_js, 1, html_page_js_end - html_page_js, f);
		write_between(f, HTML_SCRIPT, HTML_END);
	} else {
		write_between(f, from, from + 1);
	}
}
