package metal

import (
	"embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

//go:embed shaders/*.metal
var shaderFiles embed.FS

// shaderOrder is the order in which the shaders are concatenated. Source that is compiled
// at run time has no include path.
var shaderOrder = []string{"common", "linear", "linear_direct", "attention", "attention_cls", "norm", "pool", "probe", "peak"}

// shaderSource returns the source of all shaders, one after the other.
func shaderSource() string {
	var all strings.Builder
	for _, name := range shaderOrder {
		all.WriteString(shaderFile(name))
	}
	return all.String()
}

func shaderFile(name string) string {
	text, err := shaderFiles.ReadFile("shaders/" + name + ".metal")
	if err != nil {
		panic(err) // cannot happen: the files are embedded
	}
	return string(text)
}

// position matches a position in the source, as a compiler prints it: with a made-up file
// name, since the source was no file. Positions in the compiler's own headers have other
// names.
var position = regexp.MustCompile(`(?:program_source|[\w./-]*\.metal):(\d+):(\d+):`)

// locate replaces the positions of shaderSource in a compiler's messages by positions in
// the shaders' files.
func locate(log string) string {
	return position.ReplaceAllStringFunc(log, func(at string) string {
		parts := position.FindStringSubmatch(at)
		line, err := strconv.Atoi(parts[1])
		if err != nil {
			return at
		}
		for _, name := range shaderOrder {
			lines := strings.Count(shaderFile(name), "\n")
			if line <= lines {
				return fmt.Sprintf("metal/shaders/%s.metal:%d:%s:", name, line, parts[2])
			}
			line -= lines
		}
		return at
	})
}
