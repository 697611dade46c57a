// probe writes which elements of a fragment thread_elements() are: for each lane two
// numbers row·8 + column, in float, and then two in half.

[[kernel]] void probe(
    device float *found [[buffer(0)]],
    ushort lane [[thread_index_in_simdgroup]])
{
    threadgroup float floats[64];
    threadgroup half halves[64];
    for (ushort i = lane; i < 64; i += 32) {
        floats[i] = i;
        halves[i] = i;
    }
    simdgroup_barrier(mem_flags::mem_threadgroup);
    simdgroup_float8x8 f;
    simdgroup_half8x8 h;
    simdgroup_load(f, floats, 8);
    simdgroup_load(h, halves, 8);
    for (ushort i = 0; i < 2; i++) {
        found[lane * 4 + i] = f.thread_elements()[i];
        found[lane * 4 + 2 + i] = h.thread_elements()[i];
    }
}
