/* Reading ELF with bounds checks. Source of the format: System V ABI, chapters 4 and 5; DT_GNU_HASH as in glibc. */
#include "loss/elf.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

#if defined(__x86_64__)
enum { OUR_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { OUR_MACHINE = EM_AARCH64 };
#elif defined(__riscv)
enum { OUR_MACHINE = EM_RISCV };
#elif defined(__powerpc64__)
enum { OUR_MACHINE = EM_PPC64 };
#else
#error "name this machine's ELF number here"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { OUR_ORDER = ELFDATA2LSB };
#else
enum { OUR_ORDER = ELFDATA2MSB };
#endif

static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case EM_X86_64:
        return "x86-64";
    case EM_386:
        return "32-bit x86";
    case EM_AARCH64:
        return "aarch64";
    case EM_ARM:
        return "32-bit ARM";
    case EM_RISCV:
        return "RISC-V";
    case EM_PPC64:
        return "PowerPC 64";
    case EM_S390:
        return "s390";
    default:
        return "an unknown machine";
    }
}

/* Copy `size` bytes at `offset` out of the file; false when they are not all there. */
static bool take(const struct elf_file *elf, size_t offset, void *to, size_t size)
{
    if (offset > elf->size || size > elf->size - offset)
        return false;
    memcpy(to, elf->bytes + offset, size);
    return true;
}

static enum gm_code read_all(struct elf_file *elf, int fd, const char *path, struct gm_error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set(err, GM_IO, "%s: cannot be looked at: %s.", path, strerror(errno));
    void *bytes;
    enum gm_code code = memory_alloc(&bytes, (size_t)status.st_size + 1, 1, "a loss plugin's file", err);
    if (code)
        return code;
    elf->bytes = bytes;
    while (elf->size < (size_t)status.st_size) {
        ssize_t got = pread(fd, elf->bytes + elf->size, (size_t)status.st_size - elf->size, (off_t)elf->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, GM_IO, "%s: cannot be read: %s.", path, strerror(errno));
        if (got == 0)
            break;
        elf->size += (size_t)got;
    }
    return GM_OK;
}

static enum gm_code check_header(const struct elf_file *elf, Elf64_Ehdr *header, const char *path, struct gm_error *err)
{
    unsigned char ident[EI_NIDENT];
    uint16_t type_machine[2];
    if (!take(elf, 0, ident, sizeof ident) || memcmp(ident, ELFMAG, SELFMAG) != 0 ||
        !take(elf, EI_NIDENT, type_machine, sizeof type_machine))
        return error_set(err, GM_PLUGIN_LOAD,
                         "%s is not a shared object (no ELF header). Build a loss with: cc -O3 -shared -fPIC loss.c -o "
                         "loss.so",
                         path);
    if (ident[EI_DATA] != OUR_ORDER || type_machine[1] != OUR_MACHINE || ident[EI_CLASS] != ELFCLASS64)
        return error_set(err, GM_PLUGIN_LOAD,
                         "%s is built for %s, this gradmill for %s. Build the loss on (or for) this machine.", path,
                         ident[EI_DATA] == OUR_ORDER ? machine_name(type_machine[1]) : "another byte order",
                         machine_name(OUR_MACHINE));
    if (type_machine[0] != ET_DYN || !take(elf, 0, header, sizeof *header) || header->e_phentsize != sizeof(Elf64_Phdr))
        return error_set(err, GM_PLUGIN_LOAD, "%s is an ELF file but not a shared object: link it with -shared.", path);
    return GM_OK;
}

static bool segment_at(const struct elf_file *elf, const Elf64_Ehdr *header, size_t index, Elf64_Phdr *segment)
{
    return header->e_phoff <= elf->size &&
           take(elf, (size_t)header->e_phoff + index * sizeof *segment, segment, sizeof *segment);
}

/* Of a segment without bytes the loader maps the page of the file that it would begin in, unless it begins with a page.
 */
