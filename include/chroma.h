/*
 * chroma.h: the C interface of the Chroma embedding database.
 *
 * Read these first:
 *
 *   Threads   Every function may be called from any thread, any number at once. Calls block.
 *   Fork      A persistent engine reopens lazily in a child process; an ephemeral one answers
 *             CHROMA_ERROR_CLOSED there. A call that runs while another thread forks is lost in
 *             the child.
 *   Handles   The pointers of opaque types are handles: numbers that are looked up, never
 *             addresses. A handle that was closed or freed, or that never existed, gives
 *             CHROMA_ERROR_CLOSED. NULL does too; ..._close and ..._free ignore it.
 *   Ownership Arguments are borrowed: they need live only until the call returns. What a function
 *             gives through an out_ parameter belongs to the caller, who ends it with the
 *             ..._close or ..._free of its type. Views point into their result and live as long.
 *   Errors    Functions return a chroma_status. On failure, out parameters are NULL or zero, and
 *             *out_error, if out_error is not NULL, is an error to free. No thread-local state.
 *   Strings   Pointer and length, UTF-8, no terminating NUL; NUL bytes inside are data. A NULL
 *             pointer means "none"; an empty string has a pointer and length 0.
 *   Structs   Those with struct_size are started from their ..._INIT macro. Later versions only
 *             append fields; a caller built against an older header gets the defaults of those it
 *             does not know.
 *   Process   The library never aborts, exits, prints, installs a signal handler, opens a network
 *             connection or writes outside the directory it was given.
 */
#ifndef CHROMA_H
#define CHROMA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CHROMA_API __attribute__((visibility("default")))
#else
#define CHROMA_API
#endif

/* ---- Version ------------------------------------------------------------ */

/** The version of this interface. A library serves callers of the same number. */
#define CHROMA_ABI_VERSION 1

/** The CHROMA_ABI_VERSION that the library was built with. */
CHROMA_API uint32_t chroma_abi_version(void);

/** The release, such as "1.5.9+0.1.0". Static; NUL-terminated. */
CHROMA_API const char *chroma_version(void);

/** The vector instructions in use and those found, such as "avx512 (avx2 fma avx512f)". Static. */
CHROMA_API const char *chroma_cpu_features(void);

/* ---- Basic types -------------------------------------------------------- */

/** UTF-8 bytes. data NULL: no string. */
typedef struct chroma_string {
  const char *data;
  size_t length; /**< Bytes. */
} chroma_string;

/** An engine: one open directory, or one database in memory. */
typedef struct chroma_engine chroma_engine;
/** A collection of an engine. */
typedef struct chroma_collection chroma_collection;
/** Descriptions of collections. */
typedef struct chroma_collection_list chroma_collection_list;
/** Descriptions of databases. */
typedef struct chroma_database_list chroma_database_list;
/** Records, the answer of a get. */
typedef struct chroma_get_result chroma_get_result;
/** Neighbours, the answer of a query. */
typedef struct chroma_query_result chroma_query_result;
/** How a query was answered. */
typedef struct chroma_explain_result chroma_explain_result;
/** The values under a key. */
typedef struct chroma_distinct_result chroma_distinct_result;
/** What was found in a directory, or done to it. */
typedef struct chroma_report chroma_report;
/** What went wrong. */
typedef struct chroma_error chroma_error;
/** A wish that a call end early. */
typedef struct chroma_cancel chroma_cancel;

/* ---- Errors ------------------------------------------------------------- */

typedef int32_t chroma_status;
enum {
  CHROMA_OK = 0,
  /* The caller's mistakes. */
  CHROMA_ERROR_INVALID_ARGUMENT = 1,  /**< A type, range, name, filter or dimension. */
  CHROMA_ERROR_NOT_FOUND = 2,         /**< No such tenant, database, collection or record. */
  CHROMA_ERROR_ALREADY_EXISTS = 3,    /**< Something has the name, or a record the id. */
  CHROMA_ERROR_PERMISSION_DENIED = 4, /**< A setting forbids it: allow_reset, read_only. */
  CHROMA_ERROR_CLOSED = 5,            /**< The handle was closed, freed, or never existed. */
  CHROMA_ERROR_CANCELLED = 6,         /**< The cancel token was used. */
  CHROMA_ERROR_CONFLICT = 7,          /**< A condition that the caller stated no longer holds. */
  CHROMA_ERROR_UNIMPLEMENTED = 8,
  /* The world's failures. */
  CHROMA_ERROR_IO = 20,                 /**< The message names the file, the call, the reason. */
  CHROMA_ERROR_CORRUPTION = 21,         /**< A checksum failed; the message names file and place. */
  CHROMA_ERROR_OUT_OF_SPACE = 22,       /**< The disk is full. Reads go on. */
  CHROMA_ERROR_LOCKED = 23,             /**< Another process writes for longer than we may wait. */
  CHROMA_ERROR_TIMEOUT = 24,            /**< The caller's time ran out. */
  CHROMA_ERROR_UNSUPPORTED_FORMAT = 25, /**< A newer release wrote the directory. */
  CHROMA_ERROR_RESOURCE_EXHAUSTED = 26  /**< A limit of the engine or of memory. */
};

/** The name of a status, such as "CHROMA_ERROR_LOCKED", else "CHROMA_ERROR_UNKNOWN". Static. */
CHROMA_API const char *chroma_status_name(chroma_status status);

/** The status that came with an error; CHROMA_ERROR_CLOSED for a stale handle. */
CHROMA_API chroma_status chroma_error_status(const chroma_error *error);

/** The sentence to show. Lives as long as the error; empty for a stale handle. */
CHROMA_API chroma_string chroma_error_message(const chroma_error *error);

CHROMA_API void chroma_error_free(chroma_error *error);

/* ---- Cancelling --------------------------------------------------------- */

/** @param out_cancel  A token to free with chroma_cancel_free(). */
CHROMA_API chroma_status chroma_cancel_create(chroma_cancel **out_cancel, chroma_error **out_error);

