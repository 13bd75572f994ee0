/*
 * Every sentence of an error is read by a test. The sentences are what stands in calls that fill an error, in trainer/
 * and datasets/; what tests read are the strings in tests/. A string reads a sentence when it could be a part of it,
 * whatever the sentence's %s became, and shares some letters in a row with it.
 */
#include "support.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "floors/source.h"

#define IN_A_ROW 10     /* letters that a string and a sentence must share, or the longest that the sentence has */
#define TOO_FEW  6      /* a sentence without so many, as "%s: %s.", says what others wrote */
#define LONGEST  2000   /* characters of a string */
#define ANY      '\001' /* what the program puts in */

/* Calls, and which argument is the sentence, from 0, or a part of one. */
static const struct {
    const char *call;
    int argument;
    bool is_part;
} calls[] = {{"error_set", 2, false},  {"message_usage", 1, false}, {"lexer_error", 3, false}, {"job_fail", 3, true},
             {"fail_at", 2, true},     {"damaged", 1, true},        {"differ", 2, true},       {"get_failed", 2, true},
             {"say_missing", 1, true}, {"say_candidates", 2, true}};

struct strings {
    char **list;
    size_t count, room;
};
static struct strings read_by_tests;

/* By 6 letters in a row: the strings of the tests that hold them. */
struct posting {
    uint32_t string, next; /* both counted from 1 */
};
#define BUCKETS (1u << 18)
static uint32_t buckets[BUCKETS];
static struct posting *postings;
static size_t n_postings, postings_room;

static size_t sentences, unread;

static void *grown(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    *room = *room ? 2 * *room : 1024;
    list = realloc(list, *room * size);
    if (!list)
        abort();
    return list;
}

static uint32_t *bucket(const char *six)
{
    uint64_t h = 0;
    for (int i = 0; i < TOO_FEW; i++)
        h = (h ^ (unsigned char)six[i]) * 0x9E3779B97F4A7C15u;
    return &buckets[h >> 46];
}

/* ---- strings of C ---- */

/* One literal at *at, its escapes resolved, its conversions ANY where asked for; *at moves behind it. */
static size_t literal(const char **at, bool is_format, char *out, size_t used)
{
    const char *c = *at + 1;
    while (*c && *c != '"' && used < LONGEST - 2) {
        if (*c == '\\') {
            c++;
            out[used++] = *c == 'n' ? '\n' : *c == 't' ? '\t' : isdigit((unsigned char)*c) || *c == 'x' ? '?' : *c;
            c++;
        } else if (is_format && *c == '%' && c[1] != '%') {
            c += 1 + strcspn(c + 1, "diouxXeEfFgGcsp\"");
            c += *c && *c != '"';
            out[used++] = ANY;
        } else {
            c += is_format && *c == '%';
            out[used++] = *c++;
        }
    }
    *at = *c == '"' ? c + 1 : c;
    return used;
}

/* The string that begins at *at: literals that stand side by side; a macro between them is ANY. */
static const char *string(const char **at, bool is_format)
{
    static char text[LONGEST];
    size_t used = literal(at, is_format, text, 0);
    for (const char *c = *at;;) {
        c += strspn(c, " \t\n");
        if (*c == '"') {
            used = literal(&c, is_format, text, used);
            *at = c;
        } else if (isupper((unsigned char)*c) && used < LONGEST - 2) {
            text[used++] = ANY;
            while (isalnum((unsigned char)*c) || *c == '_')
                c++;
        } else {
            text[used] = 0;
            return text;
        }
    }
}

/* The next quote that opens a string, or the end. */
static const char *next_string(const char *at)
{
    for (; *at && *at != '"'; at++)
        if (*at == '\'')
            at += at[1] == '\\' ? 3 : 2;
    return at;
}

/* ---- what tests read ---- */

static void add_part(const char *text, size_t length)
{
    struct strings *s = &read_by_tests;
    if (length < TOO_FEW)
        return;
    s->list = grown(s->list, s->count, &s->room, sizeof *s->list);
    s->list[s->count++] = strndup(text, length);
    for (size_t i = 0; i + TOO_FEW <= length; i++) {
        uint32_t *first = bucket(text + i);
        if (*first && postings[*first - 1].string == s->count)
            continue;
        postings = grown(postings, n_postings, &postings_room, sizeof *postings);
        postings[n_postings] = (struct posting){(uint32_t)s->count, *first};
        *first = (uint32_t)++n_postings;
    }
}

static void take_strings(const char *root, const char *file, char *text)
{
    (void)root;
    if (strcmp(file, "tests/floors/test_sentences.c") == 0)
        return;
    source_blank_comments(text);
    for (const char *at = text; *(at = next_string(at));)
        for (const char *part = string(&at, false); *part; part += strspn(part, "\001")) {
            size_t length = strcspn(part, "\001");
            add_part(part, length);
            part += length;
        }
}

/* ---- does a string read a sentence? ---- */

