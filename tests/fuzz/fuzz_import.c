/*
 * Fuzzing the importers: the first byte of an input chooses the format and the options, the rest is the file.
 *
 * Checked besides what the sanitizers see: an import either succeeds or says why, and leaves no file behind when it
 * fails.
 */
#include "datasets/datasets.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"f.csv", "f.libsvm", "f.npy", "f.npz", "f.idx"};
    if (size == 0)
        return 0;
    char in[256], out[256], temporary[256];
    in_directory(in, names[data[0] % 5]);
    in_directory(out, "out.h5");
    in_directory(temporary, "out.h5.tmp");
    write_input(in, data + 1, size - 1);
    unsigned choice = data[0] / 5;
    const struct import_options options = {
        .shuffle = choice & 1,
        .memory = choice & 2 ? 100 : (size_t)1 << 20,
        .no_target = choice & 4,
        .compress = choice & 8,
        .target = choice & 16 ? "2" : NULL,
    };
    struct import_report report = {0};
    struct gm_error err = {0};
    const char *from = in;
    enum gm_code code = import_file(&from, 1, out, &options, &report, &err);
    require_reason(code, &err);
    require((access(out, F_OK) == 0) == (code == GM_OK), "an output if and only if the import succeeded");
    require(access(temporary, F_OK) != 0, "no temporary file is left");
    require(code || (report.rows > 0 && report.features > 0), "rows and features");
    unlink(out);
    unlink(in);
    return 0;
}
