/*
 * The floors of the house: a room includes only rooms below it. The plan is in CONTRIBUTING.md; here it is checked from
 * the #include lines, so it cannot rot.
 */
#include "support.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "floors/source.h"

/* What a room may include of ours: "x/" is a room, "x/y.h" one header. Its own files are always allowed. Neighbours on
 * a floor do not include each other; an exception stands here with its reason or nowhere. */
static const struct {
    const char *room, *may;
} rules[] = {
    /* 0: what plugins see */
    {"include/gradmill/", "gradmill/loss gradmill/status.h"},
    {"plugins/", "gradmill/loss"},
    /* 1 */
    {"trainer/base/", "gradmill/status.h"},
    /* 2 */
    {"trainer/data/", "base/ gradmill/status.h"},
    {"trainer/loss/", "base/ gradmill/status.h gradmill/loss"},
    {"trainer/formula/", "base/ gradmill/status.h gradmill/loss"},
    {"trainer/model/", "base/ gradmill/status.h gradmill/loss"},
    {"trainer/optim/", "base/ gradmill/status.h gradmill/loss_math.h"},
    /* 3; struct gm_job, gm_summary and gm_watch are the face's words: train fills them, the face calls train */
    {"trainer/train/", "base/ data/ loss/ formula/ model/ optim/ gradmill/"},
    /* 4 */
    {"trainer/face/", "base/ data/ loss/ formula/ model/ optim/ train/ gradmill/"},
    /* 5; importers share the conversion of stored numbers with the reader, that header and no other */
    {"trainer/cli/", "base/ datasets/ gradmill/"},
    {"datasets/", "base/ data/convert.h gradmill/status.h"},
    /* a benchmark times a room by itself */
    {"bench/", "base/ data/ datasets/ gradmill/ model/panel.h model/dense.h"},
};

/* Headers of others that belong to one place. */
static const struct {
    const char *header, *where, *why;
} fences[] = {
    {"hdf5.h", "trainer/data/ trainer/base/archive trainer/base/hdf5_lock datasets/ bench/",
     "HDF5 is read by data, written by base/archive; bench compares with it"},
    {"dlfcn.h", "trainer/loss/ bench/", "plugins are loaded by loss; bench times them without the trainer around them"},
    {"yaml.h", "trainer/cli/", "the job file is the program's"},
};

/* What prints: calls, and the streams however they are used. */
static const char *const printers[] = {"printf(", "vprintf(", "puts(", "putchar(", "perror(", "stdout", "stderr"};

static const char *const our_rooms[] = {"base",  "data", "loss", "formula",  "model",   "optim",
                                        "train", "face", "cli",  "datasets", "gradmill"};

static char complaint[512]; /* the last one: "file: what" */
static size_t complaints;

static void complain(const char *file, const char *what, const char *detail)
{
    snprintf(complaint, sizeof complaint, "%s: %s: %s", file, what, detail);
    complaints++;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Is `name` in the list, as itself or below an entry? An entry that ends in '/' or is cut short matches what follows.
 */
static bool listed(const char *name, const char *list)
{
    char entry[128];
    for (int used; sscanf(list, " %127s%n", entry, &used) == 1; list += used)
        if (begins(name, entry))
            return true;
    return false;
}

static bool is_ours(const char *header)
{
    size_t length = strcspn(header, "/");
    for (size_t i = 0; header[length] && i < sizeof our_rooms / sizeof *our_rooms; i++)
        if (strlen(our_rooms[i]) == length && strncmp(header, our_rooms[i], length) == 0)
            return true;
    return false;
}

/* "archive_inside.h" beside the file that includes it. */
static bool is_sibling(const char *root, const char *file, const char *header)
{
    char path[1024];
    struct stat status;
    int directory = (int)(strrchr(file, '/') - file);
    snprintf(path, sizeof path, "%s/%.*s/%s", root, directory, file, header);
    return !strstr(header, "..") && stat(path, &status) == 0;
}

static const char *room_of(const char *file, const char **may)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (begins(file, rules[i].room)) {
            *may = rules[i].may;
            return rules[i].room;
        }
    return NULL;
}

