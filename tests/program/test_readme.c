/* README.md keeps its word: its loss builds by the line shown and trains, its job is the demo's, its links lead
 * somewhere, and its table of packages is that of scripts/packages.sh. What is expected is what the README says. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 1 << 16 };

static void read_source(const char *name, char text[ROOM])
{
    FILE *file = fopen(test_source(name), "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    size_t size = fread(text, 1, ROOM, file);
    fclose(file);
    CU_ASSERT_FATAL(size > 0 && size < ROOM);
    text[size] = 0;
}

/* The first block "```language" after `heading`, without its fences. */
static void listing(const char *heading, const char *language, char text[ROOM])
{
    char fence[32];
    read_source("README.md", text);
    snprintf(fence, sizeof fence, "\n```%s\n", language);
    const char *at = strstr(text, heading);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    at = strstr(at, fence);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    at += strlen(fence);
    const char *end = strstr(at, "\n```");
    CU_ASSERT_PTR_NOT_NULL_FATAL(end);
    size_t size = (size_t)(end + 1 - at);
    memmove(text, at, size);
    text[size] = 0;
}

static void expect_success(const char *const *arguments, const char *out)
{
    struct test_result result = test_program(arguments);
    CU_ASSERT_EQUAL(result.exit_code, 0);
    ASSERT_HOLDS(result.out, out);
    test_result_free(&result);
}
#define EXPECT(out, ...) expect_success((const char *const[]){__VA_ARGS__, NULL}, out)

static char text[ROOM];

static void its_loss_builds_passes_its_checks_and_trains(void)
{
    listing("## A loss of your own, in C", "c", text);
    test_write(test_path("too_low.c"), text);
    listing("## A loss of your own, in C", "yaml", text);
    test_write(test_path("diabetes.yaml"), text);
    read_source("README.md", text);
    const char line[] = "cc -std=c17 -O3 -fPIC -shared -ffp-contract=off -I";
    ASSERT_HOLDS(text, line);

    char command[4096];
    snprintf(command, sizeof command, "cd '%s' && %s'%s' too_low.c -o too_low.so", test_directory(), line,
             test_source("include"));
    CU_ASSERT_EQUAL_FATAL(system(command), 0);
    EXPECT("22 checks: 0 failed, 0 warned", "check-loss", "./too_low.so");
    EXPECT("", "import", test_source("datasets/samples/diabetes.csv"), "-o", "diabetes.h5", "--target", "target");
    EXPECT("rows           359        83\n", "train", "diabetes.yaml");
    EXPECT("prediction\n", "predict", "model.h5", "diabetes.h5", "--loss-path", ".", "-o", "-");
}

/* Line after line without comments, trailing blanks and empty lines. */
static void strip_comments(char *yaml)
{
    char *out = yaml;
    for (char *line = yaml; *line;) {
        size_t length = strcspn(line, "\n"), keep = strcspn(line, "#\n");
        char *next = line + length + (line[length] == '\n');
        while (keep > 0 && line[keep - 1] == ' ')
            keep--;
        if (keep > 0) {
            memmove(out, line, keep);
            out[keep] = '\n';
            out += keep + 1;
        }
        line = next;
    }
    *out = 0;
}

static void its_job_is_the_demo_s(void)
{
    static char job[ROOM];
    listing("## A job file", "yaml", text);
    read_source("datasets/jobs/digits.yaml", job);
    strip_comments(text);
    strip_comments(job);
    CU_ASSERT_STRING_EQUAL(text, job);
}

static void its_links_lead_somewhere(void)
{
    int links = 0;
    read_source("README.md", text);
    for (char *at = text; (at = strstr(at, "](")); links++) {
        at += 2;
        char *end = strchr(at, ')');
        CU_ASSERT_PTR_NOT_NULL_FATAL(end);
        *end = 0;
        if (access(test_source(at), R_OK) != 0)
            printf("\n    no such file: %s\n", at);
        CU_ASSERT_EQUAL(access(test_source(at), R_OK), 0);
        at = end + 1;
    }
    CU_ASSERT(links > 0);
}

static void every_package_has_its_reason(void)
{
    static char packages[ROOM];
    int count = 0;
    read_source("README.md", text);
    read_source("scripts/packages.sh", packages);
    for (char *line = strtok(packages, "\n"); line; line = strtok(NULL, "\n")) {
        char name[64], quoted[80];
        if (*line == '#' || sscanf(line, "%63[a-z0-9.+-] |", name) != 1 || !strstr(line, " | "))
            continue;
        snprintf(quoted, sizeof quoted, "`%s`", name);
        ASSERT_HOLDS(text, quoted);
        count++;
    }
    CU_ASSERT(count >= 20);
}

TEST_MAIN("readme", TEST(its_loss_builds_passes_its_checks_and_trains), TEST(its_job_is_the_demo_s),
          TEST(its_links_lead_somewhere), TEST(every_package_has_its_reason))
