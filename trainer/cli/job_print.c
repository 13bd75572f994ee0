/* The schema as a reference: `gradmill train --keys` and the tables of docs/job-file.md. */
#include "cli/job.h"

#include <string.h>

/* Help is wrapped at this column. */
#define WIDTH 100

static void print_wrapped(FILE *out, const char *text, size_t indent)
{
    size_t column = 0;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (column && column + 1 + length > WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        if (column == 0)
            column = (size_t)fprintf(out, "%*s", (int)indent, "");
        else
            column += (size_t)fprintf(out, " ");
        column += (size_t)fprintf(out, "%.*s", (int)length, text);
        text += length + (text[length] == ' ');
    }
    fputc('\n', out);
}

void job_print_keys(FILE *out)
{
    char expected[JOB_EXPECTED];
    size_t count;
    const struct job_key *keys = job_keys(&count);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s%s%s\n", keys[i].path, keys[i].fallback ? ": " : "", keys[i].fallback ? keys[i].fallback : "");
        print_wrapped(out, keys[i].help, 4);
        fprintf(out, "    takes %s", job_expected(&keys[i], expected));
        if (keys[i].model)
            fprintf(out, "; model.type %s only", job_key_models(&keys[i], expected));
        fputc('\n', out);
    }
}

/* '|' ends a cell of a Markdown table. */
static void print_cell(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputs(" | ", out);
}

void job_print_markdown(FILE *out)
{
    char expected[JOB_EXPECTED];
    size_t count;
    const struct job_key *keys = job_keys(&count);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "| `%s` | ", keys[i].path);
        print_cell(out, job_expected(&keys[i], expected));
        print_cell(out, keys[i].fallback ? keys[i].fallback : "");
        fprintf(out, "%s%s%s |\n", keys[i].help, keys[i].model ? "; only for model type " : "",
                keys[i].model ? job_key_models(&keys[i], expected) : "");
    }
}
