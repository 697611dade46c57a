package emulator

import (
	"bytes"
	"fmt"
	"regexp"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// In clang's dump of a program, a place is file:line:column the first time, and
// then only what is another than at the place before.
var (
	dumpedPlace = regexp.MustCompile(`([^\s<,]+):(\d+):\d+`)
	dumpedCast  = regexp.MustCompile(`(?:CStyle|CXXFunctional|CXXStatic|CXXReinterpret)CastExpr .* '([^']+)'(?::'[^']+')? <AddressSpaceConversion>`)
)

// checkCasts returns an error of the first explicit cast from one address space to
// another in clang's dump of a strictly compiled program. Metal refuses them; clang
// does so for OpenCL alone.
func checkCasts(dump []byte) error {
	var file, line []byte
	for text := range bytes.Lines(dump) {
		for _, place := range dumpedPlace.FindAllSubmatch(text, -1) {
			if name := place[1]; !bytes.Equal(name, []byte("line")) {
				file = name
			}
			line = place[2]
		}
		if cast := dumpedCast.FindSubmatch(text); cast != nil && string(file) == sourceName {
			return &gpu.SourceError{Log: fmt.Sprintf("%s:%s: error: a cast to %s from another address space", file, line, cast[1])}
		}
	}
	return nil
}
