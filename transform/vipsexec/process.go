package vipsexec

/*
#include <signal.h>
#include <stddef.h>
#ifdef __linux__
#include <malloc.h>
#endif

static void end_by_signals(void) {
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		signal(numbers[i], SIG_DFL);
}

static void keep_freed_memory(void) {
#ifdef M_TRIM_THRESHOLD
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

// BeExpendable prepares a process that does nothing but work on pictures, after libvips has started in it.
//
// A crash ends it by the signal itself: Go's own handlers would print a trace and exit, so that the parent could not tell
// what happened. And glibc keeps what is freed for the next picture, up to 128 MiB, instead of asking the system for pages
// each time (mallopt(3)); [Trim] gives it back.
func BeExpendable() {
	C.end_by_signals()
	C.keep_freed_memory()
}

// Trim gives freed memory back to the system, where the C library can (malloc_trim(3)).
func Trim() { C.give_memory_back() }
