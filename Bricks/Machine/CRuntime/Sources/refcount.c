#include "CRuntime.h"
#if !__STDC_HOSTED__
// Reference counts without bus locks: an instance has one processor, and no interrupt runs Swift code, so the
// compiler is told (-assume-single-threaded) and calls these. The layout is that of Embedded Swift's heap objects
// (EmbeddedRuntime.swift): the count in the second word, all 63 bits set for an object that lives for ever.
struct object {
    void *metadata;
    uint64_t count;
};
#define COUNT_BITS 0x7fffffffffffffff

void swift_release(struct object *object);

// The null object, and the tagged ones, which have the highest bit set, are not counted.
static inline _Bool is_counted(const struct object *object) {
    return (int64_t)object > 0 && (object->count & COUNT_BITS) != COUNT_BITS;
}

struct object *swift_nonatomic_retain(struct object *object) {
    if (is_counted(object)) object->count++;
    return object;
}

struct object *swift_nonatomic_retain_n(struct object *object, uint32_t n) {
    if (is_counted(object)) object->count += n;
    return object;
}

void swift_nonatomic_release(struct object *object) {
    if (!is_counted(object)) return;
    if ((object->count & COUNT_BITS) > 1)
        object->count--;
    else
        swift_release(object);  // the last one: the runtime destroys the object
}

void swift_nonatomic_release_n(struct object *object, uint32_t n) {
    while (n--) swift_nonatomic_release(object);
}

// A bridge object is an object with marks in the bits that an address does not need: those of strings.
static inline struct object *unmarked(struct object *object) { return (struct object *)((uint64_t)object & 0x8ffffffffffffff8); }

struct object *swift_nonatomic_bridgeObjectRetain_n(struct object *object, uint32_t n) {
    swift_nonatomic_retain_n(unmarked(object), n);
    return object;
}
struct object *swift_nonatomic_bridgeObjectRetain(struct object *object) { return swift_nonatomic_bridgeObjectRetain_n(object, 1); }
void swift_nonatomic_bridgeObjectRelease_n(struct object *object, uint32_t n) { swift_nonatomic_release_n(unmarked(object), n); }
void swift_nonatomic_bridgeObjectRelease(struct object *object) { swift_nonatomic_release(unmarked(object)); }
#endif
