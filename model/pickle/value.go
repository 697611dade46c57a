package pickle

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// The values of a pickle are nil, bool, int64, float64, string and these.
type (
	// wide is an int of more than 8 bytes, little-endian as in the file, such as the legacy
	// format's magic number.
	wide  string
	tuple []any
	list  struct{ items []any }
	// dict has keys and values in turn, in the order in which they were set. Keys are not
	// looked up before the end.
	dict struct{ items []any }
	// global is the name of a function or class. It is only a name.
	global string // "module.name"
)

// kind names a value's type, for errors. It does not look inside the value, because a
// pickle can make values that contain themselves.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a bool"
	case int64, wide:
		return "an int"
	case float64:
		return "a float"
	case string:
		return "a str"
	case tuple:
		return "a tuple"
	case *list:
		return "a list"
	case *dict:
		return "a dict"
	case global:
		return fmt.Sprintf("%.200q itself", string(v))
	case span:
		return "a storage"
	case *view:
		return "a tensor"
	}
	return fmt.Sprintf("a %T", v)
}

// storageTypes are the classes of storages for which safetensors has a type. The untyped
// class has bytes; tensors on it have a type of their own.
var storageTypes = map[global]safetensors.DType{
	"torch.DoubleStorage": safetensors.F64, "torch.FloatStorage": safetensors.F32,
	"torch.HalfStorage": safetensors.F16, "torch.BFloat16Storage": safetensors.BF16,
	"torch.LongStorage": safetensors.I64, "torch.IntStorage": safetensors.I32,
	"torch.ShortStorage": safetensors.I16, "torch.CharStorage": safetensors.I8,
	"torch.ByteStorage": safetensors.U8, "torch.BoolStorage": safetensors.Bool,
	"torch.ComplexFloatStorage":    safetensors.C64,
	"torch.storage.UntypedStorage": safetensors.U8,
}

// elementTypes are the types of tensors on an untyped storage: those that were added to
// PyTorch after the classes of storages.
var elementTypes = map[global]safetensors.DType{
	"torch.uint16": safetensors.U16, "torch.uint32": safetensors.U32, "torch.uint64": safetensors.U64,
	"torch.float8_e5m2": safetensors.F8E5M2, "torch.float8_e4m3fn": safetensors.F8E4M3,
	"torch.float8_e8m0fnu":  safetensors.F8E8M0,
	"torch.float8_e5m2fnuz": safetensors.F8E5M2FNUZ, "torch.float8_e4m3fnuz": safetensors.F8E4M3FNUZ,
}

// The functions and classes that a dict of tensors needs.
const (
	orderedDict        global = "collections.OrderedDict"
	rebuildTensor      global = "torch._utils._rebuild_tensor" // before PyTorch 0.4
	rebuildTensorV2    global = "torch._utils._rebuild_tensor_v2"
	rebuildTensorV3    global = "torch._utils._rebuild_tensor_v3" // with the type as an argument
	rebuildParameter   global = "torch._utils._rebuild_parameter"
	rebuildWithState   global = "torch._utils._rebuild_parameter_with_state"
	rebuildWithType    global = "torch._tensor._rebuild_from_type_v2" // for tensors with attributes
	tensorClass        global = "torch.Tensor"
	parameterClass     global = "torch.nn.parameter.Parameter"
	parameterClassToo  global = "torch.nn.Parameter"
	untypedStorage     global = "torch.storage.UntypedStorage"
	mostDimensions            = 64 // as in PyTorch, and in safetensors
	typenameOfAStorage        = "storage"
)

// known reports whether a pickle may name g.
func known(g global) bool {
	switch g {
	case orderedDict, rebuildTensor, rebuildTensorV2, rebuildTensorV3, rebuildParameter, rebuildWithState,
		rebuildWithType, tensorClass, parameterClass, parameterClassToo:
		return true
	}
	return storageTypes[g] != "" || elementTypes[g] != ""
}
