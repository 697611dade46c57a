package pickle

import "fmt"

// assemble runs the opcodes that take values from the stack.
func (m *machine) assemble(op byte) error {
	switch op {
	case '(': // MARK
		m.marks = append(m.marks, len(m.stack))
		return m.spend(1)
	case 't': // TUPLE
		items, err := m.popMark()
		if err != nil {
			return err
		}
		return m.push(tuple(items))
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		items, err := m.popN(int(op - 0x84))
		if err != nil {
			return err
		}
		return m.push(tuple(items))
	case 'a': // APPEND
		items, err := m.popN(1)
		if err != nil {
			return err
		}
		return m.extend(items)
	case 'e': // APPENDS
		items, err := m.popMark()
		if err != nil {
			return err
		}
		return m.extend(items)
	case 's': // SETITEM
		items, err := m.popN(2)
		if err != nil {
			return err
		}
		return m.set(items)
	case 'u': // SETITEMS
		items, err := m.popMark()
		if err != nil {
			return err
		}
		return m.set(items)
	case 'b': // BUILD
		return m.build()
	case 'Q': // BINPERSID
		return m.persistent()
	case 'R': // REDUCE
		return m.reduce()
	}
	return fmt.Errorf("%w: opcode 0x%02x is not one that weights need", ErrFormat, op)
}

// bottom returns the length of the stack at the last mark. Values below it must not be
// popped.
func (m *machine) bottom() int {
	if n := len(m.marks); n > 0 {
		return m.marks[n-1]
	}
	return 0
}

// top returns the last value.
func (m *machine) top() (any, error) {
	if len(m.stack) == m.bottom() {
		return nil, fmt.Errorf("%w: the stack is empty", ErrFormat)
	}
	return m.stack[len(m.stack)-1], nil
}

// pop takes the last value.
func (m *machine) pop() (any, error) {
	v, err := m.top()
	if err == nil {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return v, err
}

// popN pops the last n values and returns them in the order in which they were pushed.
func (m *machine) popN(n int) ([]any, error) {
	at := len(m.stack) - n
	if at < m.bottom() {
		return nil, fmt.Errorf("%w: the stack has %d values, want %d", ErrFormat, len(m.stack)-m.bottom(), n)
	}
	items := append([]any(nil), m.stack[at:]...)
	m.stack = m.stack[:at]
	return items, nil
}

// popMark pops the values since the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	n := len(m.marks) - 1
	if n < 0 {
		return nil, fmt.Errorf("%w: no mark", ErrFormat)
	}
	items, err := m.popN(len(m.stack) - m.marks[n])
	m.marks = m.marks[:n]
	return items, err
}

// extend appends items to the list on the stack.
func (m *machine) extend(items []any) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	l, ok := v.(*list)
	if !ok {
		return fmt.Errorf("%w: items for %s, want a list", ErrFormat, kind(v))
	}
	l.items = append(l.items, items...)
	return nil
}

// set puts keys and values into the dict on the stack.
func (m *machine) set(items []any) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	d, ok := v.(*dict)
	if !ok {
		return fmt.Errorf("%w: keys for %s, want a dict", ErrFormat, kind(v))
	}
	if len(items)%2 != 0 {
		return fmt.Errorf("%w: a key without a value", ErrFormat)
	}
	d.items = append(d.items, items...)
	return nil
}

// build ignores the attributes of a dict: PyTorch gives a model's dict one, _metadata, with
// the versions of its modules. Attributes of any other value are an error, because they
// would change its meaning.
func (m *machine) build() error {
	if _, err := m.popN(1); err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	if _, ok := v.(*dict); !ok {
		return fmt.Errorf("%w: attributes for %s, want a dict", ErrFormat, kind(v))
	}
	return nil
}

// persistent replaces the name of something outside the pickle by what it names: a storage.
func (m *machine) persistent() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	id, _ := v.(tuple)
	if len(id) == 0 {
		return fmt.Errorf("%w: a persistent id is %s, want a tuple", ErrFormat, kind(v))
	}
	if name, ok := id[0].(string); !ok {
		return fmt.Errorf("%w: a persistent id that begins with %s, want a str", ErrFormat, kind(id[0]))
	} else if name != typenameOfAStorage {
		return fmt.Errorf("%w: a %.200q beside the pickle, want storages only", ErrNotWeights, name)
	}
	s, err := m.storage(id[1:])
	if err != nil {
		return err
	}
	return m.push(s)
}

// reduce replaces a call of a known function by what it would return. Nothing is called.
func (m *machine) reduce() error {
	items, err := m.popN(2)
	if err != nil {
		return err
	}
	f, ok := items[0].(global)
	args, isTuple := items[1].(tuple)
	if !ok || !isTuple {
		return fmt.Errorf("%w: a call of %s with %s", ErrFormat, kind(items[0]), kind(items[1]))
	}
	v, err := m.call(f, args)
	if err != nil {
		return fmt.Errorf("%s: %w", f, err)
	}
	return m.push(v)
}

// call returns what the function f would return for args.
func (m *machine) call(f global, args tuple) (any, error) {
	wrong := func(want string) error {
		return fmt.Errorf("%w: %d arguments, want %s", ErrFormat, len(args), want)
	}
	switch f {
	case orderedDict:
		return m.newOrderedDict(args)
	case rebuildTensor, rebuildTensorV2, rebuildTensorV3:
		return m.newView(f, args)
	case rebuildParameter, rebuildWithState:
		// Arguments: the tensor, whether it is trained, hooks (always none), attributes.
		if len(args) < 3 || len(args) > 4 {
			return nil, wrong("a tensor and two more, or three")
		}
		v, ok := args[0].(*view)
		if !ok {
			return nil, fmt.Errorf("%w: %s, want a tensor", ErrFormat, kind(args[0]))
		}
		return v, nil
	case rebuildWithType:
		// Arguments: the function that makes the tensor, its class, its arguments, and
		// attributes.
		if len(args) != 4 {
			return nil, wrong("4")
		}
		inner, isGlobal := args[0].(global)
		class, isClass := args[1].(global)
		innerArgs, isTuple := args[2].(tuple)
		plain := class == tensorClass || class == parameterClass || class == parameterClassToo
		if !isGlobal || !isClass || !isTuple || !plain || inner == rebuildWithType || inner == orderedDict {
			return nil, fmt.Errorf("%w: %s of %s", ErrUnsupported, kind(args[0]), kind(args[1]))
		}
		return m.call(inner, innerArgs)
	}
	return nil, fmt.Errorf("%w: it is no function that makes a tensor", ErrFormat)
}

// newOrderedDict makes an empty dict or, as Python 2 wrote it, one from a list of pairs.
func (m *machine) newOrderedDict(args tuple) (*dict, error) {
	d := &dict{}
	if len(args) == 0 {
		return d, nil
	}
	l, ok := args[0].(*list)
	if !ok || len(args) > 1 {
		return nil, fmt.Errorf("%w: %d arguments, the first %s, want none or a list", ErrFormat, len(args), kind(args[0]))
	}
	if err := m.spend(2 * len(l.items)); err != nil { // a pickle may name the same list often
		return nil, err
	}
	for _, item := range l.items {
		pair, ok := item.(*list)
		if !ok || len(pair.items) != 2 {
			return nil, fmt.Errorf("%w: an item is %s, want a list of two", ErrFormat, kind(item))
		}
		d.items = append(d.items, pair.items...)
	}
	return d, nil
}
