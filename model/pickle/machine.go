package pickle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

const (
	mostPickled = 16 << 20 // bytes of a pickle; that of 400 tensors has 50 KB
	mostValues  = 1 << 20  // values that a pickle may make; a tensor takes about 40
)

// machine runs a pickle: opcodes that push values on a stack and combine them. It has no
// way to call anything.
type machine struct {
	data []byte // the pickle, and perhaps what follows it
	at   int    // index of the next byte
	op   int    // index of the current opcode

	stack []any
	marks []int // length of the stack at each MARK
	memo  map[uint32]any
	most  int // values that may be made
	left  int // and those that still may

	// storage returns the storage that a persistent id names. Its bytes are outside the
	// pickle.
	storage func(id tuple) (span, error)
}

func newMachine(data []byte, values int, storage func(tuple) (span, error)) *machine {
	return &machine{data: data, most: values, left: values, memo: map[uint32]any{}, storage: storage}
}

// limits returns the most bytes and values of a pickle in a file of size bytes. One that is
// opened in place may be of anybody who publishes models: it takes less than four times its
// size.
func limits(r io.ReaderAt, size int64) (pickled int64, values int) {
	if _, inPlace := r.(memory); !inPlace {
		return mostPickled, mostValues
	}
	// A value takes up to a hundred bytes, and in real files comes with a hundred of the file.
	const someValues = 1 << 16
	return min(mostPickled, someCost+mostHeld*size), int(min(mostValues, someValues+size/64))
}

// load runs the pickle at m.at and returns its value. Afterwards m.at is behind it.
func (m *machine) load() (any, error) {
	m.stack, m.marks = m.stack[:0], m.marks[:0]
	clear(m.memo)
	for {
		m.op = m.at
		op, err := m.bytes(1)
		if err != nil {
			return nil, m.wrap(err)
		}
		if op[0] == '.' { // STOP
			v, err := m.pop()
			if err == nil && (len(m.stack) > 0 || len(m.marks) > 0) {
				err = fmt.Errorf("%w: %d values are left over", ErrFormat, len(m.stack))
			}
			if err != nil {
				return nil, m.wrap(err)
			}
			return v, nil
		}
		if err := m.run(op[0]); err != nil {
			return nil, m.wrap(err)
		}
	}
}

// wrap adds the position of the current opcode to an error.
func (m *machine) wrap(err error) error { return fmt.Errorf("byte %d: %w", m.op, err) }

// run runs one opcode. The names are those of Python's pickletools.
func (m *machine) run(op byte) error {
	switch op {
	case 0x80: // PROTO
		_, err := m.number(1) // ignored: the opcodes themselves are what counts
		return err
	case 'N': // NONE
		return m.push(nil)
	case 0x88: // NEWTRUE
		return m.push(true)
	case 0x89: // NEWFALSE
		return m.push(false)
	case 'K': // BININT1
		return m.pushNumber(1)
	case 'M': // BININT2
		return m.pushNumber(2)
	case 'J': // BININT
		n, err := m.number(4)
		if err != nil {
			return err
		}
		return m.push(int64(int32(n)))
	case 0x8a: // LONG1
		return m.pushLong()
	case 'G': // BINFLOAT
		b, err := m.bytes(8)
		if err != nil {
			return err
		}
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	case 'X': // BINUNICODE
		return m.pushText(4)
	case 'U': // SHORT_BINSTRING, of Python 2
		return m.pushText(1)
	case ']': // EMPTY_LIST
		return m.push(&list{})
	case '}': // EMPTY_DICT
		return m.push(&dict{})
	case ')': // EMPTY_TUPLE
		return m.push(tuple(nil))
	case 'c': // GLOBAL
		return m.pushGlobal()
	case 'q': // BINPUT
		return m.put(1)
	case 'r': // LONG_BINPUT
		return m.put(4)
	case 'h': // BINGET
		return m.get(1)
	case 'j': // LONG_BINGET
		return m.get(4)
	}
	return m.assemble(op)
}

