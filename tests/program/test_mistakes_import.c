/* Mistakes in files to import and data to make. */
#include "program/mistakes.h"

static void files_to_import(void)
{
    static const struct mistake mistakes[] = {
        {"$G import -o o.h5", 64, "Which file?"},
        {"printf 'none of it' >x.idx; $G import x.idx -o o.h5 -q", 65, "neither npy nor idx"},
        {"printf '\\0\\0\\10\\2\\0\\0\\0\\1\\0\\0\\0\\5ab' >y.idx; $G import y.idx -o o.h5 -q", 65,
         "its shape needs 3 bytes more than there are"},
        {"printf 'a,b,y\\n,1,2\\n,2,3\\n' >x.csv; $G import x.csv -o o.h5 -q", 65,
         "has no number in any row. Drop it."},
        {"printf 'a,b,y\\n1,1,2\\n' >g.csv; $G import g.csv -o o.h5 -q --target z", 64, "no column 'z'"},
        {"printf 'a,b\\n1,1\\n' >h.csv; $G import g.csv h.csv -o o.h5 -q", 65,
         "expected 3 columns as in the file before"},
        {"printf '1,1,2\\n' >n.csv; $G import g.csv n.csv -o o.h5 -q", 65, "header line as in the file before"},
        {"printf '\\377\\376a\\0,\\0' >u.csv; $G import u.csv -o o.h5 -q", 65, "UTF-16 text. Convert it first: iconv"},
        {"printf 'PK\\3\\4xxxxxxxx' >z.csv; $G import z.csv -o o.h5 -q", 65, "Save the sheet as CSV first."},
        {"gzip -c g.csv | head -c 20 >c.csv.gz; $G import c.csv.gz -o o.h5 -q", 65, "too early: is the file cut off?"},
        {"{ gzip -c g.csv | head -c 16; printf '\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377'; } >r.csv.gz; $G "
         "import r.csv.gz -o o.h5 -q",
         65, "damaged gzip data"},
        {": >e.libsvm; $G import e.libsvm -o o.h5 -q", 65, "no rows. Expected lines of 'label index:value ...'."},
        {"truncate -s 257M zeros.libsvm; $G import zeros.libsvm -o o.h5 -q; code=$?; rm zeros.libsvm; exit $code", 65,
         "line 1: longer than 256 MiB. Is it a text file?"},
        {"printf '1 qid:1 1:2\\n2 1:3\\n' >q.libsvm; $G import q.libsvm -o o.h5 -q", 65, "Expected all or none."},
        {"$G make ratings -o o.h5 --rows 5 --users 3000000000 -q", 64, "fewer than 2^31 users and items"},
        {"$G make sparse -o o.h5 --rows 281474976710656 --features 100000 --nonzeros 99999 -q", 64,
         "rows times non-zeros: too many"},
        {"$G import g.csv -o nowhere/o.h5 -q", 73, "nowhere/o.h5: cannot be created"},
        {"$G import missing.csv -o o.h5 -q", 66, "missing.csv"},
        {"printf '\\0\\0\\10\\2\\0\\0\\0\\1\\0\\0\\0\\1a' >p.idx; cp p.idx q.idx; $G import p.idx q.idx -o o.h5 -q", 64,
         "Which array is what? Expected one of features"},
        {"printf 'a\\n' >n.txt; $G import g.csv -o o.h5 -q --feature-names n.txt", 64,
         "A CSV file names its columns in its first line"},
        {"$G make regression -o o.h5 --rows 2000 --features 50 -q && (ulimit -f 8; exec $G make regression -o o.h5 "
         "--rows 2000 --features 50 -q)",
         74, "The old file, if any, is untouched"},
        {"$G make --rows 3", 64, "What? As in: gradmill make regression"},
        {"$G make zzzzzzzzz -o o.h5 --rows 3", 64, "to make, but regression"},
    };
    CHECK(mistakes);
}

static void archives(void)
{
    static const struct mistake mistakes[] = {
        {"printf 'PK\\3\\4' >a.npz; $G import a.npz -o o.h5 -q", 65, "damaged ZIP archive: it is cut off"},
        {"printf 'PK\\3\\4%040d' 0 >b.npz; $G import b.npz -o o.h5 -q", 65,
         "damaged ZIP archive: no directory at its end"},
        {"{ printf 'PK\\3\\4%056d' 0; printf 'PK\\6\\7\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0PK\\5\\6'; "
         "printf '\\377%.0s' 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8; } >c.npz; $G import c.npz -o o.h5 -q",
         65, "no 64-bit directory where one is announced"},
        {"{ printf 'PK\\3\\4%056d' 0; printf "
         "'PK\\6\\7\\0\\0\\0\\0\\377\\377\\377\\377\\377\\377\\377\\377\\0\\0\\0\\0PK\\5\\6'; printf '\\377%.0s' 1 2 3 "
         "4 5 6 7 8 9 0 1 2 3 4 5 6 7 8; } >d.npz; $G import d.npz -o o.h5 -q",
         65, "an offset is out of range"},
    };
    CHECK(mistakes);
}

TEST_MAIN("mistakes_import", TEST(files_to_import), TEST(archives))
