/* Writing JSON (RFC 8259). */
#include "cli/json.h"

#include <inttypes.h>
#include <math.h>

#include "base/text.h"

static void quote(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20)
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
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
