//go:build fakemetal

package darwinkit

// extern long fm_live;
// static long live(void) { return __atomic_load_n(&fm_live, __ATOMIC_SEQ_CST); }
import "C"

// LiveObjects returns the Objective-C objects that the stand-in for Metal keeps
// alive: what tests find leaks by.
func LiveObjects() int64 { return int64(C.live()) }
