// SPDX-License-Identifier: BSD-2-Clause
/*
 * A small reader for a part of TSDL. It follows brackets to know which block it is in, and
 * understands nothing else, so it accepts any metadata; whoever calls it decides what must be
 * there.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include "ctf_env.h"

enum token_kind { TOK_END, TOK_BAD, TOK_WORD, TOK_STRING, TOK_NUMBER, TOK_PUNCT };

struct token {
	enum token_kind kind;
	char text[ENV_TEXT_MAX]; /* PUNCT: one character */
	__u64 number;
};

struct lexer {
	const char *p;
	const char *end; /* *end is NUL */
	int bad;	 /* nothing after a bad token makes sense */
};

static void skip_blank(struct lexer *l)
{
	const char *close;

	for (;;) {
		while (l->p < l->end && isspace((unsigned char)*l->p))
			l->p++;
		if (!strncmp(l->p, "/*", 2)) {
			close = strstr(l->p + 2, "*/");
			l->p = close ? close + 2 : l->end;
		} else if (!strncmp(l->p, "//", 2)) {
			l->p += strcspn(l->p, "\n");
		} else {
			return;
		}
	}
}

static int is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* The character after a backslash; octal is what env__write_string() makes. -1 = no such escape. */
static int unescape(struct lexer *l)
{
	int c = *l->p++, value = c - '0';

	if (c == '"' || c == '\\')
		return c;
	if (c == 'n')
		return '\n';
	if (c == 't')
		return '\t';
	if (!is_octal(c))
		return -1;
	for (int digits = 1; digits < 3 && is_octal(*l->p); digits++)
		value = value * 8 + *l->p++ - '0';
	return value && value < 256 ? value : -1;
}

static enum token_kind lex_string(struct lexer *l, struct token *t)
{
	size_t n = 0;

	for (l->p++; l->p < l->end && *l->p && *l->p != '"'; n++) {
		int c = (unsigned char)*l->p++;

		if (c == '\\')
			c = l->p < l->end ? unescape(l) : -1;
		if (c < 0 || n + 1 >= sizeof(t->text))
			return TOK_BAD;
		t->text[n] = c;
	}
	if (*l->p != '"')
		return TOK_BAD;
	l->p++;
	t->text[n] = '\0';
	return TOK_STRING;
}

static int digit_of(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	if (isxdigit((unsigned char)c))
		return tolower((unsigned char)c) - 'a' + 10;
	return 99;
}

static enum token_kind lex_number(struct lexer *l, struct token *t)
{
	int base = 10;

	if (l->p[0] == '0' && tolower((unsigned char)l->p[1]) == 'x') {
		base = 16;
		l->p += 2;
	}
	if (digit_of(*l->p) >= base)
		return TOK_BAD;
	for (t->number = 0; digit_of(*l->p) < base; l->p++) {
		if (__builtin_mul_overflow(t->number, base, &t->number) ||
		    __builtin_add_overflow(t->number, digit_of(*l->p), &t->number))
			return TOK_BAD;
	}
	return TOK_NUMBER;
}

static int is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static enum token_kind lex_word(struct lexer *l, struct token *t)
{
	size_t n = 0;

	for (; is_word(*l->p); l->p++) {
		if (n + 1 >= sizeof(t->text))
			return TOK_BAD;
		t->text[n++] = *l->p;
	}
	t->text[n] = '\0';
	return TOK_WORD;
}

static void next_token(struct lexer *l, struct token *t)
{
	skip_blank(l);
	if (l->bad) {
		t->kind = TOK_BAD;
	} else if (l->p >= l->end) {
		t->kind = TOK_END;
	} else if (*l->p == '"') {
		t->kind = lex_string(l, t);
	} else if (isdigit((unsigned char)*l->p)) {
		t->kind = lex_number(l, t);
	} else if (is_word(*l->p)) {
		t->kind = lex_word(l, t);
	} else {
		t->kind = *l->p ? TOK_PUNCT : TOK_BAD;
		t->text[0] = *l->p++;
		t->text[1] = '\0';
	}
	l->bad = t->kind == TOK_BAD;
}

static int is_punct(const struct token *t, char c)
{
	return t->kind == TOK_PUNCT && t->text[0] == c;
}

/* After `key =`: the value, if it is one of the kinds we know; t is left at the token after it. */
static int read_value(struct lexer *l, struct token *t, struct env_value *v)
{
	next_token(l, t);
	v->negative = is_punct(t, '-');
	if (v->negative)
		next_token(l, t);
	switch (t->kind) {
	case TOK_WORD:
		v->kind = ENV_WORD;
		break;
	case TOK_STRING:
		v->kind = ENV_STRING;
		break;
	case TOK_NUMBER:
		v->kind = ENV_NUMBER;
		v->magnitude = t->number;
		break;
	default:
		return 0;
	}
	if (v->kind == ENV_NUMBER)
		*v->text = '\0';
	else
		memcpy(v->text, t->text, strlen(t->text) + 1);
	next_token(l, t);
	return is_punct(t, ';');
}

int env__parse(const char *text, size_t len, env_fn fn, void *ctx)
{
	struct lexer l = {text, text + len, 0};
	char block[ENV_TEXT_MAX] = "", word[ENV_TEXT_MAX] = "";
	struct token t;
	struct env_value v;
	int err = 0;
	size_t depth = 0;

	for (next_token(&l, &t); !err && t.kind != TOK_END && t.kind != TOK_BAD;
	     next_token(&l, &t)) {
		if (t.kind == TOK_WORD) {
			memcpy(depth ? word : block, t.text, strlen(t.text) + 1);
			continue;
		}
		if (depth == 1 && is_punct(&t, '=') && *word && read_value(&l, &t, &v))
			err = fn(ctx, block, word, &v);
		if (is_punct(&t, '{'))
			depth++;
		else if (is_punct(&t, '}') && !depth--)
			return -EBADMSG;
		*word = '\0';
	}
	if (err)
		return err;
	return t.kind == TOK_BAD || depth ? -EBADMSG : 0;
}

void env__write_string(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++) {
		unsigned char c = *s;

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c >= ' ' && c <= '~')
			fputc(c, f);
		else
			fprintf(f, "\\%03o", c);
	}
	fputc('"', f);
}
