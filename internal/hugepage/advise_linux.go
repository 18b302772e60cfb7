package hugepage

import "syscall"

// advise asks for huge pages for memory that is touched from now on. A kernel without huge pages refuses, which does no
// harm.
func advise(whole []byte) { _ = syscall.Madvise(whole, syscall.MADV_HUGEPAGE) }
