/* Writing JSON (RFC 8259). */
#include "cli/json.h"

#include <inttypes.h>
#include <math.h>

#include "base/text.h"

/* Bytes of the UTF-8 character at c (RFC 3629), 0 when it is none. */
static size_t utf8_length(const unsigned char *c)
{
    size_t length = c[0] < 0x80 ? 1 : c[0] >= 0xC2 && c[0] < 0xE0 ? 2 : (c[0] & 0xF0) == 0xE0 ? 3 : 0;
    if (c[0] >= 0xF0 && c[0] <= 0xF4)
        length = 4;
    for (size_t i = 1; i < length; i++)
        if ((c[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (c[0] == 0xE0 && c[1] < 0xA0) || (c[0] == 0xF0 && c[1] < 0x90);
    bool outside = (c[0] == 0xED && c[1] > 0x9F) || (c[0] == 0xF4 && c[1] > 0x8F);
    return overlong || outside ? 0 : length;
}

/* Names come from data files: bytes that are not UTF-8 become U+FFFD, so that the line stays JSON. */
static void quote(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        size_t length = utf8_length(c);
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20)
            fprintf(out, "\\u%04x", *c);
        else if (length == 0)
            fputs("\\ufffd", out);
        else
            fwrite(c, 1, length, out);
        c += length ? length : 1;
    }
    fputc('"', out);
}

static void start(struct json *json, const char *name)
{
    if (json->comma)
        fputc(',', json->out);
    if (name) {
        quote(json->out, name);
        fputc(':', json->out);
    }
    json->comma = true;
}

void json_open(struct json *json, const char *name)
{
    start(json, name);
    fputc('{', json->out);
    json->comma = false;
}

void json_close(struct json *json)
{
    fputc('}', json->out);
    json->comma = true;
}

void json_list(struct json *json, const char *name)
{
    start(json, name);
    fputc('[', json->out);
    json->comma = false;
}

void json_list_end(struct json *json)
{
    fputc(']', json->out);
    json->comma = true;
}

void json_text(struct json *json, const char *name, const char *text)
{
    start(json, name);
    if (text)
        quote(json->out, text);
    else
        fputs("null", json->out);
}

void json_real(struct json *json, const char *name, double value)
{
    char number[32];
    start(json, name);
    fputs(isfinite(value) ? text_from_real(value, number) : "null", json->out);
}

void json_count(struct json *json, const char *name, uint64_t value)
{
    start(json, name);
    fprintf(json->out, "%" PRIu64, value);
}

void json_bool(struct json *json, const char *name, bool value)
{
    start(json, name);
    fputs(value ? "true" : "false", json->out);
}