static bool empty_is_whole(const struct elf_file *elf, const Elf64_Phdr *segment)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    return segment->p_type != PT_LOAD || segment->p_vaddr % page == 0 || segment->p_offset / page * page < elf->size;
}

/* What would be mapped is there: a page beyond the end of the file kills who touches it, and the loader does. */
static bool segments_are_whole(const struct elf_file *elf, const Elf64_Ehdr *header)
{
    Elf64_Phdr segment;
    for (size_t i = 0; i < header->e_phnum; i++)
        if (!segment_at(elf, header, i, &segment) || (segment.p_filesz == 0 && !empty_is_whole(elf, &segment)) ||
            (segment.p_filesz > 0 && segment.p_offset > elf->size) ||
            (segment.p_filesz > 0 && segment.p_type == PT_LOAD && segment.p_filesz > elf->size - segment.p_offset))
            return false;
    return true;
}

/* Address as loaded -> offset in the file. */
static bool offset_of(const struct elf_file *elf, const Elf64_Ehdr *header, uint64_t address, size_t *offset)
{
    Elf64_Phdr segment;
    for (size_t i = 0; i < header->e_phnum && segment_at(elf, header, i, &segment); i++) {
        if (segment.p_type != PT_LOAD || address < segment.p_vaddr || address - segment.p_vaddr >= segment.p_filesz)
            continue;
        uint64_t inside = address - segment.p_vaddr;
        if (segment.p_offset > elf->size || inside > elf->size - segment.p_offset)
            return false;
        *offset = (size_t)(segment.p_offset + inside);
        return true;
    }
    return false;
}

/* One past the highest symbol number that the GNU hash table reaches; 0 when it is damaged. */
static size_t gnu_hash_symbols(const struct elf_file *elf, size_t table)
{
    uint32_t head[4]; /* buckets, first symbol, bloom words, bloom shift */
    if (!take(elf, table, head, sizeof head))
        return 0;
    size_t buckets = table + sizeof head + (size_t)head[2] * 8, chains = buckets + (size_t)head[0] * 4;
    uint32_t last = 0, bucket;
    for (size_t i = 0; i < head[0]; i++) {
        if (!take(elf, buckets + i * 4, &bucket, sizeof bucket))
            return 0;
        if (bucket > last)
            last = bucket;
    }
    if (last < head[1])
        return head[1]; /* nothing is exported */
    for (uint32_t hash = 0; !(hash & 1); last++)
        if (last == UINT32_MAX || !take(elf, chains + (size_t)(last - head[1]) * 4, &hash, sizeof hash))
            return 0;
    return last;
}

static const char *text_at(const struct elf_file *elf, uint64_t at)
{
    if (at >= elf->strings_size)
        return "";
    const char *text = (const char *)elf->bytes + elf->strings + at;
    return memchr(text, 0, elf->strings_size - (size_t)at) ? text : "";
}

static bool find_dynamic(struct elf_file *elf, const Elf64_Ehdr *header)
{
    Elf64_Phdr segment;
    for (size_t i = 0; i < header->e_phnum && segment_at(elf, header, i, &segment); i++)
        if (segment.p_type == PT_DYNAMIC && segment.p_offset <= elf->size &&
            segment.p_filesz <= elf->size - segment.p_offset) {
            elf->dynamic = (size_t)segment.p_offset;
            elf->dynamic_count = (size_t)segment.p_filesz / sizeof(Elf64_Dyn);
            return true;
        }
    return false;
}

