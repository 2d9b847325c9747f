/* The little that these tests need of a framework. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

#include "chroma.h"

extern int check_count;
extern int failure_count;

#define CHECK(condition) \
  do { \
    ++check_count; \
    if (!(condition)) { \
      ++failure_count; \
      printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
    } \
  } while (0)

/* Checks a status; on a difference prints what the library says. Frees the error either way. */
#define CHECK_STATUS(expected, call) \
  do { \
    chroma_error *error_ = NULL; \
    chroma_error **error = &error_; \
    chroma_status status_ = (call); \
    ++check_count; \
    if (status_ != (expected)) { \
      chroma_string message_ = chroma_error_message(error_); \
      ++failure_count; \
      printf("%s:%d: %s gave %s, not %s: %.*s\n", __FILE__, __LINE__, #call, \
             chroma_status_name(status_), chroma_status_name(expected), (int)message_.length, \
             message_.data); \
    } \
    CHECK((status_ == CHROMA_OK) == (error_ == NULL)); \
    if (error_ != NULL) { \
      CHECK(chroma_error_status(error_) == status_); \
      CHECK(chroma_error_message(error_).length > 0); \
    } \
    chroma_error_free(error_); \
  } while (0)

static inline chroma_string text(const char *string) {
  chroma_string result;
  result.data = string;
  result.length = strlen(string);
  return result;
}

static inline int is_text(chroma_string string, const char *expected) {
  return string.data != NULL && string.length == strlen(expected) &&
         memcmp(string.data, expected, string.length) == 0;
}

/* What the tests work on. */
chroma_engine *open_engine(const char *path, uint32_t allow_reset);
chroma_collection *create_collection(chroma_engine *engine, const char *name);
extern const float vectors[6]; /* Three rows of two. */
void add_three(chroma_collection *collection);
uint64_t count(chroma_collection *collection);

void test_maintenance(const char *path);
void test_index(void);
void test_order(void);
void test_insertion(void);

#endif
