// A collection: the official client's methods, on the engine of this process.
'use strict';

const { ChromaValueError } = require('./errors');
const { toMatrix } = require('./embeddings');
const { toFilter, toJSON } = require('./filters');
const { GetResult, QueryResult } = require('./results');
const options = require('./options');

const RECORD_OPTIONS = ['ids', 'embeddings', 'metadatas', 'documents', 'uris', 'signal'];
const ADD_OPTIONS = [...RECORD_OPTIONS, 'onConflict'];
const GET_OPTIONS = [
  'ids', 'where', 'limit', 'offset', 'whereDocument', 'include', 'after', 'orderBy', 'descending',
  'signal',
];
const DISTINCT_OPTIONS = ['key', 'ids', 'where', 'whereDocument', 'limit', 'signal'];
const EXPLAIN_OPTIONS = [
  'queryEmbeddings', 'ids', 'nResults', 'where', 'whereDocument', 'exact', 'signal',
];
const QUERY_OPTIONS = ['include', 'maxDistance', ...EXPLAIN_OPTIONS];
const DELETE_OPTIONS = ['ids', 'where', 'whereDocument', 'limit', 'signal'];

class Collection {
  #connection;

  constructor(connection, description) {
    this.#connection = connection;
    this.id = description.id;
    this.tenant = description.tenant;
    this.database = description.database;
    this.#describe(description);
  }

  #describe(description) {
    this.name = description.name;
    this.metadata = description.metadata ?? undefined;
    this.configuration = JSON.parse(description.configuration);
    this.schema = JSON.parse(description.schema);
  }

  /** The number of records, or of those that the filters match. */
  async count(given = {}) {
    const { where, whereDocument, signal } = options.takeOptions('count', given, [
      'where', 'whereDocument', 'signal',
    ]);
    const filters = [toFilter('where', where), toFilter('whereDocument', whereDocument)];
    return this.#connection.call('count', signal, this.id, ...filters);
  }

  /** Inserts records; those whose id exists are left as they are, unless onConflict differs. */
  async add(given) {
    const { onConflict } = options.takeOptions('add', given, ADD_OPTIONS);
    options.checkConflictPolicy(onConflict);
    const counts = await this.#write('add', given);
    if (onConflict === undefined) return undefined;
    const isReplacing = onConflict === 'replace';
    return {
      added: counts.added,
      skipped: isReplacing ? 0 : counts.existing,
      replaced: isReplacing ? counts.existing : 0,
    };
  }

  /** Changes records; unknown ids are ignored. */
  async update(given) {
    await this.#write('update', given);
  }

  /** Changes records and inserts the unknown ones. */
  async upsert(given) {
    await this.#write('upsert', given);
  }

  /** The selected records, in the order in which they were inserted, or of a key's values. */
  async get(given = {}) {
    const {
      ids, where, limit, offset, whereDocument, include, after, orderBy, descending, signal,
    } = options.takeOptions('get', given, GET_OPTIONS);
    if (descending && orderBy === undefined) {
      throw new ChromaValueError('descending can only be specified when orderBy is provided');
    }
    return this.#get(
      {
        ids: ids === undefined ? undefined : options.checkIds(ids),
        where: toFilter('where', where),
        whereDocument: toFilter('whereDocument', whereDocument),
        limit: options.checkCount('limit', limit),
        offset: options.checkCount('offset', offset),
        include,
        after: after === undefined ? undefined : options.requireString('after', after),
        orderBy: orderBy === undefined ? undefined : options.requireString('orderBy', orderBy),
        descending: options.checkFlag('descending', descending),
      },
      signal,
    );
  }

  /** The values under a key, ascending, and how many of the selected records have each. */
  async distinct(given) {
    const { key, ids, where, whereDocument, limit, signal } = options.takeOptions(
      'distinct', given, DISTINCT_OPTIONS,
    );
    return this.#connection.call(
      'distinct',
      signal,
      this.id,
      options.requireString('key', key),
      ids === undefined ? undefined : options.checkIds(ids),
      toFilter('where', where),
      toFilter('whereDocument', whereDocument),
      options.checkCount('limit', limit),
    );
  }

  /** The first records. */
  async peek(given = {}) {
    const { limit = 10, signal } = options.takeOptions('peek', given, ['limit', 'signal']);
    return this.#get({ limit: options.checkCount('limit', limit) }, signal);
  }

  /** The selected records nearest to each query. */
  async query(given) {
    const {
      include = ['metadatas', 'documents', 'distances'], maxDistance, signal, ...rest
    } = options.takeOptions('query', given, QUERY_OPTIONS);
    const flags = options.checkInclude(include);
    const bound = options.checkMaxDistance(maxDistance);
    const columns = await this.#connection.call(
      'query', signal, this.id, ...queryArguments(rest), flags, bound,
    );
    return new QueryResult(columns, include);
  }

  /**
   * How query answers the same options: from which state, and by what way. Without queries, how the
   * selection is evaluated.
   */
  async explain(given) {
    const { signal, ...rest } = options.takeOptions('explain', given, EXPLAIN_OPTIONS);
    const explanation = await this.#connection.call(
      'explain', signal, this.id, ...queryArguments(rest, { needsQueries: false }),
    );
    return { ...explanation, filter: withCamelCase(JSON.parse(explanation.filter)) };
  }

  /** Deletes the selected records. Without a selection it deletes nothing. */
  async delete(given) {
    const { ids, where, whereDocument, limit, signal } = options.takeOptions(
      'delete', given, DELETE_OPTIONS,
    );
    const filters = [toFilter('where', where), toFilter('whereDocument', whereDocument)];
    const hasFilter = filters.some((filter) => filter !== undefined);
    options.checkCount('limit', limit);
    if (limit !== undefined && !hasFilter) {
      throw new ChromaValueError(
        'limit can only be specified when a where or whereDocument clause is provided',
      );
    }
    if (ids !== undefined) options.checkIds(ids);
    if (ids === undefined && !hasFilter) return { deleted: 0 };
    const deleted = await this.#connection.call(
      'delete', signal, this.id, ids, filters[0], filters[1], limit,
    );
    return { deleted };
  }

  /** Renames the collection, replaces its whole metadata, or changes settings of its index. */
  async modify(given) {
    const { name, metadata, configuration, signal } = options.takeOptions('modify', given, [
      'name', 'metadata', 'configuration', 'signal',
    ]);
    const [description] = await this.#connection.call(
      'modifyCollection',
      signal,
      this.id,
      name === undefined ? undefined : options.requireString('name', name),
      configuration === undefined ? undefined : toJSON('configuration', configuration),
      metadata,
    );
    this.#describe(description);
  }

  /** Brings the collection to rest, all of it indexed; see the client's flush. */
  async flush(given = {}) {
    const { signal } = options.takeOptions('flush', given, ['signal']);
    await this.#connection.call('compact', signal, this.id, true);
  }

  /** Merges the collection's segments into as few as possible; see the client's compact. */
  async compact(given = {}) {
    const { signal } = options.takeOptions('compact', given, ['signal']);
    await this.#connection.call('compact', signal, this.id, false);
  }

  /** What the collection takes. */
  async statistics(given = {}) {
    const { signal } = options.takeOptions('statistics', given, ['signal']);
    return this.#connection.call('statistics', signal, this.id);
  }

  /** How many of the operations on the collection its index knows. */
  async getIndexingStatus(given = {}) {
    const { signal } = options.takeOptions('getIndexingStatus', given, ['signal']);
    return this.#connection.call('indexingStatus', signal, this.id);
  }

  async #get(selection, signal) {
    const include = selection.include ?? ['documents', 'metadatas'];
    const columns = await this.#connection.call(
      'get',
      signal,
      this.id,
      selection.ids,
      selection.where,
      selection.whereDocument,
      selection.limit,
      selection.offset,
      options.checkInclude(include, 'distances'),
      selection.after,
      selection.orderBy,
      selection.descending,
    );
    return new GetResult(columns, include);
  }

  async #write(operation, given) {
    const names = operation === 'add' ? ADD_OPTIONS : RECORD_OPTIONS;
    const { ids, embeddings, metadatas, documents, uris, onConflict, signal } =
      options.takeOptions(operation, given, names);
    const needsEmbeddings = operation !== 'update' || documents !== undefined;
    checkColumns({ ids, metadatas, documents, uris });
    options.checkIds(ids);
    if (embeddings === undefined && needsEmbeddings) {
      throw new ChromaValueError(
        `No embedding function found for collection '${this.name}'. ` +
          'Provide embeddings for the records.',
      );
    }
    const matrix = embeddings === undefined ? undefined : toMatrix('embeddings', embeddings);
    if (matrix !== undefined && matrix.count !== ids.length) {
      throw new ChromaValueError('Unequal lengths for fields ids, embeddings');
    }
    return this.#connection.call(
      'write',
      signal,
      operation,
      this.id,
      ids,
      matrix?.values,
      matrix?.dimension,
      metadatas,
      documents,
      uris,
      onConflict,
    );
  }
}

