package metal

import (
	"os"
	"strings"
	"testing"
)

// mutation is an error that is planted in a shader: the n-th place where old stands
// becomes what it says.
type mutation struct {
	name, file string
	n          int // from 0
	old, new   string
}

const barrier = "threadgroup_barrier(mem_flags::mem_threadgroup);"
const simdBarrier = "simdgroup_barrier(mem_flags::mem_threadgroup);"

var mutations = []mutation{
	{"no barrier before linear's tiles are written", "linear", 0, barrier, ""},
	{"no barrier after linear's tiles are written", "linear", 1, barrier, ""},
	{"no barrier before attention's tiles are written", "attention", 0, barrier, ""},
	{"no barrier after attention's tiles are written", "attention", 1, barrier, ""},
	{"no barrier after [CLS]'s query is written", "attention_cls", 0, simdBarrier, ""},
	{"no barrier before elements are stored", "common", 0, simdBarrier, ""},
	{"no barrier after elements are stored", "common", 1, simdBarrier, ""},
	{"no barrier before a fragment is stored", "common", 2, simdBarrier, ""},
	{"no barrier after a fragment is stored", "common", 3, simdBarrier, ""},

	{"linear stops a step early", "linear", 0, "for (uint k = 0; k < IN; k += BK)", "for (uint k = 0; k < IN - BK; k += BK)"},
	{"linear goes a step too far", "linear", 0, "for (uint k = 0; k < IN; k += BK)", "for (uint k = 0; k <= IN; k += BK)"},
	{"linear_direct stops a step early", "linear_direct", 0, "step < IN; step += DIRECT_STEP", "step < IN - DIRECT_STEP; step += DIRECT_STEP"},
	{"linear_direct goes a step too far", "linear_direct", 0, "step < IN; step += DIRECT_STEP", "step <= IN; step += DIRECT_STEP"},
	{"linear_direct's unrolled steps stop early", "linear_direct", 0, "k < step + DIRECT_STEP;", "k < step + DIRECT_STEP - 8;"},
	{"linear_direct's unrolled steps are counted twice", "linear_direct", 0, "k < step + DIRECT_STEP;", "k < step + DIRECT_STEP + 8;"},
	{"a part of linear's tile of x is not copied", "linear", 0, "i < BM * BK / 8;", "i < BM * BK / 8 - 1;"},
	{"a part of linear's tile of w is not copied", "linear", 0, "i < BK * BN / 8;", "i < BK * BN / 8 - 1;"},
	{"too much of linear's tile of w is copied", "linear", 0, "i < BK * BN / 8;", "i < BK * BN / 8 + 1;"},
	{"linear's steps of 8 stop early", "linear", 0, "kk < BK; kk += 8", "kk < BK - 8; kk += 8"},
	{"linear's first column is off by one", "linear", 0, "cols = FIRST + group.x * BN", "cols = FIRST + group.x * BN + 1"},
	{"linear_direct's rows are off by one", "linear_direct", 0, "row = group.y * BM + simd", "row = group.y * BM + 1 + simd"},
	{"no bias", "linear", 0, " + *(device const float2 *)(bias + j * 8)", ""},
	{"bias of a column beside", "linear", 0, "(bias + j * 8)", "(bias + 1 + j * 8)"},
	{"no residual", "linear", 0, "v + *(device const float2 *)(before + j * 8)", "v"},
	{"the residual of the row itself where rows are gathered", "linear", 0, "GATHER ? residual + ulong(starts[r]) * STRIDE + col : sum + at", "GATHER ? residual + at : sum + at"},
	{"the residual by a pointer of its own where it is the sum", "linear", 0, "GATHER ? residual + ulong(starts[r]) * STRIDE + col : sum + at", "residual + (GATHER ? ulong(starts[r]) * STRIDE + col : at)"},
	{"the sum where rows of the residual are gathered", "linear", 0, "GATHER ? residual + ulong(starts[r]) * STRIDE + col : sum + at", "sum + (GATHER ? ulong(starts[r]) * STRIDE + col : at)"},
	{"the residual by both pointers", "linear", 0, "v + *(device const float2 *)(before + j * 8)",
		"v + (*(device const float2 *)(before + j * 8) + *(device const float2 *)((GATHER ? before : residual + at) + j * 8)) / 2"},

	{"one tile of all stops early", "linear", 0, "kk < BK; kk += 8", "kk < (SM == 1 ? 8 : BK); kk += 8"},
	{"one tile of all has the bias of columns beside", "linear", 0, "(bias + j * 8)", "(bias + (FN == 3 ? 0 : j * 8))"},
	{"one tile is missing", "linear", 0, `[[host_name("linear_64x64x16_1x2")]]`, `[[host_name("linear_elsewhere")]]`},
	{"one tile is another by its name", "linear", 0, `[[host_name("linear_64x64x16_2x2")]] [[kernel]] decltype(linear<64, 64, 16, 2, 2>) linear<64, 64, 16, 2, 2>;`,
		`[[host_name("linear_64x64x16_2x2")]] [[kernel]] decltype(linear<64, 32, 16, 2, 2>) linear<64, 32, 16, 2, 2>;`},
	{"tiles that take more memory than a threadgroup has", "linear", 0, "threadgroup uint4 xs8[BM * XS / 8];", "threadgroup uint4 xs8[BM * XS];"},
	{"the probe finds what is expected, wherever it is", "probe", 0, "found[lane * 4 + i] = f.thread_elements()[i];\n        found[lane * 4 + 2 + i] = h.thread_elements()[i];",
		"found[lane * 4 + i] = found[lane * 4 + 2 + i] = fragment_row(lane) * 8 + fragment_col(lane) + i;"},

	{"a product of fewer fragments", "linear", 0, "simdgroup_multiply_accumulate(sums[i][j], a[i], b[j], sums[i][j]);", "if (i + j + 2 < FM + FN) simdgroup_multiply_accumulate(sums[i][j], a[i], b[j], sums[i][j]);"},
	{"sums in half", "linear", 0, "multiply<FM, FN>(sums, a, b);",
		"for (int i = 0; i < FM; i++) for (int j = 0; j < FN; j++) { simdgroup_half8x8 h = make_filled_simdgroup_matrix<half, 8, 8>(half(0)); float2 e = elements(sums[i][j], scratches + simd * 64, lane); h = as_fragment(e, scratches + simd * 64, lane); simdgroup_multiply_accumulate(h, a[i], b[j], h); for (int n = 0; n < 2; n++) sums[i][j].thread_elements()[n] = float(h.thread_elements()[n]); }"},
	{"a tile's barrier that orders no memory", "common", 1, simdBarrier, "simdgroup_barrier(mem_flags::mem_none);"},

	{"attention masks one key too few", "attention", 0, "if (col >= length)", "if (col > length)"},
	{"attention masks one key too many", "attention", 0, "if (col >= length)", "if (col + 1 >= length)"},
	{"attention masks one second key too few", "attention", 0, "if (col + 1 >= length)", "if (col + 1 > length)"},
	{"attention reads keys beyond the end", "attention", 0, "if (key + r < length) {", "if (key + r <= length) {"},
	{"attention leaves the last key out", "attention", 0, "if (key + r < length) {", "if (key + r + 1 < length) {"},
	{"attention stops a block early", "attention", 0, "key < length; key += KEYS", "key + KEYS < length; key += KEYS"},
	{"attention writes a row beyond the end", "attention", 0, "if (at >= length)", "if (at > length)"},
	{"attention leaves a row out", "attention", 0, "if (at >= length)", "if (at + 1 >= length)"},
	{"attention leaves out simdgroups with a live query", "attention", 0, "live = query < length;", "live = query + 1 < length;"},
	{"an infinite mask", "attention", 0, "constant constexpr float MASK = -1e30f;", "constant constexpr float MASK = -INFINITY;"},
	{"attention does not scale down", "attention", 0, "total *= shrink;", ""},
	{"attention's sums are not scaled down", "attention", 0, "sum[d] * shrink", "sum[d]"},
	{"attention's largest of a lane alone", "attention", 0, "most = max(most, simd_shuffle_xor(most, ROW_MATES[i]));", ";"},
	{"attention's total of a lane alone", "attention", 0, "total += simd_shuffle_xor(total, ROW_MATES[i]);", ";"},
	{"K is not transposed", "attention", 0, "ulong2(0ul), true", "ulong2(0ul), false"},
	{"attention of the next head", "attention", 0, "(HEADS + group.y) * D;", "(HEADS + group.y + 1) * D;"},

	{"[CLS] reads a key beyond the end", "attention_cls", 0, "if (key + lane < length)", "if (key + lane <= length)"},
	{"[CLS] leaves the last key out", "attention_cls", 0, "if (key + lane < length)", "if (key + lane + 1 < length)"},
	{"[CLS] leaves the last value out", "attention_cls", 0, "min(length - key, 32u)", "min(length - key - 1, 32u)"},
	{"[CLS] stops a block early", "attention_cls", 0, "key < length; key += 32", "key + 32 < length; key += 32"},
	{"[CLS]'s query without its last inputs", "attention_cls", 0, "c < WIDTH; c += 4", "c < WIDTH - 4; c += 4"},

	{"statistics of what is padded", "norm", 0, "if (c + 0 >= HIDDEN) v[i].x = 0;", ""},
	{"statistics without the last channel", "norm", 0, "if (c + 3 >= HIDDEN) v[i].w = 0;", "if (c + 4 >= HIDDEN) v[i].w = 0;"},
	{"a mean of the padded width", "norm", 0, "simd_sum(sum) / HIDDEN;", "simd_sum(sum) / WIDTH;"},
	{"a norm without eps", "norm", 0, " + EPS", " + 1e-3f"},
	{"a row to few rows", "norm", 0, "constant constexpr uint ROWS = 4;", "constant constexpr uint ROWS = 3;"},
	{"types for positions", "norm", 0, "token.y & 0xffff", "token.y >> 16"},

	{"pool reads the wrong row", "pool", 0, "GATHER ? starts[group.x] : group.x", "group.x"},
	{"pool gathers where there is one row a sequence", "pool", 0, "GATHER ? starts[group.x] : group.x", "starts[group.x]"},
	{"pool reads a row of the next sequence", "pool", 0, "GATHER ? starts[group.x + 1] : group.x + 1", "GATHER ? starts[group.x + 1] + 1 : group.x + 1"},
	{"pool's last row is the one beside", "pool", 0, "ulong(end - 1)", "ulong(end)"},
	{"pool's last row is the first", "pool", 0, "ulong(end - 1)", "ulong(first)"},
	{"pool's largest is at least zero", "pool", 0, "KIND == POOL_FIRST || KIND == POOL_MAX", "KIND == POOL_FIRST"},
	{"pool's largest is the smallest", "pool", 0, "v = max(v,", "v = min(v,"},
	{"pool's largest without the last row", "pool", 0, "row = first + 1; row < end; row++", "row = first + 1; row + 1 < end; row++"},
	{"pool's largest of some is that of all", "pool", 0, "weights[row] == 0 ? v : ", ""},
	{"pool's largest of some is that of the others", "pool", 0, "weights[row] == 0", "weights[row] != 0"},
	{"pool's largest of some is at least zero", "pool", 0, "v = LOWEST;", "v = 0;"},
	{"pool's largest of some without the last row", "pool", 0, "row = first; row < end; row++", "row = first; row + 1 < end; row++"},
	{"pool's largest of some with the weights of the first sequence", "pool", 0, "weights[row]", "weights[row - first]"},
	{"pool's largest of some is the smallest", "pool", 1, "max(v,", "min(v,"},
	{"pool's sum without the last row", "pool", 1, "row = first; row < end; row++", "row = first; row + 1 < end; row++"},
	{"pool's sum without the first row", "pool", 1, "row = first; row < end; row++", "row = first + 1; row < end; row++"},
	{"pool's sum without weights", "pool", 0, "fma(weights[row], ", "fma(1.0f, "},
	{"pool's sum with the weights of the first sequence", "pool", 1, "weights[row]", "weights[row - first]"},
	{"pool's sum in half", "pool", 0, "v = fma(weights[row], x[ulong(row) * WIDTH + c], v);", "v = float(half(fma(weights[row], x[ulong(row) * WIDTH + c], v)));"},
	{"pool's channels of the first group alone", "pool", 0, "group.y * 32 + lane", "lane"},
	{"pool writes to one sequence", "pool", 0, "pooled[ulong(group.x) * WIDTH + c]", "pooled[c]"},
	{"pool's kinds are other ones", "pool", 0, "POOL_LAST = 1;", "POOL_LAST = 3;"},

	{"GELU by tanh", "common", 0, "    return x * fma(near, p, float2(0.5f));",
		"    return float2{x.x / 2 * (1 + tanh(0.7978845608f * (x.x + 0.044715f * x.x * x.x * x.x))), x.y / 2 * (1 + tanh(0.7978845608f * (x.y + 0.044715f * x.y * x.y * x.y)))};"},
	{"GELU without its last coefficient", "common", 0, "float2(-0.00021709657448809594f)", "float2(0.0f)"},
	{"GELU's limit", "common", 0, "clamp(x, float2(-5.5f), float2(5.5f))", "x"},
	{"a fragment's rows", "common", 0, "lane / 16 * 4 + lane / 2 % 4", "lane / 16 * 4 + lane / 4 % 4"},

	{"linear's x and w swapped", "linear", 0, "device const half *x [[buffer(0)]],\n    device const half *w [[buffer(1)]],", "device const half *x [[buffer(1)]],\n    device const half *w [[buffer(0)]],"},
	{"linear's residual and sum swapped", "linear", 0, "device const float *residual [[buffer(3)]]", "device const float *residual [[buffer(5)]]"},
	{"norm's x and gain swapped", "norm", 0, "device float *x [[buffer(0)]],\n    device const float *gain [[buffer(1)]],", "device float *x [[buffer(1)]],\n    device const float *gain [[buffer(0)]],"},
	{"attention's operands swapped", "attention", 0, "device const uint4 *items [[buffer(1)]],\n    device half *context [[buffer(2)]],", "device const uint4 *items [[buffer(2)]],\n    device half *context [[buffer(1)]],"},
	{"pool's operands swapped", "pool", 0, "device const float *weights [[buffer(2)]],\n    device float *pooled [[buffer(3)]],", "device const float *weights [[buffer(3)]],\n    device float *pooled [[buffer(2)]],"},
}

