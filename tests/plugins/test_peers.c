/*
 * Losses of single rows against scikit-learn's and PyTorch's own functions, where GRADMILL_PYTHON (or python3) has
 * them. What is not there is said and left out.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/harness.h"
#include "support.h"

enum { VALUES = 8, FIELDS = 7 };

static size_t numbers(char *text, double values[VALUES])
{
    size_t count = 0;
    for (char *save = NULL, *word = strtok_r(text, ",", &save); word && count < VALUES;
         word = strtok_r(NULL, ",", &save))
        values[count++] = strtod(word, NULL);
    return count;
}

/* "id;params;classes;targets;pred;target;loss" */
static void compare(char *line)
{
    char *field[FIELDS], *rest = line;
    for (size_t i = 0; i < FIELDS; i++) {
        field[i] = strsep(&rest, ";");
        CU_ASSERT_PTR_NOT_NULL_FATAL(field[i]);
    }
    double pred[VALUES], target[VALUES], expected = strtod(field[6], NULL);
    struct subject subject = {.id = field[0],
                              .params = *field[1] ? field[1] : NULL,
                              .classes = strtoul(field[2], NULL, 10),
                              .targets = strtoul(field[3], NULL, 10)};
    numbers(field[4], pred);
    numbers(field[5], target);
    double value = harness_value(&subject, pred, target);
    if (!(fabs(value - expected) <= 1e-12 * fmax(1, fabs(expected))))
        printf("\n    %s %s: %.17g, the peer says %.17g", field[0], field[1], value, expected);
    CU_ASSERT(fabs(value - expected) <= 1e-12 * fmax(1, fabs(expected)));
}

static void point_values_are_those_of_other_libraries(void)
{
    char command[1024], line[1024];
    const char *python = getenv("GRADMILL_PYTHON");
    snprintf(command, sizeof command, "'%s' '%s' 2>/dev/null", python ? python : "python3",
             test_source("tests/plugins/peers.py"));
    FILE *peers = popen(command, "r");
    size_t compared = 0, told = 0;
    while (peers && fgets(line, sizeof line, peers)) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "absent ", 7) == 0) {
            printf("[LEFT OUT: %s is not installed] ", line + 7);
            told++;
        } else if (strncmp(line, "peer ", 5) == 0) {
            printf("[against %s] ", line + 5);
            told++;
        } else {
            compare(line);
            compared++;
        }
    }
    if (peers)
        pclose(peers);
    if (!told)
        printf("[LEFT OUT: there is no %s] ", python ? python : "python3");
    printf("[%zu values] ", compared);
    CU_PASS("said what was compared");
}

TEST_MAIN("peers", TEST(point_values_are_those_of_other_libraries))
