/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page of `export --to html`: user/html/page.html, which has places for the style, the script
 * and the data, as it was when the program was built. Knows nothing of what comes into it.
 */
#ifndef KVMSCHED_HTML_PAGE_H
#define KVMSCHED_HTML_PAGE_H

#include <stdio.h>

/* In the order in which they stand in the page; style and script are filled in here. */
enum html_place {
	HTML_STYLE,
	HTML_SPANS, /* inside a <script>: lines of JSON */
	HTML_DATA,  /* inside a <script>: one JSON object */
	HTML_PLAIN, /* inside a <noscript>: HTML */
	HTML_SCRIPT,
	HTML_END,
};

/* Writes the page from behind one place (HTML_STYLE: from its very start) to the next one that is
 * the caller's to fill, or to its end: first HTML_STYLE, then HTML_SPANS, HTML_DATA, HTML_PLAIN.
 * Errors are f's. */
void html_page__write(FILE *f, enum html_place from);

#endif
