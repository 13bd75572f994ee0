/* gradmill: the program. */
#include <stdio.h>

int main(void)
{
    puts("gradmill");
    return 0;
}
