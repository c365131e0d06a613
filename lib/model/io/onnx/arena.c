/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory for messages: protobuf-c asks for many small pieces, and they go together. Each piece has 16 bytes before it
 * that name its chunk if it has one of its own, so that what is large can be given back at once.
 */
#include <string.h>

#include "model/io/onnx/onnx.h"

#define HEAD 64
#define MARK 16
#define CHUNK_BYTES 32768

struct pm_chunk {
    struct pm_chunk *previous, *next;
    int64_t bytes;
};
_Static_assert(sizeof(struct pm_chunk) + MARK <= HEAD, "the head of a chunk holds its links and one mark");

void pm_arena_start(struct pm_arena *arena, prune_context *context, int64_t most)
{
    *arena = (struct pm_arena){.context = context, .most = most};
}

static int32_t add_chunk(struct pm_arena *arena, int64_t bytes, char **data)
{
    struct pm_chunk *chunk;
    int64_t all = 0, used = 0;
    PR_TRY(pr_add(bytes, HEAD, &all));
    PR_TRY(pr_add(arena->used, all, &used));
    if (arena->most && used > arena->most)
        return pr_fail(PRUNE_E_FORMAT,
                       "its messages would take more than %lld bytes of memory, far more than its size accounts for",
                       (long long)arena->most);
    PR_TRY(pr_alloc(arena->context, all, 1, &chunk));
    *chunk = (struct pm_chunk){.next = arena->chunks, .bytes = all};
    if (arena->chunks)
        arena->chunks->previous = chunk;
    arena->chunks = chunk;
    arena->used = used;
    *data = (char *)chunk + HEAD;
    return PRUNE_OK;
}

static void mark(char *data, struct pm_chunk *chunk)
{
    memcpy(data - MARK, &chunk, sizeof chunk);
}

static int32_t take(struct pm_arena *arena, int64_t bytes, char **out)
{
    char *data = NULL;
    if (bytes >= PM_ARENA_LARGE) {
        PR_TRY(add_chunk(arena, bytes, &data));
        mark(data, arena->chunks);
        *out = data;
        return PRUNE_OK;
    }
    int64_t needed = MARK + (bytes + 15) / 16 * 16;
    if (needed > arena->left) {
        PR_TRY(add_chunk(arena, CHUNK_BYTES, &data));
        arena->next = data;
        arena->left = CHUNK_BYTES;
    }
    data = arena->next + MARK;
    arena->next += needed;
    arena->left -= needed;
    mark(data, NULL);
    *out = data;
    return PRUNE_OK;
}

int32_t pm_arena_alloc(struct pm_arena *arena, int64_t bytes, void *out)
{
    char *data = NULL;
    int32_t status = take(arena, bytes, &data);
    if (status) {
        arena->status = status;
        return status;
    }
    memset(data, 0, (size_t)bytes);
    memcpy(out, &data, sizeof data);
    return PRUNE_OK;
}

int32_t pm_arena_copy(struct pm_arena *arena, const void *data, int64_t bytes, void *out)
{
    void *copy;
    PR_TRY(pm_arena_alloc(arena, bytes, &copy));
    if (bytes)
        memcpy(copy, data, (size_t)bytes);
    memcpy(out, &copy, sizeof copy);
    return PRUNE_OK;
}

static void *allocate(void *user, size_t size)
{
    struct pm_arena *arena = user;
    char *data = NULL;
    if (arena->status)
        return NULL;
    arena->status = size > INT64_MAX ? pr_fail(PRUNE_E_OVERFLOW, "a message does not fit in 63 bits")
                                     : take(arena, (int64_t)size, &data);
    return arena->status ? NULL : data;
}

static void let_go(void *user, void *data)
{
    struct pm_arena *arena = user;
    struct pm_chunk *chunk;
    if (!data)
        return;
    memcpy(&chunk, (char *)data - MARK, sizeof chunk);
    if (!chunk)
        return;
    if (chunk->previous)
        chunk->previous->next = chunk->next;
    else
        arena->chunks = chunk->next;
    if (chunk->next)
        chunk->next->previous = chunk->previous;
    arena->used -= chunk->bytes;
    pr_release(arena->context, chunk);
}

ProtobufCAllocator pm_arena_allocator(struct pm_arena *arena)
{
    return (ProtobufCAllocator){.alloc = allocate, .free = let_go, .allocator_data = arena};
}

void pm_arena_release(struct pm_arena *arena)
{
    while (arena->chunks) {
        struct pm_chunk *next = arena->chunks->next;
        pr_release(arena->context, arena->chunks);
        arena->chunks = next;
    }
}
