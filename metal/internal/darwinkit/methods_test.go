//go:build fakemetal

package darwinkit

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/progrium/darwinkit/objc"
)

// addMethod gives a class a method that is f, a function of the object and of the
// message's arguments.
func addMethod(class objc.Class, name string, f any) {
	objc.AddMethod(class, objc.Sel(name), method(f))
}

// addClassMethod gives the class itself a method.
func addClassMethod(class objc.Class, name string, f any) {
	objc.AddClassMethod(class, objc.Sel(name), method(f))
}

// replaceMethod has f be a method that a class has.
func replaceMethod(class objc.Class, name string, f any) {
	objc.ReplaceMethod(class, objc.Sel(name), method(f))
}

// method returns f in the form that darwinkit can safely make a method of.
//
// It returns no pointer. darwinkit stores a result where libffi says to, on C's stack,
// in memory that nobody has cleared; and while a collection marks, Go takes what a
// pointer is stored over for a pointer, too. C's stack is also the scheduler's and the
// collector's own, so what lies there may well be an address that Go has freed since:
// that is marked, and the sweep ends the process. An integer has the same bits, and
// is stored without a look at what was there.
//
// It has four parameters, needed or not: darwinkit keeps the addresses of their types
// in a slice that the compiler leaves on the stack where it is shorter.
func method(f any) any {
	v := reflect.ValueOf(f)
	t, word := v.Type(), reflect.TypeFor[uint64]()
	var in, out []reflect.Type
	for i := range t.NumIn() {
		in = append(in, t.In(i))
	}
	for len(in) < 4 {
		in = append(in, word)
	}
	if t.NumOut() > 0 {
		out = append(out, t.Out(0))
		if !plain(out[0]) {
			out[0] = word
		}
	}
	return reflect.MakeFunc(reflect.FuncOf(in, out, false), func(all []reflect.Value) []reflect.Value {
		results := v.Call(all[:t.NumIn()])
		if len(results) > 0 && !plain(t.Out(0)) {
			results[0] = reflect.ValueOf(uint64(uintptr(object(results[0]))))
		}
		return results
	}).Interface()
}

// plain reports whether values of a type hold no pointer.
func plain(t reflect.Type) bool {
	return t.Kind() >= reflect.Bool && t.Kind() <= reflect.Float64
}

// object returns the object that a result is to C; one that is made for it is the pool's.
func object(result reflect.Value) unsafe.Pointer {
	switch r := result.Interface().(type) {
	case objc.Handle:
		return r.Ptr()
	case string:
		return objc.ToNSString(r)
	case []byte:
		return objc.ToNSData(r)
	default:
		return objc.ToNSArray(result)
	}
}

// TestMethods has methods of every kind of result called on a C stack that is full of
// addresses that Go has freed, while its collector marks. A method that stores a pointer
// over one of them ends the process.
func TestMethods(t *testing.T) {
	if !alone(t) {
		return
	}
	class := objc.AllocateClass(objc.GetClass("NSObject"), "StandInMethods", 0)
	addMethod(class, "itself", func(o objc.Object) objc.Object { return o })
	addMethod(class, "text", func(objc.Object) string { return "text" })
	addMethod(class, "data", func(objc.Object) []byte { return []byte{1, 2} })
	addMethod(class, "array", func(o objc.Object) []objc.Object { return []objc.Object{o, o} })
	addMethod(class, "nothing", func(objc.Object) objc.Object { return objc.Object{} })
	addMethod(class, "sum:of:", func(_ objc.Object, a, b int64) int64 { return a + b })
	addMethod(class, "negative:", func(_ objc.Object, x float64) bool { return x < 0 })
	objc.RegisterClass(class)

	freed, kept := scattered()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	o, m := objc.Call[objc.Object](class, objc.Sel("new")), messages{sel: lookUp()}
	for i := range 500 {
		dirt := make([]any, 64) // libffi copies it to C's stack
		for k := range dirt {
			dirt[k] = freed[(len(dirt)*i+k)%len(freed)]
		}
		call := func(name string) objc.Object {
			objc.Call[objc.Object](o, objc.Sel("init"), dirt...) // which looks at no argument
			return objc.Call[objc.Object](o, objc.Sel(name))
		}
		if err := inPool(func() error {
			if call("itself") != o || !call("nothing").IsNil() {
				t.Error("an object is another")
			}
			if got := objc.ToGoString(call("text").Ptr()); got != "text" {
				t.Errorf("the text is %q", got)
			}
			if got := objc.ToGoBytes(call("data").Ptr()); !bytes.Equal(got, []byte{1, 2}) {
				t.Errorf("the data are %v", got)
			}
			if got := m.elements(call("array")); !slices.Equal(got, []objc.Object{o, o}) {
				t.Errorf("the array is %v, want two of %v", got, o)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-stopped
	runtime.GC() // sweeps what the last one marked
	runtime.KeepAlive(kept)

	if got := objc.Call[int64](o, objc.Sel("sum:of:"), int64(-5), int64(3)); got != -2 {
		t.Errorf("-5 and 3 are %d", got)
	}
	if objc.Call[uint64](o, objc.Sel("negative:"), -1.5)&0xff != 1 {
		t.Error("-1.5 is not negative")
	}
}

// scattered returns addresses of objects that have been freed, each between two that are
// kept, so that the memory stays theirs.
func scattered() (freed []uint64, kept []*[14]*byte) {
	for i := range 20_000 {
		if o := new([14]*byte); i%2 == 0 {
			kept = append(kept, o)
		} else {
			freed = append(freed, uint64(uintptr(unsafe.Pointer(o))))
		}
	}
	runtime.GC()
	return freed, kept
}

// TestMethodsAreSafe looks for methods and blocks that darwinkit makes of Go functions as
// they are. The driver itself makes none.
func TestMethodsAreSafe(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || !slices.Contains(files, "methods_test.go") {
		t.Fatalf("%v, files %v", err, files)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"AddMethod", "AddClassMethod", "ReplaceMethod", "ReplaceClassMethod", "NewClass", "CreateMallocBlock", "CreateGlobalBlock"} {
			if file != "methods_test.go" && bytes.Contains(source, []byte("objc."+name)) {
				t.Errorf("%s calls objc.%s itself", file, name)
			}
		}
	}
}