/**
 * Ends, within about 10 ms, the reads that were given the token, now and later, with
 * CHROMA_ERROR_CANCELLED. A write that already waits for the disk is not undone.
 */
CHROMA_API void chroma_cancel_request(chroma_cancel *cancel);

/** Frees the token. Calls that use it go on, no longer cancellable. */
CHROMA_API void chroma_cancel_free(chroma_cancel *cancel);

/* ---- Engines ------------------------------------------------------------ */

typedef struct chroma_engine_options {
  size_t struct_size;
  chroma_string path;             /**< The directory, created if missing; none: in memory. */
  uint32_t allow_reset;           /**< Not 0: chroma_engine_reset() may be used. */
  uint32_t write_turn_timeout_ms; /**< Wait for other processes' writes; 0: 10,000 ms. */
  uint32_t read_only;             /**< Not 0: nothing is created, changed or removed. */
  uint32_t disable_background_compaction; /**< Not 0: no thread compacts, only writers do. */
  uint64_t memory_limit_bytes;            /**< For collections that are not in use; 0: no limit. */
  uint32_t indexing_threads;              /**< That index vectors; 0: half of the cores. */
} chroma_engine_options;
#define CHROMA_ENGINE_OPTIONS_INIT \
  { sizeof(chroma_engine_options), {NULL, 0}, 0, 0, 0, 0, 0, 0 }

/**
 * Opens a directory, or a new database in memory.
 *
 * With read_only the directory may lie on a read-only medium, be closed, left by a killed process,
 * or be written by others at the same time: every read sees what is committed when it begins. Calls
 * that would write answer CHROMA_ERROR_PERMISSION_DENIED.
 *
 * Handles of one directory in one process share one engine, which closes with the last of them;
 * the first of them decides on background compaction, the memory limit and the indexing threads.
 * Those that only read share another. Any number of processes may have a directory open.
 *
 * @param out_engine  An engine to close with chroma_engine_close().
 * @return CHROMA_ERROR_INVALID_ARGUMENT, _IO, _CORRUPTION, _UNSUPPORTED_FORMAT, _OUT_OF_SPACE;
 *         read-only, _NOT_FOUND if there is no database, and _UNSUPPORTED_FORMAT also for a
 *         directory of an older release, which has to be opened for writing once.
 */
CHROMA_API chroma_status chroma_engine_open(const chroma_engine_options *options,
                                            chroma_engine **out_engine, chroma_error **out_error);

/** Closes the handle. Calls in progress finish; collections of the handle become stale. */
CHROMA_API void chroma_engine_close(chroma_engine *engine);

/** Removes every tenant, database, collection and record. Needs allow_reset. */
CHROMA_API chroma_status chroma_engine_reset(chroma_engine *engine, chroma_error **out_error);

/** Nanoseconds since the Unix epoch; proves that the engine answers. */
CHROMA_API chroma_status chroma_engine_heartbeat(chroma_engine *engine, int64_t *out_nanoseconds,
                                                 chroma_error **out_error);

/* ---- Tenants and databases ---------------------------------------------- */

CHROMA_API chroma_status chroma_tenant_create(chroma_engine *engine, chroma_string name,
                                              chroma_error **out_error);

/** CHROMA_OK if the tenant exists, else CHROMA_ERROR_NOT_FOUND. */
CHROMA_API chroma_status chroma_tenant_get(chroma_engine *engine, chroma_string name,
                                           chroma_error **out_error);

typedef struct chroma_database_view {
  uint8_t id[16]; /**< UUID, most significant byte first. */
  chroma_string name;
  chroma_string tenant;
} chroma_database_view;

CHROMA_API chroma_status chroma_database_create(chroma_engine *engine, chroma_string tenant,
                                                chroma_string name, chroma_error **out_error);

/** @param out_list  A list of one, to free with chroma_database_list_free(). */
CHROMA_API chroma_status chroma_database_get(chroma_engine *engine, chroma_string tenant,
                                             chroma_string name, chroma_database_list **out_list,
                                             chroma_error **out_error);

/** Deletes the database with its collections. */
CHROMA_API chroma_status chroma_database_delete(chroma_engine *engine, chroma_string tenant,
                                                chroma_string name, chroma_error **out_error);

/**
 * The databases of a tenant, by name; none for an unknown tenant.
 *
 * @param limit     At most so many; UINT64_MAX for all.
 * @param out_list  To free with chroma_database_list_free().
 */
CHROMA_API chroma_status chroma_database_list_all(chroma_engine *engine, chroma_string tenant,
                                                  uint64_t limit, uint64_t offset,
                                                  chroma_database_list **out_list,
                                                  chroma_error **out_error);

CHROMA_API size_t chroma_database_list_count(const chroma_database_list *list);

/** @param out_view  Points into the list. An index out of range is an invalid argument. */
CHROMA_API chroma_status chroma_database_list_view(const chroma_database_list *list, size_t index,
                                                   chroma_database_view *out_view,
                                                   chroma_error **out_error);

CHROMA_API void chroma_database_list_free(chroma_database_list *list);

/* ---- Metadata ----------------------------------------------------------- */

typedef int32_t chroma_metadata_kind;
enum {
  CHROMA_METADATA_NULL = 0,   /**< In an update: remove the key. Refused in add. */
  CHROMA_METADATA_BOOL = 1,   /**< value.boolean, 0 or 1. */
  CHROMA_METADATA_INT = 2,    /**< value.integer. */
  CHROMA_METADATA_FLOAT = 3,  /**< value.number; finite. */
  CHROMA_METADATA_STRING = 4, /**< value.string. */
  /* Arrays are not empty. */
  CHROMA_METADATA_BOOLS = 5,  /**< value.booleans, count elements. */
  CHROMA_METADATA_INTS = 6,   /**< value.integers, count elements. */
  CHROMA_METADATA_FLOATS = 7, /**< value.numbers, count elements. */
  CHROMA_METADATA_STRINGS = 8 /**< value.strings, count elements. */
};

