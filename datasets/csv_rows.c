/* libcsv's stream of fields gathered into records, with line numbers. What the cells mean is for csv.c. */
#include "datasets/csv_rows.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <csv.h>

#include "base/error.h"
#include "base/memory.h"
#include "datasets/list.h"

#define BUFFER_BYTES ((size_t)1 << 18)
#define FIELD_STEP   ((size_t)1 << 16)  /* its buffer grows by this */
#define FIELD_BYTES  ((size_t)16 << 20) /* a longer field is a missing quote */

struct gathering {
    const struct csv_reading *reading;
    struct csv_record record;
    char *text; /* the cells behind each other, each with a zero */
    size_t *starts;
    size_t text_used, text_room, starts_room, cells_room;
    size_t line;  /* where the next byte is */
    size_t begin; /* where the record began */
    int last_end; /* the terminator of the line before */
    enum gm_code code;
    struct gm_error *err;
};

static void *bounded_realloc(void *pointer, size_t size)
{
    return size > FIELD_BYTES ? NULL : realloc(pointer, size);
}

/* libcsv calls this for each field. */
static void take_field(void *field, size_t length, void *context)
{
    struct gathering *g = context;
    if (g->code)
        return;
    if (memchr(field, 0, length)) {
        g->code = error_set(g->err, GM_BAD_DATA, "%s: line %zu: a zero byte. Expected text, found binary data.",
                            g->record.path, g->line);
        return;
    }
    if (g->record.count == 0)
        g->begin = g->line;
    const char *from = field;
    size_t breaks = 0;
    for (const char *p = from; (p = memchr(p, '\n', length - (size_t)(p - from))); p++)
        breaks++;
    g->line += breaks;
    while (length && (*from == ' ' || *from == '\t'))
        from++, length--;
    while (length && (from[length - 1] == ' ' || from[length - 1] == '\t'))
        length--;
    g->code = list_reserve((void **)&g->text, &g->text_room, g->text_used, g->text_used + length + 1, 1, g->err);
    if (g->code == GM_OK)
        g->code = list_reserve((void **)&g->starts, &g->starts_room, g->record.count, g->record.count + 1,
                               sizeof(size_t), g->err);
    if (g->code)
        return;
    memcpy(g->text + g->text_used, from, length);
    g->text[g->text_used + length] = 0;
    g->starts[g->record.count++] = g->text_used;
    g->text_used += length + 1;
}

/* libcsv calls this for each line end, also of empty lines, and once at the end of the file with -1. */
static void take_end(int end, void *context)
{
    struct gathering *g = context;
    if (g->code)
        return;
    if (g->record.count) {
        g->code = list_reserve((void **)&g->record.cells, &g->cells_room, 0, g->record.count, sizeof(char *), g->err);
        if (g->code)
            return;
        for (size_t i = 0; i < g->record.count; i++)
            g->record.cells[i] = g->text + g->starts[i];
        g->record.line = g->begin;
        g->code = g->reading->record(g->reading->context, &g->record, g->err);
        g->record.count = g->text_used = 0;
    }
    bool second_half = end == '\n' && g->last_end == '\r'; /* "\r\n" is one line end */
    if (end != -1 && !second_half)
        g->line++;
    g->last_end = second_half ? 0 : end;
}

char csv_delimiter(const char *text, size_t size)
{
    size_t commas = 0, semicolons = 0, tabs = 0;
    bool quoted = false;
    for (size_t i = 0; i < size && (quoted || (text[i] != '\n' && text[i] != '\r')); i++) {
        quoted ^= text[i] == '"';
        commas += !quoted && text[i] == ',';
        semicolons += !quoted && text[i] == ';';
        tabs += !quoted && text[i] == '\t';
    }
    if (tabs > commas && tabs >= semicolons)
        return '\t';
    return semicolons > commas ? ';' : ',';
}

/* The first bytes tell what is no CSV file at all. */
static enum gm_code refuse_other_formats(const char *path, const char *text, size_t size, struct gm_error *err)
{
    if (size >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
        return error_set(err, GM_BAD_DATA,
                         "%s: UTF-16 text. Convert it first: iconv -f UTF-16 -t UTF-8 IN.csv > OUT.csv", path);
    if (size >= 4 && !memcmp(text, "\x89HDF", 4))
        return error_set(err, GM_BAD_DATA, "%s: already an HDF5 file: train on it as it is.", path);
    if (size >= 4 && !memcmp(text, "PK\x03\x04", 4))
        return error_set(err, GM_BAD_DATA, "%s: a ZIP archive or spreadsheet. Save the sheet as CSV first.", path);
    return GM_OK;
}

static enum gm_code parse_failure(struct csv_parser *parser, const struct gathering *g, struct gm_error *err)
{
    if (csv_error(parser) == CSV_ENOMEM)
        return error_set(err, GM_BAD_DATA,
                         "%s: line %zu: a field longer than 16 MiB, or no memory. Is a closing quote missing?",
                         g->record.path, g->line);
    return error_set(
        err, GM_BAD_DATA,
        "%s: line %zu, field %zu: bad quotes. Expected \"...\" around the whole field and \"\" for a quote "
        "within it.",
        g->record.path, g->line, g->record.count + 1);
}

static enum gm_code read_buffers(struct input *in, struct gathering *g, struct csv_parser *parser, char *buffer)
{
    for (bool first = true;; first = false) {
        size_t got, skip = 0;
        enum gm_code code = input_read(in, buffer, BUFFER_BYTES, &got, g->err);
        if (code)
            return code;
        if (first) {
            if ((code = refuse_other_formats(in->path, buffer, got, g->err)))
                return code;
            skip = got >= 3 && !memcmp(buffer, "\xef\xbb\xbf", 3) ? 3 : 0;
            csv_set_delim(parser, (unsigned char)csv_delimiter(buffer + skip, got - skip));
        }
        if (csv_parse(parser, buffer + skip, got - skip, take_field, take_end, g) != got - skip)
            return g->code ? g->code : parse_failure(parser, g, g->err);
        if (g->code == GM_OK && got < BUFFER_BYTES && csv_fini(parser, take_field, take_end, g) != 0)
            return g->code ? g->code : parse_failure(parser, g, g->err);
        if (g->code || got < BUFFER_BYTES)
            return g->code;
        if (g->reading->buffer)
            g->reading->buffer(g->reading->context, in);
    }
}

enum gm_code csv_read(struct input *in, const struct csv_reading *reading, struct gm_error *err)
{
    struct csv_parser parser;
    char *buffer = NULL;
    struct gathering g = {.reading = reading, .record.path = in->path, .line = 1, .begin = 1, .err = err};
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0)
        return error_memory(err, "the CSV parser", sizeof parser);
    csv_set_realloc_func(&parser, bounded_realloc);
    csv_set_blk_size(&parser, FIELD_STEP);
    enum gm_code code = memory_alloc((void **)&buffer, BUFFER_BYTES, 1, "a read buffer", err);
    if (code == GM_OK)
        code = read_buffers(in, &g, &parser, buffer);
    memory_free(buffer);
    memory_free(g.text);
    memory_free(g.starts);
    memory_free(g.record.cells);
    csv_free(&parser);
    return code;
}
