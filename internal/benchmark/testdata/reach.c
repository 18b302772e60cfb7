// Plain reach by breadth-first search over compressed sparse rows: what a careful C program gets out of the machine.
// usage: reach FILE plain|prefetch; then a root a line on stdin, "nanoseconds reached" a line on stdout.
// FILE: uint32 n, uint32 m, uint32 offsets[n+1], uint32 targets[m], in the machine's order of bytes.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static uint32_t *array(size_t n) {
  size_t bytes = ((n * 4 + (2 << 20) - 1) >> 21) << 21;
  void *p = aligned_alloc(2 << 20, bytes ? bytes : 2 << 20);
  if (!p) exit(1);
#ifdef MADV_HUGEPAGE
  madvise(p, bytes, MADV_HUGEPAGE);
#endif
  memset(p, 0, bytes);
  return p;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  FILE *f = fopen(argv[1], "rb");
  uint32_t head[2];
  if (!f || fread(head, 4, 2, f) != 2) return 1;
  uint32_t n = head[0], m = head[1];
  uint32_t *offsets = array(n + 1), *targets = array(m), *seen = array(n), *queue = array(n), epoch = 0;
  if (fread(offsets, 4, n + 1, f) != n + 1 || fread(targets, 4, m, f) != m) return 1;
  int prefetches = !strcmp(argv[2], "prefetch");
  unsigned root;
  while (scanf("%u", &root) == 1) {
    struct timespec from, to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    uint32_t tail = 0;
    epoch++;
    seen[root] = epoch;
    queue[tail++] = root;
    for (uint32_t at = 0; at < tail; at++) {
      uint32_t v = queue[at];
      if (prefetches) {
        if (at + 8 < tail) __builtin_prefetch(&offsets[queue[at + 8]]);
        if (at + 4 < tail) __builtin_prefetch(&targets[offsets[queue[at + 4]]]);
      }
      for (uint32_t i = offsets[v], end = offsets[v + 1]; i < end; i++) {
        uint32_t w = targets[i];
        if (prefetches && i + 12 < end) __builtin_prefetch(&seen[targets[i + 12]]);
        if (seen[w] != epoch) {
          seen[w] = epoch;
          queue[tail++] = w;
        }
      }
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    printf("%lld %u\n", (long long)(to.tv_sec - from.tv_sec) * 1000000000LL + (to.tv_nsec - from.tv_nsec), tail);
    fflush(stdout);
  }
  return 0;
}
