/* Loading: what is refused, and that nothing of a refused file runs. The plugins are in plugins/. */
#include "support.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "loss/elf.h"
#include "loss/fpmode.h"
#include "loss/plugin.h"

static const char *plugin_path(const char *name)
{
    static char paths[8][512];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/tests/plugins/%s.so", getenv("GRADMILL_BUILD"), name);
    return path;
}

static void copy(const char *from, const char *to)
{
    char command[1200];
    snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
    CU_ASSERT_EQUAL(system(command), 0);
    CU_ASSERT_EQUAL(chmod(to, 0644), 0);
}

/* The load must fail with GM_PLUGIN_LOAD and say `part`. */
static void refused(const char *name, const char *extra, const char *sha256, const char *part)
{
    struct loss_plugin plugin;
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(loss_load(&plugin, name, extra, sha256, &err), GM_PLUGIN_LOAD);
    CU_ASSERT_EQUAL(err.code, GM_PLUGIN_LOAD);
    ASSERT_HOLDS(err.text, part);
    CU_ASSERT_PTR_NULL(plugin.path);
}

static void shipped_loss_is_found_by_name(void)
{
    struct loss_plugin plugin;
    struct gm_error err = {0};
    CU_ASSERT_EQUAL_FATAL(loss_load(&plugin, "mse", NULL, NULL, &err), GM_OK);
    CU_ASSERT_STRING_EQUAL(plugin.vtable.id, "mse");
    ASSERT_HOLDS(plugin.path, "lib/gradmill/losses/mse.so");
    CU_ASSERT_EQUAL(strlen(plugin.sha256), 64);
    loss_plugin_release(&plugin);
}

