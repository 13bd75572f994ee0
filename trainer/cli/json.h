/* One JSON object on one line, numbers in their shortest form that reads back the same. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *out;
    bool comma; /* the next member needs one before it */
};

/* `name` NULL: an entry of a list. */
void json_open(struct json *json, const char *name);                   /* { */
void json_close(struct json *json);                                    /* } */
void json_list(struct json *json, const char *name);                   /* [ */
void json_list_end(struct json *json);                                 /* ] */
void json_text(struct json *json, const char *name, const char *text); /* NULL: null */
void json_real(struct json *json, const char *name, double value);     /* not finite: null */
void json_count(struct json *json, const char *name, uint64_t value);
void json_bool(struct json *json, const char *name, bool value);

#endif
