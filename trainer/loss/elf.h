/*
 * What a shared object says about itself, read from its bytes before any of its code can run: machine, needed
 * libraries, exported symbols. Every offset in the file is distrusted.
 */
#ifndef LOSS_ELF_H
#define LOSS_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

struct elf_file {
    unsigned char *bytes; /* [size] */
    size_t size;
    size_t dynamic, dynamic_count; /* offset and entries of the dynamic section */
    size_t strings, strings_size;  /* offset and bytes of its string table */
    size_t symbols, symbol_count;  /* offset and entries of its symbol table; entry 0 is unused */
};

/* Read and check. GM_PLUGIN_LOAD: not ELF, another machine or word size, not a shared object, damaged. GM_IO,
 * GM_SYSTEM. `path` is for messages. */
enum gm_code elf_open(struct elf_file *elf, int fd, const char *path, struct gm_error *err);
void elf_release(struct elf_file *elf);

/* Name of needed library number `index`, NULL past the last. */
const char *elf_needed(const struct elf_file *elf, size_t index);
/* Name of the next symbol that is defined and visible to others, NULL past the last; *cursor starts at 0. */
const char *elf_next_export(const struct elf_file *elf, size_t *cursor);
bool elf_exports(const struct elf_file *elf, const char *symbol);
/* The OpenMP runtime among the needed libraries, or NULL. */
const char *elf_openmp(const struct elf_file *elf);

#endif
