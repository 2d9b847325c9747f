/*
 * What the C arguments of one call point into: memory, and the Python objects and buffers whose
 * bytes they borrow. Lists and dicts may change, on another thread, while the engine reads what
 * they held; so a call holds what it took from them until it ends.
 */
#include "module.h"

#include <stddef.h>

/* Bytes of a block, and of the objects noted at once. Most calls need one of each. */
#define BLOCK_BYTE_COUNT 8192
#define OBJECT_COUNT 510

struct memory_block {
    struct memory_block *next;
    size_t used;
    size_t capacity;
    max_align_t bytes[];
};

struct kept_objects {
    struct kept_objects *next;
    size_t count;
    PyObject *objects[OBJECT_COUNT];
};

struct kept_buffer {
    struct kept_buffer *next;
    Py_buffer view;
};

void *
call_memory_allocate(call_memory *memory, size_t count, size_t size)
{
    const size_t alignment = sizeof(max_align_t);
    if (count > PY_SSIZE_T_MAX / 2 / size) {
        return PyErr_NoMemory();
    }
    size_t wanted = (count * size + alignment - 1) / alignment * alignment;
    if (wanted == 0) {
        wanted = alignment;
    }
    struct memory_block *block = memory->blocks;
    if (block == NULL || block->capacity - block->used < wanted) {
        size_t capacity = wanted > BLOCK_BYTE_COUNT ? wanted : BLOCK_BYTE_COUNT;
        block = PyMem_Calloc(1, sizeof(struct memory_block) + capacity);
        if (block == NULL) {
            return PyErr_NoMemory();
        }
        block->capacity = capacity;
        block->next = memory->blocks;
        memory->blocks = block;
    }
    void *room = (char *)block->bytes + block->used;
    block->used += wanted;
    return room;
}

bool
call_memory_keep(call_memory *memory, PyObject *object)
{
    struct kept_objects *kept = memory->objects;
    if (kept == NULL || kept->count == OBJECT_COUNT) {
        kept = PyMem_Malloc(sizeof(struct kept_objects));
        if (kept == NULL) {
            PyErr_NoMemory();
            return false;
        }
        kept->count = 0;
        kept->next = memory->objects;
        memory->objects = kept;
    }
    Py_INCREF(object);
    kept->objects[kept->count++] = object;
    return true;
}

const Py_buffer *
call_memory_buffer(call_memory *memory, PyObject *object, int flags)
{
    struct kept_buffer *kept = PyMem_Malloc(sizeof(struct kept_buffer));
    if (kept == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (PyObject_GetBuffer(object, &kept->view, flags) < 0) {
        PyMem_Free(kept);
        return NULL;
    }
    kept->next = memory->buffers;
    memory->buffers = kept;
    return &kept->view;
}

void
call_memory_end(call_memory *memory)
{
    while (memory->buffers != NULL) {
        struct kept_buffer *kept = memory->buffers;
        memory->buffers = kept->next;
        PyBuffer_Release(&kept->view);
        PyMem_Free(kept);
    }
    while (memory->objects != NULL) {
        struct kept_objects *kept = memory->objects;
        memory->objects = kept->next;
        for (size_t index = 0; index < kept->count; index++) {
            Py_DECREF(kept->objects[index]);
        }
        PyMem_Free(kept);
    }
    while (memory->blocks != NULL) {
        struct memory_block *block = memory->blocks;
        memory->blocks = block->next;
        PyMem_Free(block);
    }
}
