/** Chroma: records with embeddings, documents and metadata, found by nearness and by filters. */

// ---- Values ---------------------------------------------------------------------------------

/**
 * A value of metadata. Numbers that are safe integers are stored as integers, others as floats;
 * bigints as integers of 64 bits.
 */
export type MetadataScalar = string | number | bigint | boolean;

/** Arrays hold one type, and at least one element. */
export type MetadataValue = MetadataScalar | string[] | number[] | bigint[] | boolean[];

/** In `update` and `upsert` a null removes its key; elsewhere it is as if the key were missing. */
export type Metadata = Record<string, MetadataValue | null>;

export type CollectionMetadata = Record<string, MetadataScalar | null>;

/** Vectors of one dimension. They are copied before the call returns its promise. */
export type Embeddings =
  | ReadonlyArray<ReadonlyArray<number> | Float32Array | Float64Array>
  | { data: Float32Array; dimension: number };

type Literal = string | number | bigint | boolean;

export type WhereOperator =
  | { $eq: Literal }
  | { $ne: Literal }
  | { $gt: number | bigint }
  | { $gte: number | bigint }
  | { $lt: number | bigint }
  | { $lte: number | bigint }
  | { $in: Literal[] }
  | { $nin: Literal[] }
  | { $contains: Literal }
  | { $not_contains: Literal }
  | { $exists: boolean }
  | TextOperator;

/**
 * `$like` takes SQL's patterns of the whole text: `%` for any run of characters, `_` for one, a
 * backslash to escape. `$icontains` finds a text whatever its case.
 */
export type TextOperator =
  | { $like: string }
  | { $not_like: string }
  | { $icontains: string }
  | { $not_icontains: string };

/** A filter on metadata: one key, or one of `$and` and `$or`. */
export type Where =
  | { $and: Where[] }
  | { $or: Where[] }
  | { [key: string]: Literal | WhereOperator };

/** A filter on documents. */
export type WhereDocument =
  | { $contains: string }
  | { $not_contains: string }
  | { $regex: string }
  | { $not_regex: string }
  | TextOperator
  | { $and: WhereDocument[] }
  | { $or: WhereDocument[] };

export declare const IncludeEnum: {
  readonly distances: 'distances';
  readonly documents: 'documents';
  readonly embeddings: 'embeddings';
  readonly metadatas: 'metadatas';
  readonly uris: 'uris';
};

export type Include = keyof typeof IncludeEnum;

// ---- Clients --------------------------------------------------------------------------------

export interface ClientOptions {
  /** By default "default_tenant". */
  tenant?: string;
  /** By default "default_database". */
  database?: string;
}

export interface PersistentClientOptions extends ClientOptions {
  /** The directory, which is created if missing. */
  path: string;
  /**
   * Makes and changes nothing in the directory, which must exist. Calls that would are refused with
   * the code CHROMA_ERROR_PERMISSION_DENIED. By default false.
   */
  readOnly?: boolean;
  /**
   * Bytes of memory beyond which collections that are not in use are forgotten until they are. By
   * default there is no limit. The first client of a directory in a process decides.
   */
  memoryLimitBytes?: number;
  /**
   * How many threads index vectors; 0 and by default half of the cores. The first client of a
   * directory in a process decides.
   */
  indexingThreads?: number;
}

export interface EphemeralClientOptions extends ClientOptions {
  /** As for a PersistentClient. */
  memoryLimitBytes?: number;
  /** As for a PersistentClient. */
  indexingThreads?: number;
}

/** What every call takes. */
export interface CallOptions {
  /**
   * Ends the call early, which rejects with the signal's reason: a read soon, a write only if it
   * has not begun.
   */
  signal?: AbortSignal;
}

export interface HNSWConfiguration {
  space?: 'l2' | 'cosine' | 'ip';
  ef_construction?: number;
  ef_search?: number;
  max_neighbors?: number;
  num_threads?: number;
  batch_size?: number;
  sync_threshold?: number;
  resize_factor?: number;
}