// bytes returns the next n bytes, without copying them.
func (m *machine) bytes(n int) ([]byte, error) {
	if n > len(m.data)-m.at {
		return nil, fmt.Errorf("%w: the pickle ends %d bytes later, want %d", ErrFormat, len(m.data)-m.at, n)
	}
	b := m.data[m.at : m.at+n]
	m.at += n
	return b, nil
}

// number returns an unsigned number of n bytes, at most 4, little-endian.
func (m *machine) number(n int) (uint32, error) {
	b, err := m.bytes(n)
	var v uint32
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint32(b[i])
	}
	return v, err
}

// spend subtracts n from the number of values that may still be made.
func (m *machine) spend(n int) error {
	if m.left -= n; m.left < 0 {
		return fmt.Errorf("%w: the pickle makes more than %d values", ErrLimit, m.most)
	}
	return nil
}

func (m *machine) push(v any) error {
	if err := m.spend(1); err != nil {
		return err
	}
	m.stack = append(m.stack, v)
	return nil
}

func (m *machine) pushNumber(n int) error {
	v, err := m.number(n)
	if err != nil {
		return err
	}
	return m.push(int64(v))
}

// pushLong pushes an int of any size: two's complement, little-endian.
func (m *machine) pushLong() error {
	n, err := m.number(1)
	if err != nil {
		return err
	}
	b, err := m.bytes(int(n))
	if err != nil {
		return err
	}
	if n > 8 {
		return m.push(wide(b))
	}
	var v int64
	for i, x := range b {
		v |= int64(x) << (8 * i)
	}
	unused := 64 - 8*n // bits, which get the sign's value
	return m.push(v << unused >> unused)
}

// pushText pushes a str that is preceded by its length, a number of n bytes.
func (m *machine) pushText(n int) error {
	length, err := m.number(n)
	if err != nil {
		return err
	}
	if uint64(length) > uint64(len(m.data)-m.at) { // correct also if an int has 32 bits
		return fmt.Errorf("%w: a text of %d bytes, and the pickle has %d more", ErrFormat, length, len(m.data)-m.at)
	}
	b, err := m.bytes(int(length))
	if err != nil {
		return err
	}
	if !utf8.Valid(b) {
		return fmt.Errorf("%w: a text that is not UTF-8", ErrFormat)
	}
	return m.push(string(b))
}

// pushGlobal pushes the name of a function or class. It is two lines: the module, and the
// name in it.
func (m *machine) pushGlobal() error {
	var lines [2][]byte
	for i := range lines {
		end := bytes.IndexByte(m.data[m.at:], '\n')
		if end < 0 {
			return fmt.Errorf("%w: a name without end", ErrFormat)
		}
		lines[i], m.at = m.data[m.at:m.at+end], m.at+end+1
	}
	g := global(lines[0]) + "." + global(lines[1])
	switch {
	case known(g):
		return m.push(g)
	case strings.HasPrefix(string(g), "torch.nn.modules."):
		return fmt.Errorf("global %.200q: %w: it is a module, and not its state_dict()", string(g), ErrNotWeights)
	case strings.HasPrefix(string(g), "torch."):
		return fmt.Errorf("global %.200q: %w: it is none of the kinds of tensors that are read here", string(g), ErrUnsupported)
	}
	return fmt.Errorf("global %.200q: %w", string(g), ErrGlobal)
}

// put stores the top of the stack under a number of n bytes.
func (m *machine) put(n int) error {
	key, err := m.number(n)
	if err != nil {
		return err
	}
	if err := m.spend(1); err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	m.memo[key] = v
	return nil
}

// get pushes the value that is stored under a number of n bytes.
func (m *machine) get(n int) error {
	key, err := m.number(n)
	if err != nil {
		return err
	}
	v, ok := m.memo[key]
	if !ok {
		return fmt.Errorf("%w: nothing is remembered as %d", ErrFormat, key)
	}
	return m.push(v)
}