/* After `text`, where in the sentence may we be, and how many letters in a row have been shared on the way? */
struct place {
    short now, most; /* most -1: not here */
};

static void come_to(struct place *places, const char *sentence, size_t i, struct place p)
{
    while (p.most > places[i].most || (p.most == places[i].most && p.now > places[i].now)) {
        places[i] = p;
        if (sentence[i] != ANY)
            return;
        i++; /* which may be nothing */
        p.now = 0;
    }
}

static int shared(const char *sentence, const char *text)
{
    static struct place places[2][LONGEST];
    size_t length = strlen(sentence);
    int most = 0;
    for (size_t i = 0; i <= length; i++)
        places[0][i] = (struct place){0, 0};
    for (size_t t = 0; text[t]; t++) {
        const struct place *from = places[t % 2];
        struct place *to = places[(t + 1) % 2];
        most = -1;
        for (size_t i = 0; i <= length; i++)
            to[i].most = -1;
        for (size_t i = 0; i < length; i++) {
            struct place p = from[i];
            if (p.most < 0 || (sentence[i] != ANY && sentence[i] != text[t]))
                continue;
            bool any = sentence[i] == ANY;
            p.now = any ? 0 : (short)(p.now + 1);
            p.most = p.now > p.most ? p.now : p.most;
            come_to(to, sentence, any ? i : i + 1, p);
            most = p.most > most ? p.most : most;
        }
        if (most < 0)
            return 0;
    }
    return most;
}

static bool is_read(const char *sentence)
{
    size_t longest = 0, length = strlen(sentence);
    for (const char *s = sentence; *s; s += strcspn(s, "\001"), s += *s == ANY)
        longest = strcspn(s, "\001") > longest ? strcspn(s, "\001") : longest;
    if (longest < TOO_FEW)
        return true;
    int wanted = longest < IN_A_ROW ? (int)longest : IN_A_ROW;
    for (size_t i = 0; i + TOO_FEW <= length; i++)
        if (!memchr(sentence + i, ANY, TOO_FEW))
            for (uint32_t p = *bucket(sentence + i); p; p = postings[p - 1].next)
                if (shared(sentence, read_by_tests.list[postings[p - 1].string - 1]) >= wanted)
                    return true;
    return false;
}

/* ---- what errors say ---- */

/* All strings in the argument of the call whose arguments begin at `at`. */
static void look_at_call(const char *file, const char *text, const char *at, size_t call)
{
    char sentence[LONGEST + 2];
    int depth = 0, argument = 0;
    while (*at && depth >= 0) {
        if (*at == '"') {
            size_t line = 1;
            for (const char *c = text; c < at; c++)
                line += *c == '\n';
            const char *part = calls[call].is_part ? "\001" : "";
            snprintf(sentence, sizeof sentence, "%s%s%s", part, string(&at, true), part);
            if (argument != calls[call].argument)
                continue;
            sentences++;
            if (is_read(sentence))
                continue;
            unread++;
            printf("\n    %s:%zu: no test reads: ", file, line);
            for (const char *c = sentence; *c; c++)
                putchar(*c == ANY ? '%' : *c);
        } else if (*at == '\'') {
            at += at[1] == '\\' ? 4 : 3;
        } else {
            depth += (*at == '(' || *at == '{') - (*at == ')' || *at == '}');
            argument += *at == ',' && depth == 0;
            at++;
        }
    }
}

static void look_at_calls(const char *root, const char *file, char *text)
{
    (void)root;
    source_blank_comments(text);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        size_t length = strlen(calls[i].call);
        for (const char *at = text; (at = strstr(at, calls[i].call)); at += length)
            if ((at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_')) && at[length] == '(')
                look_at_call(file, text, at + length + 1, i);
    }
}

static void every_sentence_is_read_by_a_test(void)
{
    static const char *const tests[] = {"tests"}, *const ours[] = {"trainer", "datasets"};
    CU_ASSERT(source_walk(tests, 1, take_strings) > 50);
    sentences = unread = 0;
    CU_ASSERT(source_walk(ours, 2, look_at_calls) > 50);
    CU_ASSERT(sentences > 400);
    CU_ASSERT_EQUAL(unread, 0);
    printf("\n    %zu of %zu sentences are read", sentences - unread, sentences);
}

/* The test of the test. */
static void what_reads_a_sentence(void)
{
    CU_ASSERT_EQUAL(shared("\001: row \001 is wrong.", "row 7 is wrong"), 9);
    CU_ASSERT_EQUAL(shared("\001: row \001 is wrong.", "a.h5: row 7 is wrong."), 10);
    CU_ASSERT_EQUAL(shared("\001: row \001 is wrong.", "row 7 is bad"), 4); /* "row " */
    CU_ASSERT_EQUAL(shared("The data are\001\001 wrong", "data are wrong"), 8);
}

TEST_MAIN("sentences", TEST(what_reads_a_sentence), TEST(every_sentence_is_read_by_a_test))
