package hugepage

import "syscall"

// advise asks for huge pages where the memory is touched from now on. A kernel without them refuses, which does no harm.
func advise(whole []byte) { _ = syscall.Madvise(whole, syscall.MADV_HUGEPAGE) }
