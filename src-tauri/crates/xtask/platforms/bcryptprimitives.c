/* Wine 8 has no bcryptprimitives.dll, from which Rust's library takes its random numbers on Windows. This one passes
   them on from where Wine has them. For tests under Wine alone: it ships nowhere. */

#include <stddef.h>

__declspec(dllimport) unsigned char __stdcall SystemFunction036(void *to, unsigned long length);

__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *to, size_t length)
{
    return SystemFunction036(to, (unsigned long)length);
}