static void same_file_gives_the_same_code_and_another_file_other_code(void)
{
    struct loss_plugin first, again, other;
    struct gm_error err = {0};
    char name[512];
    snprintf(name, sizeof name, "%s:every_parameter", plugin_path("every_parameter"));
    CU_ASSERT_EQUAL_FATAL(loss_load(&first, name, NULL, NULL, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(loss_load(&again, name, NULL, NULL, &err), GM_OK);
    /* the descriptor's number is the same again: the loader must not take it for the same file */
    snprintf(name, sizeof name, "%s:older", plugin_path("forged_sizes"));
    CU_ASSERT_EQUAL_FATAL(loss_load(&other, name, NULL, NULL, &err), GM_OK);
    CU_ASSERT_PTR_EQUAL((void *)(size_t)first.vtable.evaluate, (void *)(size_t)again.vtable.evaluate);
    CU_ASSERT_PTR_NOT_EQUAL((void *)(size_t)first.vtable.evaluate, (void *)(size_t)other.vtable.evaluate);
    CU_ASSERT_STRING_EQUAL(other.vtable.id, "older");
    loss_plugin_release(&first);
    loss_plugin_release(&again);
    loss_plugin_release(&other);
}

static void append_byte(const char *path)
{
    FILE *file = fopen(path, "ab"); /* the same inode, one byte more */
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fputc(0, file), 0);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void file_changed_in_place_is_not_mixed_with_its_old_code(void)
{
    struct loss_plugin plugin;
    struct gm_error err = {0};
    const char *path = test_path("changing.so");
    char name[512];
    copy(plugin_path("every_parameter"), path);
    append_byte(path); /* content that was never loaded before: equal content is equal code, whatever the file */
    snprintf(name, sizeof name, "%s:second_in_file", path);
    CU_ASSERT_EQUAL_FATAL(loss_load(&plugin, name, NULL, NULL, &err), GM_OK);
    loss_plugin_release(&plugin);
    append_byte(path);
    refused(name, NULL, NULL, "changed in place");
}

static void unknown_name_lists_the_nearest_and_the_places(void)
{
    refused("msee", NULL, NULL, "Did you mean \"mse\"?");
    refused("nonesuch", "/no/such/place", NULL, "/no/such/place (not there)");
    refused("mse.so", NULL, NULL, "A file needs a '/'");
    refused("../mse", NULL, NULL, "cannot be opened");
}

static void current_directory_is_not_searched(void)
{
    const char *path = test_path("every_parameter.so");
    copy(plugin_path("every_parameter"), path);
    CU_ASSERT_EQUAL_FATAL(chdir(test_directory()), 0);
    refused("every_parameter", NULL, NULL, "There is no loss");
    refused("every_parameter", "", NULL, "There is no loss");
    refused("every_parameter", ":", NULL, "There is no loss");
    struct loss_plugin plugin;
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(loss_load(&plugin, "every_parameter", test_directory(), NULL, &err), GM_OK);
    loss_plugin_release(&plugin);
    /* a loss that is not named after its file is found by looking inside */
    CU_ASSERT_EQUAL(loss_load(&plugin, "second_in_file", test_directory(), NULL, &err), GM_OK);
    CU_ASSERT_STRING_EQUAL(plugin.vtable.id, "second_in_file");
    loss_plugin_release(&plugin);
}

static void wrong_files_are_refused_before_their_code_runs(void)
{
    unsetenv("GRADMILL_TEST_MARK");
    refused(plugin_path("no_symbol"), NULL, NULL, "does not export gm_loss_entry_v1");
    refused(plugin_path("openmp"), NULL, NULL, "OpenMP runtime lib");
    CU_ASSERT_PTR_NULL(getenv("GRADMILL_TEST_MARK"));
    refused("/proc/self/exe", NULL, NULL, "");
    refused("/dev/null", NULL, NULL, "not a regular file");
    refused("/no/such/file.so", NULL, NULL, "cannot be opened");
    test_write(test_path("text.so"), "int main;");
    refused(test_path("text.so"), NULL, NULL, "not a shared object");
    test_write(test_path("empty.so"), "");
    refused(test_path("empty.so"), NULL, NULL, "not a shared object");
}

static void other_machine_is_named(void)
{
    const char *path = test_path("machine.so");
    copy(plugin_path("every_parameter"), path);
    FILE *file = fopen(path, "r+b");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, 18, SEEK_SET); /* e_machine; 22 is EM_S390 */
    fputc(22, file);
    fputc(0, file);
    fclose(file);
    refused(path, NULL, NULL, "is built for s390");
}

static void several_losses_in_a_file_need_a_choice(void)
{
    refused(plugin_path("every_parameter"), NULL, NULL,
            "holds several losses: every_parameter, second_in_file. Name one of them: ");
    char name[512];
    snprintf(name, sizeof name, "%s:third", plugin_path("every_parameter"));
    refused(name, NULL, NULL, "holds no loss third");
}

static void floating_point_mode_is_guarded(void)
{
    uint64_t before = fpmode_get();
    refused(plugin_path("fast_math"), NULL, NULL, "-ffast-math");
    CU_ASSERT_EQUAL(fpmode_get(), before);
}

static void faulty_headers_are_refused(void)
{
    static const char *const faults[][2] = {
        {"magic", "starts with 00000001"},
        {"major", "built for loss ABI 2.0"},
        {"needs_minor", "needs loss ABI 1.1000"},
        {"struct_size", "has 40 bytes"},
        {"id", "\"../Evil\""},
        {"no_id", "(NULL)"},
        {"evaluate", "no evaluate function"},
        {"spec_size", "has 8 bytes"},
        {"destroy", "loss faulty_headers has destroy but no create"},
        {"target_kind", "the spec of loss faulty_headers is wrong: target_kind is unknown"},
        {"inverse_link", "no inverse_link"},
        {"twice", "parameter 2 (delta) of loss faulty_headers: an earlier parameter has the same name"},
        {"name", "(Delta)"},
        {"choices", "a choice needs choices"},
        {"no_params", "params is NULL"},
        {"outside", "outside its own bounds"},
        {"endless", "more than 256 losses"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        setenv("GRADMILL_TEST_FAULT", faults[i][0], 1);
        refused(plugin_path("faulty_headers"), NULL, NULL, faults[i][1]);
    }
    unsetenv("GRADMILL_TEST_FAULT");
    refused(plugin_path("faulty_headers"), NULL, NULL, "holds no loss");
}

static void older_and_newer_plugins_load(void)
{
    char name[512];
    struct loss_plugin plugin;
    struct gm_error err = {0};
    snprintf(name, sizeof name, "%s:older", plugin_path("forged_sizes"));
    CU_ASSERT_EQUAL_FATAL(loss_load(&plugin, name, NULL, NULL, &err), GM_OK);
    CU_ASSERT(plugin.vtable.create == NULL && plugin.vtable.extension == NULL && plugin.vtable.baseline == NULL);
    loss_plugin_release(&plugin);
    snprintf(name, sizeof name, "%s:newer", plugin_path("forged_sizes"));
    CU_ASSERT_EQUAL_FATAL(loss_load(&plugin, name, NULL, NULL, &err), GM_OK);
    CU_ASSERT_EQUAL(plugin.spec.target_rule, GM_TARGET_LOW);
    CU_ASSERT_EQUAL(plugin.spec.struct_size, sizeof plugin.spec);
    loss_plugin_release(&plugin);
}

static void what_create_leaves_is_checked(void)
{
    struct loss loss;
    struct loss_plugin plugin;
    struct gm_error err = {0};
    CU_ASSERT_EQUAL_FATAL(loss_load(&plugin, plugin_path("bent_spec"), NULL, NULL, &err), GM_OK);
    CU_ASSERT_EQUAL(loss_bind(&loss, &plugin, NULL, 0, 1, 0, &err), GM_PLUGIN_BROKEN);
    ASSERT_HOLDS(err.text, "Loss bent_spec: after create(), ");
    loss_plugin_release(&plugin);
}

static void hash_pin_is_checked_before_the_code_runs(void)
{
    static const char wrong[] = "0000000000000000000000000000000000000000000000000000000000000000";
    unsetenv("GRADMILL_TEST_MARK");
    refused(plugin_path("no_symbol"), NULL, wrong, "is asked for");
    refused("mse", NULL, wrong, "is asked for");
    CU_ASSERT_PTR_NULL(getenv("GRADMILL_TEST_MARK"));
    struct loss_plugin plugin;
    struct gm_error err = {0};
    char right[65];
    CU_ASSERT_EQUAL_FATAL(loss_load(&plugin, "mse", NULL, NULL, &err), GM_OK);
    memcpy(right, plugin.sha256, sizeof right);
    loss_plugin_release(&plugin);
    CU_ASSERT_EQUAL_FATAL(loss_load(&plugin, "mse", NULL, right, &err), GM_OK);
    loss_plugin_release(&plugin);
}

static void file_others_can_change_is_refused(void)
{
    const char *directory = test_path("place"), *path = test_path("place/second.so");
    CU_ASSERT_EQUAL_FATAL(mkdir(directory, 0755), 0);
    copy(plugin_path("forged_sizes"), path);
    char name[600];
    snprintf(name, sizeof name, "%s:older", path);
    CU_ASSERT_EQUAL(chmod(path, 0646), 0);
    refused(name, NULL, NULL, "written by everybody");
    CU_ASSERT_EQUAL(chmod(path, 0644), 0);
    CU_ASSERT_EQUAL(chmod(directory, 0757), 0);
    refused(name, NULL, NULL, "the directory");
    CU_ASSERT_EQUAL(chmod(directory, 01757), 0); /* like /tmp: only owners remove and rename */
    struct loss_plugin plugin;
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(loss_load(&plugin, name, NULL, NULL, &err), GM_OK);
    loss_plugin_release(&plugin);
    CU_ASSERT_EQUAL(chmod(directory, 0755), 0);
    if (geteuid() == 0) { /* only root can give files away */
        CU_ASSERT_EQUAL(chown(path, 12345, 0), 0);
        refused(name, NULL, NULL, "belongs to user 12345");
        CU_ASSERT_EQUAL(chown(path, 0, 12345), 0);
        CU_ASSERT_EQUAL(chmod(path, 0664), 0);
        refused(name, NULL, NULL, "written by group 12345");
        CU_ASSERT_EQUAL(chown(path, 0, 0), 0); /* root's own group */
        CU_ASSERT_EQUAL(loss_load(&plugin, name, NULL, NULL, &err), GM_OK);
        loss_plugin_release(&plugin);
        CU_ASSERT_EQUAL(chown(directory, 12345, 0), 0);
        refused(name, NULL, NULL, "belongs to user 12345");
        CU_ASSERT_EQUAL(chown(directory, 0, 0), 0);
    }
}

/* Every cut, and a flipped byte in every place of the headers and tables: an answer, never a crash (asan looks on). */
static void damaged_files_never_crash_the_reader(void)
{
    void *bytes;
    size_t size, good = 0;
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(file_read(plugin_path("no_symbol"), (size_t)64 << 20, &bytes, &size, &err), GM_OK);
    const char *path = test_path("damaged.so");
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    struct elf_file elf;
    for (size_t cut = 0; cut < size; cut += cut < 4096 ? 16 : 512) {
        CU_ASSERT_EQUAL(pwrite(fd, bytes, cut, 0), (ssize_t)cut);
        CU_ASSERT_EQUAL(ftruncate(fd, (off_t)cut), 0);
        if (elf_open(&elf, fd, path, &err) == GM_OK) {
            good++;
            elf_exports(&elf, "nothing");
            elf_openmp(&elf);
            elf_release(&elf);
        }
    }
    CU_ASSERT(good < size / 16); /* most cuts are noticed; the section table at the end is not needed */
    CU_ASSERT_EQUAL(pwrite(fd, bytes, size, 0), (ssize_t)size);
    for (size_t at = 0; at < size && at < 4096; at++) {
        unsigned char flipped = (unsigned char)~((unsigned char *)bytes)[at];
        CU_ASSERT_EQUAL(pwrite(fd, &flipped, 1, (off_t)at), 1);
        if (elf_open(&elf, fd, path, &err) == GM_OK) {
            elf_exports(&elf, "nothing");
            elf_openmp(&elf);
            elf_release(&elf);
        } else
            CU_ASSERT(err.code == GM_PLUGIN_LOAD && err.text[0]);
        CU_ASSERT_EQUAL(pwrite(fd, (unsigned char *)bytes + at, 1, (off_t)at), 1);
    }
    close(fd);
    memory_free(bytes);
}

/* A segment with no bytes in the file, as of zeroed variables alone, may say that they begin beyond its end: elf(5). */
static void an_empty_segment_may_begin_anywhere(void)
{
    static const struct {
        uint32_t type;
        uint64_t bytes;
        enum gm_code code;
    } cases[] = {
        {PT_GNU_STACK, 0, GM_OK}, {PT_LOAD, 0, GM_OK}, {PT_LOAD, 1, GM_PLUGIN_LOAD}, {PT_NOTE, 1, GM_PLUGIN_LOAD}};
    void *bytes;
    size_t size;
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(file_read(plugin_path("no_symbol"), (size_t)64 << 20, &bytes, &size, &err), GM_OK);
    const Elf64_Ehdr *header = bytes;
    Elf64_Phdr *segment = (Elf64_Phdr *)(void *)((char *)bytes + header->e_phoff);
    while (segment->p_type != PT_GNU_STACK)
        segment++;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = test_path("beyond.so");
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        struct elf_file elf;
        segment->p_type = cases[i].type;
        segment->p_filesz = cases[i].bytes;
        segment->p_offset = size + 4096;
        CU_ASSERT_EQUAL(write(fd, bytes, size), (ssize_t)size);
        CU_ASSERT_EQUAL(elf_open(&elf, fd, path, &err), cases[i].code);
        if (cases[i].code == GM_OK)
            elf_release(&elf);
        close(fd);
    }
    memory_free(bytes);
}

/* The loader maps the page in which such a segment begins, and clears the rest of it: it must be there. */
static void an_empty_segment_within_a_page_needs_the_page(void)
{
    void *bytes;
    size_t size, page = (size_t)sysconf(_SC_PAGESIZE);
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(file_read(plugin_path("whole"), (size_t)64 << 20, &bytes, &size, &err), GM_OK);
    const Elf64_Ehdr *header = bytes;
    Elf64_Phdr *segment = (Elf64_Phdr *)(void *)((char *)bytes + header->e_phoff);
    uint64_t end = 0;
    for (; segment->p_type != PT_GNU_EH_FRAME;
         segment++) /* the loader does without it; it stands behind what is loaded */
        if (segment->p_type == PT_LOAD)
            end = segment->p_vaddr + segment->p_memsz;
    for (int within = 0; within < 2; within++) {
        struct loss_plugin plugin;
        const char *path = test_path(within ? "within.so" : "begins.so");
        *segment = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_memsz = 128, .p_align = page};
        segment->p_vaddr = segment->p_paddr = (end / page + 1) * page + (within ? 64 : 0);
        segment->p_offset = (size / page + 4) * page + segment->p_vaddr % page;
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        CU_ASSERT_EQUAL(write(fd, bytes, size), (ssize_t)size);
        close(fd);
        char name[600];
        snprintf(name, sizeof name, "%s:whole_batches", path);
        enum gm_code code = loss_load(&plugin, name, NULL, NULL, &err);
        CU_ASSERT_EQUAL(code, within ? GM_PLUGIN_LOAD : GM_OK);
        if (code == GM_OK)
            loss_plugin_release(&plugin);
        else
            ASSERT_HOLDS(err.text, "damaged shared object");
    }
    memory_free(bytes);
}