static bool read_dynamic(struct elf_file *elf, const Elf64_Ehdr *header)
{
    size_t hash = 0, gnu_hash = 0;
    bool strings = false, symbols = false;
    Elf64_Dyn entry;
    for (size_t i = 0; i < elf->dynamic_count; i++) {
        if (!take(elf, elf->dynamic + i * sizeof entry, &entry, sizeof entry) || entry.d_tag == DT_NULL)
            break;
        if (entry.d_tag == DT_STRTAB)
            strings = offset_of(elf, header, entry.d_un.d_ptr, &elf->strings);
        else if (entry.d_tag == DT_STRSZ)
            elf->strings_size = (size_t)entry.d_un.d_val;
        else if (entry.d_tag == DT_SYMTAB)
            symbols = offset_of(elf, header, entry.d_un.d_ptr, &elf->symbols);
        else if (entry.d_tag == DT_HASH && !offset_of(elf, header, entry.d_un.d_ptr, &hash))
            return false;
        else if (entry.d_tag == DT_GNU_HASH && !offset_of(elf, header, entry.d_un.d_ptr, &gnu_hash))
            return false;
    }
    if (!strings || !symbols || elf->strings_size > elf->size - elf->strings)
        return false;
    uint32_t counts[2];
    if (hash && take(elf, hash, counts, sizeof counts))
        elf->symbol_count = counts[1];
    else if (gnu_hash)
        elf->symbol_count = gnu_hash_symbols(elf, gnu_hash);
    return elf->symbol_count > 0 && elf->symbol_count <= (elf->size - elf->symbols) / sizeof(Elf64_Sym);
}

enum gm_code elf_open(struct elf_file *elf, int fd, const char *path, struct gm_error *err)
{
    *elf = (struct elf_file){0};
    Elf64_Ehdr header;
    enum gm_code code = read_all(elf, fd, path, err);
    if (!code)
        code = check_header(elf, &header, path, err);
    if (!code && (!segments_are_whole(elf, &header) || !find_dynamic(elf, &header) || !read_dynamic(elf, &header)))
        code = error_set(err, GM_PLUGIN_LOAD,
                         "%s: damaged shared object (cut off, or its tables point outside the file). Build it again.",
                         path);
    if (code)
        elf_release(elf);
    return code;
}

void elf_release(struct elf_file *elf)
{
    memory_free(elf->bytes);
    *elf = (struct elf_file){0};
}

const char *elf_needed(const struct elf_file *elf, size_t index)
{
    Elf64_Dyn entry;
    for (size_t i = 0; i < elf->dynamic_count; i++) {
        if (!take(elf, elf->dynamic + i * sizeof entry, &entry, sizeof entry) || entry.d_tag == DT_NULL)
            break;
        if (entry.d_tag == DT_NEEDED && index-- == 0)
            return text_at(elf, entry.d_un.d_val);
    }
    return NULL;
}

const char *elf_next_export(const struct elf_file *elf, size_t *cursor)
{
    for (Elf64_Sym symbol; ++*cursor < elf->symbol_count;) {
        unsigned bind, visibility;
        if (!take(elf, elf->symbols + *cursor * sizeof symbol, &symbol, sizeof symbol))
            break;
        bind = ELF64_ST_BIND(symbol.st_info);
        visibility = ELF64_ST_VISIBILITY(symbol.st_other);
        if (symbol.st_shndx != SHN_UNDEF && (bind == STB_GLOBAL || bind == STB_WEAK) &&
            (visibility == STV_DEFAULT || visibility == STV_PROTECTED))
            return text_at(elf, symbol.st_name);
    }
    return NULL;
}

bool elf_exports(const struct elf_file *elf, const char *symbol)
{
    size_t cursor = 0;
    for (const char *name; (name = elf_next_export(elf, &cursor));)
        if (strcmp(name, symbol) == 0)
            return true;
    return false;
}

const char *elf_openmp(const struct elf_file *elf)
{
    static const char *const runtimes[] = {"libgomp.", "libomp.", "libiomp5.", "libomp5."};
    const char *name;
    for (size_t i = 0; (name = elf_needed(elf, i)); i++)
        for (size_t k = 0; k < sizeof runtimes / sizeof *runtimes; k++)
            if (strncmp(name, runtimes[k], strlen(runtimes[k])) == 0)
                return name;
    return NULL;
}