/**
 * How embeddings are stored, for good; by default 'f32'. They are rounded when they are written,
 * and distances are exact for the rounded values.
 */
export type VectorDtype = 'f32' | 'f16' | 'bf16' | 'int8';

export interface SchemaIndex {
  enabled: boolean;
  config: Record<string, unknown>;
}

/** The indexes of values, by their type. What is left out is as by default. */
export interface SchemaTypes {
  string?: { fts_index?: SchemaIndex; string_inverted_index?: SchemaIndex };
  float_list?: { vector_index?: SchemaIndex };
  sparse_vector?: { sparse_vector_index?: SchemaIndex };
  int?: { int_inverted_index?: SchemaIndex };
  float?: { float_inverted_index?: SchemaIndex };
  bool?: { bool_inverted_index?: SchemaIndex };
}

/**
 * What is indexed, for good. Filters by what is not are refused. The key `#document` stands for
 * documents, `#embedding` for the vectors.
 */
export interface Schema {
  defaults: SchemaTypes;
  keys: Record<string, SchemaTypes>;
  cmek?: { gcp: string };
}

/** As the engine reports it. */
export interface CollectionConfiguration {
  hnsw?: HNSWConfiguration | null;
  /** Where it is not 'f32'. */
  vector_dtype?: VectorDtype;
  [key: string]: unknown;
}

export interface CreateCollectionOptions extends CallOptions {
  name: string;
  configuration?: { hnsw?: HNSWConfiguration; vector_dtype?: VectorDtype };
  metadata?: CollectionMetadata;
  /** There are none yet. */
  embeddingFunction?: null;
  /**
   * What is indexed; by default everything. A schema and a configuration cannot both ask for
   * something.
   */
  schema?: Schema;
}

