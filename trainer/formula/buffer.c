/* A text that grows. */
#include "formula/buffer.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

enum { LINE = 116 };

/* Room for `more` bytes and a zero. */
static bool reserve(struct buffer *b, size_t more)
{
    if (b->failure.code != GM_OK)
        return false;
    if (b->room - b->size > more)
        return true;
    char *text = NULL;
    size_t room = 2 * b->room + more + 256;
    if (memory_alloc((void **)&text, room, 1, "the plugin's source", &b->failure) != GM_OK)
        return false;
    if (b->size)
        memcpy(text, b->text, b->size);
    memory_free(b->text);
    b->text = text;
    b->room = room;
    return true;
}

static void add_bytes(struct buffer *b, const char *bytes, size_t n)
{
    if (!reserve(b, n))
        return;
    memcpy(b->text + b->size, bytes, n);
    b->size += n;
    b->text[b->size] = 0;
}

void buffer_add(struct buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n >= 0 && reserve(b, (size_t)n)) {
        vsnprintf(b->text + b->size, (size_t)n + 1, format, again);
        b->size += (size_t)n;
    }
    va_end(again);
}

void buffer_add_literal(struct buffer *b, const char *text)
{
    add_bytes(b, "\"", 1);
    for (; *text; text++) {
        if (*text == '\n')
            add_bytes(b, "\\n", 2);
        else if (*text == '"' || *text == '\\')
            buffer_add(b, "\\%c", *text);
        else
            add_bytes(b, (unsigned char)*text < ' ' ? " " : text, 1);
    }
    add_bytes(b, "\"", 1);
}

void buffer_add_comment(struct buffer *b, const char *first, const char *prefix, const char *text)
{
    while (*text) {
        size_t room = LINE - strlen(first), n = strcspn(text, "\n"), cut = n;
        if (n > room) {
            for (cut = room; cut > room / 3 && text[cut] != ' '; cut--)
                ;
            cut = text[cut] == ' ' ? cut : room;
        }
        buffer_add(b, "%s", first);
        for (size_t i = 0; i < cut; i++) {
            bool mark = i > 0 && ((text[i - 1] == '*' && text[i] == '/') || (text[i - 1] == '/' && text[i] == '*'));
            if (mark)
                add_bytes(b, " ", 1);
            add_bytes(b, (unsigned char)text[i] < ' ' ? " " : text + i, 1);
        }
        add_bytes(b, "\n", 1);
        text += cut;
        text += strspn(text, cut < n ? " " : "\n");
        first = prefix;
    }
}

void buffer_add_real(struct buffer *b, double value)
{
    char digits[32];
    if (isinf(value)) {
        buffer_add(b, value < 0 ? "-INFINITY" : "INFINITY");
        return;
    }
    text_from_real(value, digits);
    buffer_add(b, "%s%s", digits, strpbrk(digits, ".en") ? "" : ".0");
}

void buffer_release(struct buffer *b)
{
    memory_free(b->text);
    *b = (struct buffer){0};
}

enum gm_code buffer_take(struct buffer *b, char **out, struct gm_error *err)
{
    if (b->failure.code == GM_OK && !b->text)
        reserve(b, 0);
    if (b->failure.code != GM_OK) {
        enum gm_code code = error_set(err, b->failure.code, "%s", b->failure.text);
        buffer_release(b);
        return code;
    }
    *out = b->text;
    *b = (struct buffer){0};
    return GM_OK;
}
