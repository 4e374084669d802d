// SPDX-License-Identifier: BSD-2-Clause
/* See svg.h. */
#include <limits.h>
#include <string.h>
#include "escape.h"
#include "svg.h"

static const char style[] =
	"<style>\n"
	"text{font:12px system-ui,-apple-system,'Segoe UI','Liberation Sans',Arial,sans-serif;"
	"fill:#1b2430}\n"
	".title{font-size:17px;font-weight:600}\n"
	".vm{font-size:13px;font-weight:600}\n"
	".dim{fill:#5d6876;font-weight:400;font-size:11px}\n"
	".num{font-variant-numeric:tabular-nums}\n"
	".end{text-anchor:end}.mid{text-anchor:middle}\n"
	".bg{fill:#fff}\n"
	".grid{stroke:#1b2430;stroke-opacity:.14;stroke-width:1}\n"
	".row{fill:none;stroke:#1b2430;stroke-opacity:.12;stroke-width:1}\n"
	"path{shape-rendering:crispEdges}\n"
	".running,.on_or_user{fill:#6bb3dd}\n"
	".user{fill:#b9dbee}\n"
	".preempted{fill:#d55e00}\n"
	".woken{fill:#f2b27c}\n"
	".halted{fill:#e9edf1}\n"
	".sleeping{fill:#a5dcc0}\n"
	".unknown{fill:url(#unknown)}\n"
	".elsewhere{fill:url(#elsewhere)}\n"
	".absent{fill:none;stroke:#1b2430;stroke-opacity:.25}\n"
	".lines1{stroke:#8e3b8a}.ground1{fill:#f6e6f3}\n"
	".lines2{stroke:#aab2bb}.ground2{fill:#fff}\n"
	".who{fill:#fff;font-weight:600}\n"
	".hit{fill:#000;fill-opacity:0}\n"
	".hit:hover{fill-opacity:.18}\n"
	".wait{fill:none;stroke:#1b2430;stroke-width:1.5}\n"
	".mark{fill:#1b2430;stroke:#fff;stroke-width:1.5}\n"
	".lead{fill:none;stroke:#1b2430;stroke-width:1.5;shape-rendering:auto}"
	".foot{fill:#1b2430;stroke:#fff;stroke-width:1}\n"
	".rank{fill:#fff;font-size:10px;font-weight:700;text-anchor:middle}\n"
	"@media (prefers-color-scheme:dark){\n"
	"text{fill:#e4e9ef}.dim{fill:#9aa6b4}.bg{fill:#11161c}\n"
	".grid,.row,.absent{stroke:#e4e9ef}\n"
	".running,.on_or_user{fill:#3d86b5}.user{fill:#2a566f}.preempted{fill:#ff7f24}"
	".woken{fill:#a3561d}\n"
	".halted{fill:#242d37}.sleeping{fill:#2c7257}\n"
	".lines1{stroke:#d68fd0}.ground1{fill:#3a2238}.lines2{stroke:#5d6876}.ground2{fill:#11161c}\n"
	".who{fill:#11161c}.wait,.lead{stroke:#fff}.foot{fill:#fff;stroke:#11161c}.mark{fill:#fff;stroke:#11161c}.rank{fill:#11161c}\n"
	".hit{fill:#fff;fill-opacity:0}}\n"
	"</style>\n"
	"<defs>\n"
	"<pattern id=\"unknown\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
	"<rect class=\"ground1\" width=\"6\" height=\"6\"/>"
	"<path class=\"lines1\" d=\"M-1 1l2-2M0 6l6-6M5 7l2-2\" style=\"shape-rendering:auto\"/>"
	"</pattern>\n"
	"<pattern id=\"elsewhere\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
	"<rect class=\"ground2\" width=\"6\" height=\"6\"/>"
	"<path class=\"lines2\" d=\"M-1 5l2 2M0 0l6 6M5 -1l2 2\" style=\"shape-rendering:auto\"/>"
	"</pattern>\n"
	"</defs>\n";

void svg__begin(FILE *f, unsigned width, unsigned height, const char *title)
{
	fprintf(f,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"viewBox=\"0 0 %u %u\">\n<title>",
		width, height, width, height);
	svg__text(f, title, UINT_MAX);
	fputs("</title>\n", f);
	fputs(style, f);
	fputs("<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n", f);
}

void svg__end(FILE *f)
{
	fputs("</svg>\n", f);
}

#define TEXT_MAX 1024 /* bytes */

static void put(FILE *f, const char *raw, unsigned letters,
		unsigned (*cut)(const char *s, unsigned columns, bool utf8, char *out))
{
	char plain[ESCAPE_SIZE(TEXT_MAX)], brief[sizeof(plain) + 4];

	escape__mem(ESCAPE_TERMINAL, raw, escape__fit(raw, TEXT_MAX), plain, sizeof(plain));
	cut(plain, letters, true, brief);
	escape__put(ESCAPE_MARKUP, brief, f);
}

void svg__text(FILE *f, const char *raw, unsigned letters)
{
	put(f, raw, letters, escape__shorten);
}

void svg__name(FILE *f, const char *raw, unsigned letters)
{
	put(f, raw, letters, escape__squeeze);
}
