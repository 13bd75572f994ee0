/* Where a row is cut, against counting its entries one by one. */
#include "support.h"

#include "train/sparse_cut.h"

static size_t counted(const uint32_t *index, size_t count, uint32_t bound)
{
    size_t less = 0;
    while (less < count && index[less] < bound)
        less++;
    return less;
}

static void cuts_are_those_of_counting_wherever_they_are_looked_for(void)
{
    uint32_t index[70];
    for (size_t i = 0; i < 70; i++)
        index[i] = (uint32_t)(3 * i + 1) + (i > 60 ? 0x90000000u : 0); /* the last ones beyond an int */
    size_t wrong = 0;
    for (size_t count = 0; count <= 70; count++)
        for (uint32_t step = 0; step < 220; step++)
            for (size_t about = 0; about <= count; about++) {
                uint32_t bound = step < 200 ? step : 0x90000000u + step;
                wrong += sparse_cut(index, count, about, bound) != counted(index, count, bound);
            }
    CU_ASSERT_EQUAL(wrong, 0);
}

TEST_MAIN("cuts of sparse rows", TEST(cuts_are_those_of_counting_wherever_they_are_looked_for))
