/* What is found in a file, and what is said when nothing fits. */
#include "data/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

static struct gm_error err;

static enum gm_code try_open(const struct data_source *source, bool need_target, bool allow_external)
{
    struct data_options options = {.need_target = need_target, .allow_external = allow_external};
    struct data_set *set = NULL;
    err = (struct gm_error){0};
    enum gm_code code = data_open(&set, source, &options, &err);
    CU_ASSERT_EQUAL((code == GM_OK), (set != NULL));
    CU_ASSERT_EQUAL(err.code, code);
    data_close(set);
    return code;
}

static enum gm_code try_path(const char *path)
{
    struct data_source source = {.path = path};
    return try_open(&source, true, false);
}

/* A file with datasets `name` [rows x columns] (columns 0: one dimension), given as "X:10:4 y:10:0". */
static const char *made(const char *file_name, const char *parts)
{
    const char *path = test_path(file_name);
    hid_t file = file_new(path);
    char copy[256];
    snprintf(copy, sizeof copy, "%s", parts);
    double *values = calloc(4096, sizeof *values);
    for (char *part = strtok(copy, " "); part; part = strtok(NULL, " ")) {
        char name[64];
        size_t rows, columns;
        CU_ASSERT_EQUAL_FATAL(sscanf(part, "%63[^:]:%zu:%zu", name, &rows, &columns), 3);
        file_put_reals(file, name, rows, columns, values);
    }
    free(values);
    H5Fclose(file);
    return path;
}

static void expect_choice(const char *path, const char *features, const char *target)
{
    struct data_set *set = open_path(path);
    ASSERT_HOLDS(data_schema(set)->features_at, features);
    if (target)
        ASSERT_HOLDS(data_schema(set)->target_at, target);
    else
        CU_ASSERT_PTR_NULL(data_schema(set)->target_at);
    data_close(set);
}

static void finds_features_and_target_by_convention(void)
{
    expect_choice(made("a.h5", "X:10:4 y:10:0 other:10:3"), ":/X", ":/y");
    expect_choice(made("b.h5", "x:10:4 label:10:0"), ":/x", ":/label");
    expect_choice(made("c.h5", "data:10:4 labels:10:1"), ":/data", ":/labels");
    expect_choice(made("d.h5", "features:10:4 target:10:0"), ":/features", ":/target");
    expect_choice(made("e.h5", "images:10:4 targets:10:2 weight:10:0"), ":/images", ":/targets");
    expect_choice(made("f.h5", "anything:10:4 answer:10:0"), ":/anything", ":/answer"); /* the unique pair */
    expect_choice(made("g.h5", "X:10:4 answer:10:0 weight:10:0 qid:10:0"), ":/X", ":/answer");
    expect_choice(made("h.h5", "X:10:4"), ":/X", NULL);
    expect_choice(made("i.h5", "X:10:0 y:10:0"), ":/X", ":/y"); /* one feature */
}

