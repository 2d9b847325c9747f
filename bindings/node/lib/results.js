// What reads resolve to. Columns that were not included are empty arrays, as in the official
// client.
'use strict';

/** What can be included. */
const IncludeEnum = Object.freeze({
  distances: 'distances',
  documents: 'documents',
  embeddings: 'embeddings',
  metadatas: 'metadatas',
  uris: 'uris',
});

// The CHROMA_INCLUDE_… of chroma.h.
const includeFlags = { documents: 1, embeddings: 2, metadatas: 4, distances: 8, uris: 16 };

/** Records, in columns. */
class GetResult {
  constructor(columns, include) {
    this.ids = columns.ids;
    this.documents = columns.documents ?? [];
    this.embeddings = vectorsOf(columns);
    this.metadatas = columns.metadatas ?? [];
    this.uris = columns.uris ?? [];
    this.include = [...include];
  }

  /** The records, one object each. Fields that were not included are undefined. */
  rows() {
    return this.ids.map((id, index) => ({
      id,
      document: this.documents[index],
      embedding: this.embeddings[index],
      metadata: this.metadatas[index],
      uri: this.uris[index],
    }));
  }
}

/** The neighbours of each query, in columns. */
class QueryResult {
  constructor(columns, include) {
    const nested = (column) =>
      column === undefined
        ? []
        : columns.rowOffsets
            .slice(1)
            .map((end, query) => column.slice(columns.rowOffsets[query], end));
    this.ids = nested(columns.ids);
    this.distances = nested(columns.distances && Array.from(columns.distances));
    this.documents = nested(columns.documents);
    this.embeddings = nested(columns.embeddings && vectorsOf(columns));
    this.metadatas = nested(columns.metadatas);
    this.uris = nested(columns.uris);
    this.include = [...include];
  }

  /** An array of neighbours for each query. Fields that were not included are undefined. */
  rows() {
    return this.ids.map((ids, query) =>
      ids.map((id, index) => ({
        id,
        document: this.documents[query]?.[index],
        embedding: this.embeddings[query]?.[index],
        metadata: this.metadatas[query]?.[index],
        uri: this.uris[query]?.[index],
        distance: this.distances[query]?.[index],
      })),
    );
  }
}

function vectorsOf({ ids, embeddings, dimension }) {
  if (embeddings === undefined) return [];
  return ids.map((_, index) =>
    Array.from(embeddings.subarray(index * dimension, (index + 1) * dimension)),
  );
}

module.exports = { IncludeEnum, includeFlags, GetResult, QueryResult };
