//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package safetensors

// release does nothing where pages cannot be advised away.
func release([]byte) {}
