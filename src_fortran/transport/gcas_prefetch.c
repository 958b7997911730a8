/* Ask for memory before it is needed; Fortran has no word for it. Changes no value. */

#include <stddef.h>

enum { LINE_BYTES = 64 };

/* Bring `bytes` from `address` on towards the processor, to be read and written soon. */
void gcas_prefetch(const void *address, size_t bytes)
{
#if defined(__GNUC__)
    const char *byte = address;
    for (size_t n = 0; n < bytes; n += LINE_BYTES)
        __builtin_prefetch(byte + n, 1, 2);
#else
    (void)address;
    (void)bytes;
#endif
}