static void check_include(const char *root, const char *file, const char *header)
{
    const char *may = "", *room = room_of(file, &may);
    for (size_t i = 0; i < sizeof fences / sizeof *fences; i++)
        if (strcmp(header, fences[i].header) == 0 && !listed(file, fences[i].where))
            complain(file, header, fences[i].why);
    if (!room) {
        complain(file, "no floor", "add its room to the rules");
        return;
    }
    const char *own = begins(room, "trainer/") ? room + strlen("trainer/") : begins(room, "include/") ? "" : room;
    bool mine = (*own && begins(header, own)) || is_sibling(root, file, header);
    if (strstr(header, "..") || (is_ours(header) && !mine && !listed(header, may)))
        complain(file, "may not include", header);
}

static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at += length) {
        bool starts = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
        if (starts && (word[length - 1] == '(' || !(isalnum((unsigned char)at[length]) || at[length] == '_')))
            return true;
    }
    return false;
}

static void check_text(const char *root, const char *file, char *text)
{
    char header[256];
    source_blank_comments(text);
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (sscanf(line, " # include \"%255[^\"]\"", header) == 1 || sscanf(line, " # include <%255[^>]>", header) == 1)
            check_include(root, file, header);
    bool may_print = begins(file, "trainer/cli/") || begins(file, "bench/");
    for (size_t i = 0; !may_print && i < sizeof printers / sizeof *printers; i++)
        if (has_word(text, printers[i]))
            complain(file, "prints", printers[i]);
}

static void check_file(const char *root, const char *file, char *text)
{
    size_t before = complaints;
    check_text(root, file, text);
    if (complaints != before)
        printf("\n    %s", complaint);
}

static void rooms_include_only_rooms_below(void)
{
    static const char *const places[] = {"include", "trainer", "plugins", "datasets", "bench"};
    complaints = 0;
    size_t files = source_walk(places, sizeof places / sizeof *places, check_file);
    CU_ASSERT_EQUAL(complaints, 0);
    CU_ASSERT(files > 50);
}

static bool refused(const char *file, const char *source)
{
    char text[512];
    snprintf(text, sizeof text, "%s", source);
    complaints = 0;
    check_text("/nowhere", file, text);
    return complaints > 0;
}

/* The test of the test: planted lines, each breaking one rule, and their lawful neighbours. */
static void planted_violations_are_found(void)
{
    CU_ASSERT(refused("trainer/base/x.c", "#include \"data/data.h\"\n"));
    CU_ASSERT(refused("trainer/model/x.c", "  #  include \"optim/optim.h\"\n"));
    CU_ASSERT(refused("trainer/train/x.c", "#include \"cli/cli.h\"\n"));
    CU_ASSERT(refused("trainer/data/kernels/x.c", "#include \"train/run.h\"\n"));
    CU_ASSERT(refused("trainer/cli/x.c", "#include \"train/run.h\"\n"));
    CU_ASSERT(refused("trainer/loss/x.c", "#include \"../data/data.h\"\n"));
    CU_ASSERT(refused("trainer/new/x.c", "#include <stdio.h>\n"));
    CU_ASSERT(refused("datasets/x.c", "#include \"data/data.h\"\n"));
    CU_ASSERT(refused("plugins/x.c", "#include <gradmill/gradmill.h>\n"));
    CU_ASSERT(refused("trainer/model/x.c", "#include <hdf5.h>\n"));
    CU_ASSERT(refused("trainer/base/file.c", "#include <hdf5.h>\n"));
    CU_ASSERT(refused("trainer/face/x.c", "#include <dlfcn.h>\n"));
    CU_ASSERT(refused("trainer/train/x.c", "int f(void) { return printf(\"x\"); }\n"));
    CU_ASSERT(refused("trainer/train/x.c", "f('\"', stderr);\n"));
    CU_ASSERT_FALSE(refused("trainer/train/x.c", "#include \"data/data.h\"\n#include <math.h>\n"));
    CU_ASSERT_FALSE(refused("trainer/train/x.c", "/* #include \"cli/cli.h\", \n stdout */ // printf\nsnprintf(x);\n"));
    CU_ASSERT_FALSE(refused("trainer/base/archive_get.c", "#include <hdf5.h>\n#include \"base/file.h\"\n"));
    CU_ASSERT_FALSE(refused("datasets/x.c", "#include \"datasets/rows.h\"\n#include \"data/convert.h\"\n"));
    CU_ASSERT_FALSE(refused("trainer/cli/x.c", "#include <gradmill/gradmill.h>\nprintf(\"\");\n"));
}

TEST_MAIN("floors", TEST(rooms_include_only_rooms_below), TEST(planted_violations_are_found))