export interface Client {
  readonly tenant: string;
  readonly database: string;
  /** Nanoseconds since 1970. Opens the database, and so tells whether it can be opened. */
  heartbeat(): Promise<number>;
  createCollection(options: CreateCollectionOptions): Promise<Collection>;
  /** An existing collection is returned unchanged. */
  getOrCreateCollection(options: CreateCollectionOptions): Promise<Collection>;
  getCollection(
    options: { name: string; embeddingFunction?: null } & CallOptions,
  ): Promise<Collection>;
  /** By default the first 100. */
  listCollections(
    options?: { limit?: number; offset?: number } & CallOptions,
  ): Promise<Collection[]>;
  deleteCollection(options: { name: string } & CallOptions): Promise<void>;
  /**
   * Brings all collections, of all databases, to rest: what was written stands in segments and is
   * indexed, and what was deleted or replaced before the call is in no file any more. It changes no
   * answer, but for which of the nearest an index finds. A signal ends it between two steps; what
   * was done stays.
   */
  flush(options?: CallOptions): Promise<void>;
  /** As flush; also merges the segments of each collection into as few as possible. */
  compact(options?: CallOptions): Promise<void>;
  /**
   * Copies the whole database into a directory as it is at one moment, while anybody goes on
   * reading and writing. The copy is a database like any other; the next backup into the same
   * directory copies only what is new.
   */
  backup(options: { path: string } & CallOptions): Promise<Copy>;
  /** Closes the client once its calls have ended; later calls are refused. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A client of a directory. Any number of clients and processes may have it open. */
export declare const PersistentClient: {
  (options: PersistentClientOptions): Client;
  new (options: PersistentClientOptions): Client;
};

/** A client of a new database in memory. */
export declare const EphemeralClient: {
  (options?: EphemeralClientOptions): Client;
  new (options?: EphemeralClientOptions): Client;
};

// ---- Collections ----------------------------------------------------------------------------

/** Records in columns, each as long as `ids`. */
export interface RecordOptions extends CallOptions {
  ids: string[];
  embeddings?: Embeddings;
  metadatas?: (Metadata | null | undefined)[];
  documents?: (string | null | undefined)[];
  uris?: (string | null | undefined)[];
}

/**
 * What an addition does where a record has one of its ids: leaves that record as it is; stores
 * nothing and rejects with a ChromaUniqueError; or makes it exactly what is given, at its place in
 * the order of insertion. Which ids exist is decided while nobody else writes.
 */
export type ConflictPolicy = 'ignore' | 'error' | 'replace';

/** What an addition met: the three add up to the records given. */
export interface AddResult {
  added: number;
  skipped: number;
  replaced: number;
}

export interface SelectionOptions extends CallOptions {
  ids?: string[];
  where?: Where;
  whereDocument?: WhereDocument;
}

export interface CountOptions extends CallOptions {
  where?: Where;
  whereDocument?: WhereDocument;
}

export interface GetOptions extends SelectionOptions {
  limit?: number;
  /** How many to leave out first; behind `after`, if given. */
  offset?: number;
  /**
   * The id of a record, which need not be selected: only what comes behind it in the order is
   * returned. Pages that begin after the last record of the page before show every record once
   * that stays as it is, whatever is added and deleted meanwhile. Rejects with a
   * ChromaNotFoundError if there is no such record.
   */
  after?: string;
  /**
   * A key of metadata, to order the records by: bools (false first), then numbers by value, then
   * strings by their UTF-8 bytes. Records that are equal stand in the order of insertion; those
   * without such a value, or with an array, come last in that order.
   */
  orderBy?: string;
  /** Whether the greatest value comes first. By default false. */
  descending?: boolean;
  /** By default documents and metadatas. */
  include?: Exclude<Include, 'distances'>[];
}

export interface QueryOptions extends SelectionOptions {
  queryEmbeddings: Embeddings;
  /** By default 10. */
  nResults?: number;
  /** By default metadatas, documents and distances. */
  include?: Include[];
  /** Whether every candidate is measured, instead of asking the index. By default false. */
  exact?: boolean;
  /**
   * Leaves out what is farther, by the distance as it is returned: fewer than `nResults` may be
   * left. By default nothing is too far.
   */
  maxDistance?: number;
}

export interface DistinctOptions extends SelectionOptions {
  /** Of metadata. */
  key: string;
  /** At most so many values, the first. */
  limit?: number;
}

/** Without queries the selection alone is explained. */
export type ExplainOptions = Partial<Omit<QueryOptions, 'include' | 'maxDistance'>>;

export interface ModifyOptions extends CallOptions {
  name?: string;
  /** Replaces all of it. */
  metadata?: CollectionMetadata;
  /** The next query goes by it, in every process. The space and ef_construction cannot change. */
  configuration?: { hnsw?: Omit<HNSWConfiguration, 'space' | 'ef_construction' | 'batch_size'> };
}

export interface DeleteOptions extends SelectionOptions {
  /** At most so many of the records that match `where` or `whereDocument`. */
  limit?: number;
}

export interface Collection {
  readonly id: string;
  readonly tenant: string;
  readonly database: string;
  /** This and what follows as `modify` of this object left them. */
  readonly name: string;
  readonly metadata: CollectionMetadata | undefined;
  readonly configuration: CollectionConfiguration;
  /** Complete, with what it has by default. */
  readonly schema: Schema;
  /** How many records there are, or how many the filters match. */
  count(options?: CountOptions): Promise<number>;
  /** Inserts records; those whose id exists are left as they are. */
  add(options: RecordOptions): Promise<void>;
  /** The same, where the records that exist are said something about. */
  add(options: RecordOptions & { onConflict: ConflictPolicy }): Promise<AddResult>;
  /** Changes records; unknown ids are ignored, and what is not given stays. */
  update(options: RecordOptions): Promise<void>;
  /** Changes records and inserts the unknown ones. */
  upsert(options: RecordOptions): Promise<void>;
  /** The selected records, in the order in which they were inserted, or of `orderBy`. */
  get<TMeta extends Metadata = Metadata>(options?: GetOptions): Promise<GetResult<TMeta>>;
  /**
   * The values under a key in the selected records, in the order that `get` has for `orderBy`:
   * scalars, and the elements of arrays, each once. Numbers that are equal are one value. A record
   * counts once for each of its values.
   */
  distinct(options: DistinctOptions): Promise<DistinctResult>;
  /** The first records, by default 10. */
  peek<TMeta extends Metadata = Metadata>(
    options?: { limit?: number } & CallOptions,
  ): Promise<GetResult<TMeta>>;
  /**
   * The selected records nearest to each query. A collection of some thousand records or more has
   * an index, which finds nearly all of the nearest: more of them with a larger `ef_search`.
   */
  query<TMeta extends Metadata = Metadata>(options: QueryOptions): Promise<QueryResult<TMeta>>;
  /**
   * Runs a query, and tells from which state and by what way it was answered; without queries, how
   * the selection was evaluated.
   */
  explain(options: ExplainOptions): Promise<Explanation>;
  /** Deletes the selected records. */
  delete(options: DeleteOptions): Promise<{ deleted: number }>;
  /** Renames the collection, replaces its whole metadata, or changes settings of its index. */
  modify(options: ModifyOptions): Promise<void>;
  /** As the client's, of this collection. */
  flush(options?: CallOptions): Promise<void>;
  /** As the client's, of this collection. */
  compact(options?: CallOptions): Promise<void>;
  statistics(options?: CallOptions): Promise<CollectionStatistics>;
  getIndexingStatus(options?: CallOptions): Promise<IndexingStatus>;
}

/**
 * How many of the operations on a collection its index knows. The records of the others are found
 * by measuring them. A collection too small for an index counts as indexed.
 */
export interface IndexingStatus {
  num_indexed_ops: number;
  num_unindexed_ops: number;
  total_ops: number;
  /** From 0 to 1. */
  op_indexing_progress: number;
}

/** How a query was answered. The same state answers it in the same way, in every process. */
export interface Explanation {
  /** Of the segments; see CollectionStatistics. */
  version: number;
  /** Of the index; 0: there was none. */
  generation: number;
  /** How many records were ever written, changed or deleted. */
  position: number;
  /** Vectors that were set later are not in the index. */
  indexedPosition: number;
  recordCount: number;
  /** Records that the ids and filters let through. */
  candidateCount: number;
  /** Records that the index does not have. */
  unindexedCount: number;
  /** As the collection's configuration has it. */
  efSearch: number;
  /** One for each query. */
  searches: {
    /**
     * How the candidates that the index has were searched: all of them measured; all by their
     * codes, of eight bits a number, and measured where that left it open; or by way of the graph,
     * if filtered through records that are no candidates. Scans miss nothing.
     */
    strategy: 'exact scan' | 'code scan' | 'graph' | 'filtered graph';
    /** Whether the graph took too long, and a scan was made instead. */
    hasSwitched: boolean;
    /** Candidates that the index does not have, which were measured. */
    scannedCount: number;
    /** Codes that were compared. */
    measuredCount: number;
    /** Candidates of the index that were then measured. */
    rerankedCount: number;
  }[];
  /**
   * How ids and filters were evaluated, and what that took; null without any. To be read by people:
   * what is in it may change with any release.
   */
  filter: Record<string, unknown> | null;
}

/** The values under a key, ascending, and how many records have each. */
export interface DistinctResult {
  values: MetadataScalar[];
  counts: number[];
}

/** What a collection takes. New writes stand in its log, until a compaction makes segments. */
export interface CollectionStatistics {
  recordCount: number;
  /** Grows with every compaction; 0 before the first. */
  version: number;
  /** How many records were ever written, changed or deleted. */
  position: number;
  /** Writes that are in no segment yet. */
  logRowCount: number;
  /** Their records. */
  logRecordCount: number;
  /** Their bytes. */
  logByteCount: number;
  segmentCount: number;
  segmentByteCount: number;
  /** Records of segments that were deleted or replaced since, and whose room is not free yet. */
  deadRowCount: number;
  /** Bytes that compactions wrote, ever. */
  compactedByteCount: number;
}

// ---- Results --------------------------------------------------------------------------------

export interface Row<TMeta extends Metadata = Metadata> {
  id: string;
  document: string | null | undefined;
  embedding: number[] | undefined;
  metadata: TMeta | null | undefined;
  uri: string | null | undefined;
}

export interface QueryRow<TMeta extends Metadata = Metadata> extends Row<TMeta> {
  distance: number | undefined;
}

/** Records in columns. Those that were not included are empty arrays. */
export interface GetResult<TMeta extends Metadata = Metadata> {
  ids: string[];
  documents: (string | null)[];
  embeddings: number[][];
  metadatas: (TMeta | null)[];
  uris: (string | null)[];
  include: Include[];
  rows(): Row<TMeta>[];
}

/** For each query its neighbours, nearest first. Columns not included are empty arrays. */
export interface QueryResult<TMeta extends Metadata = Metadata> {
  ids: string[][];
  distances: number[][];
  documents: (string | null)[][];
  embeddings: number[][][];
  metadatas: (TMeta | null)[][];
  uris: (string | null)[][];
  include: Include[];
  rows(): QueryRow<TMeta>[][];
}

// ---- Directories ----------------------------------------------------------------------------

/** What a backup or a restoration took. Blobs are files of data, beside the catalog. */
export interface Copy {
  blobCount: number;
  byteCount: number;
  /** Blobs that were not there from an earlier backup. */
  copiedBlobCount: number;
  copiedByteCount: number;
  /** Blobs of the earlier backup that the new one needs no more. */
  removedBlobCount: number;
}

/** One thing in a directory that is not as it should be. */
export interface Finding {
  /** Damage: stored bytes are wrong or missing. Waste is needed by nothing, and goes by itself. */
  severity: 'damage' | 'waste';
  /** A sentence. */
  what: string;
  /** In the directory, as "chroma.db". */
  file: string;
  /** Where in the file, as "page 17"; null for all of it. */
  place: string | null;
  /** Whose data it is; null if that is not known. */
  collectionId: string | null;
  collectionName: string | null;
  /** Whether `repair` does away with it; what the bytes held may be lost. */
  isRepairable: boolean;
}

/** What a repair could not read. */
export interface Loss {
  /** A sentence. */
  what: string;
  collectionId: string | null;
  collectionName: string | null;
  /** Null if it is not known. */
  recordCount: number | null;
  /** The ids of the records, as far as they could be read; at most 1,000. */
  ids: string[];
}

/** Without actions there was nothing to do. */
export interface RepairReport {
  actions: string[];
  losses: Loss[];
  /** Where the repair keeps what it replaced, in the directory; null where it replaced nothing. */
  savedDirectory: string | null;
}

/** Copies a backup into a new or empty directory, checking every byte. */
export declare function restore(
  options: { source: string; target: string } & CallOptions,
): Promise<Copy>;

/** Everything that is damaged in a directory, which anybody may have open. Changes nothing. */
export declare function verify(options: { path: string } & CallOptions): Promise<Finding[]>;

/**
 * Rebuilds what can be rebuilt of a directory that nobody has open, the catalog included, and takes
 * out what cannot be read, so that the rest works. A second repair finds nothing to do.
 */
export declare function repair(options: { path: string } & CallOptions): Promise<RepairReport>;

// ---- Errors ---------------------------------------------------------------------------------

/** `code` is the name of a status of chroma.h, such as "CHROMA_ERROR_LOCKED". */
export declare class ChromaError extends Error {
  constructor(name: string, message: string, cause?: unknown);
  code: string;
}

/** There is no such tenant, database or collection. */
export declare class ChromaNotFoundError extends ChromaError {
  constructor(message: string, cause?: unknown);
}

/** A collection has the name, or a record one of the ids. */
export declare class ChromaUniqueError extends ChromaError {
  constructor(message: string, cause?: unknown);
}

/** An argument that this package refused. */
export declare class ChromaValueError extends ChromaError {
  constructor(message: string, cause?: unknown);
}

/** An argument that the engine refused. */
export declare class InvalidArgumentError extends ChromaError {
  constructor(message: string, cause?: unknown);
}