/** What the addon takes of a query, checked. */
function queryArguments(given, { needsQueries = true } = {}) {
  const { queryEmbeddings, ids, nResults = 10, where, whereDocument, exact } = given;
  if (queryEmbeddings === undefined && needsQueries) {
    throw new ChromaValueError("'queryEmbeddings' must be provided");
  }
  const queries =
    queryEmbeddings === undefined ? undefined : toMatrix('queryEmbeddings', queryEmbeddings);
  return [
    queries?.values,
    queries?.dimension,
    ids === undefined ? undefined : options.checkIds(ids),
    toFilter('where', where),
    toFilter('whereDocument', whereDocument),
    options.checkResultCount(nResults),
    options.checkFlag('exact', exact),
  ];
}

/** A value of JSON whose members have the names that JavaScript is used to. */
function withCamelCase(value) {
  if (Array.isArray(value)) return value.map(withCamelCase);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).map(([name, member]) => [
    name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()),
    withCamelCase(member),
  ]);
  return Object.fromEntries(members);
}

/** The columns that are given, and ids always, must be arrays, not empty, and of one length. */
function checkColumns(columns) {
  const given = Object.entries(columns).filter(
    ([name, column]) => name === 'ids' || column !== undefined,
  );
  for (const [name, column] of given) {
    if (!Array.isArray(column)) {
      throw new ChromaValueError(
        `Expected '${name}' to be an array, but got ${options.kindOf(column)}`,
      );
    }
  }
  const empty = given.filter(([, column]) => column.length === 0).map(([name]) => name);
  if (empty.length > 0) {
    throw new ChromaValueError(`Non-empty lists are required for ${empty.join(', ')}`);
  }
  const unequal = given.filter(([, column]) => column.length !== columns.ids.length);
  if (unequal.length > 0) {
    const names = ['ids', ...unequal.map(([name]) => name)];
    throw new ChromaValueError(`Unequal lengths for fields ${names.join(', ')}`);
  }
}

module.exports = { Collection };