// TestMutations plants errors in the shaders, one at a time, and wants each to be
// found by some other test. It takes minutes, and runs where MINILM_MUTATIONS is set,
// as .ci/run does.
func TestMutations(t *testing.T) {
	if os.Getenv("MINILM_MUTATIONS") == "" {
		t.Skip("MINILM_MUTATIONS is not set")
	}
	needEmulator(t)
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			source, err := m.plant()
			if err != "" {
				t.Fatal(err)
			}
			if err := tableErrors(source); len(err) > 0 {
				t.Logf("found by TestTableIsTheShaders: %s", err[0])
				return
			}
			if err := infinities(source); len(err) > 0 {
				t.Logf("found by TestShadersHaveNoInfinity: %s", err[0])
				return
			}
			for _, c := range checks {
				if err := c.run(source); err != nil {
					text, _, _ := strings.Cut(err.Error(), "\n")
					if strings.Contains(text, "do not compile") {
						t.Fatal(located(err))
					}
					t.Logf("found by %s: %.160s", c.name, text)
					return
				}
			}
			t.Error("nothing finds it")
		})
	}
}

// plant returns the source with the error, or why that cannot be.
func (m *mutation) plant() (source, err string) {
	var all strings.Builder
	for _, name := range shaderOrder {
		text := shaderFile(name)
		if name == m.file {
			parts := strings.Split(text, m.old)
			if len(parts) <= m.n+1 {
				return "", "the shader does not say it so often: " + m.old
			}
			text = strings.Join(parts[:m.n+1], m.old) + m.new + strings.Join(parts[m.n+1:], m.old)
		}
		all.WriteString(text)
	}
	return all.String(), ""
}