static void groups_datasets_and_separate_files_can_be_named(void)
{
    const char *path = test_path("groups.h5");
    hid_t file = file_new(path);
    double values[40] = {0};
    H5Gclose(H5Gcreate2(file, "part", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    file_put_reals(file, "part/X", 10, 4, values);
    file_put_reals(file, "part/y", 10, 0, values);
    file_put_reals(file, "part/Z", 10, 2, values);
    H5Fclose(file);
    char name[600];
    snprintf(name, sizeof name, "%s:/part", path);
    expect_choice(name, ":/part/X", ":/part/y");
    snprintf(name, sizeof name, "%s:/part/Z", path);
    expect_choice(name, ":/part/Z", ":/part/y");
    snprintf(name, sizeof name, "%s:/part/", path);
    expect_choice(name, ":/part/X", ":/part/y");

    const char *x = made("only_x.h5", "x:12:3"), *y = made("only_y.h5", "y:12:0");
    struct data_source source = {.features = x, .target = y};
    CU_ASSERT_EQUAL(try_open(&source, true, false), GM_OK);
}

static void names_of_features_and_classes_are_read(void)
{
    static const char *const names[] = {"height", "width", "d\xc3\xa9j\xc3\xa0 vu"}, *const classes[] = {"no", "yes"};
    double x[6] = {0}, y[2] = {0, 1};
    for (int width = 0; width <= 12; width += 12)
        for (int as_attribute = 0; as_attribute < 2; as_attribute++) {
            const char *path = test_path("names.h5");
            hid_t file = file_new(path);
            file_put_reals(file, "X", 2, 3, x);
            file_put_reals(file, "y", 2, 0, y);
            file_put_words(file, "feature_names", names, 3, (size_t)width, as_attribute);
            file_put_words(file, "class_names", classes, 2, (size_t)width, as_attribute);
            H5Fclose(file);
            struct data_set *set = open_path(path);
            const struct data_schema *schema = data_schema(set);
            CU_ASSERT_PTR_NOT_NULL_FATAL(schema->feature_names);
            for (size_t i = 0; i < 3; i++)
                CU_ASSERT_STRING_EQUAL(schema->feature_names[i], names[i]);
            CU_ASSERT_EQUAL(data_make_classes(set, NULL, 0, &err), GM_OK);
            CU_ASSERT_EQUAL(schema->classes, 2);
            CU_ASSERT_STRING_EQUAL(schema->class_names[1], "yes");
            data_close(set);
        }
}

static void missing_files_and_datasets_are_no_input(void)
{
    CU_ASSERT_EQUAL(try_path(test_path("nowhere.h5")), GM_NO_INPUT);
    ASSERT_HOLDS(err.text, "nowhere.h5");
    char name[600];
    snprintf(name, sizeof name, "%s:/features_2", made("near.h5", "features_1:5:2 y:5:0"));
    CU_ASSERT_EQUAL(try_path(name), GM_NO_INPUT);
    ASSERT_HOLDS(err.text, "features_2");
    ASSERT_HOLDS(err.text, "did you mean 'features_1'");
    snprintf(name, sizeof name, "%s:/no/such/group", test_path("near.h5"));
    CU_ASSERT_EQUAL(try_path(name), GM_NO_INPUT);
    struct data_source none = {0};
    CU_ASSERT_EQUAL(try_open(&none, false, false), GM_NO_INPUT);
}

static void unreadable_files_are_denied(void)
{
    if (geteuid() == 0) { /* root may read everything: nothing to see */
        CU_ASSERT_EQUAL(geteuid(), 0);
        return;
    }
    const char *path = made("denied.h5", "X:5:2");
    chmod(path, 0);
    CU_ASSERT_EQUAL(try_path(path), GM_DENIED);
    ASSERT_HOLDS(err.text, "denied.h5");
}

static void what_is_not_hdf5_is_bad_data(void)
{
    const char *path = test_path("table.csv");
    test_write(path, "a,b\n1,2\n");
    CU_ASSERT_EQUAL(try_path(path), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "not an HDF5 file");
    ASSERT_HOLDS(err.text, "gradmill import");
    test_write(path, "");
    CU_ASSERT_EQUAL(try_path(path), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "empty");
    CU_ASSERT_EQUAL(try_path(test_directory()), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "not a file");
}

static void truncated_and_overwritten_files_are_bad_data_and_never_crash(void)
{
    const char *path = made("whole.h5", "X:100:8 y:100:0"), *cut = test_path("cut.h5");
    FILE *from = fopen(path, "rb");
    char *bytes = malloc(1 << 16);
    size_t size = fread(bytes, 1, 1 << 16, from);
    fclose(from);
    size_t damaged = 0, tried = 0;
    for (size_t length = 200; length < size; length += size / 12, tried++) {
        FILE *to = fopen(cut, "wb");
        fwrite(bytes, 1, length, to);
        fclose(to);
        damaged += try_path(cut) == GM_BAD_DATA;
        ASSERT_HOLDS(err.text, "cut.h5");
    }
    CU_ASSERT_EQUAL(damaged, tried);
    for (size_t i = 0; i < 150; i++) { /* metadata stand in the first bytes: any answer but a crash or a bug */
        char *copy = malloc(size);
        memcpy(copy, bytes, size);
        for (size_t k = 0; k < 3; k++)
            copy[(size_t)(file_noise(3 * i + k) * 2048)] = (char)(int)(file_noise(1000 + 3 * i + k) * 256);
        FILE *to = fopen(cut, "wb");
        fwrite(copy, 1, size, to);
        fclose(to);
        free(copy);
        enum gm_code code = try_path(cut);
        CU_ASSERT(code == GM_OK || code == GM_BAD_DATA || code == GM_NO_INPUT);
    }
    free(bytes);
}

static void shapes_that_do_not_fit_are_bad_data(void)
{
    CU_ASSERT_EQUAL(try_path(made("rows.h5", "X:10:4 y:9:0")), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "9 rows");
    ASSERT_HOLDS(err.text, "10");
    CU_ASSERT_EQUAL(try_path(made("none.h5", "X:0:4 y:0:0")), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "no rows");
    CU_ASSERT_EQUAL(try_path(made("nocolumns.h5", "X:4:4 y:4:0 weight:3:0")), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "weight");
    const char *path = test_path("rank9.h5");
    hid_t file = file_new(path);
    hsize_t dims[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    double one = 1;
    file_put(file, "X", H5T_IEEE_F64LE, NULL, 9, dims, H5T_NATIVE_DOUBLE, &one);
    H5Fclose(file);
    CU_ASSERT_EQUAL(try_path(path), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "9 dimensions");
}

static void candidates_are_listed_when_nothing_fits(void)
{
    CU_ASSERT_EQUAL(try_path(made("two.h5", "first:10:4 second:10:5 y:10:0")), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "'first' float64 [10 x 4]");
    ASSERT_HOLDS(err.text, "'second' float64 [10 x 5]");
    CU_ASSERT_EQUAL(try_path(made("notarget.h5", "X:10:4 Q:3:0")), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "no target");
    ASSERT_HOLDS(err.text, "'Q' float64 [3]");
    CU_ASSERT_EQUAL(try_path(made("twotargets.h5", "X:10:4 a:10:0 b:10:0")), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "several datasets could be the target");
    CU_ASSERT_EQUAL(try_path(made("nothing.h5", "")), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "no dataset");
}

static void types_that_are_no_numbers_are_bad_data(void)
{
    const char *path = test_path("compound.h5");
    hid_t file = file_new(path), type = H5Tcreate(H5T_COMPOUND, 16);
    H5Tinsert(type, "re", 0, H5T_NATIVE_DOUBLE);
    H5Tinsert(type, "im", 8, H5T_NATIVE_DOUBLE);
    hsize_t dims[2] = {3, 2};
    file_put(file, "X", type, NULL, 2, dims, type, NULL);
    H5Fclose(file);
    CU_ASSERT_EQUAL(try_path(path), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "its type cannot be used: compound [3 x 2]");
    static const char *const words[] = {"a", "b"};
    path = test_path("wordy.h5");
    file = file_new(path);
    file_put_words(file, "X", words, 2, 0, false);
    H5Fclose(file);
    CU_ASSERT_EQUAL(try_path(path), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "words");
}

static void a_named_type_is_no_dataset(void)
{
    char name[600];
    const char *path = test_path("type.h5");
    hid_t file = file_new(path), type = H5Tcopy(H5T_NATIVE_INT);
    CU_ASSERT(H5Tcommit2(file, "T", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT) >= 0);
    H5Tclose(type);
    H5Fclose(file);
    snprintf(name, sizeof name, "%s:/T", path);
    CU_ASSERT_EQUAL(try_path(name), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "'/T' is not a dataset.");
}

static void a_huge_declared_shape_is_refused_before_allocation(void)
{
    const char *path = test_path("huge.h5");
    hid_t file = file_new(path);
    struct layout_of_file layout = {.chunk = {64, 64}};
    hsize_t dims[2] = {(hsize_t)1 << 40, 1000};
    file_put(file, "X", H5T_IEEE_F32LE, &layout, 2, dims, H5T_NATIVE_FLOAT, NULL);
    H5Fclose(file);
    CU_ASSERT_EQUAL(try_path(path), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "declares 1099511627776 x 1000 values but the file holds only 0 bytes");
    file = file_new(path);
    dims[0] = dims[1] = (hsize_t)1 << 31;
    file_put(file, "X", H5T_IEEE_F64LE, &layout, 2, dims, H5T_NATIVE_FLOAT, NULL);
    H5Fclose(file);
    CU_ASSERT_EQUAL(try_path(path), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "too large");
}

static void other_files_are_not_followed_unless_allowed(void)
{
    made("inner.h5", "X:10:4 y:10:0");
    const char *link = test_path("link.h5");
    hid_t file = file_new(link);
    H5Lcreate_external("inner.h5", "/X", file, "X", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("inner.h5", "/y", file, "y", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    struct data_source source = {.path = link};
    CU_ASSERT_EQUAL(try_open(&source, true, false), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "link into another file");
    CU_ASSERT_EQUAL(try_open(&source, true, true), GM_OK);

    const char *outside = test_path("outside.h5");
    test_write(test_path("values.raw"), "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    file = file_new(outside);
    hsize_t dims[2] = {4, 2};
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dims, NULL);
    H5Pset_external(plist, test_path("values.raw"), 0, 64);
    H5Dclose(H5Dcreate2(file, "X", H5T_IEEE_F64LE, space, H5P_DEFAULT, plist, H5P_DEFAULT));
    H5Pclose(plist);
    H5Fclose(file);
    source.path = outside;
    CU_ASSERT_EQUAL(try_open(&source, false, false), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "stored in another file");
    CU_ASSERT_EQUAL(try_open(&source, false, true), GM_OK);

    const char *virtual_path = test_path("virtual.h5");
    file = file_new(virtual_path);
    dims[0] = 10;
    dims[1] = 4;
    H5Sset_extent_simple(space, 2, dims, NULL);
    plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_virtual(plist, space, test_path("inner.h5"), "/X", space);
    H5Dclose(H5Dcreate2(file, "X", H5T_IEEE_F64LE, space, H5P_DEFAULT, plist, H5P_DEFAULT));
    H5Pclose(plist);
    H5Sclose(space);
    H5Fclose(file);
    source.path = virtual_path;
    CU_ASSERT_EQUAL(try_open(&source, false, false), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "virtual");
    CU_ASSERT_EQUAL(try_open(&source, false, true), GM_OK);
}

static void unknown_filters_are_named(void)
{
    const char *path = test_path("filter.h5");
    hid_t file = file_new(path);
    hsize_t dims[2] = {10, 2}, chunk[2] = {5, 2};
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dims, NULL);
    H5Pset_chunk(plist, 2, chunk);
    H5Pset_filter(plist, 32004, H5Z_FLAG_OPTIONAL, 0, NULL); /* LZ4's registered number */
    H5Dclose(H5Dcreate2(file, "X", H5T_IEEE_F64LE, space, H5P_DEFAULT, plist, H5P_DEFAULT));
    H5Pclose(plist);
    H5Sclose(space);
    H5Fclose(file);
    struct data_source source = {.path = path};
    CU_ASSERT_EQUAL(try_open(&source, false, false), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "32004");
    ASSERT_HOLDS(err.text, "h5repack");
}

static void too_little_memory_names_the_minimum(void)
{
    const char *path = test_path("memory.h5");
    hid_t file = file_new(path);
    double *values = calloc(2000 * 4, sizeof *values);
    file_put_reals(file, "X", 2000, 4, values);
    free(values);
    H5Fclose(file);
    struct data_set *set = open_path(path);
    struct lane_plan plan = small_plan(2000); /* slabs of 192 rows of 32 bytes: two are 12 KiB */
    CU_ASSERT_EQUAL(data_load(set, &plan, 1000, 1, &err), GM_SYSTEM);
    ASSERT_HOLDS(err.text, "12");
    ASSERT_HOLDS(err.text, "run.memory");
    data_close(set);
}

static void a_place_is_split_at_the_last_colon_before_a_slash(void)
{
    static const char *const cases[][3] = {
        {"a.h5", "a.h5", NULL},     {"a.h5:/X", "a.h5", "/X"},       {"/d/a.h5:/g/X", "/d/a.h5", "/g/X"},
        {"a:b.h5", "a:b.h5", NULL}, {"C:/d.h5:/X", "C:/d.h5", "/X"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *file, *location;
        CU_ASSERT_EQUAL(data_split_name(cases[i][0], &file, &location, &err), GM_OK);
        CU_ASSERT_STRING_EQUAL(file, cases[i][1]);
        CU_ASSERT((location == NULL) == (cases[i][2] == NULL));
        if (location && cases[i][2])
            CU_ASSERT_STRING_EQUAL(location, cases[i][2]);
        memory_free(file);
    }
    char *file, *location;
    CU_ASSERT_EQUAL(data_split_name(":/X", &file, &location, &err), GM_NO_INPUT);
}

TEST_MAIN("opening", TEST(finds_features_and_target_by_convention),
          TEST(groups_datasets_and_separate_files_can_be_named), TEST(names_of_features_and_classes_are_read),
          TEST(missing_files_and_datasets_are_no_input), TEST(unreadable_files_are_denied),
          TEST(what_is_not_hdf5_is_bad_data), TEST(truncated_and_overwritten_files_are_bad_data_and_never_crash),
          TEST(shapes_that_do_not_fit_are_bad_data), TEST(candidates_are_listed_when_nothing_fits),
          TEST(types_that_are_no_numbers_are_bad_data), TEST(a_named_type_is_no_dataset),
          TEST(a_huge_declared_shape_is_refused_before_allocation), TEST(other_files_are_not_followed_unless_allowed),
          TEST(unknown_filters_are_named), TEST(too_little_memory_names_the_minimum),
          TEST(a_place_is_split_at_the_last_colon_before_a_slash))