typedef struct chroma_metadata_entry {
  chroma_string key;
  chroma_metadata_kind kind;
  uint32_t reserved; /**< 0. */
  union {
    uint8_t boolean;
    int64_t integer;
    double number;
    chroma_string string;
    const uint8_t *booleans;
    const int64_t *integers;
    const double *numbers;
    const chroma_string *strings;
  } value;
  size_t count; /**< Elements of an array; 0 otherwise. */
} chroma_metadata_entry;

/** One record's or collection's metadata. present 0: none at all (unlike present with count 0). */
typedef struct chroma_metadata {
  const chroma_metadata_entry *entries; /**< In any order; a key given twice: the last counts. */
  size_t count;
  uint32_t present;
  uint32_t reserved; /**< 0. */
} chroma_metadata;

/* ---- Collections -------------------------------------------------------- */

typedef struct chroma_collection_options {
  size_t struct_size;
  chroma_string tenant;
  chroma_string database;
  chroma_string name;               /**< 3 to 512 characters of [a-zA-Z0-9._-]. */
  chroma_string configuration_json; /**< {"hnsw":…,"spann":…,…}; none: default. */
  chroma_metadata metadata;
  uint32_t get_or_create; /**< Not 0: an existing collection is returned unchanged. */
  /**
   * {"defaults":…,"keys":…}: what is indexed, for good; none: everything. Filters by what is not
   * are refused. A schema and a configuration cannot both ask for something.
   */
  chroma_string schema_json;
} chroma_collection_options;
#define CHROMA_COLLECTION_OPTIONS_INIT \
  { \
    sizeof(chroma_collection_options), {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, \
        {NULL, 0, 0, 0}, 0, { \
      NULL, 0 \
    } \
  }

/** @param out_collection  To close with chroma_collection_close(). */
CHROMA_API chroma_status chroma_collection_create(chroma_engine *engine,
                                                  const chroma_collection_options *options,
                                                  chroma_collection **out_collection,
                                                  chroma_error **out_error);

/** @param out_collection  To close with chroma_collection_close(). */
CHROMA_API chroma_status chroma_collection_open(chroma_engine *engine, chroma_string tenant,
                                                chroma_string database, chroma_string name,
                                                chroma_collection **out_collection,
                                                chroma_error **out_error);

/**
 * Opens a collection by its identifier, whatever its tenant and database, without asking whether it
 * exists: the first use says.
 *
 * @param id  A UUID, hyphenated or not.
 */
CHROMA_API chroma_status chroma_collection_open_by_id(chroma_engine *engine, chroma_string id,
                                                      chroma_collection **out_collection,
                                                      chroma_error **out_error);

CHROMA_API void chroma_collection_close(chroma_collection *collection);

CHROMA_API chroma_status chroma_collection_delete(chroma_engine *engine, chroma_string tenant,
                                                  chroma_string database, chroma_string name,
                                                  chroma_error **out_error);

CHROMA_API chroma_status chroma_collection_count_all(chroma_engine *engine, chroma_string tenant,
                                                     chroma_string database, uint64_t *out_count,
                                                     chroma_error **out_error);

/** What a collection is. Points into its list. */
typedef struct chroma_collection_view {
  size_t struct_size;
  uint8_t id[16]; /**< UUID, most significant byte first. */
  chroma_string name;
  chroma_string tenant;
  chroma_string database;
  chroma_string configuration_json;
  chroma_string schema_json; /**< What is indexed, complete: also without a schema of its own. */
  chroma_metadata metadata;
  uint64_t dimension; /**< Elements of a vector; 0 before the first. */
} chroma_collection_view;
#define CHROMA_COLLECTION_VIEW_INIT \
  { \
    sizeof(chroma_collection_view), {0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, \
        {NULL, 0, 0, 0}, 0 \
  }

/** @param out_list  A list of one, to free with chroma_collection_list_free(). */
CHROMA_API chroma_status chroma_collection_describe(chroma_collection *collection,
                                                    chroma_collection_list **out_list,
                                                    chroma_error **out_error);

/**
 * The collections of a database, by identifier.
 *
 * @param limit     At most so many; UINT64_MAX for all.
 * @param out_list  To free with chroma_collection_list_free().
 */
CHROMA_API chroma_status chroma_collection_list_all(chroma_engine *engine, chroma_string tenant,
                                                    chroma_string database, uint64_t limit,
                                                    uint64_t offset,
                                                    chroma_collection_list **out_list,
                                                    chroma_error **out_error);

CHROMA_API size_t chroma_collection_list_count(const chroma_collection_list *list);

/** @param out_view  Started from CHROMA_COLLECTION_VIEW_INIT; points into the list afterwards. */
CHROMA_API chroma_status chroma_collection_list_view(const chroma_collection_list *list,
                                                     size_t index, chroma_collection_view *out_view,
                                                     chroma_error **out_error);

CHROMA_API void chroma_collection_list_free(chroma_collection_list *list);

typedef struct chroma_modify_options {
  size_t struct_size;
  chroma_string name; /**< None: the name stays. */
  /** Not present: stays. Else replaces the whole map, but for keys of kind CHROMA_METADATA_NULL; of
   * such alone, the collection has no metadata afterwards. */
  chroma_metadata metadata;
  chroma_string configuration_json; /**< None: stays. */
} chroma_modify_options;
#define CHROMA_MODIFY_OPTIONS_INIT \
  { \
    sizeof(chroma_modify_options), {NULL, 0}, {NULL, 0, 0, 0}, { \
      NULL, 0 \
    } \
  }

CHROMA_API chroma_status chroma_collection_modify(chroma_collection *collection,
                                                  const chroma_modify_options *options,
                                                  chroma_error **out_error);

/* ---- Writes ------------------------------------------------------------- */

/** Vectors of one dimension, row after row. values NULL: none. */
typedef struct chroma_vectors {
  const float *values; /**< Finite 32-bit floats; any alignment. */
  size_t count;        /**< Rows. */
  size_t dimension;    /**< Elements of a row; 1 to 1,048,576. */
  size_t row_stride;   /**< Elements from one row to the next; 0: dimension. */
} chroma_vectors;

/** The most records of one write. */
#define CHROMA_RECORD_COUNT_MAX 2147483647

/** Records to write, in columns. A column is NULL (not given) or has record_count elements. */
typedef struct chroma_records {
  size_t struct_size;
  size_t record_count;
  const chroma_string *ids; /**< Needed; not empty strings. Rows apply in order. */
  chroma_vectors embeddings;
  const uint8_t *embedding_present; /**< NULL: every row has its vector. */
  const chroma_string *documents;   /**< An element without data leaves the document. */
  const chroma_string *uris;
  const chroma_metadata *metadatas;
  uint8_t request_key[16];        /**< Not all zero: a write repeated with its key happens once, at
                                       least as long as it is among the collection's newest 1,000
                                       writes with one. */
  uint32_t write_turn_timeout_ms; /**< 0: the engine's. */
} chroma_records;
#define CHROMA_RECORDS_INIT \
  { sizeof(chroma_records), 0, NULL, {NULL, 0, 0, 0}, NULL, NULL, NULL, NULL, {0}, 0 }

/**
 * Inserts records; those whose id exists are left as they are. All of a call is durable when it
 * returns, or nothing happened. Needs embeddings.
 *
 * @return CHROMA_ERROR_INVALID_ARGUMENT, _NOT_FOUND (no such collection), _LOCKED, _IO,
 *         _OUT_OF_SPACE, _CLOSED.
 */
CHROMA_API chroma_status chroma_collection_add(chroma_collection *collection,
                                               const chroma_records *records,
                                               chroma_error **out_error);

/** Changes records; unknown ids are ignored. What is not given stays. Otherwise as add. */
CHROMA_API chroma_status chroma_collection_update(chroma_collection *collection,
                                                  const chroma_records *records,
                                                  chroma_error **out_error);

/** Changes records and inserts the unknown ones. Otherwise as add. */
CHROMA_API chroma_status chroma_collection_upsert(chroma_collection *collection,
                                                  const chroma_records *records,
                                                  chroma_error **out_error);

/** What an insertion does where a record has one of its ids. */
typedef int32_t chroma_conflict_policy;
enum {
  CHROMA_ON_CONFLICT_IGNORE = 1, /**< Leaves that record as it is. */
  CHROMA_ON_CONFLICT_ERROR = 2,  /**< Stores nothing of the call: CHROMA_ERROR_ALREADY_EXISTS. */
  CHROMA_ON_CONFLICT_REPLACE = 3 /**< Makes that record exactly what is given, at its place. */
};

/** What an insertion came to. */
typedef struct chroma_insertion_counts {
  size_t struct_size;
  uint64_t added_count;    /**< New records. */
  uint64_t existing_count; /**< The others, which were ignored or replaced. */
} chroma_insertion_counts;
#define CHROMA_INSERTION_COUNTS_INIT \
  { sizeof(chroma_insertion_counts), 0, 0 }

/**
 * Inserts records, and says what it met: which ids exist is decided while nobody else writes. With
 * CHROMA_ON_CONFLICT_REPLACE a record that exists keeps its place in the order of insertion, and
 * nothing else of what it was. Of rows with the same id the later ones count as existing. Otherwise
 * as add.
 *
 * @param records     Without a request_key.
 * @param out_counts  Started from CHROMA_INSERTION_COUNTS_INIT.
 */
CHROMA_API chroma_status chroma_collection_insert(chroma_collection *collection,
                                                  const chroma_records *records,
                                                  chroma_conflict_policy on_conflict,
                                                  chroma_insertion_counts *out_counts,
                                                  chroma_error **out_error);

/** Which records: those of the ids, if given, that match both filters, if given. */
typedef struct chroma_selection {
  const chroma_string *ids; /**< NULL: no restriction. */
  size_t id_count;
  chroma_string where_json;          /**< A metadata filter, as Chroma's `where`. */
  chroma_string where_document_json; /**< A document filter, as Chroma's `where_document`. */
} chroma_selection;

typedef struct chroma_delete_options {
  size_t struct_size;
  chroma_selection selection; /**< Something must be given. */
  uint64_t limit;             /**< At most so many matches; UINT64_MAX for all. Needs a filter. */
  uint32_t write_turn_timeout_ms; /**< 0: the engine's. */
} chroma_delete_options;
#define CHROMA_DELETE_OPTIONS_INIT \
  { sizeof(chroma_delete_options), {NULL, 0, {NULL, 0}, {NULL, 0}}, UINT64_MAX, 0 }

/** @param out_deleted_count  Matches of the filters, or the ids given where there is no filter. */
CHROMA_API chroma_status chroma_collection_delete_records(chroma_collection *collection,
                                                          const chroma_delete_options *options,
                                                          uint64_t *out_deleted_count,
                                                          chroma_error **out_error);

typedef struct chroma_update_options {
  size_t struct_size;
  chroma_selection selection;     /**< Something must be given. */
  chroma_metadata metadata;       /**< Must be present. A null value removes its key. */
  uint32_t write_turn_timeout_ms; /**< 0: the engine's. */
} chroma_update_options;
#define CHROMA_UPDATE_OPTIONS_INIT \
  { sizeof(chroma_update_options), {NULL, 0, {NULL, 0}, {NULL, 0}}, {NULL, 0, 0, 0}, 0 }

/**
 * Merges metadata, key by key, into that of every selected record, all or nothing. Which records
 * are selected is decided while nobody else writes.
 *
 * @param out_updated_count  The number of selected records.
 */
CHROMA_API chroma_status chroma_collection_update_selected(chroma_collection *collection,
                                                           const chroma_update_options *options,
                                                           uint64_t *out_updated_count,
                                                           chroma_error **out_error);

/* ---- Reads -------------------------------------------------------------- */

/** What a read returns beside ids; combined by |. */
enum {
  CHROMA_INCLUDE_DOCUMENTS = 1,
  CHROMA_INCLUDE_EMBEDDINGS = 2,
  CHROMA_INCLUDE_METADATAS = 4,
  CHROMA_INCLUDE_DISTANCES = 8, /**< Queries only. */
  CHROMA_INCLUDE_URIS = 16
};

CHROMA_API chroma_status chroma_collection_count(chroma_collection *collection, uint64_t *out_count,
                                                 chroma_error **out_error);

typedef struct chroma_count_options {
  size_t struct_size;
  chroma_selection selection;
  chroma_cancel *cancel; /**< Or NULL. */
} chroma_count_options;
#define CHROMA_COUNT_OPTIONS_INIT \
  { sizeof(chroma_count_options), {NULL, 0, {NULL, 0}, {NULL, 0}}, NULL }

/** How many records the selection lets through: as many as a get of it returns. */
CHROMA_API chroma_status chroma_collection_count_selected(chroma_collection *collection,
                                                          const chroma_count_options *options,
                                                          uint64_t *out_count,
                                                          chroma_error **out_error);

typedef struct chroma_get_options {
  size_t struct_size;
  chroma_selection selection;
  uint64_t limit;         /**< UINT64_MAX for all. */
  uint64_t offset;        /**< Records to leave out first; behind `after`, if given. */
  uint32_t include;       /**< CHROMA_INCLUDE_… */
  uint32_t descending;    /**< Not 0: the greatest value first. Needs order_by. */
  chroma_cancel *cancel;  /**< Or NULL. */
  chroma_string after;    /**< An id: begin behind this record. None: at the beginning. */
  chroma_string order_by; /**< A key of metadata. None: the order of insertion. */
} chroma_get_options;
#define CHROMA_GET_OPTIONS_INIT \
  { \
    sizeof(chroma_get_options), {NULL, 0, {NULL, 0}, {NULL, 0}}, UINT64_MAX, 0, 0, 0, NULL, \
        {NULL, 0}, { \
      NULL, 0 \
    } \
  }

/** Columns of records. Columns that were not included are NULL; all point into the result. */
typedef struct chroma_get_view {
  size_t struct_size;
  size_t record_count;
  const chroma_string *ids;
  const float *embeddings; /**< record_count rows of dimension elements. */
  size_t dimension;
  const chroma_string *documents;
  const chroma_string *uris;
  const chroma_metadata *metadatas;
} chroma_get_view;
#define CHROMA_GET_VIEW_INIT \
  { sizeof(chroma_get_view), 0, NULL, NULL, 0, NULL, NULL, NULL }

/**
 * The selected records in the order in which they were inserted, or by their metadata.
 *
 * With order_by, by the value under that key, ascending or descending: bools (false first), then
 * numbers by value, integers and floats together, then strings by their bytes. Ties stand in the
 * order of insertion, whether ascending or descending. Records without a value under the key, or
 * with an array, come last, in the order of insertion, whether ascending or descending.
 *
 * With after, what precedes that record in the order, as it is now, and the record itself are left
 * out, whether the selection lets it through or not. Pages that each begin after the last record of
 * the page before show every record once that stays as it is, whatever is inserted and deleted
 * meanwhile.
 *
 * @param out_result  To free with chroma_get_result_free().
 * @return CHROMA_ERROR_NOT_FOUND         no such collection; or `after` is the id of no record;
 *         CHROMA_ERROR_INVALID_ARGUMENT, _CANCELLED, _CLOSED, _CORRUPTION, _IO.
 */
CHROMA_API chroma_status chroma_collection_get(chroma_collection *collection,
                                               const chroma_get_options *options,
                                               chroma_get_result **out_result,
                                               chroma_error **out_error);

/** @param out_view  Started from CHROMA_GET_VIEW_INIT; points into the result afterwards. */
CHROMA_API chroma_status chroma_get_result_view(const chroma_get_result *result,
                                                chroma_get_view *out_view,
                                                chroma_error **out_error);

CHROMA_API void chroma_get_result_free(chroma_get_result *result);

typedef struct chroma_distinct_options {
  size_t struct_size;
  chroma_string key; /**< Of metadata. Needed. */
  chroma_selection selection;
  uint64_t limit;        /**< At most so many values; UINT64_MAX for all. */
  chroma_cancel *cancel; /**< Or NULL. */
} chroma_distinct_options;
#define CHROMA_DISTINCT_OPTIONS_INIT \
  { sizeof(chroma_distinct_options), {NULL, 0}, {NULL, 0, {NULL, 0}, {NULL, 0}}, UINT64_MAX, NULL }

/** Values, and how many records have each. */
typedef struct chroma_distinct_view {
  size_t struct_size;
  size_t value_count;
  const chroma_metadata_entry *values; /**< Bools, integers, floats, strings, under the key. */
  const uint64_t *counts;              /**< One for each value; from 1. */
} chroma_distinct_view;
#define CHROMA_DISTINCT_VIEW_INIT \
  { sizeof(chroma_distinct_view), 0, NULL, NULL }

/**
 * The values under a key in the selected records, each once, ascending as with order_by of a get:
 * scalars, and the elements of arrays. Numbers that are equal are one value, an integer if one of
 * them is. A record counts once for each of its values.
 *
 * A limit keeps the first values, and the memory that the call takes small.
 *
 * @param out_result  To free with chroma_distinct_result_free().
 */
CHROMA_API chroma_status chroma_collection_distinct(chroma_collection *collection,
                                                    const chroma_distinct_options *options,
                                                    chroma_distinct_result **out_result,
                                                    chroma_error **out_error);

/** @param out_view  Started from CHROMA_DISTINCT_VIEW_INIT; points into the result afterwards. */
CHROMA_API chroma_status chroma_distinct_result_view(const chroma_distinct_result *result,
                                                     chroma_distinct_view *out_view,
                                                     chroma_error **out_error);

CHROMA_API void chroma_distinct_result_free(chroma_distinct_result *result);

typedef struct chroma_query_options {
  size_t struct_size;
  chroma_vectors embeddings; /**< One row a query. */
  chroma_selection selection;
  uint64_t result_count; /**< Neighbours wanted for each query. */
  uint32_t include;      /**< CHROMA_INCLUDE_… */
  uint32_t exact;        /**< Not 0: every selected record is measured, no index asked. */
  chroma_cancel *cancel; /**< Or NULL. */
  /** Or NULL. Leaves out what is farther, by the distance as it is returned; not NaN. */
  const double *max_distance;
} chroma_query_options;
#define CHROMA_QUERY_OPTIONS_INIT \
  { \
    sizeof(chroma_query_options), {NULL, 0, 0, 0}, {NULL, 0, {NULL, 0}, {NULL, 0}}, 10, 0, 0, \
        NULL, NULL \
  }

/**
 * Neighbours of query q stand in rows row_offsets[q] to row_offsets[q + 1] of every column, nearest
 * first. Columns that were not included are NULL; all point into the result.
 */
typedef struct chroma_query_view {
  size_t struct_size;
  size_t query_count;
  const size_t *row_offsets; /**< query_count + 1 elements. */
  const chroma_string *ids;
  const float *distances;
  const float *embeddings; /**< Rows of dimension elements. */
  size_t dimension;
  const chroma_string *documents;
  const chroma_string *uris;
  const chroma_metadata *metadatas;
} chroma_query_view;
#define CHROMA_QUERY_VIEW_INIT \
  { sizeof(chroma_query_view), 0, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL }

/**
 * The selected records nearest to each query; fewer than result_count where there are not as many,
 * or max_distance leaves some out. Ties stand in the order of insertion.
 *
 * In a collection of some thousand vectors or more an index finds them: with the collection's
 * setting ef_search, of the moment of the call, nearly all of the nearest are among them. Their
 * distances are exact, and what is found follows from the collection's state alone, in every
 * process: see chroma_collection_explain().
 *
 * @param out_result  To free with chroma_query_result_free().
 */
CHROMA_API chroma_status chroma_collection_query(chroma_collection *collection,
                                                 const chroma_query_options *options,
                                                 chroma_query_result **out_result,
                                                 chroma_error **out_error);

/** @param out_view  Started from CHROMA_QUERY_VIEW_INIT; points into the result afterwards. */
CHROMA_API chroma_status chroma_query_result_view(const chroma_query_result *result,
                                                  chroma_query_view *out_view,
                                                  chroma_error **out_error);

CHROMA_API void chroma_query_result_free(chroma_query_result *result);

/** The state that a query was answered from, which decides on the answer, and its candidates. */
typedef struct chroma_explain_view {
  size_t struct_size;
  int64_t version;          /**< Of the segments: grows with every compaction. */
  int64_t generation;       /**< Of the index; 0: none was there. */
  int64_t position;         /**< Of the last record in the log. */
  int64_t indexed_position; /**< Vectors that were set later are not in the index. */
  uint64_t record_count;    /**< Records of the collection. */
  uint64_t candidate_count; /**< Those that the selection lets through. */
  uint64_t unindexed_count; /**< Records that the index does not have. */
  uint64_t ef_search;       /**< As the collection's configuration has it. */
  size_t query_count;       /**< 0 where a selection was explained without a query. */
} chroma_explain_view;
#define CHROMA_EXPLAIN_VIEW_INIT \
  { sizeof(chroma_explain_view), 0, 0, 0, 0, 0, 0, 0, 0, 0 }

typedef int32_t chroma_search_strategy;
enum {
  CHROMA_SEARCH_EXACT_SCAN = 1,    /**< Every candidate was measured. */
  CHROMA_SEARCH_CODE_SCAN = 2,     /**< Every candidate's code, and what it left open. Exact. */
  CHROMA_SEARCH_GRAPH = 3,         /**< By way of the graph. */
  CHROMA_SEARCH_FILTERED_GRAPH = 4 /**< The same, through nodes that the selection excludes. */
};

/** What one query took. */
typedef struct chroma_search_view {
  size_t struct_size;
  chroma_search_strategy strategy;
  uint32_t has_switched;   /**< Not 0: the graph took too long, and the rest was a scan. */
  uint64_t scanned_count;  /**< Candidates that the index does not have, measured exactly. */
  uint64_t measured_count; /**< Codes that were compared. */
  uint64_t reranked_count; /**< Candidates of the index that were then measured exactly. */
} chroma_search_view;
#define CHROMA_SEARCH_VIEW_INIT \
  { sizeof(chroma_search_view), 0, 0, 0, 0, 0 }

/**
 * Runs a query and says how, instead of what it found. Without embeddings, only the selection is
 * evaluated, as for a get, a count or a deletion: the query_count of the view is 0 then.
 *
 * @param options     As for chroma_collection_query(); include and max_distance do not matter.
 * @param out_result  To free with chroma_explain_result_free().
 */
CHROMA_API chroma_status chroma_collection_explain(chroma_collection *collection,
                                                   const chroma_query_options *options,
                                                   chroma_explain_result **out_result,
                                                   chroma_error **out_error);

/** @param out_view  Started from CHROMA_EXPLAIN_VIEW_INIT. */
CHROMA_API chroma_status chroma_explain_result_view(const chroma_explain_result *result,
                                                    chroma_explain_view *out_view,
                                                    chroma_error **out_error);

/**
 * What one of its queries took.
 *
 * @param index     Below the query_count of the view; else an invalid argument.
 * @param out_view  Started from CHROMA_SEARCH_VIEW_INIT.
 */
CHROMA_API chroma_status chroma_explain_result_search(const chroma_explain_result *result,
                                                      size_t index, chroma_search_view *out_view,
                                                      chroma_error **out_error);

/**
 * How the selection was evaluated, and what that took, as a JSON object to be read by people: its
 * members may change with any release. None where nothing was selected from, and for a stale
 * handle. Lives as long as the result.
 */
CHROMA_API chroma_string chroma_explain_result_filter_json(const chroma_explain_result *result);

CHROMA_API void chroma_explain_result_free(chroma_explain_result *result);

/* ---- Space and speed ---------------------------------------------------- */

/**
 * Is told how far a long call has come: done of total steps, which are thousandths of a collection
 * in a flush or compaction, and bytes of files elsewhere. done never falls and never exceeds total,
 * which may grow. Called on the thread of the call, which waits for it and never calls it after it
 * returned. It may use the library. To end the call early, it requests the call's cancel token.
 */
typedef void (*chroma_progress)(void *context, uint64_t done, uint64_t total);

/** How a long call tells of itself and ends. NULL instead of a pointer to it stands for neither. */
typedef struct chroma_long_call {
  size_t struct_size;
  chroma_progress progress; /**< Or NULL. */
  void *progress_context;   /**< Handed to progress as it is. */
  chroma_cancel *cancel;    /**< Or NULL. What was done until then stays done, and is whole. */
} chroma_long_call;
#define CHROMA_LONG_CALL_INIT \
  { sizeof(chroma_long_call), NULL, NULL, NULL }

/**
 * Brings every collection to rest: all that was written stands in segments and is indexed, and
 * nothing that was deleted or replaced before the call is left in any file of the directory. Reads
 * and writes go on meanwhile. It changes no answer, but for which of the nearest an index finds.
 *
 * @param long_call  May be NULL.
 * @return CHROMA_ERROR_CANCELLED, _CLOSED, _PERMISSION_DENIED (read-only), _LOCKED, _IO,
 *         _CORRUPTION, _OUT_OF_SPACE.
 */
CHROMA_API chroma_status chroma_engine_flush(chroma_engine *engine,
                                             const chroma_long_call *long_call,
                                             chroma_error **out_error);

/** As flush; also makes as few segments of each collection as their largest size allows. */
CHROMA_API chroma_status chroma_engine_compact(chroma_engine *engine,
                                               const chroma_long_call *long_call,
                                               chroma_error **out_error);

/** As chroma_engine_flush(), of one collection. CHROMA_ERROR_NOT_FOUND where it was deleted. */
CHROMA_API chroma_status chroma_collection_flush(chroma_collection *collection,
                                                 const chroma_long_call *long_call,
                                                 chroma_error **out_error);

/** As chroma_engine_compact(), of one collection. CHROMA_ERROR_NOT_FOUND where it was deleted. */
CHROMA_API chroma_status chroma_collection_compact(chroma_collection *collection,
                                                   const chroma_long_call *long_call,
                                                   chroma_error **out_error);

/** What a collection takes. */
typedef struct chroma_statistics {
  size_t struct_size;
  uint64_t record_count;         /**< As chroma_collection_count() says. */
  int64_t version;               /**< Grows with every compaction; 0 before the first. */
  int64_t position;              /**< Of the last record in the log: how many were written, ever. */
  uint64_t log_row_count;        /**< Writes that are in no segment yet. */
  uint64_t log_record_count;     /**< Their records. */
  uint64_t log_byte_count;       /**< Their bytes. */
  uint64_t segment_count;        /**< Segments. */
  uint64_t segment_byte_count;   /**< Their bytes. */
  uint64_t dead_row_count;       /**< Their records that were deleted or replaced since. */
  uint64_t compacted_byte_count; /**< Bytes that compactions wrote, ever. */
} chroma_statistics;
#define CHROMA_STATISTICS_INIT \
  { sizeof(chroma_statistics), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/** @param out_statistics  Started from CHROMA_STATISTICS_INIT. */
CHROMA_API chroma_status chroma_collection_statistics(chroma_collection *collection,
                                                      chroma_statistics *out_statistics,
                                                      chroma_error **out_error);

/** How many of the operations that were ever written to a collection its index knows. */
typedef struct chroma_indexing_status {
  size_t struct_size;
  uint64_t indexed_count;   /**< Operations that are indexed. */
  uint64_t unindexed_count; /**< The others: their records are found by measuring them. */
  uint64_t total_count;     /**< Both. */
  double progress;          /**< indexed_count by total_count; 1 where nothing was written. */
} chroma_indexing_status;
#define CHROMA_INDEXING_STATUS_INIT \
  { sizeof(chroma_indexing_status), 0, 0, 0, 0 }

/**
 * A collection that is too small for an index counts as indexed: it is found by measuring it, as
 * quickly as it gets.
 *
 * @param out_status  Started from CHROMA_INDEXING_STATUS_INIT.
 */
CHROMA_API chroma_status chroma_collection_indexing_status(chroma_collection *collection,
                                                           chroma_indexing_status *out_status,
                                                           chroma_error **out_error);

/* ---- Safety ------------------------------------------------------------- */

/** What a copy of a database took. */
typedef struct chroma_copy_view {
  size_t struct_size;
  uint64_t blob_count;         /**< Blobs, files beside the catalog, that the copy has. */
  uint64_t byte_count;         /**< Bytes that the copy has. */
  uint64_t copied_blob_count;  /**< Blobs that were not there from an earlier backup. */
  uint64_t copied_byte_count;  /**< Bytes that were copied this time. */
  uint64_t removed_blob_count; /**< Blobs of the earlier backup that it needs no more. */
} chroma_copy_view;
#define CHROMA_COPY_VIEW_INIT \
  { sizeof(chroma_copy_view), 0, 0, 0, 0, 0 }

/**
 * Copies the database into a directory as it is at one moment, while any number of threads and
 * processes go on reading and writing it. The copy is a database like any other.
 *
 * @param target     Made if missing; an earlier backup there is brought up to date, by what is new.
 *                   Relative to the working directory.
 * @param long_call  May be NULL. A call that was cancelled is gone on with by the next.
 * @param out_copy   Started from CHROMA_COPY_VIEW_INIT, or NULL.
 * @return CHROMA_ERROR_INVALID_ARGUMENT  the database is in memory, or the target is the database,
 *                                        lies in it, or holds something that is no backup;
 *         CHROMA_ERROR_PERMISSION_DENIED the engine is read-only: a backup tells writers of itself
 *                                        in the database;
 *         CHROMA_ERROR_CORRUPTION        the database is damaged: the message names the file; an
 *                                        earlier backup stays as it was;
 *         CHROMA_ERROR_CANCELLED, _CLOSED, _LOCKED, _NOT_FOUND, _IO, _OUT_OF_SPACE.
 */
CHROMA_API chroma_status chroma_engine_backup(chroma_engine *engine, chroma_string target,
                                              const chroma_long_call *long_call,
                                              chroma_copy_view *out_copy, chroma_error **out_error);

/**
 * Copies a finished backup into a new or empty directory, checking every byte.
 *
 * @param target     Made if missing.
 * @param long_call  May be NULL.
 * @param out_copy   Started from CHROMA_COPY_VIEW_INIT, or NULL.
 * @return CHROMA_ERROR_ALREADY_EXISTS    the target is not empty;
 *         CHROMA_ERROR_INVALID_ARGUMENT  the source is no finished backup;
 *         CHROMA_ERROR_CORRUPTION        the backup is damaged: the message names the file;
 *         CHROMA_ERROR_CANCELLED, _IO, _OUT_OF_SPACE.
 */
CHROMA_API chroma_status chroma_restore(chroma_string source, chroma_string target,
                                        const chroma_long_call *long_call,
                                        chroma_copy_view *out_copy, chroma_error **out_error);

/**
 * Reads all of a directory and reports everything that is damaged. Changes no byte; any process may
 * have the directory open.
 *
 * @param path        The directory.
 * @param long_call   May be NULL.
 * @param out_report  Entries of the kinds DAMAGE and WASTE; none: the database is sound. To free
 *                    with chroma_report_free().
 * @return CHROMA_ERROR_NOT_FOUND, _UNSUPPORTED_FORMAT, _CANCELLED, _IO. Damage is no error.
 */
CHROMA_API chroma_status chroma_verify(chroma_string path, const chroma_long_call *long_call,
                                       chroma_report **out_report, chroma_error **out_error);

/**
 * Rebuilds what can be rebuilt of a damaged directory, the catalog included, and takes out of it
 * what cannot be read, so that the rest works. What it replaces is kept in a directory of its own
 * inside. A second call finds nothing to do.
 *
 * @param path        The directory. No process may have it open, this one included.
 * @param long_call   May be NULL.
 * @param out_report  Entries of the kinds ACTION and LOSS; none: there was nothing to do. To free
 *                    with chroma_report_free().
 * @return CHROMA_ERROR_LOCKED  a process has the directory open;
 *         CHROMA_ERROR_NOT_FOUND, _UNSUPPORTED_FORMAT, _CANCELLED, _IO, _OUT_OF_SPACE.
 */
CHROMA_API chroma_status chroma_repair(chroma_string path, const chroma_long_call *long_call,
                                       chroma_report **out_report, chroma_error **out_error);

typedef int32_t chroma_report_kind;
enum {
  CHROMA_REPORT_DAMAGE = 1, /**< Of verify: stored bytes are wrong or missing. */
  CHROMA_REPORT_WASTE = 2,  /**< Of verify: bytes that nothing needs, and that go by themselves. */
  CHROMA_REPORT_ACTION = 3, /**< Of repair: what it did. */
  CHROMA_REPORT_LOSS = 4    /**< Of repair: what could not be read. */
};

/** One thing that was found or done. Points into its report. */
typedef struct chroma_report_entry {
  size_t struct_size;
  chroma_report_kind kind;
  uint32_t is_repairable;        /**< Of DAMAGE and WASTE: not 0 where repair does away with it. */
  chroma_string message;         /**< A sentence. */
  chroma_string file;            /**< Of DAMAGE and WASTE: in the directory, as "chroma.db". */
  chroma_string place;           /**< Where in the file, as "page 17"; none: all of it. */
  chroma_string collection_id;   /**< Whose data it is, as a hyphenated UUID; none: unknown. */
  chroma_string collection_name; /**< None: unknown. */
  uint64_t lost_record_count;    /**< Of a LOSS; UINT64_MAX: unknown. */
  const chroma_string *lost_ids; /**< Of a LOSS: those that could be read, at most 1,000. */
  size_t lost_id_count;
} chroma_report_entry;
#define CHROMA_REPORT_ENTRY_INIT \
  { \
    sizeof(chroma_report_entry), 0, 0, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, 0, \
        NULL, 0 \
  }

CHROMA_API size_t chroma_report_count(const chroma_report *report);

/** @param out_entry  Started from CHROMA_REPORT_ENTRY_INIT; points into the report afterwards. */
CHROMA_API chroma_status chroma_report_view(const chroma_report *report, size_t index,
                                            chroma_report_entry *out_entry,
                                            chroma_error **out_error);

/** Where repair keeps what it replaced, in the directory; none where it replaced nothing. */
CHROMA_API chroma_string chroma_report_saved_directory(const chroma_report *report);

CHROMA_API void chroma_report_free(chroma_report *report);

/* ---- For tests ---------------------------------------------------------- */

/** Handles that were given and not yet ended, of all types, in this process. */
CHROMA_API uint64_t chroma_debug_live_handle_count(void);

#ifdef __cplusplus
}
#endif

#endif /* CHROMA_H */
