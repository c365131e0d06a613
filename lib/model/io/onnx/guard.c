/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Bytes that protobuf-c may be given. It recurses as deep as messages nest and says nothing but no; here the nesting is
 * a list, and each refusal names field, message and place.
 */
#include "model/io/onnx/onnx.h"

enum wire { VARINT, BITS_64, DELIMITED, GROUP, END_GROUP, BITS_32 };

struct level {
    const ProtobufCMessageDescriptor *type;
    int64_t end;
    uint64_t seen; /* fields that may stand once, by their places in the type */
};

struct walk {
    const uint8_t *bytes;
    int64_t at;
    int depth;
    struct level levels[PM_MOST_DEPTH];
};

static int32_t take_varint(struct walk *walk, int64_t end, int most, uint64_t *number)
{
    int64_t start = walk->at;
    uint64_t result = 0;
    for (int i = 0; i < most; i++) {
        if (walk->at == end)
            return pr_fail(PRUNE_E_FORMAT, "the number at byte %lld goes on where its message ends, at byte %lld",
                           (long long)start, (long long)end);
        uint8_t byte = walk->bytes[walk->at++];
        result |= (uint64_t)(byte & 127) << 7 * i;
        if (byte < 128) {
            *number = result;
            return PRUNE_OK;
        }
    }
    return pr_fail(PRUNE_E_FORMAT, "the number at byte %lld has more than %d bytes", (long long)start, most);
}

static enum wire wire_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        return BITS_32;
    case PROTOBUF_C_TYPE_DOUBLE:
        return BITS_64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return DELIMITED;
    default:
        return VARINT;
    }
}

static int32_t check_packed(struct walk *walk, enum wire wire, int64_t end, const ProtobufCFieldDescriptor *field)
{
    int64_t size = wire == BITS_32 ? 4 : 8, bytes = end - walk->at;
    uint64_t number = 0;
    if (wire == VARINT) {
        while (walk->at < end)
            PR_TRY(take_varint(walk, end, 10, &number));
        return PRUNE_OK;
    }
    if (bytes % size)
        return pr_fail(PRUNE_E_FORMAT, "%s at byte %lld has %lld bytes; numbers of %d bytes do not fill them",
                       field->name, (long long)walk->at, (long long)bytes, (int)size);
    walk->at = end;
    return PRUNE_OK;
}

static int32_t enter(struct walk *walk, const ProtobufCMessageDescriptor *type, int64_t end)
{
    if (walk->depth == PM_MOST_DEPTH)
        return pr_fail(PRUNE_E_FORMAT, "messages are nested more than %d deep at byte %lld", PM_MOST_DEPTH,
                       (long long)walk->at);
    walk->levels[walk->depth++] = (struct level){.type = type, .end = end};
    return PRUNE_OK;
}

/* A known field whose value is `end` - at bytes long. */
static int32_t check_delimited(struct walk *walk, const ProtobufCFieldDescriptor *field, int64_t end)
{
    enum wire wire = wire_of(field);
    if (wire != DELIMITED && field->label == PROTOBUF_C_LABEL_REPEATED)
        return check_packed(walk, wire, end, field);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return enter(walk, field->descriptor, end);
    if (field->type == PROTOBUF_C_TYPE_STRING && !pm_is_utf8((const char *)walk->bytes + walk->at, end - walk->at))
        return pr_fail(PRUNE_E_FORMAT, "%s at byte %lld is not UTF-8, or has a NUL in it", field->name,
                       (long long)walk->at);
    walk->at = end;
    return PRUNE_OK;
}

static int32_t check_value(struct walk *walk, struct level *level, enum wire wire,
                           const ProtobufCFieldDescriptor *field)
{
    uint64_t number = 0;
    int64_t left, start = walk->at;
    if (wire == VARINT)
        return take_varint(walk, level->end, 10, &number);
    if (wire == DELIMITED) {
        PR_TRY(take_varint(walk, level->end, 10, &number));
        left = level->end - walk->at;
        if (number > (uint64_t)left)
            return pr_fail(PRUNE_E_FORMAT, "%s at byte %lld says that it has %llu bytes; %lld are left",
                           field ? field->name : "a field", (long long)start, (unsigned long long)number,
                           (long long)left);
        if (field)
            return check_delimited(walk, field, walk->at + (int64_t)number);
        walk->at += (int64_t)number;
        return PRUNE_OK;
    }
    left = level->end - walk->at;
    int64_t size = wire == BITS_32 ? 4 : 8;
    if (left < size)
        return pr_fail(PRUNE_E_FORMAT, "a number of %d bytes at byte %lld has %lld left", (int)size, (long long)start,
                       (long long)left);
    walk->at += size;
    return PRUNE_OK;
}

static int32_t check_field(struct walk *walk)
{
    struct level *level = &walk->levels[walk->depth - 1];
    int64_t start = walk->at;
    uint64_t tag = 0;
    PR_TRY(take_varint(walk, level->end, 5, &tag));
    enum wire wire = (enum wire)(tag & 7);
    if (tag >> 3 == 0 || tag >> 32)
        return pr_fail(PRUNE_E_FORMAT, "the field at byte %lld has number %llu; 1 to 536870911 exist", (long long)start,
                       (unsigned long long)(tag >> 3));
    if (wire == GROUP || wire == END_GROUP || wire > BITS_32)
        return pr_fail(PRUNE_E_FORMAT, "field %u at byte %lld is of wire type %d; 0, 1, 2 and 5 are read",
                       (unsigned)(tag >> 3), (long long)start, (int)wire);
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(level->type, (unsigned)(tag >> 3));
    if (!field)
        return check_value(walk, level, wire, NULL);
    enum wire expected = wire_of(field);
    int is_packed = wire == DELIMITED && field->label == PROTOBUF_C_LABEL_REPEATED;
    if (wire != expected && !is_packed)
        return pr_fail(PRUNE_E_FORMAT, "%s of %s at byte %lld is of wire type %d; it must be %d", field->name,
                       level->type->short_name, (long long)start, (int)wire, (int)expected);
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        uint64_t bit = (uint64_t)1 << (field - level->type->fields);
        if (level->seen & bit)
            return pr_fail(PRUNE_E_FORMAT, "%s stands twice in the %s at byte %lld", field->name,
                           level->type->short_name, (long long)start);
        level->seen |= bit;
    }
    return check_value(walk, level, wire, field);
}

int32_t pm_onnx_check(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, int64_t length)
{
    struct walk walk = {.bytes = bytes};
    PR_TRY(enter(&walk, type, length));
    while (walk.depth > 0) {
        if (walk.at == walk.levels[walk.depth - 1].end)
            walk.depth--;
        else
            PR_TRY(check_field(&walk));
    }
    return PRUNE_OK;
}
