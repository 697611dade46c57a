package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// The types of numbers in .npy files, in numpy's notation.
const (
	npyFloat32 = "<f4"
	npyInt8    = "|i1"
	npyUint8   = "|u1"
)

const (
	npyMagic = "\x93NUMPY\x01" // and the version's second number
	// npyLength is how long the beginning of a file is that we write. The format wants a multiple
	// of 64, and a shape of any size finds room in it.
	npyLength = 128
)

// npyHeader returns the beginning of a .npy file, version 1.0, of an array of that many rows, as
// numpy.lib.format describes it. Its length does not depend on the shape, so that it can be
// written before the rows and again after them.
func npyHeader(kind string, rows, columns int) []byte {
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }", kind, rows, columns)
	const length = npyLength - len(npyMagic) - 3 // of the text
	text += strings.Repeat(" ", length-1-len(text)) + "\n"
	return append([]byte(npyMagic+"\x00"+string([]byte{byte(length), byte(length >> 8)})), text...)
}

// npyDict is what numpy.save writes of a matrix.
var npyDict = regexp.MustCompile(`^\{\s*'descr': '([^']*)', 'fortran_order': (True|False), 'shape': \((\d{1,9}), (\d{1,9})\),? *\}\s*$`)

// readMatrix returns the rows of a .npy file's float32 matrix.
func readMatrix(file []byte) ([][]float32, error) {
	start := len(npyMagic) + 3
	if len(file) < start || !strings.HasPrefix(string(file), npyMagic) {
		return nil, errors.New("not a .npy file of version 1")
	}
	length := int(binary.LittleEndian.Uint16(file[start-2:]))
	if len(file) < start+length {
		return nil, errors.New("the .npy file ends in its beginning")
	}
	is := npyDict.FindSubmatch(file[start : start+length])
	if is == nil {
		return nil, fmt.Errorf("the .npy file is not of a matrix: %.80q", file[start:start+length])
	}
	if string(is[1]) != npyFloat32 || string(is[2]) != "False" {
		return nil, fmt.Errorf("the .npy file has type %s, Fortran's order %s; want %s in C's order", is[1], is[2], npyFloat32)
	}
	rows, _ := strconv.Atoi(string(is[3]))
	columns, _ := strconv.Atoi(string(is[4]))
	data := file[start+length:]
	if rows < 1 || columns < 1 || len(data)%(4*columns) != 0 || len(data)/(4*columns) != rows {
		return nil, fmt.Errorf("the .npy file has %d bytes of values, want %d by %d of 4 bytes each", len(data), rows, columns)
	}
	matrix := make([][]float32, rows)
	for i := range matrix {
		matrix[i] = make([]float32, columns)
		for j := range matrix[i] {
			matrix[i][j] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*(i*columns+j):]))
		}
	}
	return matrix, nil
}