struct listed {
    char ids[4096], broken[4096];
};

static void seen(void *context, const struct loss_plugin *plugin)
{
    struct listed *listed = context;
    size_t used = strlen(listed->ids);
    snprintf(listed->ids + used, sizeof listed->ids - used, "%s ", plugin->vtable.id);
}

static void broken(void *context, const char *path, const struct gm_error *why)
{
    struct listed *listed = context;
    size_t used = strlen(listed->broken);
    CU_ASSERT(why->text[0] != 0);
    snprintf(listed->broken + used, sizeof listed->broken - used, "%s ", strrchr(path, '/'));
}

static void list_is_sorted_and_names_the_broken(void)
{
    struct listed listed = {0};
    struct gm_error err = {0};
    char extra[512];
    snprintf(extra, sizeof extra, "%s/tests/plugins", getenv("GRADMILL_BUILD"));
    CU_ASSERT_EQUAL(loss_list(extra, seen, broken, &listed, &err), GM_OK);
    ASSERT_HOLDS(listed.ids, "every_parameter ");
    ASSERT_HOLDS(listed.ids, "second_in_file ");
    ASSERT_HOLDS(listed.ids, "mse ");
    CU_ASSERT(strstr(listed.ids, "every_parameter ") < strstr(listed.ids, "mse "));
    ASSERT_HOLDS(listed.broken, "/no_symbol.so ");
    ASSERT_HOLDS(listed.broken, "/openmp.so ");
}

TEST_MAIN("load", TEST(shipped_loss_is_found_by_name), TEST(same_file_gives_the_same_code_and_another_file_other_code),
          TEST(file_changed_in_place_is_not_mixed_with_its_old_code),
          TEST(unknown_name_lists_the_nearest_and_the_places), TEST(current_directory_is_not_searched),
          TEST(wrong_files_are_refused_before_their_code_runs), TEST(other_machine_is_named),
          TEST(several_losses_in_a_file_need_a_choice), TEST(floating_point_mode_is_guarded),
          TEST(faulty_headers_are_refused), TEST(what_create_leaves_is_checked), TEST(older_and_newer_plugins_load),
          TEST(hash_pin_is_checked_before_the_code_runs), TEST(file_others_can_change_is_refused),
          TEST(damaged_files_never_crash_the_reader), TEST(an_empty_segment_may_begin_anywhere),
          TEST(an_empty_segment_within_a_page_needs_the_page), TEST(list_is_sorted_and_names_the_broken))
